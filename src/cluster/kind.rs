//! A kind as the server serves it, and the paths of its objects.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use crate::resource::GroupKind;

/// What needs no escape in a path or query (RFC 3986, "unreserved").
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Returns `text` as it may stand in a path or a query.
pub(super) fn escape(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED).to_string()
}

/// One kind at one version, as served.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ResourceKind {
    /// API group, empty for the core group.
    pub group: String,
    /// Version.
    pub version: String,
    /// Kind.
    pub kind: String,
    /// Name in paths and in RBAC.
    pub plural: String,
    /// False for cluster-scoped kinds.
    pub namespaced: bool,
}

impl ResourceKind {
    /// Returns `apiVersion` as objects have it.
    #[must_use]
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// Returns the group and kind.
    #[must_use]
    pub fn group_kind(&self) -> GroupKind {
        GroupKind::new(&self.group, &self.kind)
    }

    /// Returns the resource as RBAC and kubectl name it: `configmaps`, `deployments.apps`.
    #[must_use]
    pub fn resource(&self) -> String {
        if self.group.is_empty() { self.plural.clone() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// Returns the path of all objects, or of those in one namespace.
    pub(super) fn collection(&self, namespace: Option<&str>) -> String {
        let mut path = if self.group.is_empty() {
            format!("/api/{}", escape(&self.version))
        } else {
            format!("/apis/{}/{}", escape(&self.group), escape(&self.version))
        };
        if let Some(namespace) = namespace.filter(|_| self.namespaced) {
            path.push_str("/namespaces/");
            path.push_str(&escape(namespace));
        }
        path.push('/');
        path.push_str(&escape(&self.plural));
        path
    }

    /// Returns the path of one object.
    pub(super) fn path(&self, namespace: Option<&str>, name: &str) -> String {
        format!("{}/{}", self.collection(namespace), escape(name))
    }
}

/// A kind as an object names it: group, version and kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiKind {
    /// API group, empty for the core group.
    pub group: String,
    /// Version.
    pub version: String,
    /// Kind.
    pub kind: String,
}

impl ApiKind {
    /// Takes `apiVersion` and `kind` of an object.
    #[must_use]
    pub fn new(api_version: &str, kind: &str) -> Self {
        let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
        Self { group: group.to_owned(), version: version.to_owned(), kind: kind.to_owned() }
    }

    /// Returns the group and kind.
    #[must_use]
    pub fn group_kind(&self) -> GroupKind {
        GroupKind::new(&self.group, &self.kind)
    }

    /// Returns `apiVersion` as objects have it.
    #[must_use]
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }
}

#[cfg(test)]
mod tests {
    use crate::cluster::builtin;

    #[test]
    fn paths_are_those_of_the_api() {
        let role = builtin::find("rbac.authorization.k8s.io", Some("v1"), "ClusterRole").unwrap();
        assert_eq!(
            role.path(Some("ignored"), "system:a"),
            "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Aa"
        );
        let secret = builtin::find("", Some("v1"), "Secret").unwrap();
        assert_eq!(secret.path(Some("shop"), "s.1"), "/api/v1/namespaces/shop/secrets/s.1");
        assert_eq!(secret.collection(None), "/api/v1/secrets");
    }
}
