//! Address of a resource, for people: `SERVICE.KIND[.GROUP]/[NAMESPACE/]NAME`.

use std::fmt;

use super::ObjectRef;

/// The word that stands for the service in the address of a plain manifest.
pub const MANIFEST_SERVICE: &str = "manifest";

/// How people name a resource: `postgres.StatefulSet/postgres`, `manifest.Widget.example.com/other/w1`. The group stands
/// only where it is not built in, the namespace only where it is not the stack's. Two addresses may name the same
/// [`ObjectRef`] (a rename), never the other way round within one stack.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(String);

impl Address {
    /// Returns the address of `object` as made by `service` in a stack whose namespace is `stack_namespace`.
    #[must_use]
    pub fn of(service: &str, object: &ObjectRef, stack_namespace: &str) -> Self {
        let mut text = format!("{service}.{}", object.kind);
        if !is_builtin_group(&object.group) {
            text.push('.');
            text.push_str(&object.group);
        }
        text.push('/');
        if let Some(namespace) = object.namespace.as_deref().filter(|namespace| *namespace != stack_namespace) {
            text.push_str(namespace);
            text.push('/');
        }
        text.push_str(&object.name);
        Self(text)
    }

    /// Takes an address as somebody typed or recorded it; it is not checked to name anything.
    #[must_use]
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the service part.
    #[must_use]
    pub fn service(&self) -> &str {
        self.0.split('.').next().unwrap_or_default()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Tells whether an API group is Kubernetes' own: no dot (`apps`, `batch`), or below `k8s.io`.
#[must_use]
pub fn is_builtin_group(group: &str) -> bool {
    !group.contains('.') || group == "k8s.io" || group.ends_with(".k8s.io")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn group_and_namespace_stand_only_where_they_are_needed() {
        let own = ObjectRef::new("apps", "StatefulSet", Some("mathison-system"), "postgres");
        assert_eq!(Address::of("postgres", &own, "mathison-system").as_str(), "postgres.StatefulSet/postgres");
        let foreign = ObjectRef::new("example.com", "Widget", Some("other"), "w1");
        assert_eq!(
            Address::of("manifest", &foreign, "mathison-system").as_str(),
            "manifest.Widget.example.com/other/w1"
        );
        let cluster = ObjectRef::new("rbac.authorization.k8s.io", "ClusterRole", None, "mathison");
        assert_eq!(Address::of("access", &cluster, "mathison-system").as_str(), "access.ClusterRole/mathison");
    }
}
