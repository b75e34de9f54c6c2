//! Bodies in YAML: the first document counts, as JSON with sorted keys; of equal keys the last counts.

use std::collections::HashSet;

use super::node::Node;
use super::scalar::quoted;
use crate::yaml::{self, NodeValue, Severity};

/// What a text holds.
pub(super) struct Read {
    pub(super) node: Node,
    /// `line 4: key "a" already set in map`
    pub(super) repeated: Vec<String>,
}

/// Reads the first document; nothing at all is null.
pub(super) fn read(bytes: &[u8]) -> Result<Read, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "yaml: invalid leading UTF-8 octet".to_owned())?;
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
            let mut seen = HashSet::new();
            let mut converted: Vec<(String, Node)> = Vec::with_capacity(entries.len());
            for entry in entries {
                let value = convert(&entry.value, repeated);
                if seen.insert(entry.key.as_str()) {
                    converted.push((entry.key.clone(), value));
                    continue;
                }
                repeated.push(format!("line {}: key {} already set in map", entry.key_at.line, quoted(&entry.key)));
                if let Some((_, before)) = converted.iter_mut().find(|(key, _)| *key == entry.key) {
                    *before = value;
                }
            }
            converted.sort_by(|(left, _), (right, _)| left.cmp(right));
            Node::Map(converted)
        }
    }
}
