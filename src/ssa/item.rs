//! How an item of a list is called.

use serde_json::Value;

use super::key::Key;
use super::path::PathElement;
use super::schema::{ListKind, ListType, TypeTable};

/// Returns the step to an item of a list that is no single value.
///
/// # Errors
/// In the server's words, where the item has no name.
pub(crate) fn item_element(types: &TypeTable, list: &ListType, item: &Value) -> Result<PathElement, String> {
    match &list.kind {
        ListKind::Atomic => Err("invalid indexing of non-associative list".to_owned()),
        ListKind::Set => set_element(item),
        ListKind::Map(keys) => keyed_element(types, list, keys, item),
    }
}

fn set_element(item: &Value) -> Result<PathElement, String> {
    match item {
        Value::Object(_) => Err("associative list without keys has an element that's a map type".to_owned()),
        Value::Array(_) => Err("not supported: associative list with lists as elements".to_owned()),
        Value::Null => Err("associative list without keys has an element that's an explicit null".to_owned()),
        scalar => Ok(PathElement::Value(scalar.clone())),
    }
}

fn keyed_element(types: &TypeTable, list: &ListType, keys: &[String], item: &Value) -> Result<PathElement, String> {
    let map = match item {
        Value::Object(map) => map,
        Value::Null => return Err("associative list with keys may not have a null element".to_owned()),
        _ => return Err("associative list with keys may not have non-map elements".to_owned()),
    };
    let fields = keys.iter().filter_map(|key| {
        let value = map.get(key).cloned().or_else(|| {
            let items = types.resolve(&list.element).map?;
            items.map.field(key)?.default.clone()
        });
        Some((key.clone(), value?))
    });
    let fields: Key = fields.collect();
    if fields.is_empty() && !keys.is_empty() {
        let keys = keys.iter().map(|key| format!("{key:?}")).collect::<Vec<_>>().join(" ");
        return Err(format!(
            "associative list with keys has an element that omits all key fields [{keys}] (and doesn't have default \
             values for any key fields)"
        ));
    }
    Ok(PathElement::Key(fields))
}

/// Tells whether two items of a list have the same name; `false` also where one has none.
pub(crate) fn is_same_item(types: &TypeTable, list: &ListType, left: &Value, right: &Value) -> bool {
    let ListKind::Map(keys) = &list.kind else { return left == right };
    let (Value::Object(left), Value::Object(right)) = (left, right) else { return false };
    let default = |key: &str| types.map_of(&list.element)?.map.field(key)?.default.as_ref();
    keys.iter().all(|key| match (left.get(key), right.get(key)) {
        (Some(left), Some(right)) => left == right,
        (left, right) => left.or_else(|| default(key)) == right.or_else(|| default(key)),
    })
}
