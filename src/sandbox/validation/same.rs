//! Whether two values are the same to the server: what is missing is empty, quantities are compared by amount.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::resource::quantity::Quantity;

/// Maps whose values are quantities, and fields that are one.
const AMOUNTS: [&str; 13] = [
    "limits",
    "requests",
    "capacity",
    "allocatable",
    "hard",
    "overhead",
    "podFixed",
    "sizeLimit",
    "divisor",
    "min",
    "max",
    "default",
    "defaultRequest",
];

/// Tells whether two values are the same.
pub(super) fn same(left: Option<&Value>, right: Option<&Value>) -> bool {
    under("", left.unwrap_or(&Value::Null), right.unwrap_or(&Value::Null))
}

/// The same for a field of two objects.
pub(super) fn same_field(name: &str, left: &Value, right: &Value) -> bool {
    under(name, left.get(name).unwrap_or(&Value::Null), right.get(name).unwrap_or(&Value::Null))
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.values().all(Value::is_null),
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

fn under(name: &str, left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            let keys: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
            keys.into_iter().all(|key| {
                let below = if AMOUNTS.contains(&name) { name } else { key.as_str() };
                under(below, left.get(key).unwrap_or(&Value::Null), right.get(key).unwrap_or(&Value::Null))
            })
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| under(name, left, right))
        }
        (Value::String(left), Value::String(right)) if left != right && AMOUNTS.contains(&name) => {
            matches!((Quantity::parse(left), Quantity::parse(right)), (Ok(left), Ok(right)) if left == right)
        }
        (left, right) => left == right || (is_nothing(left) && is_nothing(right)),
    }
}

/// The fields in which two objects differ, a line for each side. The server appends a unified comparison of its
/// internal form here.
pub(super) fn changes(before: &Value, after: &Value) -> String {
    let empty = serde_json::Map::new();
    let left = before.as_object().unwrap_or(&empty);
    let right = after.as_object().unwrap_or(&empty);
    let keys: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
    let mut lines = String::new();
    for key in keys.into_iter().filter(|key| !same_field(key, before, after)) {
        for (sign, side) in [("-", left), ("+", right)] {
            if let Some(value) = side.get(key) {
                lines.push_str(&format!("{sign} {key}: {value}\n"));
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn missing_and_empty_are_the_same_and_amounts_count() {
        assert!(same(Some(&json!({"a": []})), Some(&json!({}))));
        assert!(same(None, Some(&json!({}))));
        assert!(same(Some(&json!({"limits": {"cpu": "1"}})), Some(&json!({"limits": {"cpu": "1000m"}}))));
        assert!(!same(Some(&json!({"name": "1"})), Some(&json!({"name": "1000m"}))));
        assert!(!same(Some(&json!({"a": 0})), None));
    }

    #[test]
    fn changes_are_listed() {
        assert_eq!(changes(&json!({"a": 1, "b": 2}), &json!({"a": 3, "b": 2})), "- a: 1\n+ a: 3\n");
    }
}
