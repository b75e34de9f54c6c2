//! Deployments, StatefulSets, DaemonSets and ReplicaSets.

use serde_json::Value;

use super::{Readiness, condition, generation, number, text};
use crate::resource::at;

pub(super) fn deployment(object: &Value, wanted: i64) -> Readiness {
    if let Some(waiting) = generation::unobserved(object, wanted, true) {
        return waiting;
    }
    if at(object, "/spec/paused").and_then(Value::as_bool) == Some(true) {
        // Nothing rolls out until somebody resumes it, and that is what was asked for.
        return Readiness::Ready;
    }
    let progress = condition::find(object, "Progressing");
    if let Some(exceeded) = progress.filter(|progress| progress.reason == "ProgressDeadlineExceeded") {
        return Readiness::Failed(exceeded.words("its progress deadline is exceeded"));
    }
    let desired = number(object, "/spec/replicas").unwrap_or(1);
    let status = |field: &str| number(object, &format!("/status/{field}")).unwrap_or(0);
    let (updated, replicas) = (status("updatedReplicas"), status("replicas"));
    if updated < desired {
        return match condition::is_true(object, "ReplicaFailure") {
            Some(failure) => Readiness::Waiting(failure.words("pods cannot be made")),
            None => part(updated, desired, "replicas updated"),
        };
    }
    if replicas > updated {
        return Readiness::Waiting(format!("{} still there", old_replicas(replicas - updated)));
    }
    ready_and_available(status("readyReplicas"), status("availableReplicas"), desired)
}

pub(super) fn stateful_set(object: &Value, wanted: i64) -> Readiness {
    if let Some(waiting) = generation::unobserved(object, wanted, true) {
        return waiting;
    }
    let desired = number(object, "/spec/replicas").unwrap_or(1);
    let status = |field: &str| number(object, &format!("/status/{field}")).unwrap_or(0);
    if text(object, "/spec/updateStrategy/type") != "OnDelete" {
        // Pods below the partition keep their revision; nobody will update them.
        let partition = number(object, "/spec/updateStrategy/rollingUpdate/partition").unwrap_or(0);
        let to_update = (desired - partition).max(0);
        let rolled_out = text(object, "/status/currentRevision") == text(object, "/status/updateRevision");
        if !rolled_out && status("updatedReplicas") < to_update {
            return part(status("updatedReplicas"), to_update, "replicas updated");
        }
    }
    if status("replicas") > desired {
        return Readiness::Waiting(format!("{} too many still there", replicas(status("replicas") - desired)));
    }
    let ready = status("readyReplicas");
    // Servers before 1.22 do not count it.
    let available = number(object, "/status/availableReplicas").unwrap_or(ready);
    ready_and_available(ready, available, desired)
}

pub(super) fn daemon_set(object: &Value, wanted: i64) -> Readiness {
    if let Some(waiting) = generation::unobserved(object, wanted, true) {
        return waiting;
    }
    let status = |field: &str| number(object, &format!("/status/{field}")).unwrap_or(0);
    let desired = status("desiredNumberScheduled");
    if text(object, "/spec/updateStrategy/type") != "OnDelete" && status("updatedNumberScheduled") < desired {
        return part(status("updatedNumberScheduled"), desired, "nodes updated");
    }
    if status("numberReady") < desired {
        return part(status("numberReady"), desired, "nodes ready");
    }
    if status("numberAvailable") < desired {
        return part(status("numberAvailable"), desired, "nodes available");
    }
    Readiness::Ready
}

pub(super) fn replica_set(object: &Value, wanted: i64) -> Readiness {
    if let Some(waiting) = generation::unobserved(object, wanted, true) {
        return waiting;
    }
    let desired = number(object, "/spec/replicas").unwrap_or(1);
    let status = |field: &str| number(object, &format!("/status/{field}")).unwrap_or(0);
    if status("replicas") < desired
        && let Some(failure) = condition::is_true(object, "ReplicaFailure")
    {
        return Readiness::Waiting(failure.words("pods cannot be made"));
    }
    if status("replicas") > desired {
        return Readiness::Waiting(format!("{} too many still there", replicas(status("replicas") - desired)));
    }
    ready_and_available(status("readyReplicas"), status("availableReplicas"), desired)
}

fn ready_and_available(ready: i64, available: i64, desired: i64) -> Readiness {
    if ready < desired {
        return part(ready, desired, "replicas ready");
    }
    if available < desired {
        return part(available, desired, "replicas available");
    }
    Readiness::Ready
}

fn part(have: i64, want: i64, what: &str) -> Readiness {
    Readiness::Waiting(format!("{have}/{want} {what}"))
}

fn replicas(count: i64) -> String {
    if count == 1 { "1 replica".to_owned() } else { format!("{count} replicas") }
}

fn old_replicas(count: i64) -> String {
    if count == 1 { "1 old replica".to_owned() } else { format!("{count} old replicas") }
}
