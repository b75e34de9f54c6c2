//! Between the versions of a custom kind, and what its objects can be selected by.

use serde_json::Value;

use super::structural::{schemas, text};
use crate::sandbox::kind::Custom;

/// Returns an object in another version of its kind: without a conversion that is another `apiVersion`. What the schema of
/// that version does not know goes when it is pruned.
#[must_use]
pub fn converted(object: &Value, to_version: &str) -> Value {
    let mut object = object.clone();
    let group = text(&object, "apiVersion").split_once('/').map(|(group, _)| group.to_owned());
    if let (Some(map), Some(group)) = (object.as_object_mut(), group) {
        map.insert("apiVersion".to_owned(), Value::from(format!("{group}/{to_version}")));
    }
    object
}

/// Returns the fields that objects can be selected by, beside name and namespace: `spec.color`.
#[must_use]
pub fn selectable(custom: &Custom) -> Vec<String> {
    let fields = schemas(&custom.version, "selectableFields");
    fields.map(|field| text(field, "jsonPath").trim_start_matches('.').to_owned()).collect()
}
