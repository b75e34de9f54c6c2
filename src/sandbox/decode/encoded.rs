//! An object as the server writes it, its fields in the order of the Go structures: messages that repeat an object show it.

use std::cmp::Ordering;
use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::node::Node;
use crate::sandbox::kind::Kind;
use crate::sandbox::structure::{GoType, fields_of, of_kind};
use crate::ssa::step_order;

/// Returns an object in the order in which the server writes it. Custom resources are maps, whose keys are sorted.
pub(crate) fn encoded(resource: &Kind, object: &Value) -> Node {
    match (&resource.custom, of_kind(&resource.group, &resource.version, &resource.kind)) {
        (None, Some(go_type)) => ordered(&go_type, object),
        _ => Node::of(object),
    }
}

fn ordered(go_type: &GoType, value: &Value) -> Node {
    match (go_type.pointed().underlying(), value) {
        (GoType::List(inner), Value::Array(items)) => {
            Node::List(items.iter().map(|item| ordered(inner, item)).collect())
        }
        (GoType::Map(_, inner), Value::Object(map)) => {
            sorted(map, |left, right| left.cmp(right), |value| ordered(inner, value))
        }
        (GoType::Named(name), Value::Object(map)) => match fields_of(name) {
            Some(fields) => Node::Map(
                fields
                    .iter()
                    .filter_map(|field| Some((field.name.to_owned(), ordered(&field.go_type, map.get(field.name)?))))
                    .collect(),
            ),
            None if **name == *"meta.v1.FieldsV1" => owned_fields(map),
            None if is_schema(name) => ordered(&GoType::named("apiextensions.v1.JSONSchemaProps"), value),
            None => Node::of(value),
        },
        (GoType::Named(name), Value::Array(items)) if is_schema(name) => {
            Node::List(items.iter().map(|item| ordered(go_type, item)).collect())
        }
        _ => Node::of(value),
    }
}

fn is_schema(name: &str) -> bool {
    matches!(name, "apiextensions.v1.JSONSchemaPropsOrBool" | "apiextensions.v1.JSONSchemaPropsOrArray")
}

/// The steps of owned fields are sorted by what they mean, and not by how they are written: 80 comes before 443.
fn owned_fields(map: &Map<String, Value>) -> Node {
    sorted(map, step_order, |below| match below {
        Value::Object(below) => owned_fields(below),
        other => Node::of(other),
    })
}

fn sorted(map: &Map<String, Value>, order: impl Fn(&str, &str) -> Ordering, below: impl Fn(&Value) -> Node) -> Node {
    let mut entries: Vec<(&String, &Value)> = map.iter().collect();
    entries.sort_by(|(left, _), (right, _)| order(left, right));
    Node::Map(entries.into_iter().map(|(key, value)| (key.clone(), below(value))).collect())
}

impl Node {
    /// Writes the value as Go does: without space, and with the characters escaped that a page could take for markup.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) {
        match self {
            Self::Null => text.push_str("null"),
            Self::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
            Self::Number(number) => text.push_str(number),
            Self::String(string) => write_string(string, text),
            Self::List(items) => {
                text.push('[');
                for (index, item) in items.iter().enumerate() {
                    text.push_str(if index > 0 { "," } else { "" });
                    item.write(text);
                }
                text.push(']');
            }
            Self::Map(entries) => {
                text.push('{');
                for (index, (key, value)) in entries.iter().enumerate() {
                    text.push_str(if index > 0 { "," } else { "" });
                    write_string(key, text);
                    text.push(':');
                    value.write(text);
                }
                text.push('}');
            }
        }
    }
}

fn write_string(string: &str, text: &mut String) {
    for character in Value::from(string).to_string().chars() {
        match character {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                // Writing to a text cannot fail.
                let _ = write!(text, "\\u{:04x}", u32::from(character));
            }
            other => text.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sandbox::kinds::Kinds;

    #[test]
    fn fields_come_in_the_order_of_the_structures() {
        let kinds = Kinds::new();
        let service = kinds.of_object("v1", "Service").unwrap();
        let object = json!({
            "apiVersion": "v1", "kind": "Service", "status": {"loadBalancer": {}},
            "spec": {"type": "ClusterIP", "clusterIP": "None", "ports": [{"targetPort": 80, "port": 80, "name": "<a>"}],
                "selector": {"b": "c", "a": "b"}},
            "metadata": {"uid": "u", "name": "s", "managedFields": [{"manager": "m", "fieldsV1": {"f:spec": {"f:ports": {
                "k:{\"port\":443}": {"f:port": {}, ".": {}}, "k:{\"port\":80}": {}}}}, "operation": "Update"}]}
        });
        assert_eq!(
            encoded(service, &object).text(),
            r#"{"kind":"Service","apiVersion":"v1","metadata":{"name":"s","uid":"u","managedFields":[{"manager":"m","operation":"Update","fieldsV1":{"f:spec":{"f:ports":{"k:{\"port\":80}":{},"k:{\"port\":443}":{".":{},"f:port":{}}}}}}]},"spec":{"ports":[{"name":"\u003ca\u003e","port":80,"targetPort":80}],"selector":{"a":"b","b":"c"},"clusterIP":"None","type":"ClusterIP"},"status":{"loadBalancer":{}}}"#
        );
    }
}
