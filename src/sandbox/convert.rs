//! One object at several versions of its kind.
//!
//! Custom resources change their `apiVersion` only (`conversion.strategy: None`), and lose what the other version does not
//! declare. Of the built-in kinds, the two Event groups and the versions of HorizontalPodAutoscaler have different fields.

use std::borrow::Cow;

use serde_json::Value;

use super::custom;
use super::decode;
use super::kind::Kind;
use super::kinds::Kinds;
use crate::ssa::Schema;
use crate::ssa::tracking::{SameFields, Versions, as_written};

/// How the fields of an Event are called in the core group, and in `events.k8s.io`.
const EVENT_FIELDS: [(&str, &str); 7] = [
    ("count", "deprecatedCount"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("involvedObject", "regarding"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("message", "note"),
    ("reportingComponent", "reportingController"),
    ("source", "deprecatedSource"),
];

/// Returns an object as a kind's version has it.
#[must_use]
pub fn to<'a>(kind: &Kind, object: &'a Value) -> Cow<'a, Value> {
    let wanted = kind.api_version();
    if object.get("apiVersion").and_then(Value::as_str) == Some(&wanted) {
        return Cow::Borrowed(object);
    }
    let mut object = renamed(kind, object, &wanted);
    match &kind.custom {
        Some(definition) => {
            custom::prune(definition, &mut object);
        }
        None => as_written(&kind.schema, &mut object),
    }
    Cow::Owned(object)
}

/// Returns an object as it is answered and watched: what it has in store of a field that its sort has not is kept back. Its
/// status alone is answered with all of it, and whoever writes it works on all of it.
#[must_use]
pub fn read<'a>(kind: &Kind, object: &'a Value) -> Cow<'a, Value> {
    const POLICY: &str = "internalTrafficPolicy";
    let object = to(kind, object);
    let spec = object.get("spec").filter(|_| kind.is("", "Service"));
    let keeps_back = spec
        .is_some_and(|spec| spec.get(POLICY).is_some() && spec.get("type").is_some_and(|sort| sort == "ExternalName"));
    if !keeps_back {
        return object;
    }
    let mut object = object.into_owned();
    if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) {
        spec.remove(POLICY);
    }
    Cow::Owned(object)
}

/// Returns an object as it is stored.
#[must_use]
pub fn to_storage(kinds: &Kinds, kind: &Kind, mut object: Value) -> Value {
    let said = object.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
    match (kinds.storage(&kind.group, &kind.kind), &kind.custom) {
        (Some(stored), _) if stored.api_version() == said => object,
        (Some(stored), _) => {
            let mut object = to(stored, &object).into_owned();
            if let Some(definition) = &stored.custom {
                custom::with_defaults(definition, &mut object);
            }
            object
        }
        // The version that is stored is not served: nobody but the definition knows its schema.
        (None, Some(definition)) => {
            object["apiVersion"] = Value::from(format!("{}/{}", kind.group, definition.storage_version));
            object
        }
        (None, None) => object,
    }
}

/// Returns an object as the server holds it while it answers. Tables and bare metadata are made of that, before the object
/// is brought into the version that is asked for: of an autoscaler, only version 1 has annotations for its metrics.
#[must_use]
pub fn held<'a>(kind: &Kind, object: &'a Value) -> Cow<'a, Value> {
    if !kind.is("autoscaling", "HorizontalPodAutoscaler") || kind.version == "v2" {
        return Cow::Borrowed(object);
    }
    Cow::Owned(to_storage(&Kinds::new(), kind, object.clone()))
}

/// The versions of one kind, as ownership is compared in them.
pub struct Served<'a> {
    /// What is served.
    pub kinds: &'a Kinds,
    /// The kind, at the version that is written.
    pub kind: &'a Kind,
}

impl Versions for Served<'_> {
    fn schema(&self, api_version: &str) -> Option<Schema> {
        if self.kind.custom.is_none() && !is_event(self.kind) {
            return SameFields(&self.kind.schema).schema(api_version);
        }
        let served = self.kinds.of_object(api_version, &self.kind.kind);
        served.filter(|served| served.group == self.kind.group || is_event(served)).map(|served| served.schema.clone())
    }

    fn convert(&self, object: &Value, api_version: &str) -> Value {
        renamed(self.kind, object, api_version)
    }

    fn unconvertible(&self, object: &Value) -> Option<String> {
        if self.kind.custom.is_some() { None } else { decode::unconvertible(self.kind, object) }
    }
}

