//! What the controllers of definitions write into their status.
//!
//! Source: `apiextensions-apiserver/pkg/controller/{status,establish,apiapproval}` and `pkg/apihelpers`.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::sandbox::custom::structural::{schemas, text, texts};

/// Keeps a definition until its objects are gone.
pub const CLEANUP_FINALIZER: &str = "customresourcecleanup.apiextensions.k8s.io";

/// Returns the status that a definition comes to have beside the others, if it is not the one it has.
#[must_use]
pub fn conditions(definition: &Value, others: &[Arc<Value>], now: Timestamp) -> Option<Value> {
    let before = definition.get("status").cloned().unwrap_or_else(|| json!({}));
    let mut status = before.clone();
    let names = definition.pointer("/spec/names").unwrap_or(&Value::Null);
    if names != status.get("acceptedNames").unwrap_or(&Value::Null) {
        accept_names(definition, names, others, now, &mut status);
    }
    if condition_is(&status, "NamesAccepted", "True") && !condition_is(&status, "Established", "True") {
        let message = "the initial names have been accepted";
        set_condition(&mut status, "Established", "True", "InitialNamesAccepted", message, now);
    }
    let group = definition.pointer("/spec/group").and_then(Value::as_str).unwrap_or_default();
    if is_protected(group) {
        let (reason, message) = approval(definition);
        let state = if reason == "ApprovedAnnotation" { "True" } else { "False" };
        set_condition(&mut status, "KubernetesAPIApprovalPolicyConformant", state, reason, &message, now);
    }
    if definition.pointer("/metadata/deletionTimestamp").is_some() {
        let message = "CustomResource deletion is in progress";
        set_condition(&mut status, "Terminating", "True", "InstanceDeletionInProgress", message, now);
    }
    (status != before).then_some(status)
}

/// Returns a definition as its deletion leaves it: with the finalizer, and with the word that its objects go first.
#[must_use]
pub fn marked_for_deletion(definition: &Value, now: Timestamp) -> Value {
    let mut object = definition.clone();
    if !object.pointer("/metadata").is_some_and(Value::is_object) || !object.is_object() {
        return object;
    }
    let mut finalizers = texts(&object["metadata"], "finalizers");
    if !finalizers.contains(&CLEANUP_FINALIZER) {
        finalizers.push(CLEANUP_FINALIZER);
    }
    let finalizers = json!(finalizers);
    object["metadata"]["finalizers"] = finalizers;
    if object.pointer("/metadata/deletionTimestamp").is_none() {
        object["metadata"]["deletionTimestamp"] = Value::from(written(now));
    }
    let mut status = object.get("status").cloned().unwrap_or_else(|| json!({}));
    let message = "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon";
    set_condition(&mut status, "Terminating", "True", "InstanceDeletionPending", message, now);
    object["status"] = status;
    object
}

