//! Reading and writing single fields of an object, and telling whether two values mean the same to the server.

use serde_json::{Map, Value};

use crate::resource::quantity::Quantity;

/// Returns the value at a path, if there is one that is not null.
pub(crate) fn at<'v>(value: &'v Value, path: &[&str]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, key| value.get(*key)).filter(|value| !value.is_null())
}

/// Returns the text at a path, empty where there is none.
pub(crate) fn text<'v>(value: &'v Value, path: &[&str]) -> &'v str {
    at(value, path).and_then(Value::as_str).unwrap_or_default()
}

/// Returns the number at a path.
pub(crate) fn number(value: &Value, path: &[&str]) -> Option<i64> {
    at(value, path).and_then(Value::as_i64)
}

/// Returns the items of the list at a path, none where there is no list.
pub(crate) fn items<'v>(value: &'v Value, path: &[&str]) -> &'v [Value] {
    at(value, path).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// Returns the items of the list at a path, to change them.
pub(crate) fn items_mut<'v>(value: &'v mut Value, path: &[&str]) -> impl Iterator<Item = &'v mut Value> + use<'v> {
    let list = path.iter().try_fold(value, |value, key| value.get_mut(*key));
    list.and_then(Value::as_array_mut).into_iter().flatten()
}

/// Returns the entries of the map at a path, none where there is no map.
pub(crate) fn entries<'v>(value: &'v Value, path: &[&str]) -> impl Iterator<Item = (&'v String, &'v Value)> + use<'v> {
    at(value, path).and_then(Value::as_object).into_iter().flatten()
}

/// Returns the map at a path, made where there is none; nothing only where something else than a map is in the way.
pub(crate) fn map_mut<'v>(value: &'v mut Value, path: &[&str]) -> Option<&'v mut Map<String, Value>> {
    let mut value = value;
    for key in path {
        value = value.as_object_mut()?.entry(*key).or_insert(Value::Null);
        if value.is_null() {
            *value = Value::Object(Map::new());
        }
    }
    value.as_object_mut()
}

/// Returns the list at a path, made where there is none; nothing only where something else is in the way.
pub(crate) fn list_mut<'v>(value: &'v mut Value, path: &[&str]) -> Option<&'v mut Vec<Value>> {
    let (last, parents) = path.split_last()?;
    let list = map_mut(value, parents)?.entry(*last).or_insert(Value::Null);
    if list.is_null() {
        *list = Value::Array(Vec::new());
    }
    list.as_array_mut()
}

/// Writes a value at a path.
pub(crate) fn put(value: &mut Value, path: &[&str], field: impl Into<Value>) {
    if let Some((last, parents)) = path.split_last()
        && let Some(map) = map_mut(value, parents)
    {
        map.insert((*last).to_owned(), field.into());
    }
}

/// Removes what is at a path.
pub(crate) fn remove(value: &mut Value, path: &[&str]) {
    if let Some((last, parents)) = path.split_last()
        && let Some(map) =
            parents.iter().try_fold(value, |value, key| value.get_mut(*key)).and_then(Value::as_object_mut)
    {
        map.remove(*last);
    }
}

/// Makes a field what it is in another object, absent if it is absent there.
pub(crate) fn restore(value: &mut Value, from: &Value, path: &[&str]) {
    match at(from, path) {
        Some(field) => put(value, path, field.clone()),
        None => remove(value, path),
    }
}

/// Maps whose values are quantities, and fields that are one.
const AMOUNTS: [&str; 15] = [
    "limits",
    "requests",
    "hard",
    "used",
    "capacity",
    "overhead",
    "podFixed",
    "allocatedResources",
    "allocatable",
    "min",
    "max",
    "default",
    "defaultRequest",
    "sizeLimit",
    "divisor",
];

/// Maps that are none where nothing is in them; other maps without content may be structures, which are something.
const MAPS: [&str; 6] = ["annotations", "labels", "limits", "matchLabels", "nodeSelector", "requests"];

