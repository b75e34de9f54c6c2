//! Conditions as every kind's status lists them.

use serde_json::Value;

use super::{number, text};
use crate::resource::at;

/// One condition of a status.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Condition<'a> {
    pub(super) status: &'a str,
    pub(super) reason: &'a str,
    pub(super) message: &'a str,
    pub(super) observed_generation: Option<i64>,
}

/// Finds a condition by type.
pub(super) fn find<'a>(object: &'a Value, kind: &str) -> Option<Condition<'a>> {
    let conditions = at(object, "/status/conditions")?.as_array()?;
    let condition = conditions.iter().find(|condition| text(condition, "/type") == kind)?;
    Some(Condition {
        status: text(condition, "/status"),
        reason: text(condition, "/reason"),
        message: text(condition, "/message"),
        observed_generation: number(condition, "/observedGeneration"),
    })
}

/// Finds a condition that is true.
pub(super) fn is_true<'a>(object: &'a Value, kind: &str) -> Option<Condition<'a>> {
    find(object, kind).filter(|condition| condition.status == "True")
}

/// Finds a condition that is false.
pub(super) fn is_false<'a>(object: &'a Value, kind: &str) -> Option<Condition<'a>> {
    find(object, kind).filter(|condition| condition.status == "False")
}

impl Condition<'_> {
    /// Returns what the condition says: message and reason, or whichever there is, or the given words.
    pub(super) fn words(&self, otherwise: &str) -> String {
        match (self.reason, self.message.trim()) {
            ("", "") => otherwise.to_owned(),
            (reason, "") => reason.to_owned(),
            ("", message) => message.to_owned(),
            (reason, message) => format!("{message} ({reason})"),
        }
    }
}
