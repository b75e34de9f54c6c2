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
            Some(fields) => complete(fields, Map::new()),
            None if go_type.underlying() != go_type => zero(go_type.underlying()),
            None => scalar::zero(name),
        },
    }
}

/// Adds the fields that Go writes in any case, and takes away those that it leaves out when they are empty.
pub(super) fn complete(fields: &'static [GoField], mut given: Map<String, Value>) -> Value {
    for field in fields {
        match given.get(field.name) {
            Some(value) if is_left_out(field, value) => {
                given.remove(field.name);
            }
            Some(_) => {}
            // Pointers and the like are null, which most leave out: no need to make one for that.
            None if field.omit_empty && !is_structure(&field.go_type) => {}
            None => {
                let value = zero(&field.go_type);
                if !is_left_out(field, &value) {
                    given.insert(field.name.to_owned(), value);
                }
            }
        }
    }
    Value::Object(given)
}

/// Tells whether Go always writes a value of this type, even where it may be left out.
fn is_structure(go_type: &GoType) -> bool {
    match go_type.underlying() {
        GoType::Named(name) => name != "runtime.Object",
        _ => false,
    }
}

fn is_left_out(field: &GoField, value: &Value) -> bool {
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
            for field in fields_of(name).into_iter().flatten() {
                let Some(value) = map.get_mut(field.name) else { continue };
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