fn accept_names(definition: &Value, names: &Value, others: &[Arc<Value>], now: Timestamp, status: &mut Value) {
    let group = definition.pointer("/spec/group");
    let own = definition.pointer("/metadata/name");
    let of_group = others
        .iter()
        .filter(|other| other.pointer("/spec/group") == group && other.pointer("/metadata/name") != own)
        .filter_map(|other| other.pointer("/status/acceptedNames"));
    let (mut resources, mut kinds) = (BTreeSet::new(), BTreeSet::new());
    for other in of_group {
        resources.extend(["plural", "singular"].map(|key| text(other, key)));
        resources.extend(texts(other, "shortNames"));
        kinds.extend(["kind", "listKind"].map(|key| text(other, key)));
    }
    let accepted = status.get("acceptedNames").filter(|names| names.is_object()).cloned().unwrap_or_else(|| json!({}));
    let mut new = accepted.clone();
    let mut conflict = None;
    let in_use = |name: &str, known: &str, used: &BTreeSet<&str>| name != known && used.contains(name);
    let mut take = |key: &str, used: &BTreeSet<&str>, reason: &'static str, conflict: &mut Option<_>| {
        let name = text(names, key);
        if in_use(name, text(&accepted, key), used) {
            *conflict = Some((reason, format!("{name:?} is already in use")));
        } else {
            new[key] = Value::from(name);
        }
    };
    take("plural", &resources, "PluralConflict", &mut conflict);
    take("singular", &resources, "SingularConflict", &mut conflict);
    let known = texts(&accepted, "shortNames");
    let wanted = texts(names, "shortNames");
    let taken: Vec<String> = wanted
        .iter()
        .filter(|name| !known.contains(name) && resources.contains(*name))
        .map(|name| format!("{name:?} is already in use"))
        .collect();
    let short_names_fit = taken.is_empty();
    if !short_names_fit {
        let message = if let [only] = taken.as_slice() { only.clone() } else { format!("[{}]", taken.join(", ")) };
        conflict = Some(("ShortNamesConflict", message));
    }
    take("kind", &kinds, "KindConflict", &mut conflict);
    take("listKind", &kinds, "ListKindConflict", &mut conflict);
    let mut put = |key: &str, list: Vec<&str>| {
        if let Some(map) = new.as_object_mut() {
            if list.is_empty() {
                map.remove(key)
            } else {
                map.insert(key.to_owned(), json!(list))
            };
        }
    };
    if short_names_fit {
        put("shortNames", wanted);
    }
    put("categories", texts(names, "categories"));
    status["acceptedNames"] = new;
    let is_free = conflict.is_none();
    let (state, reason, message) = match &conflict {
        Some((reason, message)) => ("False", *reason, message.as_str()),
        None => ("True", "NoConflicts", "no conflicts found"),
    };
    set_condition(status, "NamesAccepted", state, reason, message, now);
    let is_known = schemas(status, "conditions").any(|condition| text(condition, "type") == "Established");
    if !is_known && !is_free {
        set_condition(status, "Established", "False", "NotAccepted", "not all names are accepted", now);
    }
}

fn written(now: Timestamp) -> String {
    now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn condition_is(status: &Value, kind: &str, state: &str) -> bool {
    schemas(status, "conditions").any(|one| text(one, "type") == kind && text(one, "status") == state)
}

/// Tells whether a definition's kinds are served.
#[must_use]
pub fn is_established(definition: &Value) -> bool {
    is_condition_true(definition, "Established")
}

/// Tells whether a definition has a condition that is true.
pub(super) fn is_condition_true(definition: &Value, kind: &str) -> bool {
    definition.get("status").is_some_and(|status| condition_is(status, kind, "True"))
}

/// The time changes with the state only.
fn set_condition(status: &mut Value, kind: &str, state: &str, reason: &str, message: &str, now: Timestamp) {
    if !status.is_object() {
        *status = json!({});
    }
    let mut all: Vec<Value> = schemas(status, "conditions").cloned().collect();
    let mut condition = json!({
        "type": kind, "status": state, "reason": reason, "message": message, "lastTransitionTime": written(now)
    });
    match all.iter_mut().find(|one| text(one, "type") == kind) {
        Some(known) => {
            if text(known, "status") == state && known.get("lastTransitionTime").is_some() {
                condition["lastTransitionTime"] = known["lastTransitionTime"].clone();
            }
            *known = condition;
        }
        None => all.push(condition),
    }
    status["conditions"] = Value::from(all);
}

/// Tells whether a group belongs to the Kubernetes project.
pub(super) fn is_protected(group: &str) -> bool {
    ["k8s.io", "kubernetes.io"]
        .iter()
        .any(|domain| group.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
}

/// Returns the reason and the message of how a definition of a protected group is approved.
pub(super) fn approval(definition: &Value) -> (&'static str, String) {
    let annotation = "api-approved.kubernetes.io";
    let see = "see https://github.com/kubernetes/enhancements/pull/1111";
    let value = definition.pointer("/metadata/annotations").map(|all| text(all, annotation)).unwrap_or_default();
    let is_url = value.split_once("://").is_some_and(|(scheme, rest)| {
        !scheme.is_empty()
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric())
            && !rest.is_empty()
            && !rest.starts_with('/')
    });
    if value.is_empty() {
        let message = format!("protected groups must have approval annotation {annotation:?}, {see}");
        ("MissingAnnotation", message)
    } else if value.starts_with("unapproved") {
        ("UnapprovedAnnotation", format!("not approved: {value:?}"))
    } else if is_url {
        ("ApprovedAnnotation", format!("approved in {value}"))
    } else {
        let message = format!(
            "protected groups must have approval annotation {annotation:?} with either a URL or a reason starting with \
             \"unapproved\", {see}"
        );
        ("InvalidAnnotation", message)
    }
}
