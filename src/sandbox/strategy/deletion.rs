//! What a deletion leaves behind, when it is over, and what it answers.

use serde_json::Value;

use super::fields::{items, number, text};
use crate::sandbox::kind::Kind;

const ORPHAN: &str = "orphan";
const FOREGROUND: &str = "foregroundDeletion";

/// What is to become of what an object owns (`propagationPolicy`, or the older `orphanDependents`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Propagation {
    /// It stays and is owned by nobody.
    Orphan,
    /// It goes after the object.
    Background,
    /// It goes before the object.
    Foreground,
}

/// Returns the finalizers of an object that is deleted: the two that say what becomes of what it owns are set anew.
///
/// Without a wish the finalizers that are there say it, and else the kind: Jobs and replication controllers orphan their
/// pods. Nothing is owned by events.
#[must_use]
pub fn finalizers_on_delete(object: &Value, propagation: Option<Propagation>) -> Vec<String> {
    let finalizers = || items(object, &["metadata", "finalizers"]).iter().filter_map(Value::as_str);
    let present = || {
        finalizers().find_map(|finalizer| match finalizer {
            ORPHAN => Some(Propagation::Orphan),
            FOREGROUND => Some(Propagation::Foreground),
            _ => None,
        })
    };
    let policy = match (text(object, &["apiVersion"]), text(object, &["kind"])) {
        ("v1" | "events.k8s.io/v1", "Event") => Propagation::Background,
        ("batch/v1", "Job") | ("v1", "ReplicationController") => {
            propagation.or_else(present).unwrap_or(Propagation::Orphan)
        }
        _ => propagation.or_else(present).unwrap_or(Propagation::Background),
    };
    let others = finalizers().filter(|finalizer| ![ORPHAN, FOREGROUND].contains(finalizer));
    let added = match policy {
        Propagation::Orphan => Some(ORPHAN),
        Propagation::Background => None,
        Propagation::Foreground => Some(FOREGROUND),
    };
    others.chain(added).map(str::to_owned).collect()
}

/// Returns what the server warns of when such an object is deleted without a word on what it owns.
#[must_use]
pub fn deletion_warning(kind: &Kind, propagation: Option<Propagation>) -> Option<&'static str> {
    (kind.is("batch", "Job") && propagation.is_none()).then_some(
        "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or \
         set propagationPolicy=Orphan to suppress this warning",
    )
}

/// Tells whether an object that is being deleted stays for now: somebody has still to let go of it.
#[must_use]
pub fn is_held(kind: &Kind, object: &Value) -> bool {
    let holds = |path: &[&str]| !items(object, path).is_empty();
    holds(&["metadata", "finalizers"]) || (kind.is("", "Namespace") && holds(&["spec", "finalizers"]))
}

/// Tells whether a deletion that is over at once answers with the object that is gone; most kinds answer with a status.
#[must_use]
pub fn deletion_answer_is_object(kind: &Kind) -> bool {
    if kind.custom.is_some() {
        return false;
    }
    match kind.group.as_str() {
        "" => matches!(
            kind.kind.as_str(),
            "Pod"
                | "Namespace"
                | "Service"
                | "ServiceAccount"
                | "PersistentVolume"
                | "PersistentVolumeClaim"
                | "ResourceQuota"
                | "PodTemplate"
        ),
        "storage.k8s.io" => matches!(
            kind.kind.as_str(),
            "StorageClass" | "VolumeAttachment" | "CSINode" | "CSIDriver" | "VolumeAttributesClass"
        ),
        "resource.k8s.io" => true,
        _ => false,
    }
}

/// Tells whether such an object is marked before it goes, and with what time it has, be it none.
#[must_use]
pub fn is_given_time(kind: &Kind, object: &Value) -> bool {
    let is_marked = !text(object, &["metadata", "deletionTimestamp"]).is_empty();
    kind.is("", "Pod") && kind.custom.is_none() && (!is_marked || time_left(object) > 0)
}

/// Tells whether an object has its time to go, and is not to go sooner: such a deletion changes nothing, no finalizers either.
#[must_use]
pub fn goes_already(kind: &Kind, object: &Value, requested: Option<i64>) -> bool {
    let is_marked = !text(object, &["metadata", "deletionTimestamp"]).is_empty();
    is_marked && is_given_time(kind, object) && requested.is_none_or(|seconds| positive(seconds) >= time_left(object))
}

fn time_left(object: &Value) -> i64 {
    positive(number(object, &["metadata", "deletionGracePeriodSeconds"]).unwrap_or_default())
}

/// The server takes a time below zero for a second.
fn positive(seconds: i64) -> i64 {
    if seconds < 0 { 1 } else { seconds }
}

/// Returns for how many seconds an object stays after its deletion: only pods do, and only those on a node.
///
/// A pod that is being deleted already may only be given less.
#[must_use]
pub fn grace_seconds(kind: &Kind, object: &Value, requested: Option<i64>) -> i64 {
    if !kind.is("", "Pod") || kind.custom.is_some() {
        return 0;
    }
    if !text(object, &["metadata", "deletionTimestamp"]).is_empty() {
        let given = time_left(object);
        return requested.map_or(given, |seconds| positive(seconds).min(given));
    }
    let is_over = matches!(text(object, &["status", "phase"]), "Failed" | "Succeeded");
    if is_over || text(object, &["spec", "nodeName"]).is_empty() {
        return 0;
    }
    let of_pod = || number(object, &["spec", "terminationGracePeriodSeconds"]).unwrap_or_default();
    positive(requested.unwrap_or_else(of_pod))
}
