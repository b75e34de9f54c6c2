//! Fields taken out of an object.

use serde_json::{Map, Value};

use super::field_set::FieldSet;
use super::item::item_element;
use super::path::PathElement;
use super::schema::{Branch, ListKind, ListType, MapView, Schema, TypeRef, TypeTable};

/// Takes fields out of an object. A container that is emptied but not itself taken out becomes null, as in the server.
pub(crate) fn remove(schema: &Schema, value: &Value, fields: &FieldSet) -> Value {
    from_value(&schema.types, &schema.reference, value, fields)
}

fn from_value(types: &TypeTable, reference: &TypeRef, value: &Value, fields: &FieldSet) -> Value {
    if fields.is_empty() {
        return value.clone();
    }
    match types.resolve(reference).branch(Some(value)) {
        Some(Branch::Map(view)) => from_map(types, view, value, fields),
        Some(Branch::List(list)) => from_list(types, list, value, fields),
        Some(Branch::Scalar(_)) | None => value.clone(),
    }
}

fn from_map(types: &TypeTable, view: MapView<'_>, value: &Value, fields: &FieldSet) -> Value {
    let Some(map) = value.as_object().filter(|_| !view.atomic) else { return Value::Null };
    let mut left = Map::new();
    for (name, value) in map {
        let value = match fields.field(name) {
            None => value.clone(),
            Some((true, _)) => continue,
            Some((false, below)) => match view.map.under(name) {
                Some(reference) => from_value(types, reference, value, below),
                None => value.clone(),
            },
        };
        left.insert(name.clone(), value);
    }
    if left.is_empty() { Value::Null } else { Value::Object(left) }
}

fn from_list(types: &TypeTable, list: &ListType, value: &Value, fields: &FieldSet) -> Value {
    let Some(items) = value.as_array().filter(|_| list.kind != ListKind::Atomic) else { return Value::Null };
    let mut left = Vec::with_capacity(items.len());
    for item in items {
        let found = item_element(types, list, item).ok().and_then(|element: PathElement| fields.child(&element));
        match found {
            None => left.push(item.clone()),
            Some((true, _)) => {}
            Some((false, below)) => left.push(from_value(types, &list.element, item, below)),
        }
    }
    if left.is_empty() { Value::Null } else { Value::Array(left) }
}
