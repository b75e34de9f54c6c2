//! `Priority`: the number that a pod's priority class stands for, and at most one default class.

use std::sync::Arc;

use serde_json::Value;

use super::{Operation, Request};
use crate::sandbox::refusal::Refusal;
use crate::sandbox::strategy::fields::{at, number, put, text};

const GROUP: &str = "scheduling.k8s.io";
const PREEMPT: &str = "PreemptLowerPriority";

pub(super) fn admit(request: &Request<'_>, pod: &mut Value) -> Result<(), Refusal> {
    if !request.is_for("", "Pod") {
        return Ok(());
    }
    if let Operation::Update(live) = request.operation {
        for field in ["priority", "preemptionPolicy"] {
            if let (None, Some(given)) = (at(pod, &["spec", field]), at(live, &["spec", field])) {
                put(pod, &["spec", field], given.clone());
            }
        }
        return Ok(());
    }
    let named = text(pod, &["spec", "priorityClassName"]).to_owned();
    let class = if named.is_empty() {
        default_class(request)
    } else {
        let class = request.view.get(GROUP, "PriorityClass", "", &named);
        Some(class.ok_or_else(|| request.forbid(pod, &format!("no PriorityClass with name {named} was found")))?)
    };
    let (name, priority, policy) = match &class {
        Some(class) => (
            text(class, &["metadata", "name"]),
            number(class, &["value"]).unwrap_or_default(),
            at(class, &["preemptionPolicy"]).and_then(Value::as_str),
        ),
        None => ("", 0, Some(PREEMPT)),
    };
    let computed = |what: &str, given: &dyn std::fmt::Display, right: &dyn std::fmt::Display| {
        format!(
            "the {what} ({given}) must not be provided in pod spec; priority admission controller computed {right} \
             from the given PriorityClass name"
        )
    };
    if let Some(given) = number(pod, &["spec", "priority"]).filter(|given| *given != priority) {
        return Err(request.forbid(pod, &computed("integer value of priority", &given, &priority)));
    }
    if let Some(policy) = policy {
        let given = text(pod, &["spec", "preemptionPolicy"]);
        if !given.is_empty() && given != policy {
            return Err(request.forbid(pod, &computed("string value of PreemptionPolicy", &given, &policy)));
        }
        put(pod, &["spec", "preemptionPolicy"], policy);
    }
    if !name.is_empty() {
        put(pod, &["spec", "priorityClassName"], name);
    }
    put(pod, &["spec", "priority"], priority);
    Ok(())
}

/// The class for pods that name none; of several the one that counts least.
fn default_class(request: &Request<'_>) -> Option<Arc<Value>> {
    let classes = request.view.list(GROUP, "PriorityClass", None).into_iter();
    let defaults = classes.filter(|class| at(class, &["globalDefault"]) == Some(&Value::Bool(true)));
    defaults.min_by_key(|class| number(class, &["value"]).unwrap_or_default())
}

pub(super) fn review(request: &Request<'_>, class: &Value) -> Result<(), Refusal> {
    let is_default = at(class, &["globalDefault"]) == Some(&Value::Bool(true));
    if !request.is_for(GROUP, "PriorityClass") || !is_default {
        return Ok(());
    }
    let Some(default) = default_class(request) else { return Ok(()) };
    let name = text(&default, &["metadata", "name"]);
    if request.is_create() || name != text(class, &["metadata", "name"]) {
        let why = format!("PriorityClass {name} is already marked as default. Only one default can exist");
        return Err(request.forbid(class, &why));
    }
    Ok(())
}
