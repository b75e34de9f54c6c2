//! What decoding and the strategy fill into a definition.

use serde_json::{Value, json};

use super::versions;
use crate::sandbox::custom::structural::{flag, text, texts};

/// Fills in the names that follow from the kind, and that there is no conversion.
pub fn default_definition(object: &mut Value) {
    let storage = storage_version(object).map(str::to_owned);
    let Some(spec) = object.get_mut("spec").filter(|spec| spec.is_object()) else { return };
    let kind = spec.get("names").map(|names| text(names, "kind").to_owned()).unwrap_or_default();
    if let Some(names) = spec.get_mut("names").filter(|names| names.is_object() && !kind.is_empty()) {
        if text(names, "singular").is_empty() {
            names["singular"] = Value::from(kind.to_lowercase());
        }
        if text(names, "listKind").is_empty() {
            names["listKind"] = Value::from(format!("{kind}List"));
        }
    }
    if spec.get("conversion").is_none_or(Value::is_null) {
        spec["conversion"] = json!({"strategy": "None"});
    }
    if let Some(service) = spec.pointer_mut("/conversion/webhook/clientConfig/service").filter(|it| it.is_object())
        && service.get("port").is_none_or(Value::is_null)
    {
        service["port"] = Value::from(443);
    }
    if let (Some(storage), Some(status)) = (storage, object.get_mut("status").filter(|status| status.is_object()))
        && texts(status, "storedVersions").is_empty()
    {
        status["storedVersions"] = json!([storage]);
    }
}

/// Sets what a write of the definition itself may not: a new one has an empty status, another keeps its own; the version
/// in which objects are stored from now on is added to those in which some may be.
pub fn prepare_definition(object: &mut Value, live: Option<&Value>) {
    let storage = storage_version(object).map(str::to_owned);
    let mut status = live.and_then(|live| live.get("status")).cloned().unwrap_or_else(
        || json!({"conditions": null, "acceptedNames": {"plural": "", "kind": ""}, "storedVersions": null}),
    );
    if let Some(storage) = storage
        && !texts(&status, "storedVersions").contains(&storage.as_str())
    {
        let mut stored = texts(&status, "storedVersions");
        stored.push(&storage);
        status["storedVersions"] = json!(stored);
    }
    if let Some(object) = object.as_object_mut() {
        object.insert("status".to_owned(), status);
    }
}

fn storage_version(object: &Value) -> Option<&str> {
    versions(object).find(|version| flag(version, "storage")).map(|version| text(version, "name"))
}
