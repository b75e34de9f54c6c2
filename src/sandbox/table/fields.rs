//! Reads fields of an object as the server's structures hold them: what is missing is empty, zero or false.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::age::age;

/// An object, or a part of one. Paths are JSON pointers.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a>(pub(super) &'a Value);

impl<'a> Fields<'a> {
    /// Returns what is there, unless it is null.
    pub(super) fn at(self, path: &str) -> Option<&'a Value> {
        self.0.pointer(path).filter(|value| !value.is_null())
    }

    pub(super) fn text(self, path: &str) -> &'a str {
        self.at(path).and_then(Value::as_str).unwrap_or_default()
    }

    /// Returns a text, and another one if it is empty.
    pub(super) fn text_or(self, path: &str, otherwise: &'a str) -> &'a str {
        match self.text(path) {
            "" => otherwise,
            text => text,
        }
    }

    /// Returns the first of two texts that is not empty.
    pub(super) fn either(self, path: &str, other: &str) -> &'a str {
        self.text_or(path, self.text(other))
    }

    pub(super) fn integer(self, path: &str) -> i64 {
        self.at(path).and_then(Value::as_i64).unwrap_or_default()
    }

    pub(super) fn is_true(self, path: &str) -> bool {
        self.at(path).and_then(Value::as_bool).unwrap_or_default()
    }

    /// Returns a text or number as text.
    pub(super) fn scalar(self, path: &str) -> Option<String> {
        match self.at(path)? {
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }

    pub(super) fn items(self, path: &str) -> impl DoubleEndedIterator<Item = Fields<'a>> + ExactSizeIterator {
        self.at(path).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default().iter().map(Fields)
    }

    pub(super) fn count(self, path: &str) -> usize {
        match self.at(path) {
            Some(Value::Array(items)) => items.len(),
            Some(Value::Object(map)) => map.len(),
            _ => 0,
        }
    }

    pub(super) fn map(self, path: &str) -> Option<&'a Map<String, Value>> {
        self.at(path)?.as_object()
    }

    /// Returns the texts of a list.
    pub(super) fn texts(self, path: &str) -> Vec<&'a str> {
        self.items(path).filter_map(|item| item.0.as_str()).collect()
    }

    pub(super) fn name(self) -> &'a str {
        self.text("/metadata/name")
    }

    /// Returns the cell of a kind's column `Age`.
    pub(super) fn age(self, now: Timestamp) -> Value {
        json!(age(self.text("/metadata/creationTimestamp"), now))
    }

    pub(super) fn is_being_deleted(self) -> bool {
        self.at("/metadata/deletionTimestamp").is_some()
    }

    /// Returns the condition of a type.
    pub(super) fn condition(self, path: &str, kind: &str) -> Option<Fields<'a>> {
        self.items(path).find(|condition| condition.text("/type") == kind)
    }

    /// Tells whether the condition of a type is true.
    pub(super) fn has_condition(self, path: &str, kind: &str) -> bool {
        self.condition(path, kind).is_some_and(|condition| condition.text("/status") == "True")
    }
}
