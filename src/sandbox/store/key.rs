//! Under which key an object is stored. Lists are in the order of keys, so keys are built as the API server builds them.

use crate::sandbox::kind::Kind;

/// `GROUP/PLURAL/NAMESPACE/NAME`, or `GROUP/PLURAL/NAME` for what is in no namespace. The version is no part of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

/// Returns what all keys of a kind start with, in one namespace or in all.
#[must_use]
pub fn prefix_of(kind: &Kind, namespace: Option<&str>) -> String {
    match namespace.filter(|_| kind.namespaced) {
        Some(namespace) => [kind.group.as_str(), "/", &kind.plural, "/", namespace, "/"].concat(),
        None => [kind.group.as_str(), "/", &kind.plural, "/"].concat(),
    }
}

impl Key {
    /// Makes the key of an object.
    #[must_use]
    pub fn new(group: &str, plural: &str, namespace: Option<&str>, name: &str) -> Self {
        match namespace {
            Some(namespace) => Self([group, "/", plural, "/", namespace, "/", name].concat()),
            None => Self([group, "/", plural, "/", name].concat()),
        }
    }

    /// Makes the key of an object of a kind; the namespace of a cluster-scoped one is ignored.
    #[must_use]
    pub fn of(kind: &Kind, namespace: &str, name: &str) -> Self {
        Self::new(&kind.group, &kind.plural, kind.namespaced.then_some(namespace), name)
    }

    /// Takes a key as it was written.
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The key as it is written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The resource's group and plural name.
    #[must_use]
    pub fn resource(&self) -> (&str, &str) {
        let mut parts = self.0.splitn(3, '/');
        (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
    }
}
