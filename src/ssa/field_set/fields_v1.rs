//! `FieldsV1`, the encoding of field sets in `metadata.managedFields`.

use std::cmp::Ordering;

use serde_json::{Map, Value};
use thiserror::Error;

use super::FieldSet;
use crate::ssa::path::PathElement;

/// Why a value is no encoded field set.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FieldsError {
    /// Something else stands where a map of steps is expected.
    #[error("`{0}` holds no map")]
    NotAMap(String),
    /// A step cannot be read.
    #[error("`{0}` is no step of a field path")]
    Step(String),
}

impl FieldSet {
    /// Reads a set. Steps with a prefix that is not known vanish, as they do in the server.
    ///
    /// # Errors
    /// See [`FieldsError`].
    pub fn from_fields_v1(fields: &Value) -> Result<Self, FieldsError> {
        match fields {
            Value::Null => Ok(Self::new()),
            _ => Ok(read(".", fields)?.1),
        }
    }

    /// Reads what is owned at one place: whether the place itself is, and what is below it.
    ///
    /// # Errors
    /// See [`FieldsError`].
    pub(crate) fn read_node(fields: &Value) -> Result<(bool, Self), FieldsError> {
        read(".", fields)
    }

    /// Writes the set.
    #[must_use]
    pub fn to_fields_v1(&self) -> Value {
        let steps = self.nodes.iter().map(|node| {
            let mut below = node.children.to_fields_v1();
            if let Value::Object(below) = &mut below
                && node.member
                && !below.is_empty()
            {
                below.insert(".".to_owned(), Value::Object(Map::new()));
            }
            (step_text(&node.element), below)
        });
        Value::Object(steps.collect())
    }
}

/// Returns whether the value says that its own path is a member, and what is below.
fn read(step: &str, value: &Value) -> Result<(bool, FieldSet), FieldsError> {
    let map = value.as_object().ok_or_else(|| FieldsError::NotAMap(step.to_owned()))?;
    let mut set = FieldSet { nodes: Vec::with_capacity(map.len()) };
    let mut member = false;
    for (step, below) in map {
        if step == "." {
            member = true;
        } else if let Some(element) = read_step(step)? {
            let (member, children) = read(step, below)?;
            set.insert_node(element, member, children);
        }
    }
    Ok((member || set.is_empty(), set))
}

fn read_step(step: &str) -> Result<Option<PathElement>, FieldsError> {
    let bad = || FieldsError::Step(step.to_owned());
    let (prefix, content) = step.split_once(':').filter(|(prefix, _)| prefix.len() == 1).ok_or_else(bad)?;
    Ok(Some(match prefix {
        "f" => PathElement::Field(content.to_owned()),
        "k" => {
            let fields: Map<String, Value> = serde_json::from_str(content).map_err(|_| bad())?;
            PathElement::Key(fields.into_iter().collect())
        }
        "v" => PathElement::Value(serde_json::from_str(content).map_err(|_| bad())?),
        "i" => PathElement::Index(content.parse().map_err(|_| bad())?),
        _ => return Ok(None),
    }))
}

/// Compares two written steps as the server sorts them: by what they mean, so that the item with port 80 comes before the one
/// with port 443. The set's own path comes first.
pub fn step_order(left: &str, right: &str) -> Ordering {
    match (read_step(left), read_step(right)) {
        (Ok(Some(left)), Ok(Some(right))) => left.cmp(&right),
        _ => left.cmp(right),
    }
}

pub(super) fn step_text(element: &PathElement) -> String {
    match element {
        PathElement::Field(name) => ["f:", name].concat(),
        PathElement::Key(fields) => {
            let mut step = "k:{".to_owned();
            for (index, (name, value)) in fields.iter().enumerate() {
                step.push_str(if index > 0 { "," } else { "" });
                step.push_str(&quoted(name));
                step.push(':');
                match value {
                    Value::String(text) => step.push_str(&quoted(text)),
                    other => step.push_str(&other.to_string()),
                }
            }
            step.push('}');
            step
        }
        PathElement::Value(value) => format!("v:{value}"),
        PathElement::Index(index) => format!("i:{index}"),
    }
}

/// Writes a text as JSON does.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::set;
    use super::*;

    #[test]
    fn the_servers_encoding_is_read_and_written() {
        let fields = json!({
            "f:metadata": {"f:labels": {".": {}, "f:app": {}}, "f:finalizers": {"v:\"a/b\"": {}}},
            "f:spec": {"f:ports": {"k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {".": {}, "f:containerPort": {}}}},
        });
        let read = FieldSet::from_fields_v1(&fields).unwrap();
        assert_eq!(
            read,
            set(&[
                ".metadata.labels",
                ".metadata.labels.app",
                ".metadata.finalizers[=\"a/b\"]",
                ".spec.ports[containerPort=80,protocol=\"TCP\"]",
                ".spec.ports[containerPort=80,protocol=\"TCP\"].containerPort",
            ])
        );
        assert_eq!(read.to_fields_v1(), fields);
    }

    #[test]
    fn unknown_prefixes_vanish_and_broken_steps_are_refused() {
        let read = FieldSet::from_fields_v1(&json!({"f:a": {"x:b": {}}, "x:c": {}})).unwrap();
        assert_eq!(read, set(&[".a"]));
        assert_eq!(FieldSet::from_fields_v1(&json!({"f:a": 1})), Err(FieldsError::NotAMap("f:a".to_owned())));
        assert_eq!(FieldSet::from_fields_v1(&json!({"k:{": {}})), Err(FieldsError::Step("k:{".to_owned())));
        assert!(FieldSet::from_fields_v1(&Value::Null).unwrap().is_empty());
    }
}
