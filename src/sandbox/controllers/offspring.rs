//! The pods of a workload: finding them, making one of a template, and counting those that are ready.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::condition;
use super::deed::Outcome;
use super::fields::{
    after, at, controller, controller_reference, is_controlled_by, is_leaving, items, kind, name, namespace, set, text,
    time, uid,
};
use super::hash;
use super::pod::is_over;
use super::selector;
use crate::sandbox::view::View;

/// The field manager of all that the controllers write, as the real ones run in one program.
pub(super) const MANAGER: &str = "kube-controller-manager";

/// Returns the objects of a kind that a workload controls.
pub(super) fn owned(view: &dyn View, owner: &Value, wanted: &str) -> Vec<Arc<Value>> {
    let mut found = view.dependents(uid(owner));
    found.retain(|object| {
        kind(object) == wanted && namespace(object) == namespace(owner) && is_controlled_by(object, uid(owner))
    });
    found
}

/// Returns the number of a pod that bears the name of a StatefulSet's.
pub(super) fn ordinal(stateful: &Value, pod: &Value) -> Option<i64> {
    let (parent, number) = name(pod).rsplit_once('-')?;
    let is_number = parent == name(stateful) && number.bytes().all(|byte| byte.is_ascii_digit());
    number.parse::<i32>().ok().filter(|_| is_number).map(i64::from)
}

/// Tells whether an object can be an owner's at all: the pods of a StatefulSet are known by their names.
fn can_be_of(owner: &Value, object: &Value) -> bool {
    kind(owner) != "StatefulSet" || kind(object) != "Pod" || ordinal(owner, object).is_some()
}

/// Takes over what matches the selector and has no controller, and lets go of what no longer matches it.
pub(super) fn adopt(
    view: &dyn View,
    owner: &Value,
    (group, wanted): (&str, &str),
    selector: Option<&Value>,
    outcome: &mut Outcome,
) {
    if is_leaving(owner) {
        return;
    }
    for object in owned(view, owner, wanted) {
        if !is_leaving(&object) && (!selector::matches(selector, &object) || !can_be_of(owner, &object)) {
            let mut released = (*object).clone();
            if let Some(Value::Array(owners)) = released.pointer_mut("/metadata/ownerReferences") {
                owners.retain(|reference| text(reference, "/uid") != uid(owner));
            }
            outcome.update(released, MANAGER);
        }
    }
    for object in view.list(group, wanted, Some(namespace(owner))) {
        let is_free = controller(&object).is_none() && !is_leaving(&object) && !(wanted == "Pod" && is_over(&object));
        if is_free && can_be_of(owner, &object) && selector::matches(selector, &object) {
            let mut adopted = (*object).clone();
            let mut owners = items(&adopted, "/metadata/ownerReferences").to_vec();
            owners.retain(|reference| text(reference, "/uid") != uid(owner));
            owners.push(controller_reference(owner));
            set(&mut adopted, &["metadata", "ownerReferences"], Value::from(owners));
            outcome.update(adopted, MANAGER);
        }
    }
}

/// Makes a pod of a template. Its name is given, or follows from a prefix and what else is unique.
pub(super) fn make(owner: &Value, template: &Value, named: &Named<'_>, view: &dyn View) -> Value {
    let mut metadata = json!({"namespace": namespace(owner), "ownerReferences": [controller_reference(owner)]});
    for field in ["labels", "annotations", "finalizers"] {
        if let Some(value) =
            at(template, "/metadata").and_then(|metadata| metadata.get(field)).filter(|value| !value.is_null())
        {
            set(&mut metadata, &[field], value.clone());
        }
    }
    let (generate_name, name) = match named {
        Named::As { name, prefix } => ((*prefix).to_owned(), (*name).to_owned()),
        Named::After { prefix, index } => ((*prefix).to_owned(), generated(view, owner, prefix, *index)),
    };
    set(&mut metadata, &["generateName"], Value::from(generate_name));
    set(&mut metadata, &["name"], Value::from(name));
    let spec = template.get("spec").cloned().unwrap_or_default();
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
}

/// How a pod is named.
pub(super) enum Named<'a> {
    As {
        name: &'a str,
        prefix: &'a str,
    },
    /// `prefix`, and an ending that no other has; `index` tells apart those of one go.
    After {
        prefix: &'a str,
        index: usize,
    },
}

/// Makes a name that is free now. It follows from the owner's version and the time, so that a replayed run has the same
/// names.
fn generated(view: &dyn View, owner: &Value, prefix: &str, index: usize) -> String {
    let version = text(owner, "/metadata/resourceVersion");
    let now = view.now().to_string();
    let mut attempt = index;
    // The server cuts the prefix so that the name is at most 63 bytes long.
    let prefix: String = prefix.chars().take(58).collect();
    loop {
        let name = format!("{prefix}{}", hash::suffix(&[uid(owner), version, &now, &attempt.to_string()]));
        if view.get("", "Pod", namespace(owner), &name).is_none() {
            return name;
        }
        attempt += 1000;
    }
}

/// Tells whether a pod runs or may yet run.
pub(super) fn is_active(pod: &Value) -> bool {
    !is_over(pod) && !is_leaving(pod)
}

/// Tells whether a pod is ready.
pub(super) fn is_ready(pod: &Value) -> bool {
    condition::is_true(pod, "Ready")
}

/// Returns when a ready pod is (or was) available: when it has been ready for that many seconds.
pub(super) fn available_at(pod: &Value, min_ready_seconds: i64) -> Option<Timestamp> {
    let ready = condition::find(pod, "Ready").filter(|ready| text(ready, "/status") == "True")?;
    time(ready, "/lastTransitionTime").map(|since| after(since, min_ready_seconds))
}

/// Tells whether a pod is available, and asks to look again when it will be.
pub(super) fn is_available(pod: &Value, min_ready_seconds: i64, now: Timestamp, outcome: &mut Outcome) -> bool {
    if min_ready_seconds == 0 {
        return is_ready(pod);
    }
    match available_at(pod, min_ready_seconds) {
        Some(at) if at <= now => true,
        Some(at) => {
            outcome.again(at);
            false
        }
        None => false,
    }
}

/// Orders pods by which is deleted first: unassigned before assigned, pending before running, unready before ready,
/// cheap before dear, young before old.
pub(super) fn sort_for_deletion(pods: &mut [Arc<Value>]) {
    let rank = |pod: &Value| {
        let phase = match text(pod, "/status/phase") {
            "Pending" => 0,
            "Running" => 2,
            _ => 1,
        };
        let cost: i64 = super::fields::annotation(pod, "controller.kubernetes.io/pod-deletion-cost")
            .and_then(|cost| cost.parse().ok())
            .unwrap_or(0);
        (!text(pod, "/spec/nodeName").is_empty(), phase, is_ready(pod), cost)
    };
    pods.sort_by(|one, other| {
        let made = |pod: &Value| text(pod, "/metadata/creationTimestamp").to_owned();
        rank(one).cmp(&rank(other)).then_with(|| made(other).cmp(&made(one))).then_with(|| name(other).cmp(name(one)))
    });
}
