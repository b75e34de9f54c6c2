//! The scheduler: on which node a pod may run, and why on none.

use serde_json::{Value, json};

use crate::resource::quantity::Quantity;
use crate::sandbox::controllers::claim;
use crate::sandbox::controllers::condition;
use crate::sandbox::controllers::deed::{Deed, Outcome};
use crate::sandbox::controllers::fields::{annotation, at, flag, is_leaving, items, name, namespace, set, text};
use crate::sandbox::controllers::selector::{all_equal, meets};
use crate::sandbox::controllers::trouble::{self, PodTrouble};
use crate::sandbox::view::View;

const SCHEDULER: &str = "default-scheduler";
const MANAGER: &str = "kube-scheduler";
/// With which the scheduler tells the provisioner that a pod needs the claim there.
const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";

pub(super) fn reconcile(view: &dyn View, pod: &Value) -> Outcome {
    let mut outcome = Outcome::default();
    if text(pod, "/spec/schedulerName") != SCHEDULER && !text(pod, "/spec/schedulerName").is_empty() {
        return outcome;
    }
    if !items(pod, "/spec/schedulingGates").is_empty() {
        let message = "Scheduling is blocked due to non-empty scheduling gates";
        unscheduled(view, pod, "SchedulingGated", message, &mut outcome);
        return outcome;
    }
    let nodes = view.list("", "Node", None);
    let all = nodes.len();
    let why_none = |why: String| match all {
        0 => "no nodes available to schedule pods".to_owned(),
        _ => format!("0/{all} nodes are available: {why}"),
    };
    let asked = trouble::asked(view, pod).trouble;
    if asked == Some(PodTrouble::Unschedulable) {
        // As on a node that is full; these are the words for an unsatisfiable request for a processor.
        return refuse(view, pod, &why_none(not_preemptable(all, &format!("{all} Insufficient cpu."))));
    }
    let waiting = match claims(view, pod) {
        Claims::Missing(why) => return refuse(view, pod, &why_none(format!("{why} not found"))),
        Claims::Ready => Vec::new(),
        Claims::Waiting(waiting) => waiting,
    };
    let mut reasons: Vec<(String, usize)> = Vec::new();
    let mut chosen = None;
    for node in &nodes {
        match unfit(pod, node) {
            None => {
                chosen = Some(node);
                break;
            }
            Some(why) => match reasons.iter_mut().find(|(known, _)| *known == why) {
                Some((_, count)) => *count += 1,
                None => reasons.push((why, 1)),
            },
        }
    }
    let Some(node) = chosen else {
        let mut parts: Vec<String> = reasons.iter().map(|(why, count)| format!("{count} {why}")).collect();
        parts.sort();
        return refuse(view, pod, &why_none(not_preemptable(all, &format!("{}.", parts.join(", ")))));
    };
    for claim in &waiting {
        if annotation(claim, SELECTED_NODE).is_none() {
            let mut claim = (**claim).clone();
            set(&mut claim, &["metadata", "annotations", SELECTED_NODE], Value::from(name(node)));
            outcome.update(claim, MANAGER);
        }
    }
    if !waiting.is_empty() {
        // Looked at again when the claims are bound.
        return outcome;
    }
    let message = format!("Successfully assigned {}/{} to {}", namespace(pod), name(pod), name(node));
    outcome.deeds.push(Deed::Bind { pod: pod.clone(), node: name(node).to_owned() });
    outcome.normal(pod, SCHEDULER, "Scheduled", message);
    outcome
}

fn not_preemptable(all: usize, why: &str) -> String {
    let preemption = match why.contains("Insufficient") {
        true => "No preemption victims found for incoming pod.",
        false => "Preemption is not helpful for scheduling.",
    };
    format!("{why} no new claims to deallocate, preemption: 0/{all} nodes are available: {all} {preemption}")
}

fn refuse(view: &dyn View, pod: &Value, message: &str) -> Outcome {
    let mut outcome = Outcome::default();
    if unscheduled(view, pod, "Unschedulable", message, &mut outcome) {
        outcome.warning(pod, SCHEDULER, "FailedScheduling", message);
    }
    outcome
}

fn unscheduled(view: &dyn View, pod: &Value, reason: &str, message: &str, outcome: &mut Outcome) -> bool {
    let before = condition::find(pod, "PodScheduled");
    let said = condition::Said { kind: "PodScheduled", status: "False", reason, message };
    let mut made = condition::make(before, said, view.now());
    set(&mut made, &["lastProbeTime"], Value::Null);
    set(&mut made, &["observedGeneration"], at(pod, "/metadata/generation").cloned().unwrap_or_default());
    let mut status = pod.get("status").cloned().unwrap_or_else(|| json!({}));
    set(&mut status, &["phase"], Value::from("Pending"));
    let mut conditions = items(pod, "/status/conditions").to_vec();
    condition::put(&mut conditions, made);
    set(&mut status, &["conditions"], Value::from(conditions));
    outcome.status(pod, status, MANAGER)
}

