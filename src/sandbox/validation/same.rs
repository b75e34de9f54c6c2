//! Whether two values are the same to the server, for fields of objects.

use serde_json::Value;

pub(super) use crate::sandbox::strategy::fields::same;

/// Tells whether a field is the same in two objects.
pub(super) fn same_field(name: &str, left: &Value, right: &Value) -> bool {
    same(left.get(name), right.get(name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_structure_with_nothing_in_it_is_something() {
        let claim = |spec: Value| json!({"spec": spec});
        assert!(!same_field("spec", &claim(json!({"selector": {}})), &claim(json!({}))));
        assert!(same_field("spec", &claim(json!({"accessModes": []})), &claim(json!({}))));
        let amounts = |amount: &str| claim(json!({"max": {"cpu": amount}, "sizeLimit": amount}));
        assert!(same_field("spec", &amounts("1"), &amounts("1000m")));
    }
}
