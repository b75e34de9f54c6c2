//! Reading and setting fields of objects, as the controllers need them.

use std::cmp::Ordering;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

pub(super) use crate::resource::at;

/// Returns the text at a JSON pointer, empty where there is none.
pub(super) fn text<'v>(object: &'v Value, pointer: &str) -> &'v str {
    at(object, pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Returns the number at a JSON pointer, where there is one.
pub(super) fn number(object: &Value, pointer: &str) -> Option<i64> {
    at(object, pointer).and_then(Value::as_i64)
}

/// Tells whether there is `true` at a JSON pointer.
pub(super) fn flag(object: &Value, pointer: &str) -> bool {
    at(object, pointer).and_then(Value::as_bool).unwrap_or(false)
}

/// Returns the list at a JSON pointer, empty where there is none.
pub(super) fn items<'v>(object: &'v Value, pointer: &str) -> &'v [Value] {
    at(object, pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Returns the time at a JSON pointer, where there is one.
pub(super) fn time(object: &Value, pointer: &str) -> Option<Timestamp> {
    text(object, pointer).parse().ok()
}

/// Writes a time as the API does: whole seconds, UTC.
pub(super) fn stamp(at: Timestamp) -> Value {
    Value::from(at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// Adds seconds to a time.
pub(super) fn after(at: Timestamp, seconds: i64) -> Timestamp {
    at.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

pub(super) fn name(object: &Value) -> &str {
    text(object, "/metadata/name")
}

pub(super) fn namespace(object: &Value) -> &str {
    text(object, "/metadata/namespace")
}

pub(super) fn uid(object: &Value) -> &str {
    text(object, "/metadata/uid")
}

pub(super) fn kind(object: &Value) -> &str {
    text(object, "/kind")
}

/// Returns the API group of an object, empty for the core group.
pub(super) fn group(object: &Value) -> &str {
    group_of(text(object, "/apiVersion"))
}

/// Returns the group of an `apiVersion`.
pub(super) fn group_of(api_version: &str) -> &str {
    api_version.rsplit_once('/').map_or("", |(group, _)| group)
}

pub(super) fn is_leaving(object: &Value) -> bool {
    at(object, "/metadata/deletionTimestamp").is_some_and(|stamp| !stamp.is_null())
}

pub(super) fn label<'v>(object: &'v Value, key: &str) -> &'v str {
    at(object, "/metadata/labels").and_then(|labels| labels.get(key)).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn annotation<'v>(object: &'v Value, key: &str) -> Option<&'v str> {
    at(object, "/metadata/annotations")?.get(key)?.as_str()
}

pub(super) fn has_finalizer(object: &Value, finalizer: &str) -> bool {
    items(object, "/metadata/finalizers").iter().any(|present| present == finalizer)
}

/// Returns the object without a finalizer.
pub(super) fn without_finalizer(object: &Value, finalizer: &str) -> Value {
    let mut object = object.clone();
    if let Some(Value::Array(finalizers)) = object.pointer_mut("/metadata/finalizers") {
        finalizers.retain(|present| present != finalizer);
    }
    object
}

/// Returns the entry of `ownerReferences` that is the controller.
pub(super) fn controller(object: &Value) -> Option<&Value> {
    items(object, "/metadata/ownerReferences").iter().find(|owner| flag(owner, "/controller"))
}

/// Tells whether the object of that uid controls this one.
pub(super) fn is_controlled_by(object: &Value, uid: &str) -> bool {
    controller(object).is_some_and(|owner| text(owner, "/uid") == uid)
}

/// Makes the entry of `ownerReferences` for what a controller makes.
pub(super) fn controller_reference(owner: &Value) -> Value {
    json!({
        "apiVersion": text(owner, "/apiVersion"), "kind": kind(owner), "name": name(owner), "uid": uid(owner),
        "controller": true, "blockOwnerDeletion": true
    })
}

/// Returns what an Event says of the object that it is about, in the shape of an object.
pub(super) fn reference(object: &Value) -> Value {
    let mut metadata = Map::new();
    for field in ["name", "namespace", "uid", "resourceVersion"] {
        if let Some(value) = at(object, "/metadata").and_then(|metadata| metadata.get(field)) {
            metadata.insert(field.to_owned(), value.clone());
        }
    }
    json!({"apiVersion": text(object, "/apiVersion"), "kind": kind(object), "metadata": metadata})
}

/// Sets a field, and makes the maps on the way there.
pub(super) fn set(object: &mut Value, path: &[&str], value: Value) {
    let Some((first, rest)) = path.split_first() else {
        *object = value;
        return;
    };
    if !object.is_object() {
        *object = Value::Object(Map::new());
    }
    if let Value::Object(map) = object {
        set(map.entry(*first).or_insert(Value::Null), rest, value);
    }
}

/// Returns an object without a field, which is not copied first.
pub(super) fn without(object: &Value, field: &str) -> Value {
    let Value::Object(fields) = object else { return object.clone() };
    let others = fields.iter().filter(|(other, _)| *other != field);
    Value::Object(others.map(|(other, value)| (other.clone(), value.clone())).collect())
}

/// Takes a field away.
pub(super) fn unset(object: &mut Value, pointer: &str, field: &str) {
    if let Some(Value::Object(map)) = object.pointer_mut(pointer) {
        map.remove(field);
    }
}

/// Compares as the API stores: `null`, `""`, empty lists and maps are not there, nor are `0` and `false` of a status.
pub(super) fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => same_fields(one.iter(), other.iter()),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        _ => one == other || (is_nothing(one) && is_nothing(other)),
    }
}

/// Compares fields, each in the order of their names, as [`same`] does.
pub(super) fn same_fields<'v>(
    one: impl Iterator<Item = (&'v String, &'v Value)>,
    other: impl Iterator<Item = (&'v String, &'v Value)>,
) -> bool {
    let (mut one, mut other) = (one.peekable(), other.peekable());
    loop {
        let order = match (one.peek(), other.peek()) {
            (None, None) => return true,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some((one, _)), Some((other, _))) => one.cmp(other),
        };
        let (one, other) = match order {
            Ordering::Less => (one.next(), None),
            Ordering::Greater => (None, other.next()),
            Ordering::Equal => (one.next(), other.next()),
        };
        let is_same = match (one, other) {
            (Some((_, one)), Some((_, other))) => same(one, other),
            (one, other) => one.or(other).is_none_or(|(_, alone)| is_nothing(alone)),
        };
        if !is_same {
            return false;
        }
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.values().all(is_nothing),
        Value::Bool(true) => false,
    }
}

/// Returns a count from a number or a share of a whole, such as `maxSurge: 25%`.
pub(super) fn share(value: Option<&Value>, whole: i64, round_up: bool) -> Option<i64> {
    match value? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => {
            let percent: i64 = text.strip_suffix('%')?.parse().ok()?;
            let exact = whole.saturating_mul(percent);
            Some(if round_up { exact.saturating_add(99).div_euclid(100) } else { exact.div_euclid(100) })
        }
        _ => None,
    }
}
