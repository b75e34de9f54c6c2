//! Bodies in YAML: the first document counts, as JSON with sorted keys; of equal keys the last counts.

use std::collections::BTreeMap;

use super::node::{DEEPEST, Node};
use super::scalar::quoted;
use crate::sandbox::stack::on_deep_stack;
use crate::yaml::{self, NodeValue, Severity};

/// What a text holds.
pub(super) struct Read {
    pub(super) node: Node,
    /// `line 4: key "a" already set in map`
    pub(super) repeated: Vec<String>,
}

/// Reads the first document; nothing at all is null.
pub(super) fn read(bytes: &[u8]) -> Result<Read, String> {
    if let Some(node) = as_json(bytes) {
        return Ok(Read { node, repeated: Vec::new() });
    }
    let text = std::str::from_utf8(bytes).map_err(|_| "yaml: invalid leading UTF-8 octet".to_owned())?;
    if may_be_deep(text) {
        let read = on_deep_stack(|| read_yaml(text));
        return read.unwrap_or_else(|| Err("yaml: it cannot be read".to_owned()));
    }
    read_yaml(text)
}

/// Reads what is JSON already, as most that is said to be YAML: it means the same, and is read much faster. What needs the
/// other parser's words, for keys that stand twice, is left to it, and so are merge keys.
fn as_json(bytes: &[u8]) -> Option<Node> {
    let node = Node::read(bytes).ok().filter(|node| matches!(node, Node::Map(_)))?;
    let is_plain = node.equal_keys().is_empty() && node.unreadable_number().is_none() && !has_merge_key(&node);
    is_plain.then(|| Node::of(&node.to_value()))
}

fn has_merge_key(node: &Node) -> bool {
    match node {
        Node::List(items) => items.iter().any(has_merge_key),
        Node::Map(entries) => entries.iter().any(|(key, value)| key == "<<" || has_merge_key(value)),
        _ => false,
    }
}

/// Tells whether a text may have more in each other than the stack has room for: each level of it takes a bracket or a
/// column.
fn may_be_deep(text: &str) -> bool {
    const FEW: usize = 32;
    let brackets = text.bytes().filter(|byte| matches!(byte, b'{' | b'[')).count();
    let columns = text.lines().map(|line| line.bytes().take_while(|byte| b" -?:".contains(byte)).count());
    brackets + columns.max().unwrap_or_default() > FEW
}

fn read_yaml(text: &str) -> Result<Read, String> {
    let (documents, problems) = yaml::read("", text);
    let Some(document) = documents.first() else {
        // The positions are right, the words are those of another parser.
        return match problems.iter().find(|problem| problem.severity == Severity::Error) {
            Some(problem) => Err(format!("yaml: line {}: {}", problem.at.line.max(1), problem.message)),
            None => Ok(Read { node: Node::Null, repeated: Vec::new() }),
        };
    };
    let mut repeated = Vec::new();
    let node = convert(&document.root, &mut repeated);
    if node.depth() > DEEPEST {
        return Err(format!("yaml: exceeded max depth of {DEEPEST}"));
    }
    Ok(Read { node, repeated })
}

fn convert(node: &yaml::Node, repeated: &mut Vec<String>) -> Node {
    match &node.value {
        NodeValue::Null | NodeValue::Unknown => Node::Null,
        NodeValue::Bool(value) => Node::Bool(*value),
        NodeValue::Number(number) => match Node::Number(number.to_string()).to_value() {
            serde_json::Value::Number(number) => Node::Number(number.to_string()),
            _ => Node::Null,
        },
        NodeValue::String(text) => Node::String(text.clone()),
        NodeValue::List(items) => Node::List(items.iter().map(|item| convert(item, repeated)).collect()),
        NodeValue::Map(entries) => {
            let mut converted = BTreeMap::new();
            for entry in entries {
                let value = convert(&entry.value, repeated);
                if converted.insert(entry.key.clone(), value).is_some() {
                    repeated.push(format!("line {}: key {} already set in map", entry.key_at.line, quoted(&entry.key)));
                }
            }
            Node::Map(converted.into_iter().collect())
        }
    }
}
