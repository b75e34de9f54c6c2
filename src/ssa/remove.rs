//! Fields taken out of an object.

use serde_json::{Map, Value};

use super::field_set::FieldSet;
use super::item::item_element;
use super::schema::{Branch, ListKind, ListType, MapView, Schema, TypeRef, TypeTable};

/// Takes fields out of a copy of an object.
pub(crate) fn remove(schema: &Schema, value: &Value, fields: &FieldSet) -> Value {
    removed(schema, value.clone(), fields)
}

/// Takes fields out of an object. A container that is emptied but not itself taken out becomes null, as in the server.
pub(crate) fn removed(schema: &Schema, value: Value, fields: &FieldSet) -> Value {
    from_value(&schema.types, &schema.reference, value, fields)
}

fn from_value(types: &TypeTable, reference: &TypeRef, value: Value, fields: &FieldSet) -> Value {
    if fields.is_empty() {
        return value;
    }
    match (types.resolve(reference).branch(Some(&value)), value) {
        (Some(Branch::Map(view)), Value::Object(map)) if !view.atomic => from_map(types, view, map, fields),
        (Some(Branch::List(list)), Value::Array(items)) if list.kind != ListKind::Atomic => {
            from_list(types, list, items, fields)
        }
        (Some(Branch::Map(_) | Branch::List(_)), _) => Value::Null,
        (Some(Branch::Scalar(_)) | None, value) => value,
    }
}

fn from_map(types: &TypeTable, view: MapView<'_>, mut map: Map<String, Value>, fields: &FieldSet) -> Value {
    map.retain(|name, value| {
        let Some((goes, below)) = fields.field(name) else { return true };
        if let Some(reference) = view.map.under(name).filter(|_| !goes) {
            *value = from_value(types, reference, value.take(), below);
        }
        !goes
    });
    if map.is_empty() { Value::Null } else { Value::Object(map) }
}

fn from_list(types: &TypeTable, list: &ListType, items: Vec<Value>, fields: &FieldSet) -> Value {
    let mut left = Vec::with_capacity(items.len());
    for item in items {
        let element = item_element(types, list, &item).ok();
        match element.as_ref().and_then(|element| fields.child(element)) {
            None => left.push(item),
            Some((true, _)) => {}
            Some((false, below)) => left.push(from_value(types, &list.element, item, below)),
        }
    }
    if left.is_empty() { Value::Null } else { Value::Array(left) }
}
