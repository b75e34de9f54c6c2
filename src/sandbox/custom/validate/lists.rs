//! Lists that are sets or maps hold nothing twice.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::sandbox::custom::prune::below;
use crate::sandbox::custom::structural::{Under, items, text, texts, under};
use crate::sandbox::refusal::FieldProblem;

/// Checks the lists of an object; a value that is there three times is told once.
pub(super) fn check_lists(schema: &Value, value: &Value, path: &str, problems: &mut Vec<FieldProblem>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                match under(schema, key) {
                    Under::Property(property) => {
                        check_lists(property, value, &below(path, key), problems);
                    }
                    Under::Additional(Some(additional)) => {
                        check_lists(additional, value, &format!("{path}[{key}]"), problems);
                    }
                    Under::Additional(None) | Under::Undeclared => {}
                }
            }
        }
        Value::Array(list) => {
            match text(schema, "x-kubernetes-list-type") {
                "set" => check_set(list, path, problems),
                "map" => check_map(schema, list, path, problems),
                _ => {}
            }
            let Some(item_schema) = items(schema) else { return };
            for (index, item) in list.iter().enumerate() {
                check_lists(item_schema, item, &format!("{path}[{index}]"), problems);
            }
        }
        _ => {}
    }
}

fn check_set(list: &[Value], path: &str, problems: &mut Vec<FieldProblem>) {
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for (index, item) in list.iter().enumerate() {
        let times = times.entry(item.to_string()).or_default();
        *times += 1;
        if *times == 2 {
            problems.push(FieldProblem::duplicate(format!("{path}[{index}]"), item));
        }
    }
}

fn check_map(schema: &Value, list: &[Value], path: &str, problems: &mut Vec<FieldProblem>) {
    let stranger = list.iter().enumerate().find(|(_, item)| !item.is_null() && !item.is_object());
    if let Some((index, item)) = stranger {
        let detail = "must be an object for an array of list-type map";
        problems.push(FieldProblem::invalid(format!("{path}[{index}]"), item, detail));
        return;
    }
    let names = texts(schema, "x-kubernetes-list-map-keys");
    let keys: Vec<Value> = list
        .iter()
        .map(|item| {
            let key = |name: &&str| Some(((*name).to_owned(), item.get(*name)?.clone()));
            Value::Object(names.iter().filter_map(key).collect::<Map<String, Value>>())
        })
        .collect();
    check_set(&keys, path, problems);
}
