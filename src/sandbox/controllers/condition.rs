//! Conditions of a status: finding one, and setting one so that its times tell the truth.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::fields::{items, set, stamp, text};

/// What a condition is to say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Said<'a> {
    pub(super) kind: &'a str,
    pub(super) status: &'a str,
    pub(super) reason: &'a str,
    pub(super) message: &'a str,
}

/// Finds a condition of an object by its type.
pub(super) fn find<'v>(object: &'v Value, kind: &str) -> Option<&'v Value> {
    items(object, "/status/conditions").iter().find(|condition| text(condition, "/type") == kind)
}

/// Tells whether a condition of an object is true.
pub(super) fn is_true(object: &Value, kind: &str) -> bool {
    find(object, kind).is_some_and(|condition| text(condition, "/status") == "True")
}

/// Makes a condition; `lastTransitionTime` stays where the status stays.
pub(super) fn make(before: Option<&Value>, said: Said<'_>, now: Timestamp) -> Value {
    let stays = before.filter(|before| text(before, "/status") == said.status);
    let since = stays.and_then(|before| before.get("lastTransitionTime")).cloned().unwrap_or_else(|| stamp(now));
    let mut condition = json!({"type": said.kind, "status": said.status, "lastTransitionTime": since});
    for (field, value) in [("reason", said.reason), ("message", said.message)] {
        if !value.is_empty() {
            set(&mut condition, &[field], Value::from(value));
        }
    }
    condition
}

/// Puts a condition into a list: in place of the one of its type, else at the end.
pub(super) fn put(conditions: &mut Vec<Value>, condition: Value) {
    let kind = text(&condition, "/type").to_owned();
    match conditions.iter_mut().find(|present| text(present, "/type") == kind) {
        Some(present) => *present = condition,
        None => conditions.push(condition),
    }
}

/// Takes a condition out of a list.
pub(super) fn remove(conditions: &mut Vec<Value>, kind: &str) {
    conditions.retain(|present| text(present, "/type") != kind);
}

/// Finds a condition in a list.
pub(super) fn among<'v>(conditions: &'v [Value], kind: &str) -> Option<&'v Value> {
    conditions.iter().find(|condition| text(condition, "/type") == kind)
}
