//! Pods: what the scheduler and the kubelet of the one node do. No container runs: the status says what it would say.
//!
//! A pod is first assigned to a node ([`schedule`]); then its containers start ([`status`]), unless their
//! configuration is missing ([`configuration`]) or the pod is asked to fail ([`super::trouble`]); when it is deleted, it
//! is gone at once.

mod announce;
mod configuration;
mod container;
mod schedule;
mod status;

use jiff::SignedDuration;
use serde_json::Value;

use super::deed::{Outcome, Propagation};
use super::fields::{is_leaving, items, number, text, time};
use super::trouble;
use crate::sandbox::view::View;

pub(super) use configuration::names;
pub(super) use schedule::{fits, is_tolerated};

/// Who says what the kubelet says.
pub(super) const KUBELET: &str = "kubelet";

/// Looks at one pod.
pub(super) fn reconcile(view: &dyn View, pod: &Value) -> Outcome {
    let node = text(pod, "/spec/nodeName");
    if is_leaving(pod) {
        return if node.is_empty() { Outcome::default() } else { end(view, pod) };
    }
    if is_over(pod) {
        return Outcome::default();
    }
    if node.is_empty() {
        return schedule::reconcile(view, pod);
    }
    match view.get("", "Node", "", node) {
        // A pod of a node that nobody runs stays as it is.
        None => Outcome::default(),
        Some(node) => status::reconcile(view, pod, &node),
    }
}

/// Tells whether all containers of a pod have ended for good.
pub(super) fn is_over(pod: &Value) -> bool {
    matches!(text(pod, "/status/phase"), "Succeeded" | "Failed")
}

/// Ends a deleted pod: within its grace period, by default at once.
fn end(view: &dyn View, pod: &Value) -> Outcome {
    let mut outcome = Outcome::default();
    let grace = number(pod, "/metadata/deletionGracePeriodSeconds").unwrap_or(0);
    if grace == 0 {
        // It has ended; finalizers keep it.
        return outcome;
    }
    let after = trouble::asked(view, pod).gone_after.min(SignedDuration::from_secs(grace));
    let deadline = time(pod, "/metadata/deletionTimestamp");
    let asked_at = deadline.and_then(|deadline| deadline.checked_sub(SignedDuration::from_secs(grace)).ok());
    let gone_at = asked_at.and_then(|asked_at| asked_at.checked_add(after).ok());
    if let Some(gone_at) = gone_at.filter(|gone_at| *gone_at > view.now()) {
        outcome.again(gone_at);
        return outcome;
    }
    outcome.delete_with(pod, Propagation::Background, Some(0));
    for container in items(pod, "/spec/containers") {
        let message = format!("Stopping container {}", text(container, "/name"));
        outcome.normal(pod, KUBELET, "Killing", message);
    }
    outcome
}
