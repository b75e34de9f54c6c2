//! Scopes of quotas: which pods and claims one is about.

use serde_json::{Value, json};

use crate::sandbox::kind::Kind;
use crate::sandbox::strategy::fields::{at, items, number, text};
use crate::sandbox::strategy::pod::quality_of_service;

/// The conditions of a quota, all in the long form.
fn conditions(quota: &Value) -> Vec<Value> {
    let short = items(quota, &["spec", "scopes"]).iter();
    let short = short.map(|scope| json!({"scopeName": scope, "operator": "Exists"}));
    short.chain(items(quota, &["spec", "scopeSelector", "matchExpressions"]).iter().cloned()).collect()
}

/// Tells whether a quota is about an object, as far as its scopes say.
pub(super) fn holds(kind: &Kind, quota: &Value, object: &Value) -> bool {
    conditions(quota).iter().all(|condition| {
        let scope = text(condition, &["scopeName"]);
        match (kind.group.as_str(), kind.kind.as_str()) {
            ("", "Pod") => pod(scope, condition, object),
            ("", "PersistentVolumeClaim") => scope == "VolumeAttributesClass" && claim(condition, object),
            _ => false,
        }
    })
}

/// Tells whether a pod ends by itself after a time.
pub(super) fn is_terminating(pod: &Value) -> bool {
    number(pod, &["spec", "activeDeadlineSeconds"]).is_some_and(|seconds| seconds >= 0)
}

fn pod(scope: &str, condition: &Value, pod: &Value) -> bool {
    match scope {
        "Terminating" => is_terminating(pod),
        "NotTerminating" => !is_terminating(pod),
        "BestEffort" => class_of_service(pod) == "BestEffort",
        "NotBestEffort" => class_of_service(pod) != "BestEffort",
        "PriorityClass" => selects(condition, &[text(pod, &["spec", "priorityClassName"])]),
        "CrossNamespacePodAffinity" => looks_elsewhere(pod),
        _ => false,
    }
}

fn class_of_service(pod: &Value) -> &str {
    match text(pod, &["status", "qosClass"]) {
        "" => quality_of_service(pod),
        class => class,
    }
}

fn claim(condition: &Value, claim: &Value) -> bool {
    let names = [
        text(claim, &["spec", "volumeAttributesClassName"]),
        text(claim, &["status", "currentVolumeAttributesClassName"]),
        text(claim, &["status", "modifyVolumeStatus", "targetVolumeAttributesClassName"]),
    ];
    selects(condition, &names)
}

/// Tells whether one of the names that there are fits a condition; without a name only its absence can.
fn selects(condition: &Value, names: &[&str]) -> bool {
    let wanted = items(condition, &["values"]);
    let mut names = names.iter().filter(|name| !name.is_empty()).peekable();
    let has_none = names.peek().is_none();
    match text(condition, &["operator"]) {
        "Exists" => !has_none,
        "DoesNotExist" => has_none,
        "In" => names.any(|name| wanted.iter().any(|value| value == *name)),
        "NotIn" => has_none || names.any(|name| !wanted.iter().any(|value| value == *name)),
        _ => false,
    }
}

/// Tells whether a pod wants to be near, or far from, pods of other namespaces.
fn looks_elsewhere(pod: &Value) -> bool {
    ["podAffinity", "podAntiAffinity"].iter().any(|affinity| {
        let terms = |list| items(pod, &["spec", "affinity", affinity, list]).iter();
        let required = terms("requiredDuringSchedulingIgnoredDuringExecution");
        let preferred = terms("preferredDuringSchedulingIgnoredDuringExecution");
        let preferred = preferred.filter_map(|term| at(term, &["podAffinityTerm"]));
        required
            .chain(preferred)
            .any(|term| !items(term, &["namespaces"]).is_empty() || at(term, &["namespaceSelector"]).is_some())
    })
}
