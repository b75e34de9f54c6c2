//! ReplicaSets and ReplicationControllers: that many pods of one template.

use serde_json::{Value, json};

use super::condition;
use super::deed::Outcome;
use super::fields::{self, at, is_leaving, items, kind, name, number, text};
use super::offspring::{self, MANAGER, Named};
use super::selector;
use crate::sandbox::view::View;

/// The server makes or deletes no more pods at one go.
pub(super) const BURST: usize = 500;

pub(super) fn reconcile(view: &dyn View, set: &Value) -> Outcome {
    let mut outcome = Outcome::default();
    let is_controller = kind(set) == "ReplicationController";
    let component = if is_controller { "replication-controller" } else { "replicaset-controller" };
    let selector = match at(set, "/spec/selector") {
        Some(map) if is_controller => Some(json!({"matchLabels": map})),
        selector => selector.cloned(),
    };
    offspring::adopt(view, set, ("", "Pod"), selector.as_ref(), &mut outcome);
    let mut pods = offspring::owned(view, set, "Pod");
    pods.retain(|pod| selector::matches(selector.as_ref(), pod));
    let terminating = pods.iter().filter(|pod| is_leaving(pod)).count();
    pods.retain(|pod| offspring::is_active(pod));
    let wanted = usize::try_from(number(set, "/spec/replicas").unwrap_or(1)).unwrap_or(0);
    if outcome.is_idle() && !is_leaving(set) {
        let template = at(set, "/spec/template").unwrap_or(&Value::Null);
        let prefix = format!("{}-", name(set));
        for index in 0..wanted.saturating_sub(pods.len()).min(BURST) {
            let pod = offspring::make(set, template, &Named::After { prefix: &prefix, index }, view);
            let message = format!("Created pod: {}", name(&pod));
            outcome.create(pod, MANAGER);
            outcome.normal(set, component, "SuccessfulCreate", message);
        }
        if pods.len() > wanted {
            let too_many = (pods.len() - wanted).min(BURST);
            let mut victims = pods.clone();
            offspring::sort_for_deletion(&mut victims);
            for pod in victims.iter().take(too_many) {
                outcome.delete(pod);
                outcome.normal(set, component, "SuccessfulDelete", format!("Deleted pod: {}", name(pod)));
            }
        }
    }
    let status = status(view, set, &pods, terminating, wanted, &mut outcome);
    outcome.status(set, status, MANAGER);
    outcome
}

fn status(
    view: &dyn View,
    replica_set: &Value,
    pods: &[std::sync::Arc<Value>],
    terminating: usize,
    wanted: usize,
    outcome: &mut Outcome,
) -> Value {
    let min_ready = number(replica_set, "/spec/minReadySeconds").unwrap_or(0);
    let labels = at(replica_set, "/spec/template/metadata/labels");
    let fully = pods
        .iter()
        .filter(|pod| labels.is_none_or(|labels| selector::all_equal(labels, at(pod, "/metadata/labels"))))
        .count();
    let ready = pods.iter().filter(|pod| offspring::is_ready(pod)).count();
    let available = pods.iter().filter(|pod| offspring::is_available(pod, min_ready, view.now(), outcome)).count();
    let mut status = json!({
        "replicas": pods.len(), "fullyLabeledReplicas": fully, "readyReplicas": ready, "availableReplicas": available,
        "observedGeneration": number(replica_set, "/metadata/generation").unwrap_or(0)
    });
    if kind(replica_set) == "ReplicaSet" {
        fields::set(&mut status, &["terminatingReplicas"], Value::from(terminating));
    }
    let mut conditions = items(replica_set, "/status/conditions").to_vec();
    if pods.len() >= wanted {
        // Pods that were refused are there now.
        condition::remove(&mut conditions, "ReplicaFailure");
    }
    if !conditions.is_empty() {
        fields::set(&mut status, &["conditions"], Value::from(conditions));
    }
    status
}

/// What to write when a pod of a workload was refused, with the server's words.
pub(super) fn refused(view: &dyn View, set: &Value, pod: &Value, component: &'static str, message: &str) -> Outcome {
    let mut outcome = Outcome::default();
    if matches!(kind(set), "ReplicaSet" | "ReplicationController") {
        let said = condition::Said { kind: "ReplicaFailure", status: "True", reason: "FailedCreate", message };
        let mut status = set.get("status").cloned().unwrap_or_else(|| json!({}));
        let before = condition::find(set, said.kind);
        // The message names the pod, which has another name each time: who wrote it again would be asked again at once.
        if before.is_none_or(|before| text(before, "/status") != said.status || text(before, "/reason") != said.reason)
        {
            let mut conditions = items(set, "/status/conditions").to_vec();
            condition::put(&mut conditions, condition::make(before, said, view.now()));
            fields::set(&mut status, &["conditions"], Value::from(conditions));
        }
        let generation = number(set, "/metadata/generation").unwrap_or(0);
        fields::set(&mut status, &["observedGeneration"], Value::from(generation));
        outcome.status(set, status, MANAGER);
    }
    let words = match kind(set) {
        "StatefulSet" => format!("create Pod {} in StatefulSet {} failed error: {message}", name(pod), name(set)),
        _ => format!("Error creating: {message}"),
    };
    outcome.warning(set, component, "FailedCreate", words);
    outcome
}
