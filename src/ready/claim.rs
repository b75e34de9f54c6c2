//! Claims and volumes.

use serde_json::Value;

use super::{Readiness, before_any_rule, text};

/// Tells whether a StorageClass binds claims only when a pod uses them.
#[must_use]
pub fn waits_for_consumer(storage_class: &Value) -> bool {
    text(storage_class, "/volumeBindingMode") == "WaitForFirstConsumer"
}

/// Judges a PersistentVolumeClaim whose class may wait for the first pod that uses it: as long as no pod does, such a
/// claim is as ready as it can be. Waiting for it to be bound would wait for a pod that itself waits for the claim.
#[must_use]
pub fn claim_readiness(object: &Value, written_generation: Option<i64>, waits_for_consumer: bool) -> Readiness {
    before_any_rule(object, written_generation).unwrap_or_else(|| claim(object, waits_for_consumer))
}

pub(super) fn claim(object: &Value, waits_for_consumer: bool) -> Readiness {
    match text(object, "/status/phase") {
        "Bound" => Readiness::Ready,
        "Lost" => Readiness::Failed(format!("its volume {} is lost", text(object, "/spec/volumeName"))),
        _ if waits_for_consumer && !is_consumed(object) => Readiness::Ready,
        _ => Readiness::Waiting("the claim is not bound to a volume".to_owned()),
    }
}

/// The scheduler writes the node here as soon as a pod uses the claim.
fn is_consumed(object: &Value) -> bool {
    object
        .pointer("/metadata/annotations")
        .is_some_and(|annotations| annotations.get("volume.kubernetes.io/selected-node").is_some())
}

pub(super) fn volume(object: &Value) -> Readiness {
    match text(object, "/status/phase") {
        "Failed" => Readiness::Failed(match text(object, "/status/message") {
            "" => "the volume failed".to_owned(),
            message => message.to_owned(),
        }),
        "" | "Pending" => Readiness::Waiting("the volume is not available yet".to_owned()),
        _ => Readiness::Ready,
    }
}
