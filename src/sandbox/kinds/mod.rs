//! Which kinds are served: Kubernetes' own and those that CustomResourceDefinitions add.

mod builtin;
mod posted;

use std::sync::Arc;

pub use self::builtin::builtin;
use super::kind::Kind;

/// The kinds that are served at one moment. Cheap to clone: the kinds are shared.
#[derive(Debug, Clone, Default)]
pub struct Kinds {
    /// Ordered by group, then version, the preferred one first, then plural.
    custom: Vec<Arc<Kind>>,
}

impl Kinds {
    /// Returns Kubernetes' own kinds.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one version of a custom kind, or replaces what was there.
    pub fn add_custom(&mut self, kind: Kind) {
        let same = |other: &Arc<Kind>| {
            other.group == kind.group && other.version == kind.version && other.plural == kind.plural
        };
        self.custom.retain(|other| !same(other));
        self.custom.push(Arc::new(kind));
        self.custom.sort_by(|left, right| {
            let versions = compare_versions(&right.version, &left.version);
            left.group.cmp(&right.group).then(versions).then_with(|| left.plural.cmp(&right.plural))
        });
    }

    /// Takes all versions of a custom kind away. Tells whether there was one.
    pub fn remove(&mut self, group: &str, plural: &str) -> bool {
        let before = self.custom.len();
        self.custom.retain(|kind| kind.group != group || kind.plural != plural);
        self.custom.len() < before
    }

    /// Returns all served kinds: Kubernetes' own in the order of discovery, then the custom ones by group,
    /// version and plural.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Kind>> {
        builtin::shared().iter().chain(&self.custom)
    }

    /// Returns the custom kinds alone.
    pub fn custom(&self) -> impl Iterator<Item = &Arc<Kind>> {
        self.custom.iter()
    }

    /// Kubernetes' own kinds of a name, and all others.
    fn named<'a>(&'a self, builtin: &'a [&'a Arc<Kind>]) -> impl Iterator<Item = &'a Arc<Kind>> {
        builtin.iter().copied().chain(&self.custom)
    }

    /// Finds the kind that a path names.
    #[must_use]
    pub fn by_plural(&self, group: &str, version: &str, plural: &str) -> Option<&Arc<Kind>> {
        let same = |kind: &&Arc<Kind>| kind.plural == plural && kind.version == version && kind.group == group;
        self.named(builtin::of_plural(plural)).find(same)
    }

    /// Finds a kind in the version that its group prefers.
    #[must_use]
    pub fn by_kind(&self, group: &str, kind: &str) -> Option<&Arc<Kind>> {
        let same = |served: &&Arc<Kind>| served.kind == kind && served.group == group;
        self.named(builtin::of_kind(kind)).find(same)
    }

    /// Finds the kind that an object's `apiVersion` and `kind` name.
    #[must_use]
    pub fn of_object(&self, api_version: &str, kind: &str) -> Option<&Arc<Kind>> {
        let (group, version) = builtin::split_group_version(api_version);
        let same = |served: &&Arc<Kind>| served.kind == kind && served.version == version && served.group == group;
        self.named(builtin::of_kind(kind)).find(same)
    }

    /// Finds the kind as which its objects are stored: another version where the server stores that one, and the core
    /// group's for the Events of both groups. `None` also if a custom kind is not served in the version that stores it.
    #[must_use]
    pub fn storage(&self, group: &str, kind: &str) -> Option<&Arc<Kind>> {
        match (group, kind) {
            ("events.k8s.io", "Event") => self.of_object("v1", "Event"),
            ("autoscaling", "HorizontalPodAutoscaler") => self.of_object("autoscaling/v2", kind),
            _ => {
                let preferred = self.by_kind(group, kind)?;
                match &preferred.custom {
                    Some(custom) => self.of_object(&format!("{group}/{}", custom.storage_version), kind),
                    None => Some(preferred),
                }
            }
        }
    }

    /// Returns the kind of what a subresource takes that is no resource itself: `Eviction`, `TokenRequest`, `Scale`.
    #[must_use]
    pub fn below(group: &str, version: &str, kind: &str) -> Option<&'static Arc<Kind>> {
        posted::below(group, version, kind)
    }

    /// Returns the served groups, each with its versions, in the order of discovery. The core group is left out.
    #[must_use]
    pub fn groups(&self) -> Vec<(&str, Vec<&str>)> {
        let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
        for kind in self.iter().filter(|kind| !kind.group.is_empty()) {
            match groups.iter_mut().find(|(group, _)| *group == kind.group) {
                Some((_, versions)) if versions.contains(&kind.version.as_str()) => {}
                Some((_, versions)) => versions.push(&kind.version),
                None => groups.push((&kind.group, vec![&kind.version])),
            }
        }
        groups
    }
}

