//! Cuts a file back to the parts whose shape holds, so that the rest can be looked at in the same run.

use serde_json::Value;

use super::shape;
use crate::yaml::{Entry, Node, NodeValue};

/// Takes away every entry and item that does not fit the schema or could not be resolved, and fills in what is needed to
/// go on. Returns true if objects may have been taken away, so that what is not found may be there all the same.
pub(super) fn prune(file: &str, root: &mut Node, schema: &Value) -> bool {
    let fits = |node: &Node, schema_of: &Value| {
        !node.has_unknown() && shape::check(file, node, node.at, schema_of, schema).is_empty()
    };
    let at = root.at;
    let NodeValue::Map(entries) = &mut root.value else { return true };
    let mut seen = std::collections::BTreeSet::new();
    let mut cut = false;
    entries.retain_mut(|entry| {
        // An unknown key may be one of these with a slip.
        let declares =
            |key: &str| ["services", "manifests", "secrets"].contains(&key) || schema["properties"][key].is_null();
        let before = entry.value.clone();
        let stays = seen.insert(entry.key.clone()) && prune_part(entry, &schema["properties"][&entry.key], &fits);
        cut |= declares(&entry.key) && (!stays || entry.value != before);
        stays
    });
    for required in ["stack", "namespace"] {
        if entries.iter().all(|entry| entry.key != required) {
            let value = Node { value: NodeValue::String(String::new()), at };
            entries.push(Entry { key: required.to_owned(), key_at: at, value });
        }
    }
    cut
}

/// Prunes one part of the file; returns false if nothing of it can stay.
fn prune_part(part: &mut Entry, property: &Value, fits: &impl Fn(&Node, &Value) -> bool) -> bool {
    if property.is_null() {
        return false;
    }
    match &mut part.value.value {
        NodeValue::Map(members) => {
            let member = property.get("additionalProperties").unwrap_or(property);
            members.retain(|entry| fits(&entry.value, member));
            fits(&part.value, property)
        }
        NodeValue::List(items) => {
            let Some(schema) = property.get("items") else { return false };
            for item in items.iter_mut().filter(|item| !fits(item, schema)) {
                // The place of the others in the list is how they are found again.
                item.value = if part.key == "manifests" { NodeValue::Map(Vec::new()) } else { NodeValue::Unknown };
            }
            if part.key != "manifests" {
                items.retain(|item| item.value != NodeValue::Unknown);
            }
            true
        }
        _ => fits(&part.value, property),
    }
}
