//! JSON patch, RFC 6902, as the library that the server uses understands it.

use std::collections::BTreeSet;

use super::document::{entry, equal, put, read, read_whole, take};
use super::rejected;
use crate::sandbox::decode::FieldValidation;
use crate::sandbox::decode::node::{DEEPEST, MOST_STRICT, Node};
use crate::sandbox::decode::scalar::quoted;
use crate::sandbox::refusal::Refusal;

/// The server takes no more operations at once.
const MOST: usize = 10_000;

/// All `copy` of a patch together may write no more than this: what is copied into itself doubles each time.
const MOST_COPIED_BYTES: usize = 3 * 1024 * 1024;

const FIELDS: [&str; 4] = ["op", "path", "from", "value"];

/// Returns the patched document and what was strange about the patch.
pub(super) fn patched(
    mut document: Node,
    body: &[u8],
    validation: FieldValidation,
) -> Result<(Node, Vec<String>), Refusal> {
    let (prefix, list, item) = match validation {
        FieldValidation::Ignore => ("", "jsonpatch.Patch", "jsonpatch.Operation"),
        _ => ("error decoding patch: ", "[]handlers.jsonPatchOp", "handlers.jsonPatchOp"),
    };
    let refuse = |mistake: String| Refusal::bad_request(format!("{prefix}{mistake}"));
    let wrong = |node: &Node, go_type: &str| {
        refuse(format!("json: cannot unmarshal {} into Go value of type {go_type}", node.describe()))
    };
    let node = Node::read(body).map_err(refuse)?;
    let operations = match &node {
        Node::List(operations) => operations.as_slice(),
        Node::Null => &[],
        other => return Err(wrong(other, list)),
    };
    let mut told = Vec::new();
    for (index, operation) in operations.iter().enumerate() {
        match operation {
            Node::Map(entries) => {
                if validation != FieldValidation::Ignore {
                    for (key, node) in entries {
                        let is_text = matches!(node, Node::String(_) | Node::Null);
                        if matches!(key.as_str(), "op" | "path" | "from") && !is_text {
                            let what = node.describe();
                            let field = format!("jsonPatchOp.{key} of type string");
                            return Err(refuse(format!("json: cannot unmarshal {what} into Go struct field {field}")));
                        }
                    }
                }
                tell(index, entries, &mut told);
            }
            Node::Null => {}
            other => return Err(wrong(other, item)),
        }
    }
    if operations.len() > MOST {
        let message = format!(
            "Request entity too large: The allowed maximum operations in a JSON patch is {MOST}, got {}",
            operations.len()
        );
        return Err(Refusal::new(413, "RequestEntityTooLarge", message));
    }
    if !operations.is_empty() {
        read(&mut document);
    }
    let mut copied = 0;
    for operation in operations {
        apply(&mut document, operation, &mut copied).ok_or_else(rejected)?;
    }
    Ok((document, told))
}

fn tell(index: usize, entries: &[(String, Node)], told: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    for (key, _) in entries {
        if told.len() >= MOST_STRICT {
            return;
        }
        let what = match FIELDS.contains(&key.as_str()) {
            false => "unknown",
            true if !seen.insert(key.as_str()) => "duplicate",
            true => continue,
        };
        let text = format!("json patch {what} field {}", quoted(&format!("[{index}].{key}")));
        if !told.contains(&text) {
            told.push(text);
        }
    }
}

fn text<'n>(operation: &'n Node, name: &str) -> Option<&'n str> {
    match operation.get(name) {
        Some(Node::String(text)) => Some(text),
        _ => None,
    }
}