/// Compares two versions as Kubernetes does: `v2` over `v1` over `v2beta1` over `v1alpha3` over anything else, which is
/// compared as text, the earlier being the greater.
pub(crate) fn compare_versions(left: &str, right: &str) -> std::cmp::Ordering {
    match (parse_version(left), parse_version(right)) {
        (Some(left), Some(right)) => left.cmp(&right),
        (Some(_), None) => std::cmp::Ordering::Greater,
        (None, Some(_)) => std::cmp::Ordering::Less,
        (None, None) => right.cmp(left),
    }
}

/// Reads a version as its stage (alpha, beta, neither), its major and its minor number.
fn parse_version(text: &str) -> Option<(u8, u64, u64)> {
    let rest = text.strip_prefix('v')?;
    let digits = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
    let (major, rest) = rest.split_at(digits);
    let number = |text: &str| text.parse().ok();
    let major = number(major)?;
    match (rest, rest.strip_prefix("alpha"), rest.strip_prefix("beta")) {
        ("", _, _) => Some((2, major, 0)),
        (_, Some(minor), _) => Some((0, major, number(minor)?)),
        (_, _, Some(minor)) => Some((1, major, number(minor)?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use serde_json::json;

    use super::*;
    use crate::sandbox::custom::kinds_of;

    fn definition(versions: &[&str], storage: &str) -> serde_json::Value {
        let versions: Vec<_> = versions
            .iter()
            .map(|name| {
                json!({"name": name, "served": true, "storage": *name == storage, "schema": {"openAPIV3Schema": {
                    "type": "object", "properties": {"spec": {"type": "object", "properties": {
                        "parts": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}}}}}}}})
            })
            .collect();
        json!({"spec": {"group": "example.com", "scope": "Cluster", "versions": versions,
                        "names": {"plural": "widgets", "kind": "Widget"}}})
    }

    #[test]
    fn kinds_are_found_by_path_and_by_object() {
        let kinds = Kinds::new();
        assert_eq!(kinds.by_plural("apps", "v1", "deployments").unwrap().kind, "Deployment");
        assert_eq!(kinds.of_object("v1", "Secret").unwrap().plural, "secrets");
        assert!(kinds.by_plural("apps", "v1beta1", "deployments").is_none());
        assert_eq!(kinds.by_kind("autoscaling", "HorizontalPodAutoscaler").unwrap().version, "v2");
    }

    #[test]
    fn some_kinds_are_stored_as_another() {
        let kinds = Kinds::new();
        let stored = |group, kind| kinds.storage(group, kind).unwrap().api_version();
        assert_eq!(stored("autoscaling", "HorizontalPodAutoscaler"), "autoscaling/v2");
        assert_eq!(stored("events.k8s.io", "Event"), "v1");
        assert_eq!(stored("", "Event"), "v1");
        assert_eq!(stored("apps", "Deployment"), "apps/v1");
    }

    #[test]
    fn a_definition_adds_its_served_versions_and_takes_them_away() {
        let mut kinds = Kinds::new();
        for kind in kinds_of(&definition(&["v1alpha1", "v1", "v2"], "v1")) {
            kinds.add_custom(kind);
        }
        let widget = kinds.by_kind("example.com", "Widget").unwrap();
        assert_eq!((widget.version.as_str(), widget.singular.as_str()), ("v2", "widget"));
        assert_eq!((widget.list_kind.as_str(), widget.namespaced), ("WidgetList", false));
        assert_eq!(kinds.storage("example.com", "Widget").unwrap().version, "v1");
        assert_eq!(kinds.groups().last().unwrap(), &("example.com", vec!["v2", "v1", "v1alpha1"]));
        let parts = widget.schema.field("spec").unwrap().field("parts").unwrap();
        assert_eq!(parts.shape().list_kind(), Some(&crate::ssa::schema::ListKind::Set));
        assert!(!widget.schema.is_builtin());
        let shared = kinds.clone();
        assert!(kinds.remove("example.com", "widgets") && !kinds.remove("example.com", "widgets"));
        assert!(kinds.by_kind("example.com", "Widget").is_none());
        assert!(shared.by_kind("example.com", "Widget").is_some());
    }

    #[test]
    fn versions_are_compared_as_kubernetes_does() {
        let ordered = ["v10", "v2", "v1", "v11beta2", "v10beta3", "v3beta1", "v12alpha1", "v11alpha2", "foo1", "foo10"];
        for pair in ordered.windows(2) {
            assert_eq!(compare_versions(pair[0], pair[1]), Ordering::Greater, "{pair:?}");
        }
    }
}
