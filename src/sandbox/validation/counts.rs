//! The counts in the status of workloads.

use serde_json::{Map, Value};

use super::Problems;
use super::conditions;
use super::numbers;
use super::path::Path;
use super::read::Read;

struct Counts {
    /// Counts in the order in which they are looked at.
    all: &'static [&'static str],
    /// Those that cannot exceed `replicas`.
    within: &'static [&'static str],
    /// How the count of ready ones is called where available ones exceed it.
    ready: &'static str,
}

fn counts(kind: &str) -> Option<Counts> {
    let counts = match kind {
        "Deployment" => Counts {
            all: &[
                "observedGeneration",
                "replicas",
                "updatedReplicas",
                "readyReplicas",
                "availableReplicas",
                "unavailableReplicas",
                "terminatingReplicas",
                "collisionCount",
            ],
            within: &["updatedReplicas", "readyReplicas", "availableReplicas"],
            ready: "readyReplicas",
        },
        "ReplicaSet" | "ReplicationController" => Counts {
            all: &[
                "replicas",
                "fullyLabeledReplicas",
                "readyReplicas",
                "availableReplicas",
                "observedGeneration",
                "terminatingReplicas",
            ],
            within: &["fullyLabeledReplicas", "readyReplicas", "availableReplicas"],
            ready: "readyReplicas",
        },
        "StatefulSet" => Counts {
            all: &[
                "replicas",
                "readyReplicas",
                "currentReplicas",
                "updatedReplicas",
                "availableReplicas",
                "observedGeneration",
                "collisionCount",
            ],
            within: &["readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"],
            ready: "status.readyReplicas",
        },
        "DaemonSet" => Counts {
            all: &[
                "currentNumberScheduled",
                "numberMisscheduled",
                "desiredNumberScheduled",
                "numberReady",
                "observedGeneration",
                "updatedNumberScheduled",
                "numberAvailable",
                "numberUnavailable",
                "collisionCount",
            ],
            within: &[],
            ready: "",
        },
        "HorizontalPodAutoscaler" => Counts { all: &["currentReplicas", "desiredReplicas"], within: &[], ready: "" },
        "PodDisruptionBudget" => Counts {
            all: &["disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"],
            within: &[],
            ready: "",
        },
        _ => return None,
    };
    Some(counts)
}

/// The counts of a status.
pub(super) fn of(kind: &str, live: &Value, object: &Value, problems: &mut Problems) {
    let Some(counts) = counts(kind) else { return };
    let none = Value::Object(Map::new());
    let status = object.field("status").unwrap_or(&none);
    let path = Path::new("status");
    if kind == "PodDisruptionBudget" {
        conditions::of(status.list("conditions"), &path.child("conditions"), problems);
    }
    for name in counts.all {
        numbers::not_negative_if_any(status.number(name), &path.child(name), problems);
    }
    let number = |name: &str| status.number(name).unwrap_or_default();
    for name in counts.within.iter().filter(|name| number(name) > number("replicas")) {
        problems.push(path.child(name).invalid(number(name), "cannot be greater than status.replicas"));
    }
    let available = number("availableReplicas");
    if !counts.ready.is_empty() && available > number("readyReplicas") {
        let detail = format!("cannot be greater than {}", counts.ready);
        problems.push(path.child("availableReplicas").invalid(available, &detail));
    }
    let collisions = |object: &Value| object.field("status").and_then(|status| status.number("collisionCount"));
    if counts.all.contains(&"collisionCount")
        && let Some(before) = collisions(live)
        && collisions(object).is_none_or(|after| after < before)
    {
        let shown = collisions(object).unwrap_or_default();
        problems.push(path.child("collisionCount").invalid(shown, "cannot be decremented"));
    }
}