fn is_event(kind: &Kind) -> bool {
    kind.is("", "Event") || kind.is("events.k8s.io", "Event")
}

/// Returns an object under another version's name, with the fields that this version has for the same things.
fn renamed(kind: &Kind, object: &Value, api_version: &str) -> Value {
    if !is_event(kind) {
        return SameFields(&kind.schema).convert(object, api_version);
    }
    let mut object = object.clone();
    let said = object.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
    if said != api_version
        && let Some(map) = object.as_object_mut()
    {
        let is_newer = api_version != "v1";
        for (core, newer) in EVENT_FIELDS {
            let (from, to) = if is_newer { (core, newer) } else { (newer, core) };
            if let Some(value) = map.remove(from) {
                map.insert(to.to_owned(), value);
            }
        }
        map.insert("apiVersion".to_owned(), Value::from(api_version));
    }
    object
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(api_version: &str, kind: &str) -> Kind {
        Kind::clone(Kinds::new().of_object(api_version, kind).unwrap())
    }

    #[test]
    fn an_autoscaler_is_held_with_its_metrics_and_without_their_annotation() {
        let metrics = r#"[{"type":"Pods","pods":{"metricName":"a","targetAverageValue":"1"}}]"#;
        let object = json!({
            "apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler", "spec": {"maxReplicas": 3},
            "metadata": {"name": "s", "annotations": {"autoscaling.alpha.kubernetes.io/metrics": metrics}}
        });
        let held = held(&at("autoscaling/v1", "HorizontalPodAutoscaler"), &object);
        assert_eq!(held["spec"]["metrics"][0]["type"], "Pods");
        assert_eq!(held.pointer("/metadata/annotations"), None);
    }

    #[test]
    fn a_service_elsewhere_keeps_its_policy_back() {
        let of = |sort: &str, policy: bool| {
            let mut service = json!({"apiVersion": "v1", "kind": "Service", "spec": {"type": sort}});
            if policy {
                service["spec"]["internalTrafficPolicy"] = json!("Local");
            }
            service
        };
        let kind = at("v1", "Service");
        assert_eq!(*read(&kind, &of("ExternalName", true)), of("ExternalName", false));
        assert_eq!(*read(&kind, &of("ClusterIP", true)), of("ClusterIP", true));
    }

    #[test]
    fn an_event_has_other_names_for_its_fields_in_the_newer_group() {
        let event = json!({
            "apiVersion": "v1", "kind": "Event", "metadata": {"name": "e"}, "count": 3, "message": "M", "reason": "R",
            "involvedObject": {"kind": "Pod"}, "source": {"component": "s"}, "type": "Normal", "eventTime": null,
            "firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": null, "reportingComponent": "",
            "reportingInstance": ""
        });
        let newer = to(&at("events.k8s.io/v1", "Event"), &event).into_owned();
        assert_eq!(
            newer,
            json!({
                "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": "e"}, "deprecatedCount": 3,
                "note": "M", "reason": "R", "regarding": {"kind": "Pod"}, "deprecatedSource": {"component": "s"},
                "type": "Normal", "eventTime": null, "deprecatedFirstTimestamp": "2026-01-01T00:00:00Z",
                "deprecatedLastTimestamp": null
            })
        );
        assert_eq!(to_storage(&Kinds::new(), &at("events.k8s.io/v1", "Event"), newer), event);
    }

    #[test]
    fn an_autoscaler_is_stored_in_its_newer_version() {
        let older = json!({
            "apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "a"},
            "spec": {"maxReplicas": 3, "scaleTargetRef": {"kind": "D", "name": "x"}, "targetCPUUtilizationPercentage": 50},
            "status": {"currentReplicas": 0, "desiredReplicas": 0}
        });
        let stored = to_storage(&Kinds::new(), &at("autoscaling/v1", "HorizontalPodAutoscaler"), older.clone());
        assert_eq!(stored["apiVersion"], "autoscaling/v2");
        assert_eq!(stored["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"], 50);
        assert_eq!(stored["status"], json!({"desiredReplicas": 0, "currentMetrics": null}));
        assert_eq!(to(&at("autoscaling/v1", "HorizontalPodAutoscaler"), &stored).into_owned(), older);
    }
}
