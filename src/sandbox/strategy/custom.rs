//! Custom resources: their status, where their definition gives them a subresource for it, and their generation.

use serde_json::Value;

use super::fields::{at, number, put, remove, restore};
use crate::sandbox::kind::Custom;

fn has_status(custom: &Custom) -> bool {
    at(&custom.version, &["subresources", "status"]).is_some()
}

pub(super) fn create(custom: &Custom, object: &mut Value) {
    if has_status(custom) {
        remove(object, &["status"]);
    }
    put(object, &["metadata", "generation"], 1);
}

pub(super) fn update(custom: &Custom, subresource: Option<&str>, live: &Value, object: &mut Value) {
    if subresource == Some("status") {
        status(live, object);
        return;
    }
    if has_status(custom) {
        restore(object, live, &["status"]);
    }
    if !is_same_content(live, object) {
        let generation = number(live, &["metadata", "generation"]).unwrap_or_default();
        put(object, &["metadata", "generation"], generation + 1);
    }
}

/// Tells whether two objects are the same but for what they are and their metadata. What the server compares here are maps
/// that it knows no types of: a key that is there with nothing in it is another thing than none.
fn is_same_content(live: &Value, object: &Value) -> bool {
    let content = |value| {
        let map = Value::as_object(value).into_iter().flatten();
        map.filter(|(key, _)| !matches!(key.as_str(), "apiVersion" | "kind" | "metadata"))
    };
    content(live).eq(content(object))
}

/// A write of the status changes nothing else, not even labels.
fn status(live: &Value, object: &mut Value) {
    let written = object.take();
    *object = live.clone();
    if let (Some(stored), Some(version)) = (object.as_object_mut(), written.get("apiVersion")) {
        stored.insert("apiVersion".to_owned(), version.clone());
    }
    restore(object, &written, &["metadata", "managedFields"]);
    match written.get("status") {
        Some(status) => put(object, &["status"], status.clone()),
        None => remove(object, &["status"]),
    }
    // The version that the write was based on, uid and name are still to be checked.
    for field in ["resourceVersion", "uid", "name", "namespace"] {
        if at(&written, &["metadata", field]).is_some() {
            restore(object, &written, &["metadata", field]);
        }
    }
}
