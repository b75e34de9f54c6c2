//! CustomResourceDefinitions: their first status, and the versions in which objects are or were stored.

use serde_json::{Value, json};

use super::fields::{items, list_mut, put, text};

pub(super) fn create(object: &mut Value) {
    let status = json!({"conditions": null, "acceptedNames": {"plural": "", "kind": ""}, "storedVersions": []});
    put(object, &["status"], status);
    remember_storage_version(object);
}

/// Adds the version in which objects are stored from now on to those in which some may be stored.
pub(super) fn remember_storage_version(object: &mut Value) {
    let mut versions = items(object, &["spec", "versions"]).iter();
    let Some(storage) = versions.find(|version| version.get("storage") == Some(&Value::Bool(true))) else {
        return;
    };
    let name = text(storage, &["name"]).to_owned();
    if let Some(stored) = list_mut(object, &["status", "storedVersions"])
        && !stored.iter().any(|version| *version == name)
    {
        stored.push(name.into());
    }
}
