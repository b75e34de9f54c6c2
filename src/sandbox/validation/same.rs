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
}
