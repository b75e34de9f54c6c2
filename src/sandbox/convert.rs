//! One object at several versions of its kind.
//!
//! Custom resources change their `apiVersion` only (`conversion.strategy: None`). Of the built-in kinds, the two Event
//! groups and the versions of HorizontalPodAutoscaler have different fields.

use std::borrow::Cow;

use serde_json::Value;

use super::custom;
use super::kind::Kind;

/// Returns an object as a kind's version has it.
#[must_use]
pub fn to<'a>(kind: &Kind, object: &'a Value) -> Cow<'a, Value> {
    let wanted = kind.api_version();
    if object.get("apiVersion").and_then(Value::as_str) == Some(&wanted) {
        return Cow::Borrowed(object);
    }
    let mut object = object.clone();
    object["apiVersion"] = Value::from(wanted);
    if let Some(definition) = &kind.custom {
        custom::prune(definition, &mut object);
        custom::with_defaults(definition, &mut object);
    }
    Cow::Owned(object)
}

/// Returns an object as it is stored.
#[must_use]
pub fn to_storage(kind: &Kind, mut object: Value) -> Value {
    if let Some(definition) = &kind.custom {
        object["apiVersion"] = Value::from(format!("{}/{}", kind.group, definition.storage_version));
    }
    object
}
