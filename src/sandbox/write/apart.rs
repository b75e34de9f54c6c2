//! What a write leaves as it is: mostly the larger part of an object. A controller that writes a status leaves all of `spec`,
//! and whoever changes a label leaves both.
//!
//! What equals the stored part has its defaults, is spelled as it is stored, and changes hands with nobody; so it is set
//! apart while the rest goes through that.

use std::borrow::Cow;

use serde_json::Value;

use crate::sandbox::kind::Kind;

const PARTS: [&str; 2] = ["spec", "status"];

/// Kinds of which defaults of one part follow from another, or which have other fields at another version.
const WHOLE: [(&str, &str); 5] = [
    ("", "Service"),
    ("", "ReplicationController"),
    ("batch", "Job"),
    ("autoscaling", "HorizontalPodAutoscaler"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
];

/// Parts of an object that are as they are stored.
#[derive(Default)]
pub(super) struct Apart(Vec<(&'static str, Value)>);

impl Apart {
    /// Takes out of an object what is stored so.
    pub(super) fn take(kind: &Kind, live: &Value, object: &mut Value) -> Self {
        let is_whole = kind.custom.is_some() || WHOLE.iter().any(|(group, name)| kind.is(group, name));
        let map = object.as_object_mut().filter(|_| !is_whole);
        let parts = map.into_iter().flat_map(|map| {
            PARTS.iter().filter_map(|part| {
                let same = map.get(*part).is_some_and(|value| live.get(*part) == Some(value));
                let value = if same { map.remove(*part) } else { None };
                value.map(|value| (*part, value))
            })
        });
        Self(parts.collect())
    }

    /// Does what [`Apart::take`] does for who compares owners: an entry of another version is compared at that one.
    pub(super) fn take_owned(kind: &Kind, live: &Value, object: &mut Value) -> Self {
        let api_version = kind.api_version();
        let alike = [live, &*object].iter().all(|object| {
            let entries = object.pointer("/metadata/managedFields").and_then(Value::as_array);
            let version = |entry: &Value| entry.get("apiVersion").and_then(Value::as_str) == Some(&api_version);
            entries.into_iter().flatten().all(version)
        });
        if alike { Self::take(kind, live, object) } else { Self::default() }
    }

    /// Returns the stored object without these parts.
    pub(super) fn rest_of<'l>(&self, live: &'l Value) -> Cow<'l, Value> {
        match live.as_object() {
            Some(map) if !self.0.is_empty() => {
                let rest = map.iter().filter(|(name, _)| self.0.iter().all(|(part, _)| part != name));
                Cow::Owned(rest.map(|(name, value)| (name.clone(), value.clone())).collect())
            }
            _ => Cow::Borrowed(live),
        }
    }

    /// Puts them back.
    pub(super) fn give_back(self, object: &mut Value) {
        let Some(object) = object.as_object_mut() else { return };
        object.extend(self.0.into_iter().map(|(part, value)| (part.to_owned(), value)));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sandbox::strategy::tests::kind;

    fn parts(api_version: &str, name: &str, mut object: Value) -> (Value, Value) {
        let live = json!({"metadata": {"labels": {"a": "1"}}, "spec": {"replicas": 1}, "status": {"replicas": 0}});
        let apart = Apart::take_owned(&kind(api_version, name), &live, &mut object);
        let (rest, left) = (apart.rest_of(&live).into_owned(), object.clone());
        apart.give_back(&mut object);
        assert_eq!(object["spec"]["replicas"], 1);
        (rest, left)
    }

    #[test]
    fn what_is_as_it_is_stored_is_set_apart_on_both_sides() {
        let object = json!({"metadata": {"labels": {"a": "2"}}, "spec": {"replicas": 1}, "status": {"replicas": 1}});
        let (rest, left) = parts("apps/v1", "Deployment", object);
        assert_eq!(rest, json!({"metadata": {"labels": {"a": "1"}}, "status": {"replicas": 0}}));
        assert_eq!(left, json!({"metadata": {"labels": {"a": "2"}}, "status": {"replicas": 1}}));
    }

    #[test]
    fn nothing_is_set_apart_where_parts_hang_together_or_versions_differ() {
        let object = json!({"metadata": {}, "spec": {"replicas": 1}});
        assert_eq!(parts("batch/v1", "Job", object.clone()).1, object);
        let other = json!({"metadata": {"managedFields": [{"apiVersion": "apps/v1beta1"}]}, "spec": {"replicas": 1}});
        assert_eq!(parts("apps/v1", "Deployment", other.clone()).1, other);
    }
}
