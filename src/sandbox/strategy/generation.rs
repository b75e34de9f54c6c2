//! Generations: which kinds count the changes of what was asked for, and what counts as one.

use serde_json::Value;

use super::fields::{at, same};
use crate::sandbox::kind::Kind;

/// What makes a new generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counts {
    /// The generation is 1 from the creation on, and stays.
    Never,
    /// A change of one of these top-level fields.
    Fields(&'static [&'static str]),
    /// A change of the spec or of the annotations.
    SpecOrAnnotations,
    /// A change of anything but metadata, or of the labels.
    ContentOrLabels,
}

/// Tells what a built-in kind counts; `None` if it sets no generation.
pub(super) fn counts(kind: &Kind) -> Option<Counts> {
    let counts = match (kind.group.as_str(), kind.kind.as_str()) {
        ("apps", "Deployment") => Counts::SpecOrAnnotations,
        ("discovery.k8s.io", "EndpointSlice") => Counts::ContentOrLabels,
        ("", "PodTemplate") => Counts::Fields(&["template"]),
        ("admissionregistration.k8s.io", "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration") => {
            Counts::Fields(&["webhooks"])
        }
        ("scheduling.k8s.io", "PriorityClass") => Counts::Never,
        ("", "Pod" | "ReplicationController")
        | ("apps", "ReplicaSet" | "StatefulSet" | "DaemonSet")
        | ("batch", "Job" | "CronJob")
        | ("networking.k8s.io", "Ingress" | "IngressClass" | "NetworkPolicy")
        | ("policy", "PodDisruptionBudget")
        | ("apiextensions.k8s.io", "CustomResourceDefinition")
        | ("flowcontrol.apiserver.k8s.io", "FlowSchema" | "PriorityLevelConfiguration")
        | (
            "admissionregistration.k8s.io",
            "ValidatingAdmissionPolicy"
            | "ValidatingAdmissionPolicyBinding"
            | "MutatingAdmissionPolicy"
            | "MutatingAdmissionPolicyBinding",
        )
        | ("resource.k8s.io", "DeviceClass" | "ResourceSlice" | "DeviceTaintRule") => Counts::Fields(&["spec"]),
        _ => return None,
    };
    Some(counts)
}

/// Tells whether a write of the object makes a new generation. CSI drivers begin without one, but count.
pub(super) fn is_new(kind: &Kind, live: &Value, object: &Value) -> bool {
    let counts = if kind.is("storage.k8s.io", "CSIDriver") { Some(Counts::Fields(&["spec"])) } else { counts(kind) };
    let differs = |path: &[&str]| !same(at(live, path), at(object, path));
    match counts {
        None | Some(Counts::Never) => false,
        Some(Counts::Fields(fields)) => fields.iter().any(|field| differs(&[field])),
        Some(Counts::SpecOrAnnotations) => differs(&["spec"]) || differs_in_entries(live, object, "annotations"),
        Some(Counts::ContentOrLabels) => content_differs(live, object) || differs_in_entries(live, object, "labels"),
    }
}

/// Tells whether two objects differ in anything but what they are and their metadata.
pub(super) fn content_differs(live: &Value, object: &Value) -> bool {
    let keys = |value: &Value| -> Vec<String> {
        let map = value.as_object().into_iter().flatten().map(|(key, _)| key.clone());
        map.filter(|key| !matches!(key.as_str(), "apiVersion" | "kind" | "metadata")).collect()
    };
    let mut all = keys(live);
    all.extend(keys(object));
    all.iter().any(|key| !same(live.get(key), object.get(key)))
}

/// Compares labels or annotations, where an empty map is none.
fn differs_in_entries(live: &Value, object: &Value, field: &str) -> bool {
    let entries = |value| at(value, &["metadata", field]).and_then(Value::as_object).filter(|map| !map.is_empty());
    entries(live) != entries(object)
}
