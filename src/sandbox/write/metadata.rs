//! What the server itself writes into `metadata`.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::Place;
use crate::sandbox::random::Random;
use crate::sandbox::refusal::Refusal;

/// Fields of new objects that only the server sets.
const OF_THE_SERVER: [&str; 5] =
    ["uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"];

/// Returns the metadata of an object, which is made if it is missing.
pub(super) fn of(object: &mut Value) -> Option<&mut Map<String, Value>> {
    let object = object.as_object_mut()?;
    if !object.get("metadata").is_some_and(Value::is_object) {
        object.insert("metadata".to_owned(), json!({}));
    }
    object.get_mut("metadata")?.as_object_mut()
}

/// Returns a text of the metadata; empty if there is none.
pub(super) fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object.get("metadata").and_then(|metadata| metadata.get(field)).and_then(Value::as_str).unwrap_or_default()
}

/// Holds the namespace in a body to that of the request, and fills it in.
pub(super) fn settle_namespace(place: &Place, object: &mut Value) -> Result<(), Refusal> {
    let namespaced = place.kind.namespaced;
    let given = text(object, "namespace").to_owned();
    if namespaced && !given.is_empty() && given != place.namespace {
        return Err(Refusal::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    let Some(metadata) = of(object) else { return Ok(()) };
    if namespaced {
        metadata.insert("namespace".to_owned(), Value::from(place.namespace.as_str()));
    } else {
        metadata.remove("namespace");
    }
    Ok(())
}

/// Holds the name in a body to that of the path; it must say one.
pub(super) fn settle_name(place: &Place, object: &Value) -> Result<(), Refusal> {
    let given = text(object, "name").to_owned();
    if given.is_empty() {
        return Err(Refusal::bad_request(format!(
            "the name of the object ({} based on URL) was undeterminable: name must be provided",
            place.name
        )));
    }
    if given != place.name {
        return Err(Refusal::bad_request(format!(
            "the name of the object ({given}) does not match the name on the URL ({})",
            place.name
        )));
    }
    Ok(())
}

/// Takes away what a client may not say about a new object.
pub(super) fn wipe(object: &mut Value) {
    if let Some(metadata) = of(object) {
        for field in OF_THE_SERVER {
            metadata.remove(field);
        }
    }
}

/// Gives a new object its name, identity and time.
pub(super) fn identify(object: &mut Value, random: &mut Random, now: Timestamp) {
    let Some(metadata) = of(object) else { return };
    let stem = metadata.get("generateName").and_then(Value::as_str).unwrap_or_default().to_owned();
    let is_named = metadata.get("name").and_then(Value::as_str).is_some_and(|name| !name.is_empty());
    if !is_named && !stem.is_empty() {
        // The suffix is what makes it unique: the stem is cut to make room for it.
        let stem: String = stem.chars().take(58).collect();
        metadata.insert("name".to_owned(), Value::from(format!("{stem}{}", random.suffix(5))));
    }
    metadata.insert("uid".to_owned(), Value::from(random.uid()));
    metadata.insert("creationTimestamp".to_owned(), Value::from(seconds(now)));
}

/// Drops owners that are named twice, and says so.
pub(super) fn dedupe_owners(object: &mut Value) -> Option<String> {
    let owners = object.pointer_mut("/metadata/ownerReferences")?.as_array_mut()?;
    let mut kept: Vec<Value> = Vec::with_capacity(owners.len());
    let mut twice = Vec::new();
    for owner in owners.drain(..) {
        if kept.contains(&owner) {
            twice.push(owner.get("uid").and_then(Value::as_str).unwrap_or_default().to_owned());
        } else {
            kept.push(owner);
        }
    }
    *owners = kept;
    (!twice.is_empty()).then(|| {
        format!(
            ".metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may \
             reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: {}",
            twice.join(", ")
        )
    })
}

/// Fills in what an update leaves out and only the server says.
pub(super) fn carry_over(live: &Value, object: &mut Value) {
    let before = live.get("metadata").and_then(Value::as_object);
    let Some(metadata) = of(object) else { return };
    let mut keep = |field: &str, always: bool| match before.and_then(|before| before.get(field)) {
        Some(value) if always || !metadata.contains_key(field) => {
            metadata.insert(field.to_owned(), value.clone());
        }
        None if always => {
            metadata.remove(field);
        }
        _ => {}
    };
    keep("uid", false);
    keep("creationTimestamp", false);
    keep("deletionTimestamp", false);
    keep("deletionGracePeriodSeconds", false);
    keep("generation", true);
    keep("selfLink", true);
    keep("generateName", false);
}

/// A time as metadata has it: whole seconds.
pub(super) fn seconds(time: Timestamp) -> String {
    Timestamp::from_second(time.as_second()).unwrap_or(time).to_string()
}
