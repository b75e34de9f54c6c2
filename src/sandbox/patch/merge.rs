//! JSON merge patch, RFC 7386.

use serde_json::{Map, Value};

use super::{as_map, repeated};
use crate::sandbox::decode::FieldValidation;
use crate::sandbox::decode::node::Node;
use crate::sandbox::refusal::Refusal;

/// Returns the patched object and what was repeated in the patch.
pub(super) fn patched(live: &Value, body: &[u8], validation: FieldValidation) -> Result<(Value, Vec<String>), Refusal> {
    let invalid = || Refusal::bad_request("Invalid JSON Patch");
    // Who ignores unknown fields hears less of what is wrong.
    let refuse = |mistake: String| match validation {
        FieldValidation::Ignore => invalid(),
        _ => Refusal::bad_request(format!("error decoding patch: {mistake}")),
    };
    let node = Node::read(body).map_err(refuse)?;
    if node == Node::Null {
        return Err(invalid());
    }
    let patch = as_map(&node).map_err(refuse)?;
    let mut object = live.clone();
    merge(&mut object, patch);
    Ok((object, repeated(&node)))
}

/// Merges a patch into a value.
pub(in crate::sandbox) fn merge(target: &mut Value, patch: Map<String, Value>) {
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(map) = target.as_object_mut() else { return };
    for (key, value) in patch {
        match value {
            Value::Null => {
                map.remove(&key);
            }
            Value::Object(inner) => merge(map.entry(key).or_insert(Value::Null), inner),
            value => {
                map.insert(key, value);
            }
        }
    }
}
