//! Who owns an object that has never been applied: the server's stand-in for everybody who wrote it before.

use serde_json::{Map, Value};

use super::compare::compare;
use super::field_set::FieldSet;
use super::managed::{ManagedEntry, Operation};
use super::schema::{Branch, Scalar, Schema, TypeRef, TypeTable};

/// The name that the server gives them.
const MANAGER: &str = "before-first-apply";

/// Returns the entry that the server makes up for a live object without managed fields, before anything is applied to it.
pub(crate) fn entry(schema: &Schema, live: &Value, stripped: &FieldSet) -> ManagedEntry {
    let text = |key| live.get(key).and_then(Value::as_str).unwrap_or_default();
    let zero = zero_object(schema, text("apiVersion"), text("kind"));
    let found = compare(schema, &zero, live).without(&schema.reset_fields());
    ManagedEntry {
        manager: MANAGER.to_owned(),
        operation: Operation::Update,
        api_version: text("apiVersion").to_owned(),
        time: None,
        subresource: None,
        fields: found.modified.union(&found.added).difference(stripped),
    }
}

/// Returns an object of the kind in which nothing is set, as Go writes it: structures are there, lists and maps that are
/// always written are null. A custom resource has nothing but its kind.
fn zero_object(schema: &Schema, api_version: &str, kind: &str) -> Value {
    let mut object = match zero(&schema.types, &schema.reference) {
        Value::Object(object) if schema.is_builtin() => object,
        _ => Map::new(),
    };
    object.insert("apiVersion".to_owned(), Value::from(api_version));
    object.insert("kind".to_owned(), Value::from(kind));
    Value::Object(object)
}

fn zero(types: &TypeTable, reference: &TypeRef) -> Value {
    match types.resolve(reference).branch(None) {
        Some(Branch::Map(view)) => {
            let fields = view.map.fields.iter().filter_map(|(name, field)| {
                // OpenAPI gives an empty map as the default of a structure that is no pointer.
                let is_structure =
                    field.default.as_ref().is_some_and(|default| default.as_object().is_some_and(Map::is_empty));
                let value = match (is_structure, view.map.is_required(name)) {
                    (true, _) => zero(types, &field.reference),
                    (false, true) => zero_field(types, &field.reference),
                    (false, false) => return None,
                };
                Some((name.to_string(), value))
            });
            Value::Object(fields.collect())
        }
        _ => Value::Null,
    }
}

fn zero_field(types: &TypeTable, reference: &TypeRef) -> Value {
    match types.resolve(reference).branch(None) {
        Some(Branch::Scalar(Scalar::String)) => Value::from(""),
        Some(Branch::Scalar(Scalar::Numeric)) => Value::from(0),
        Some(Branch::Scalar(Scalar::Boolean)) => Value::from(false),
        _ => Value::Null,
    }
}
