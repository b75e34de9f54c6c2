//! The kinds that Kubernetes brings along, so that a stack of them needs no discovery.
//!
//! The table is that of `ssa`, which reads their schemas by it. A server that is older, or has a version turned off,
//! answers 404 where it is asked, and that is read as an unknown kind.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::kind::ResourceKind;
use crate::resource::GroupKind;
use crate::ssa;

/// By group and kind, the preferred version first.
static KINDS: LazyLock<BTreeMap<GroupKind, Vec<ResourceKind>>> = LazyLock::new(|| {
    let mut kinds: BTreeMap<GroupKind, Vec<ResourceKind>> = BTreeMap::new();
    for served in ssa::builtin_kinds() {
        let kind = ResourceKind {
            group: served.group,
            version: served.version,
            kind: served.kind,
            plural: served.plural,
            namespaced: served.namespaced,
        };
        kinds.entry(kind.group_kind()).or_default().push(kind);
    }
    for versions in kinds.values_mut() {
        versions.sort_by_key(|kind| std::cmp::Reverse(rank(&kind.version)));
    }
    kinds
});

/// Orders versions as the server prefers them: stable over beta over alpha, later over earlier.
fn rank(version: &str) -> (u8, u32, u32) {
    let number = |text: &str| text.parse().unwrap_or(0);
    let rest = version.strip_prefix('v').unwrap_or(version);
    match (rest.split_once("beta"), rest.split_once("alpha")) {
        (Some((major, minor)), _) => (1, number(major), number(minor)),
        (_, Some((major, minor))) => (0, number(major), number(minor)),
        _ => (2, number(rest), 0),
    }
}

/// Returns a built-in kind; without a version, at the preferred one.
pub(super) fn find(group: &str, version: Option<&str>, kind: &str) -> Option<ResourceKind> {
    let versions = KINDS.get(&GroupKind::new(group, kind))?;
    versions.iter().find(|kind| version.is_none_or(|version| version == kind.version)).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preferred_version_is_taken_where_none_is_named() {
        let version = |version| find("autoscaling", version, "HorizontalPodAutoscaler").map(|kind| kind.version);
        assert_eq!(version(None).as_deref(), Some("v2"));
        assert_eq!(version(Some("v1")).as_deref(), Some("v1"));
        assert_eq!(version(Some("v2beta2")), None);
    }

    #[test]
    fn stable_versions_come_before_others() {
        let mut versions = ["v1alpha1", "v2beta1", "v1", "v1beta2", "v1beta1", "v2"];
        versions.sort_by_key(|version| std::cmp::Reverse(rank(version)));
        assert_eq!(versions, ["v2", "v1", "v2beta1", "v1beta2", "v1beta1", "v1alpha1"]);
    }

    #[test]
    fn the_kinds_of_a_first_stack_are_known() {
        for (group, kind, plural, namespaced) in [
            ("", "Namespace", "namespaces", false),
            ("", "PersistentVolumeClaim", "persistentvolumeclaims", true),
            ("apps", "StatefulSet", "statefulsets", true),
            ("networking.k8s.io", "NetworkPolicy", "networkpolicies", true),
            ("rbac.authorization.k8s.io", "ClusterRole", "clusterroles", false),
            ("apiextensions.k8s.io", "CustomResourceDefinition", "customresourcedefinitions", false),
            ("apiregistration.k8s.io", "APIService", "apiservices", false),
        ] {
            let found = find(group, Some("v1"), kind).unwrap();
            assert_eq!((found.plural.as_str(), found.namespaced), (plural, namespaced));
        }
    }
}
