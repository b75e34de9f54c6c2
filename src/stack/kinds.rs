//! Which kinds Kubernetes itself has, and whether their objects live in a namespace.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::nearest::did_you_mean;
use crate::resource::{GroupKind, Manifest, is_builtin_group};
use crate::ssa::{ServedKind, builtin_kinds};

static BUILTIN: LazyLock<Vec<ServedKind>> = LazyLock::new(|| builtin_kinds().collect());

/// By group and kind: whether their objects live in a namespace.
static SCOPES: LazyLock<BTreeMap<(&str, &str), bool>> = LazyLock::new(|| {
    BUILTIN.iter().map(|known| ((known.group.as_str(), known.kind.as_str()), known.namespaced)).collect()
});

/// The scopes of all kinds that a stack speaks of.
#[derive(Debug, Default)]
pub(super) struct Kinds {
    defined: BTreeMap<GroupKind, bool>,
}

impl Kinds {
    /// Takes in what a CustomResourceDefinition says.
    pub(super) fn learn(&mut self, manifest: &Manifest) {
        let text = |pointer: &str| manifest.object().pointer(pointer).and_then(serde_json::Value::as_str);
        if manifest.kind() == "CustomResourceDefinition"
            && let (Some(group), Some(kind)) = (text("/spec/group"), text("/spec/names/kind"))
        {
            self.defined.insert(GroupKind::new(group, kind), text("/spec/scope") != Some("Cluster"));
        }
    }

    /// Tells whether the objects of a kind live in a namespace. A kind that nobody knows does.
    pub(super) fn is_namespaced(&self, kind: &GroupKind) -> bool {
        if let Some(namespaced) = self.defined.get(kind) {
            return *namespaced;
        }
        SCOPES.get(&(kind.group.as_str(), kind.kind.as_str())).copied().unwrap_or(true)
    }
}

/// Returns what is wrong with an object's `apiVersion` and `kind` (the pointer of the field, the message, a hint), if they
/// claim to be Kubernetes' own and are not.
pub(super) fn mistaken_kind(manifest: &Manifest) -> Option<(&'static str, String, Option<String>)> {
    let (group, api_version, kind) = (manifest.group(), manifest.api_version(), manifest.kind());
    if BUILTIN.iter().any(|known| known.kind == kind && known.group == group && known.version == manifest.version()) {
        return None;
    }
    let of_group: Vec<&ServedKind> = BUILTIN.iter().filter(|known| known.group == group).collect();
    let homes = BUILTIN.iter().filter(|known| known.kind == kind);
    // Where a kind is in several groups or versions, the stable one is meant.
    let home = homes
        .min_by_key(|known| (known.version.contains("beta") || known.version.contains("alpha"), known.group.len()));
    let home_hint = home.map(|known| format!("`{kind}` is in `{}`", known.api_version()));
    if of_group.is_empty() {
        // Groups without a dot are all Kubernetes' own; those below k8s.io may come with definitions.
        if group.contains('.') && (!is_builtin_group(group) || home.is_none()) {
            return None;
        }
        let groups: BTreeSet<&str> =
            BUILTIN.iter().map(|known| known.group.as_str()).filter(|name| !name.is_empty()).collect();
        let hint = home_hint.or_else(|| did_you_mean(group, groups));
        return Some(("/apiVersion", format!("there is no API group `{group}`"), hint));
    }
    let versions: Vec<String> =
        of_group.iter().filter(|known| known.kind == kind).map(|known| known.api_version()).collect();
    if versions.is_empty() {
        let hint = home_hint.or_else(|| did_you_mean(kind, of_group.iter().map(|known| known.kind.as_str())));
        return Some(("/kind", format!("there is no kind `{kind}` in `{api_version}`"), hint));
    }
    let hint = format!("Kubernetes has `{}`", versions.join("`, `"));
    Some(("/apiVersion", format!("`{kind}` has no version `{api_version}`"), Some(hint)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn manifest(api_version: &str, kind: &str) -> Manifest {
        Manifest::new(json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}})).unwrap()
    }

    #[test]
    fn a_definition_decides_the_scope_of_its_kind() {
        let mut kinds = Kinds::default();
        let widget = GroupKind::new("example.com", "Widget");
        assert!(kinds.is_namespaced(&widget));
        kinds.learn(&Manifest::new(json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "widgets.example.com"},
            "spec": {"group": "example.com", "scope": "Cluster", "names": {"kind": "Widget"}}
        })).unwrap());
        assert!(!kinds.is_namespaced(&widget));
        assert!(!kinds.is_namespaced(&GroupKind::new("", "Namespace")));
        assert!(kinds.is_namespaced(&GroupKind::new("apps", "Deployment")));
    }

    #[test]
    fn only_what_claims_to_be_builtin_is_judged() {
        for right in [
            ("apps/v1", "Deployment"),
            ("example.com/v1", "Deployment"),
            ("gateway.networking.k8s.io/v1", "Gateway"),
            ("v1", "Secret"),
        ] {
            assert_eq!(mistaken_kind(&manifest(right.0, right.1)), None);
        }
        for wrong in [
            ("v1", "Deployment"),
            ("apps/v1beta1", "Deployment"),
            ("extensions/v1beta1", "Ingress"),
            ("v1", "Secrte"),
            ("app/v1", "Deployment"),
        ] {
            assert!(mistaken_kind(&manifest(wrong.0, wrong.1)).is_some(), "{wrong:?}");
        }
    }
}