enum Claims {
    Ready,
    /// These wait for their first consumer.
    Waiting(Vec<std::sync::Arc<Value>>),
    Missing(String),
}

fn claims(view: &dyn View, pod: &Value) -> Claims {
    let mut waiting = Vec::new();
    for claim_name in claim::names(pod) {
        let Some(claim) = view.get("", "PersistentVolumeClaim", namespace(pod), &claim_name) else {
            return Claims::Missing(format!("persistentvolumeclaim {claim_name:?} not found."));
        };
        if is_leaving(&claim) {
            return Claims::Missing(format!("persistentvolumeclaim {claim_name:?} is being deleted."));
        }
        if text(&claim, "/status/phase") == "Lost" {
            return Claims::Missing(format!(
                "persistentvolumeclaim {claim_name:?} bound to non-existent persistentvolume."
            ));
        }
        if claim::is_bound(&claim) {
            continue;
        }
        if claim::waits_for_consumer(view, &claim) {
            waiting.push(claim);
        } else {
            return Claims::Missing("pod has unbound immediate PersistentVolumeClaims.".to_owned());
        }
    }
    if waiting.is_empty() { Claims::Ready } else { Claims::Waiting(waiting) }
}

/// Tells whether a pod may run on a node, but for its claims.
pub(in crate::sandbox::controllers) fn fits(pod: &Value, node: &Value) -> bool {
    unfit(pod, node).is_none()
}

/// Returns why a pod cannot run on a node, in the words that follow a count of nodes.
fn unfit(pod: &Value, node: &Value) -> Option<String> {
    let labels = at(node, "/metadata/labels");
    if flag(node, "/spec/unschedulable")
        && !tolerates(pod, &json!({"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}))
    {
        return Some("node(s) were unschedulable".to_owned());
    }
    let selector = at(pod, "/spec/nodeSelector");
    let affinity = "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution";
    let required = at(pod, affinity).filter(|required| !required.is_null());
    let selected = selector.is_none_or(|wanted| all_equal(wanted, labels))
        && required
            .is_none_or(|required| items(required, "/nodeSelectorTerms").iter().any(|term| matches_term(term, node)));
    if !selected {
        return Some("node(s) didn't match Pod's node affinity/selector".to_owned());
    }
    if !is_tolerated(pod, node, &["NoSchedule", "NoExecute"]) {
        return Some("node(s) had untolerated taint(s)".to_owned());
    }
    insufficient(pod, node)
}

/// Tells whether a pod tolerates all taints of a node with these effects.
pub(in crate::sandbox::controllers) fn is_tolerated(pod: &Value, node: &Value, effects: &[&str]) -> bool {
    let taints = items(node, "/spec/taints").iter();
    taints.filter(|taint| effects.contains(&text(taint, "/effect"))).all(|taint| tolerates(pod, taint))
}

fn tolerates(pod: &Value, taint: &Value) -> bool {
    items(pod, "/spec/tolerations").iter().any(|toleration| {
        let (effect, key) = (text(toleration, "/effect"), text(toleration, "/key"));
        let exists = text(toleration, "/operator") == "Exists";
        (effect.is_empty() || effect == text(taint, "/effect"))
            && (key == text(taint, "/key") || (key.is_empty() && exists))
            && (exists || text(toleration, "/value") == text(taint, "/value"))
    })
}

fn matches_term(term: &Value, node: &Value) -> bool {
    let (expressions, fields) = (items(term, "/matchExpressions"), items(term, "/matchFields"));
    if expressions.is_empty() && fields.is_empty() {
        return false;
    }
    let named = json!({"metadata.name": name(node)});
    expressions.iter().all(|expression| meets(expression, at(node, "/metadata/labels")))
        && fields.iter().all(|field| meets(field, Some(&named)))
}

/// What the pod asks for itself is held against the whole node; what other pods hold there is not counted.
fn insufficient(pod: &Value, node: &Value) -> Option<String> {
    ["cpu", "memory", "ephemeral-storage"].into_iter().find_map(|resource| {
        let allocatable = amount(at(node, "/status/allocatable").and_then(|all| all.get(resource)))?;
        let asked: i128 = items(pod, "/spec/containers")
            .iter()
            .filter_map(|container| amount(at(container, "/resources/requests").and_then(|all| all.get(resource))))
            .sum();
        (asked > allocatable).then(|| format!("Insufficient {resource}"))
    })
}

fn amount(value: Option<&Value>) -> Option<i128> {
    Some(Quantity::parse(value?.as_str()?).ok()?.nano())
}
