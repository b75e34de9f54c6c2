//! JSON merge patch, RFC 7386.

use serde_json::{Map, Value};

use super::document::{entry, put, read, take};
use super::{as_map, repeated};
use crate::sandbox::decode::FieldValidation;
use crate::sandbox::decode::node::Node;
use crate::sandbox::refusal::Refusal;

/// Returns the patched document and what was repeated in the patch.
pub(super) fn patched(
    mut document: Node,
    body: &[u8],
    validation: FieldValidation,
) -> Result<(Node, Vec<String>), Refusal> {
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
    as_map(&node).map_err(refuse)?;
    let repeated = repeated(&node);
    merge_nodes(&mut document, node);
    Ok((document, repeated))
}

fn merge_nodes(document: &mut Node, mut patch: Node) {
    read(document);
    read(&mut patch);
    let (Node::Map(entries), Node::Map(patch)) = (document, patch) else { return };
    for (key, mut value) in patch {
        if value == Node::Null {
            take(entries, &key);
            continue;
        }
        match entry(entries, &key) {
            Some(current @ Node::Map(_)) if matches!(value, Node::Map(_)) => merge_nodes(current, value),
            Some(current @ Node::Map(_)) => *current = value,
            _ => {
                drop_nulls(&mut value);
                put(entries, key, value);
            }
        }
    }
}

/// New values lose the nulls of their maps, those within lists too.
fn drop_nulls(node: &mut Node) {
    read(node);
    match node {
        Node::Map(entries) => {
            entries.retain(|(_, value)| *value != Node::Null);
            entries.iter_mut().for_each(|(_, value)| drop_nulls(value));
        }
        Node::List(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
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
