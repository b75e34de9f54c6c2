//! The set of fields that a configuration lays claim to.

use serde_json::{Map, Value};

use super::field_set::FieldSet;
use super::item::item_element;
use super::path::PathElement;
use super::schema::{Branch, ListKind, ListType, MapType, Schema, TypeRef, TypeTable};
use super::validate::{TypeError, validate};

/// Returns the fields of a configuration.
///
/// A scalar, null, an atomic value and an empty map count by their own path, a list that is a set or a map by its items, so
/// that an empty one counts not at all.
///
/// # Errors
/// Where the configuration does not have the shape that the schema asks for.
pub fn set_of(schema: &Schema, value: &Value) -> Result<FieldSet, TypeError> {
    validate(schema, value)?;
    Ok(fields_of(schema, value))
}

/// Returns the fields of a value that is known to have the shape of its schema; items may be there twice.
pub(crate) fn fields_of(schema: &Schema, value: &Value) -> FieldSet {
    covered(&schema.types, &schema.reference, value).1
}

/// Returns the fields of a value inside an object.
pub(crate) fn fields_inside(types: &TypeTable, reference: &TypeRef, value: &Value) -> FieldSet {
    covered(types, reference, value).1
}

/// Returns whether the value counts by its own path, and the fields inside it.
fn covered(types: &TypeTable, reference: &TypeRef, value: &Value) -> (bool, FieldSet) {
    match types.resolve(reference).branch(Some(value)) {
        Some(Branch::Map(view)) if view.atomic => (true, FieldSet::new()),
        Some(Branch::Map(view)) => {
            (false, value.as_object().map(|map| of_map(types, view.map, map)).unwrap_or_default())
        }
        Some(Branch::List(list)) if list.kind == ListKind::Atomic => (true, FieldSet::new()),
        Some(Branch::List(list)) => {
            (false, value.as_array().map(|items| of_list(types, list, items)).unwrap_or_default())
        }
        Some(Branch::Scalar(_)) => (true, FieldSet::new()),
        None => (false, FieldSet::new()),
    }
}

fn of_map(types: &TypeTable, declared: &MapType, map: &Map<String, Value>) -> FieldSet {
    let mut set = FieldSet::new();
    for (name, value) in map {
        let Some(reference) = declared.under(name) else { continue };
        let (own, below) = covered(types, reference, value);
        let is_empty = value.is_null() || value.as_object().is_some_and(Map::is_empty);
        let is_key = declared.field(name).is_none();
        set.insert_node(PathElement::Field(name.clone()), own || is_empty || is_key, below);
    }
    set
}

fn of_list(types: &TypeTable, list: &ListType, items: &[Value]) -> FieldSet {
    let mut set = FieldSet::new();
    for item in items {
        let Ok(element) = item_element(types, list, item) else { continue };
        if set.child(&element).is_some() {
            // It is there twice, so that only its path counts.
            set.insert_bare(element);
        } else {
            set.insert_node(element, true, covered(types, &list.element, item).1);
        }
    }
    set
}

/// Adds to a set the declared fields that it has members below: a structure goes with what is in it, a key of a map or an
/// item of a list does not.
pub(crate) fn named(schema: &Schema, set: &FieldSet) -> FieldSet {
    with_structures(&schema.types, Some(&schema.reference), set)
}

fn with_structures(types: &TypeTable, reference: Option<&TypeRef>, set: &FieldSet) -> FieldSet {
    let atom = reference.map(|reference| types.resolve(reference));
    let (map, list) = (atom.and_then(|atom| atom.map), atom.and_then(|atom| atom.list));
    let mut result = FieldSet::new();
    for (element, member, children) in set.children() {
        let (is_structure, inside) = match (element, map, list) {
            (PathElement::Field(name), Some(view), _) => {
                (!children.is_empty() && view.map.field(name).is_some(), view.map.under(name))
            }
            (PathElement::Key(_), _, Some(list)) => (false, Some(&list.element)),
            _ => (false, None),
        };
        result.insert_node(element.clone(), member || is_structure, with_structures(types, inside, children));
    }
    result
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ssa::builtin;
    use crate::ssa::field_set::tests::set;

    fn of(group: &str, kind: &str, object: Value) -> FieldSet {
        set_of(&builtin(group, "v1", kind).unwrap(), &object).unwrap()
    }

    #[test]
    fn empty_values_count_as_the_server_counts_them() {
        for (group, kind, object, expected) in [
            ("", "ConfigMap", json!({"data": null}), vec![".data"]),
            ("", "ConfigMap", json!({"data": {}}), vec![".data"]),
            ("", "ConfigMap", json!({"data": {"a": "1"}}), vec![".data.a"]),
            ("", "ConfigMap", json!({"metadata": {"ownerReferences": [], "finalizers": []}}), vec![]),
            ("", "ConfigMap", json!({"metadata": {"annotations": null}}), vec![".metadata.annotations"]),
            ("", "Pod", json!({"spec": {"containers": []}}), vec![]),
            ("", "Pod", json!({"spec": {"tolerations": []}}), vec![".spec.tolerations"]),
            ("apps", "Deployment", json!({"spec": {"replicas": null}}), vec![".spec.replicas"]),
            ("apps", "Deployment", json!({"spec": {"selector": {"matchLabels": {"a": "b"}}}}), vec![".spec.selector"]),
        ] {
            assert_eq!(of(group, kind, object.clone()), set(&expected), "{object}");
        }
    }

    #[test]
    fn a_structure_is_named_with_what_is_in_it_and_a_key_of_a_map_is_not() {
        let pod = builtin("", "v1", "Pod").unwrap();
        assert_eq!(
            named(&pod, &set(&[".spec.securityContext.runAsUser", ".metadata.labels.a"])),
            set(&[
                ".spec",
                ".spec.securityContext",
                ".spec.securityContext.runAsUser",
                ".metadata",
                ".metadata.labels",
                ".metadata.labels.a"
            ])
        );
        let config_map = builtin("", "v1", "ConfigMap").unwrap();
        assert_eq!(named(&config_map, &set(&[".data.a.below"])), set(&[".data", ".data.a.below"]));
    }

    #[test]
    fn a_key_that_is_left_out_has_its_default_and_owns_no_field() {
        let object = json!({"spec": {"containers": [{"name": "a", "ports": [{"containerPort": 80}], "command": []}]}});
        assert_eq!(
            of("", "Pod", object),
            set(&[
                ".spec.containers[name=\"a\"]",
                ".spec.containers[name=\"a\"].name",
                ".spec.containers[name=\"a\"].command",
                ".spec.containers[name=\"a\"].ports[containerPort=80,protocol=\"TCP\"]",
                ".spec.containers[name=\"a\"].ports[containerPort=80,protocol=\"TCP\"].containerPort",
            ])
        );
    }

    #[test]
    fn items_that_are_there_twice_count_once_without_their_fields() {
        let schema = builtin("", "v1", "Pod").unwrap();
        let env = json!([{"name": "X", "value": "1"}, {"name": "X", "value": "2"}, {"name": "Y"}]);
        let object = json!({"spec": {"containers": [{"name": "a", "env": env}]}});
        assert!(set_of(&schema, &object).is_err());
        let fields = fields_of(&schema, &object);
        let env = fields.below(&crate::ssa::Path::parse(".spec.containers[name=\"a\"].env").unwrap()).unwrap();
        assert_eq!(*env, set(&["[name=\"X\"]", "[name=\"Y\"]", "[name=\"Y\"].name"]));
    }
}