/// Tells whether two values mean the same to the server: null is absent, an empty list is none, `1000m` is `1`.
pub(crate) fn same(left: Option<&Value>, right: Option<&Value>) -> bool {
    same_in(left, right, false)
}

fn same_in(left: Option<&Value>, right: Option<&Value>, is_amount: bool) -> bool {
    match (left.filter(|value| !is_none(value)), right.filter(|value| !is_none(value))) {
        (None, None) => true,
        (Some(Value::Object(left)), Some(Value::Object(right))) => {
            let mut keys = left.keys().chain(right.keys().filter(|key| !left.contains_key(*key)));
            keys.all(|key| {
                let holds_amounts = AMOUNTS.contains(&key.as_str());
                let is_map = !is_amount && MAPS.contains(&key.as_str());
                let is_something = |value: &&Value| !(is_map && value.as_object().is_some_and(Map::is_empty));
                let (left, right) = (left.get(key).filter(is_something), right.get(key).filter(is_something));
                match (is_amount, left, right) {
                    (true, left, right) => same_amount(left, right),
                    (false, Some(Value::Object(_)), Some(Value::Object(_))) if holds_amounts => {
                        same_in(left, right, true)
                    }
                    (false, Some(Value::String(_)), Some(Value::String(_))) if holds_amounts => {
                        same_amount(left, right)
                    }
                    (false, left, right) => same_in(left, right, false),
                }
            })
        }
        (Some(Value::Array(left)), Some(Value::Array(right))) => {
            left.len() == right.len()
                && left.iter().zip(right).all(|(left, right)| same_in(Some(left), Some(right), false))
        }
        (Some(Value::Number(left)), Some(Value::Number(right))) => left == right || left.as_f64() == right.as_f64(),
        (left, right) => left == right,
    }
}

fn is_none(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        _ => false,
    }
}

fn same_amount(left: Option<&Value>, right: Option<&Value>) -> bool {
    left == right
        || matches!((left.and_then(amount), right.and_then(amount)), (Some(left), Some(right)) if left == right)
}

/// Reads a quantity, which may be written as a number, in billionths.
pub(crate) fn amount(value: &Value) -> Option<i128> {
    let quantity = match value {
        Value::String(text) => Quantity::parse(text),
        Value::Number(number) => Quantity::parse(&number.to_string()),
        _ => return None,
    };
    quantity.ok().map(|quantity| quantity.nano())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn amounts_are_compared_and_other_texts_are_not() {
        let one = json!({"resources": {"limits": {"cpu": "1000m"}}, "name": "1000m"});
        let two = json!({"resources": {"limits": {"cpu": "1"}}, "name": "1000m"});
        let three = json!({"resources": {"limits": {"cpu": "1"}}, "name": "1"});
        assert!(same(Some(&one), Some(&two)));
        assert!(!same(Some(&one), Some(&three)));
    }

    #[test]
    fn null_is_absent_but_an_empty_structure_is_something() {
        assert!(same(Some(&json!({"a": null, "b": []})), Some(&json!({}))));
        assert!(!same(Some(&json!({"emptyDir": {}})), Some(&json!({}))));
        let resources = json!({"resources": {"limits": {}}, "nodeSelector": {}});
        assert!(same(Some(&resources), Some(&json!({"resources": {}}))));
        assert!(!same(Some(&resources), Some(&json!({}))));
    }

    #[test]
    fn a_field_is_made_with_its_parents() {
        let mut object = json!({"metadata": null});
        put(&mut object, &["metadata", "labels", "a"], "b");
        assert_eq!(object, json!({"metadata": {"labels": {"a": "b"}}}));
        remove(&mut object, &["metadata", "labels", "a"]);
        remove(&mut object, &["spec", "nothing"]);
        assert_eq!(object, json!({"metadata": {"labels": {}}}));
    }
}
