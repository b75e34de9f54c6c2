//! What a written object holds otherwise in memory than the same object that is read from where it is stored.
//!
//! The server compares a list that is one value with Go's `DeepEqual`, and that looks deeper than at what would be written
//! down: an empty list is not nil, `1000m` is not `1`, and a quantity that nobody gave is not the `0` that was read. Who sends
//! such a list changes it each time.

use serde_json::Value;

use crate::resource::quantity::Quantity;
use crate::ssa::canonical::holds_entries;
use crate::ssa::field_set::FieldSet;
use crate::ssa::item::item_element;
use crate::ssa::path::PathElement;
use crate::ssa::schema::{Branch, ListKind, Scalar, Schema, TypeRef, TypeTable};

/// Finds in an object as it was sent, before anything was respelled or left out, what is one value and is not equal to itself
/// once it is stored.
#[must_use]
pub fn held_otherwise(schema: &Schema, sent: &Value) -> FieldSet {
    let mut walk = Walk { types: &schema.types, path: Vec::new(), found: FieldSet::default() };
    if schema.is_builtin() {
        walk.value(&schema.reference, sent);
    }
    walk.found
}

struct Walk<'a> {
    types: &'a TypeTable,
    path: Vec<PathElement>,
    found: FieldSet,
}

impl<'a> Walk<'a> {
    fn value(&mut self, reference: &'a TypeRef, value: &Value) {
        match self.types.resolve(reference).branch(Some(value)) {
            Some(Branch::Map(view)) if !view.atomic => {
                for (name, child) in value.as_object().into_iter().flatten() {
                    if let Some(reference) = view.map.under(name) {
                        self.below(PathElement::field(name.as_str()), reference, child);
                    }
                }
            }
            Some(Branch::List(list)) if list.kind != ListKind::Atomic => {
                for item in value.as_array().into_iter().flatten() {
                    if let Ok(element) = item_element(self.types, list, item) {
                        self.below(element, &list.element, item);
                    }
                }
            }
            Some(Branch::Map(_) | Branch::List(_)) if self.is_otherwise(reference, value, false) => {
                self.found.insert(&self.path);
            }
            _ => {}
        }
    }

    fn below(&mut self, element: PathElement, reference: &'a TypeRef, value: &Value) {
        self.path.push(element);
        self.value(reference, value);
        self.path.pop();
    }

    /// Looks into what is one value. Only what is in a list is compared so closely.
    fn is_otherwise(&self, reference: &TypeRef, value: &Value, in_list: bool) -> bool {
        if matches!(reference, TypeRef::Deduced | TypeRef::Untyped) {
            return false;
        }
        match (self.types.resolve(reference).branch(Some(value)), value) {
            (Some(Branch::Map(view)), Value::Object(map)) => {
                if in_list && map.is_empty() && holds_entries(view.map) {
                    return true;
                }
                let is_unset = |name: &str| {
                    let is_quantity = matches!(view.map.under(name), Some(TypeRef::Scalar(Scalar::Quantity)));
                    is_quantity && map.get(name).is_none_or(Value::is_null)
                };
                let mut always = self.types.known(reference).into_iter().flat_map(|known| known.written.always.keys());
                in_list && always.any(|name| is_unset(name))
                    || map.iter().filter(|(name, _)| !is_filled_in(self.types.name_of(reference), name)).any(
                        |(name, child)| {
                            view.map.under(name).is_some_and(|reference| self.is_otherwise(reference, child, in_list))
                        },
                    )
            }
            (Some(Branch::List(list)), Value::Array(items)) => {
                in_list && items.is_empty() || items.iter().any(|item| self.is_otherwise(&list.element, item, true))
            }
            (Some(Branch::Scalar(Scalar::Quantity)), value) => in_list && is_respelled(value),
            _ => false,
        }
    }
}

/// Limits of containers follow from each other, so that these are seldom what was sent.
fn is_filled_in(type_name: Option<&str>, field: &str) -> bool {
    type_name == Some("io.k8s.api.core.v1.LimitRangeItem") && matches!(field, "default" | "defaultRequest")
}

fn is_respelled(quantity: &Value) -> bool {
    let text = match quantity {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return false,
    };
    Quantity::parse(&text).is_ok_and(|quantity| quantity.canonical() != text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ssa::builtin;

    fn found(group: &str, version: &str, kind: &str, spec: Value) -> Vec<String> {
        let object = if kind == "PodTemplate" { json!({"template": {"spec": spec}}) } else { json!({"spec": spec}) };
        let found = held_otherwise(&builtin(group, version, kind).unwrap(), &object);
        found.iter().map(|path| path.to_string()).collect()
    }

    #[test]
    fn lists_of_limits_are_what_they_were_if_they_are_spelled_as_they_are_stored() {
        let limits = |limit: Value| found("", "v1", "LimitRange", json!({"limits": [limit]})).len();
        for stored in [json!({"max": {"cpu": "1"}}), json!({"max": {"memory": "1Gi"}}), json!({"max": {"cpu": 1}})] {
            assert_eq!(limits(stored.clone()), 0, "{stored}");
        }
        for other in [json!({"max": {"cpu": "1000m"}}), json!({"max": {"memory": "1024Mi"}}), json!({"min": {}})] {
            assert_eq!(limits(other.clone()), 1, "{other}");
        }
    }

    #[test]
    fn what_is_empty_or_not_given_counts_in_lists_that_are_one_value() {
        let template = |spec: Value| found("", "v1", "PodTemplate", spec).len();
        let file = |file: Value| json!({"volumes": [{"name": "d", "downwardAPI": {"items": [file]}}]});
        assert_eq!(template(file(json!({"path": "a", "resourceFieldRef": {"resource": "limits.cpu"}}))), 1);
        let given = json!({"path": "a", "resourceFieldRef": {"resource": "limits.cpu", "divisor": "0"}});
        assert_eq!(template(file(given)), 0);
        assert_eq!(template(file(json!({"path": "a", "fieldRef": {"fieldPath": "metadata.name"}}))), 0);
        let nodes = |term: Value| {
            json!({"affinity": {"nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}}})
        };
        assert_eq!(template(nodes(json!({"matchExpressions": []}))), 1);
        assert_eq!(template(nodes(json!({"matchExpressions": [{"key": "a", "operator": "Exists"}]}))), 0);
        let value_from = json!({"resourceFieldRef": {"resource": "limits.cpu", "divisor": "1000m"}});
        let container = json!({"name": "a", "env": [{"name": "x", "valueFrom": value_from}]});
        assert_eq!(template(json!({"containers": [container]})), 0);
        let policy = |spec: Value| found("networking.k8s.io", "v1", "NetworkPolicy", spec).len();
        assert_eq!(policy(json!({"podSelector": {"matchLabels": {}}, "ingress": [{}]})), 0);
        assert_eq!(policy(json!({"podSelector": {}, "ingress": [{"from": []}]})), 1);
    }
}
