//! What Go writes of a value: fields that are always there, fields that are left out when they are empty.

use serde_json::{Map, Value};

use super::scalar;
use crate::sandbox::structure::{GoField, GoType, fields_of};

/// Returns what Go writes of a value that nothing was read into. Nothing at all is null.
pub(super) fn zero(go_type: &GoType) -> Value {
    match go_type {
        GoType::Basic("string") => Value::from(""),
        GoType::Basic("bool") => Value::from(false),
        GoType::Basic("any") | GoType::Pointer(_) | GoType::List(_) | GoType::Bytes | GoType::Map(..) => Value::Null,
        GoType::Basic(_) => Value::from(0),
        GoType::Named(name) => match fields_of(name) {
            Some(fields) => {
                let mut written = Map::new();
                complete(fields, &mut written);
                Value::Object(written)
            }
            None if go_type.underlying() != go_type => zero(go_type.underlying()),
            None => scalar::zero(name),
        },
    }
}

/// Adds the fields that Go writes in any case, and takes away those that it leaves out when they are empty.
pub(super) fn complete(fields: &'static [GoField], given: &mut Map<String, Value>) {
    strip(fields, given);
    fill(fields, given);
}

/// Takes away the fields that Go leaves out when they are empty.
pub(super) fn strip(fields: &[GoField], given: &mut Map<String, Value>) {
    given.retain(|name, value| {
        let field = fields.iter().find(|field| field.name == name);
        field.is_none_or(|field| !is_left_out(field, value))
    });
}

/// Adds the fields that Go writes in any case.
pub(super) fn fill(fields: &'static [GoField], given: &mut Map<String, Value>) {
    for field in fields {
        if let Some(value) = unread(field)
            && !given.contains_key(field.name)
        {
            given.insert(field.name.to_owned(), value.clone());
        }
    }
}

/// Returns what Go writes of a field that nothing was read into, if it writes anything.
pub(super) fn unread(field: &'static GoField) -> Option<&'static Value> {
    let written = || Some(zero(&field.go_type)).filter(|value| !is_left_out(field, value));
    field.unread.get_or_init(written).as_ref()
}

/// Tells whether Go always writes a value of this type, even where it may be left out.
fn is_structure(go_type: &GoType) -> bool {
    match go_type.underlying() {
        GoType::Named(name) => **name != *"runtime.Object",
        _ => false,
    }
}

pub(super) fn is_left_out(field: &GoField, value: &Value) -> bool {
    if field.omit_zero && value.is_null() {
        return true;
    }
    if !field.omit_empty {
        return false;
    }
    match &field.go_type {
        // What a pointer points to may be zero.
        GoType::Pointer(_) => value.is_null(),
        go_type if is_structure(go_type) => false,
        _ => match value {
            Value::Null => true,
            Value::Bool(value) => !value,
            Value::Number(number) => number.as_f64() == Some(0.0),
            Value::String(text) => text.is_empty(),
            Value::Array(items) => items.is_empty(),
            Value::Object(map) => map.is_empty(),
        },
    }
}

/// Writes empty lists and maps as the server has them once they were stored: as nothing.
pub(super) fn store(go_type: &GoType, value: &mut Value) {
    match (go_type.pointed().underlying(), value) {
        (GoType::List(inner), Value::Array(items)) => items.iter_mut().for_each(|item| store(inner, item)),
        (GoType::Map(_, inner), Value::Object(map)) => map.values_mut().for_each(|value| store(inner, value)),
        (GoType::Named(name), Value::Object(map)) => {
            let Some(fields) = fields_of(name) else { return };
            for (key, value) in map {
                let Some(field) = fields.iter().find(|field| field.name == key) else { continue };
                store(&field.go_type, value);
                let is_empty = match (field.go_type.underlying(), &*value) {
                    (GoType::List(_), Value::Array(items)) => items.is_empty(),
                    (GoType::Map(..), Value::Object(map)) => map.is_empty(),
                    _ => false,
                };
                if is_empty {
                    *value = Value::Null;
                }
            }
        }
        _ => {}
    }
}
