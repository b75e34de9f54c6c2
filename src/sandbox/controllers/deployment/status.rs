//! The status of a Deployment.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::revision::has_deadline;
use super::{Sets, bounds, replicas, rollout};
use crate::sandbox::controllers::condition::{self, Said};
use crate::sandbox::controllers::deed::Outcome;
use crate::sandbox::controllers::fields::{after, flag, items, name, number, set, stamp, text, time};
use crate::sandbox::controllers::offspring::MANAGER;
use crate::sandbox::view::View;

/// Tells whether a status says that the rollout is complete.
pub(super) fn is_complete(deployment: &Value, status: &Value) -> bool {
    let wanted = replicas(deployment);
    let is = |field: &str| number(status, field).unwrap_or(0) == wanted;
    is("/updatedReplicas")
        && is("/replicas")
        && is("/availableReplicas")
        && number(status, "/observedGeneration") >= number(deployment, "/metadata/generation")
}

pub(super) fn write(view: &dyn View, deployment: &Value, sets: &Sets, outcome: &mut Outcome) {
    let now = view.now();
    let available = sets.sum("/status/availableReplicas");
    let mut status = json!({
        "observedGeneration": number(deployment, "/metadata/generation").unwrap_or(0),
        "replicas": sets.sum("/status/replicas"),
        "updatedReplicas": sets.new.as_ref().and_then(|set| number(set, "/status/replicas")).unwrap_or(0),
        "readyReplicas": sets.sum("/status/readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": (sets.sum("/spec/replicas") - available).max(0),
        "terminatingReplicas": sets.sum("/status/terminatingReplicas")
    });
    if let Some(collisions) = number(deployment, "/status/collisionCount") {
        set(&mut status, &["collisionCount"], Value::from(collisions));
    }
    let mut conditions = items(deployment, "/status/conditions").to_vec();
    let is_available = available >= replicas(deployment) - bounds(deployment).1;
    let (word, reason, message) = if is_available {
        ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    } else {
        ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    };
    put(&mut conditions, Said { kind: "Available", status: word, reason, message }, now, false);
    progress(deployment, &status, sets, &mut conditions, now, outcome);
    failures(sets, &mut conditions, now);
    set(&mut status, &["conditions"], Value::from(conditions));
    outcome.status(deployment, status, MANAGER);
}

/// Sets a condition where status or reason changed, or always.
fn put(conditions: &mut Vec<Value>, said: Said<'_>, now: Timestamp, always: bool) {
    let before = condition::among(conditions, said.kind);
    let is_said = |before: &Value| text(before, "/status") == said.status && text(before, "/reason") == said.reason;
    if before.is_some_and(is_said) && !always {
        return;
    }
    let mut made = condition::make(before, said, now);
    set(&mut made, &["lastUpdateTime"], stamp(now));
    condition::remove(conditions, said.kind);
    conditions.push(made);
}

fn progress(
    deployment: &Value,
    status: &Value,
    sets: &Sets,
    conditions: &mut Vec<Value>,
    now: Timestamp,
    outcome: &mut Outcome,
) {
    const KIND: &str = "Progressing";
    if !has_deadline(deployment) {
        condition::remove(conditions, KIND);
        return;
    }
    let present = condition::among(conditions, KIND).cloned();
    let reason = present.as_ref().map_or("", |present| text(present, "/reason")).to_owned();
    let subject = match &sets.new {
        Some(set) => format!("ReplicaSet {:?}", name(set)),
        None => format!("Deployment {:?}", name(deployment)),
    };
    let is_paused = flag(deployment, "/spec/paused");
    if is_paused != (reason == "DeploymentPaused") && reason != "ProgressDeadlineExceeded" {
        let (reason, message) = if is_paused {
            ("DeploymentPaused", "Deployment is paused")
        } else {
            ("DeploymentResumed", "Deployment is resumed")
        };
        put(conditions, Said { kind: KIND, status: "Unknown", reason, message }, now, true);
        return;
    }
    if is_paused || rollout::is_scaled(deployment, sets) {
        return;
    }
    let of = |field: &str, object: &Value| number(object, field).unwrap_or(0);
    let updated = of("/updatedReplicas", status);
    if reason == "NewReplicaSetAvailable" && of("/replicas", status) == updated {
        return;
    }
    if is_complete(deployment, status) {
        let message = format!("{subject} has successfully progressed.");
        put(
            conditions,
            Said { kind: KIND, status: "True", reason: "NewReplicaSetAvailable", message: &message },
            now,
            false,
        );
        return;
    }
    let before = deployment.get("status").unwrap_or(&Value::Null);
    let old = |status: &Value| of("/replicas", status) - of("/updatedReplicas", status);
    let has_moved = updated > of("/updatedReplicas", before)
        || old(status) < old(before)
        || of("/readyReplicas", status) > of("/readyReplicas", before)
        || of("/availableReplicas", status) > of("/availableReplicas", before);
    if has_moved || present.is_none() {
        let message = format!("{subject} is progressing.");
        put(conditions, Said { kind: KIND, status: "True", reason: "ReplicaSetUpdated", message: &message }, now, true);
        return;
    }
    let since = present.as_ref().and_then(|present| time(present, "/lastUpdateTime"));
    let seconds = number(deployment, "/spec/progressDeadlineSeconds").unwrap_or(600);
    match since.map(|since| after(since, seconds)) {
        _ if reason == "ProgressDeadlineExceeded" => {}
        Some(deadline) if deadline > now => outcome.again(deadline),
        _ => {
            let message = format!("{subject} has timed out progressing.");
            put(
                conditions,
                Said { kind: KIND, status: "False", reason: "ProgressDeadlineExceeded", message: &message },
                now,
                false,
            );
        }
    }
}

/// A ReplicaSet that cannot make pods is said here too, that of the present template first.
fn failures(sets: &Sets, conditions: &mut Vec<Value>, now: Timestamp) {
    const KIND: &str = "ReplicaFailure";
    let failure = sets.new.iter().chain(&sets.old).find_map(|set| condition::find(set, KIND));
    match failure {
        None => condition::remove(conditions, KIND),
        Some(failure) => {
            let said = Said {
                kind: KIND,
                status: text(failure, "/status"),
                reason: text(failure, "/reason"),
                message: text(failure, "/message"),
            };
            put(conditions, said, now, false);
        }
    }
}