/// Carries out one operation; `None` if it cannot be. `copied` counts the bytes that were copied so far.
fn apply(document: &mut Node, operation: &Node, copied: &mut usize) -> Option<()> {
    let op = text(operation, "op")?;
    let path = text(operation, "path")?;
    // An operation without a value is one with null.
    let value = || operation.get("value").cloned().unwrap_or(Node::Null);
    match op {
        "add" => add(document, path, value()),
        "remove" => remove(document, path).map(|_| ()),
        "replace" if path.is_empty() => {
            let mut value = value();
            let replaces = matches!(value, Node::Map(_) | Node::List(_));
            read(&mut value);
            replaces.then(|| *document = value)
        }
        "replace" => {
            let value = shallow(path, value())?;
            let (parent, key) = parent(document, path)?;
            match parent {
                // Unlike the standard has it, a key that is missing is added.
                Node::Map(entries) => put(entries, key, value),
                Node::List(items) => {
                    let index = index(&key, items.len())?;
                    *items.get_mut(index)? = value;
                }
                _ => return None,
            }
            Some(())
        }
        "move" => {
            let moved = remove(document, text(operation, "from")?)?;
            add(document, path, moved)
        }
        "copy" => {
            let found = at(document, text(operation, "from")?)?;
            *copied += found.as_ref().map_or(0, |found| found.text().len());
            if *copied > MOST_COPIED_BYTES {
                return None;
            }
            let copy = found.map_or(Node::Null, |found| found.clone());
            add(document, path, copy)
        }
        "test" if path.is_empty() => {
            let is_same = equal(document, &value());
            read_whole(document);
            is_same.then_some(())
        }
        // What is missing equals null.
        "test" => match at(document, path)? {
            Some(found) => {
                let is_same = equal(found, &value());
                read_whole(found);
                is_same.then_some(())
            }
            None => (value() == Node::Null).then_some(()),
        },
        _ => None,
    }
}

/// Finds what holds the last step of a path. What stands before the first slash does not count.
fn parent<'d>(document: &'d mut Node, path: &str) -> Option<(&'d mut Node, String)> {
    let mut steps: Vec<String> =
        path.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~")).collect();
    let key = steps.pop()?;
    let mut node = document;
    for step in steps {
        node = match node {
            Node::Map(entries) => entry(entries, &step)?,
            Node::List(items) => {
                let index = index(&step, items.len())?;
                items.get_mut(index)?
            }
            _ => return None,
        };
        read(node);
    }
    matches!(node, Node::Map(_) | Node::List(_)).then_some((node, key))
}

/// Finds what a path leads to; what a map does not have is nothing.
fn at<'d>(document: &'d mut Node, path: &str) -> Option<Option<&'d mut Node>> {
    let (parent, key) = parent(document, path)?;
    match parent {
        Node::Map(entries) => Some(entry(entries, &key)),
        Node::List(items) => {
            let index = index(&key, items.len())?;
            items.get_mut(index).map(Some)
        }
        _ => None,
    }
}

/// Returns a value unless it would stand too deep at its path: step by step a patch could go on for ever.
fn shallow(path: &str, value: Node) -> Option<Node> {
    (path.matches('/').count() + value.depth() <= DEEPEST).then_some(value)
}

fn add(document: &mut Node, path: &str, value: Node) -> Option<()> {
    let value = shallow(path, value)?;
    let (parent, key) = parent(document, path)?;
    match parent {
        Node::Map(entries) => put(entries, key, value),
        Node::List(items) if key == "-" => items.push(value),
        Node::List(items) => {
            // Counted from the end, the place after the last is the first.
            let index = index(&key, items.len() + 1)?;
            items.insert(index, value);
        }
        _ => return None,
    }
    Some(())
}

fn remove(document: &mut Node, path: &str) -> Option<Node> {
    let (parent, key) = parent(document, path)?;
    match parent {
        Node::Map(entries) => take(entries, &key),
        Node::List(items) => {
            let index = index(&key, items.len())?;
            Some(items.remove(index))
        }
        _ => None,
    }
}

/// Reads an index below `length`; negative ones count from the end.
fn index(key: &str, length: usize) -> Option<usize> {
    let number: i64 = key.parse().ok()?;
    let number = if number < 0 { number + i64::try_from(length).ok()? } else { number };
    usize::try_from(number).ok().filter(|index| *index < length)
}
