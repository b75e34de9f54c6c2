//! Cuts a file back to the parts whose shape holds, so that the rest can be looked at in the same run.

use serde_json::Value;

use super::shape;
use crate::yaml::{Entry, Node, NodeValue};

/// Takes away every entry and item that does not fit the schema or could not be resolved, and fills in what is needed to
/// go on. Returns true if anything was taken away.
pub(super) fn prune(file: &str, root: &mut Node, schema: &Value) -> bool {
    let fits = |node: &Node, schema_of: &Value| !node.has_unknown() && shape::check(file, node, node.at, schema_of, schema).is_empty();
    let at = root.at;
    let NodeValue::Map(entries) = &mut root.value else { return true };
    let mut seen = std::collections::BTreeSet::new();
    let mut cut = false;
    entries.retain_mut(|entry| {
        let property = &schema["properties"][&entry.key];
        if property.is_null() || !seen.insert(entry.key.clone()) {
            cut = true;
            return false;
        }
        match &mut entry.value.value {
            NodeValue::Map(members) => {
                let before = members.len();
                let member = property.get("additionalProperties").unwrap_or(property);
                members.retain(|member_entry| fits(&member_entry.value, member));
                cut |= members.len() < before;
                fits(&entry.value, property)
            }
            NodeValue::List(items) => {
                for item in items.iter_mut().filter(|item| !fits(item, &property["items"])) {
                    cut = true;
                    // The place of the others in the list is how they are found again.
                    item.value = if entry.key == "manifests" { NodeValue::Map(Vec::new()) } else { NodeValue::Unknown };
                }
                if entry.key != "manifests" {
                    items.retain(|item| item.value != NodeValue::Unknown);
                }
                true
            }
            _ => {
                let fits = fits(&entry.value, property);
                cut |= !fits;
                fits
            }
        }
    });
    for required in ["stack", "namespace"] {
        if entries.iter().all(|entry| entry.key != required) {
            let value = Node { value: NodeValue::String(String::new()), at };
            entries.push(Entry { key: required.to_owned(), key_at: at, value });
        }
    }
    cut
}
