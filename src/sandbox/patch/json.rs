//! JSON patch, RFC 6902, as the library that the server uses understands it.

use serde_json::Value;

use super::rejected;
use crate::sandbox::decode::FieldValidation;
use crate::sandbox::decode::node::Node;
use crate::sandbox::decode::scalar::quoted;
use crate::sandbox::refusal::Refusal;

/// The server takes no more operations at once.
const MOST: usize = 10_000;

const FIELDS: [&str; 4] = ["op", "path", "from", "value"];

/// Returns the patched object and what was strange about the patch.
pub(super) fn patched(live: &Value, body: &[u8], validation: FieldValidation) -> Result<(Value, Vec<String>), Refusal> {
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
    let mut object = live.clone();
    for operation in operations {
        apply(&mut object, operation).ok_or_else(rejected)?;
    }
    Ok((object, told))
}

fn tell(index: usize, entries: &[(String, Node)], told: &mut Vec<String>) {
    let mut seen = std::collections::HashSet::new();
    for (key, _) in entries {
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

/// Carries out one operation; `None` if it cannot be.
fn apply(object: &mut Value, operation: &Node) -> Option<()> {
    let op = text(operation, "op")?;
    let path = text(operation, "path")?;
    // An operation without a value is one with null.
    let value = || operation.get("value").map_or(Value::Null, Node::to_value);
    match op {
        "add" => add(object, path, value()),
        "remove" => remove(object, path).map(|_| ()),
        "replace" if path.is_empty() => {
            let value = value();
            let replaces = value.is_object() || value.is_array();
            replaces.then(|| *object = value)
        }
        "replace" => {
            let (parent, key) = parent(object, path)?;
            match parent {
                Value::Object(map) => {
                    // Unlike the standard has it, a key that is missing is added.
                    map.insert(key, value());
                }
                Value::Array(items) => {
                    let index = index(&key, items.len())?;
                    *items.get_mut(index)? = value();
                }
                _ => return None,
            }
            Some(())
        }
        "move" => {
            let moved = remove(object, text(operation, "from")?)?;
            add(object, path, moved)
        }
        "copy" => {
            let copied = at(object, text(operation, "from")?)?.clone();
            add(object, path, copied)
        }
        // What is missing equals null.
        "test" => match at(object, path) {
            Some(found) => (*found == value()).then_some(()),
            None => {
                let (parent, _) = parent(object, path)?;
                (parent.is_object() && value().is_null()).then_some(())
            }
        },
        _ => None,
    }
}

/// Finds what holds the last step of a path. What stands before the first slash does not count.
fn parent<'o>(object: &'o mut Value, path: &str) -> Option<(&'o mut Value, String)> {
    let mut steps: Vec<String> =
        path.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~")).collect();
    let key = steps.pop()?;
    let mut value = object;
    for step in steps {
        value = match value {
            Value::Object(map) => map.get_mut(&step)?,
            Value::Array(items) => {
                let index = index(&step, items.len())?;
                items.get_mut(index)?
            }
            _ => return None,
        };
    }
    (value.is_object() || value.is_array()).then_some((value, key))
}

fn at<'o>(object: &'o mut Value, path: &str) -> Option<&'o Value> {
    if path.is_empty() {
        return Some(object);
    }
    let (parent, key) = parent(object, path)?;
    match parent {
        Value::Object(map) => map.get(&key),
        Value::Array(items) => items.get(index(&key, items.len())?),
        _ => None,
    }
}

fn add(object: &mut Value, path: &str, value: Value) -> Option<()> {
    let (parent, key) = parent(object, path)?;
    match parent {
        Value::Object(map) => {
            map.insert(key, value);
        }
        Value::Array(items) if key == "-" => items.push(value),
        Value::Array(items) => {
            // Counted from the end, the place after the last is the first.
            let index = index(&key, items.len() + 1)?;
            items.insert(index, value);
        }
        _ => return None,
    }
    Some(())
}

fn remove(object: &mut Value, path: &str) -> Option<Value> {
    let (parent, key) = parent(object, path)?;
    match parent {
        Value::Object(map) => map.remove(&key),
        Value::Array(items) => {
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
