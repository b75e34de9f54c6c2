//! Embedded resources say what they are.

use serde_json::{Map, Value};

use super::names::dns_1035_label;
use crate::sandbox::custom::prune::below;
use crate::sandbox::custom::structural::{Under, is_embedded, items, under};
use crate::sandbox::refusal::FieldProblem;
use crate::sandbox::validation::segment;

pub(super) fn check_embedded(schema: &Value, value: &Value, path: &str, problems: &mut Vec<FieldProblem>) {
    match value {
        Value::Object(map) => {
            if is_embedded(schema) {
                check_resource(map, path, problems);
            }
            for (key, value) in map {
                match under(schema, key) {
                    Under::Property(property) => check_embedded(property, value, &below(path, key), problems),
                    Under::Additional(Some(additional)) => {
                        check_embedded(additional, value, &format!("{path}[{key}]"), problems);
                    }
                    Under::Additional(None) | Under::Undeclared => {}
                }
            }
        }
        Value::Array(list) => {
            let Some(item_schema) = items(schema) else { return };
            for (index, item) in list.iter().enumerate() {
                check_embedded(item_schema, item, &format!("{path}[{index}]"), problems);
            }
        }
        _ => {}
    }
}

fn check_resource(map: &Map<String, Value>, path: &str, problems: &mut Vec<FieldProblem>) {
    for key in ["apiVersion", "kind"] {
        if !map.contains_key(key) {
            problems.push(FieldProblem::required(below(path, key), ""));
        }
    }
    for key in ["apiVersion", "kind"] {
        let Some(value) = map.get(key) else { continue };
        let mut wrong = |detail: &str| problems.push(FieldProblem::invalid(below(path, key), value, detail));
        match value.as_str() {
            None => wrong("must be a string"),
            Some("") => wrong("must not be empty"),
            Some(text) if key == "apiVersion" && text.matches('/').count() > 1 => {
                wrong(&format!("unexpected GroupVersion string: {text}"));
            }
            Some(text) if key == "kind" => {
                if let Some(why) = dns_1035_label(&text.to_lowercase()) {
                    wrong(&format!("may have mixed case, but should otherwise match: {why}"));
                }
            }
            Some(_) => {}
        }
    }
    let name = map.get("metadata").and_then(|metadata| metadata.get("name"));
    if let Some(name) = name.and_then(Value::as_str) {
        for why in segment(name) {
            problems.push(FieldProblem::invalid(below(path, "metadata.name"), &Value::from(name), why));
        }
    }
}
