//! What the core says that an apply comes to, before the server is asked: what a plan shows.

use mathison::ssa::{self, Applied, ApplyError};
use serde_json::Value;

use super::difference;
use super::request::{Reply, Request};

/// What became of a prediction.
pub enum Prediction {
    /// Nothing was predicted: it is no apply, or nothing is known of the kind, or the object is told at another version.
    None,
    Right {
        /// Whether the core had no doubt.
        proved: bool,
    },
    /// The server refuses the values, which the core does not look at.
    Refused,
    /// Where it was wrong, and whether the core had no doubt.
    Wrong { places: Vec<String>, proved: bool },
}

/// How a refusal of values begins that is told as an error of the server.
const REFUSED: [&str; 2] = ["failed to convert new object", "failed to create manager for existing fields"];

/// How a refusal begins of an apply that names another object of that name, by its uid. Nothing is predicted of that.
const PRECONDITION: &str = "Operation cannot be fulfilled on ";

/// Compares what the core makes of a request about a live object with what the server answered.
pub fn judged(live: Option<&Value>, request: &Request, reply: &Reply) -> Prediction {
    let path = request.path.split('?').next().unwrap_or_default();
    let is_apply =
        request.content == "application/apply-patch+yaml" && !path.ends_with("/status") && !path.ends_with("/scale");
    let (Some(live), Ok(config)) = (live, serde_json::from_str::<Value>(&request.body)) else {
        return Prediction::None;
    };
    let text = |name: &str| config[name].as_str().unwrap_or_default();
    let (group, version) = text("apiVersion").rsplit_once('/').unwrap_or(("", text("apiVersion")));
    let manager = request.path.split(['?', '&']).find_map(|word| word.strip_prefix("fieldManager="));
    let (Some(schema), Some(manager)) = (ssa::builtin(group, version, text("kind")), manager) else {
        return Prediction::None;
    };
    if !is_apply || live["apiVersion"] != config["apiVersion"] || live["kind"] != config["kind"] {
        return Prediction::None;
    }
    // It was deleted, be it since it was told, and waits for its finalizers: a plan refuses to predict that.
    let is_deleting = |object: &Value| object["metadata"].get("deletionTimestamp").is_some();
    if is_deleting(&reply.body) || is_deleting(live) {
        return Prediction::None;
    }
    let is_forced = request.path.contains("force=true");
    let told = reply.body["message"].as_str().unwrap_or_default();
    let is_refused = match reply.code {
        200 => false,
        409 => told.starts_with(PRECONDITION),
        500 => REFUSED.iter().any(|words| told.starts_with(words)),
        _ => true,
    };
    let refused = |as_foreseen: bool, what: &str, proved: bool| match is_refused {
        _ if as_foreseen => Prediction::Right { proved: true },
        true => Prediction::Refused,
        false => Prediction::Wrong { places: vec![format!("code: {} | {what}", reply.code)], proved },
    };
    let is_proved =
        |applied: &Applied<'_>| !applied.changed || ssa::doubt(Some(&schema), live, &applied.object).is_none();
    match ssa::apply(&schema, Some(live), &config, manager) {
        Err(ApplyError::ManagedFieldsSet) => refused(reply.code == 400, "managed fields are set", true),
        Err(error) => refused(reply.code == 500, &error.to_string(), true),
        Ok(applied) if !applied.conflicts.is_empty() && !is_forced => {
            refused(reply.code == 409, &format!("{} conflicts", applied.conflicts.len()), is_proved(&applied))
        }
        Ok(applied) if reply.code == 200 => {
            let places = difference::between(&bare(&reply.body), &bare(&applied.object));
            let proved = is_proved(&applied);
            if places.is_empty() { Prediction::Right { proved } } else { Prediction::Wrong { places, proved } }
        }
        Ok(applied) => refused(false, "applied", is_proved(&applied)),
    }
}

/// Without what only the server knows: version, generation, times, and the status, which nobody applies.
fn bare(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
    }
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        for name in ["resourceVersion", "generation"] {
            metadata.remove(name);
        }
        for entry in metadata.get_mut("managedFields").and_then(Value::as_array_mut).into_iter().flatten() {
            entry.as_object_mut().map(|entry| entry.remove("time"));
        }
        if let Some(entries) = metadata.get_mut("managedFields").and_then(Value::as_array_mut) {
            entries.sort_by_key(|entry| {
                ["manager", "operation", "subresource", "apiVersion"].map(|name| entry[name].to_string())
            });
        }
    }
    object
}
