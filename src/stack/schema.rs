//! The JSON Schema of stack files, put together from the file's own shape and those of the services' blocks.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::file::StackFile;
use crate::service;

/// A value that stands wholly in an input, which has a type of its own.
const WHOLE_INPUT: &str = r"^\$\{inputs\.[^}]+\}$";

/// Returns the published JSON Schema (draft 2020-12) of stack files.
#[must_use]
pub fn json_schema() -> Value {
    let mut schema = shape_schema().clone();
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["title"] = "Mathison stack".into();
    allow_inputs(&mut schema);
    schema
}

/// Returns the schema that the shape is checked against once inputs are resolved: the published one without the
/// alternative of `${inputs.NAME}` at each value.
pub(super) fn shape_schema() -> &'static Value {
    static SCHEMA: LazyLock<Value> = LazyLock::new(build);
    &SCHEMA
}

fn build() -> Value {
    let generator = schemars::generate::SchemaSettings::draft2020_12().for_deserialize().into_generator();
    let mut schema = generator.into_root_schema_for::<StackFile>().to_value();
    let mut definitions = schema.get("$defs").and_then(Value::as_object).cloned().unwrap_or_default();
    let blocks: Vec<Value> = service::TYPES.iter().filter_map(|name| service_schema(name, &mut definitions)).collect();
    schema["$defs"] = definitions.into();
    schema["properties"]["services"]["additionalProperties"] = json!({ "oneOf": blocks });
    // A key in the place of the Secret has its value there.
    schema["properties"]["secrets"]["additionalProperties"]["writeOnly"] = true.into();
    closed(&mut schema);
    schema
}

/// Returns the schema of one type of block with the keys that every block has; its definitions move to those of the whole.
fn service_schema(type_name: &str, definitions: &mut Map<String, Value>) -> Option<Value> {
    let mut schema = service::block_schema(type_name)?.to_value();
    let map = schema.as_object_mut()?;
    for key in ["$schema", "title"] {
        map.remove(key);
    }
    if let Some(Value::Object(own)) = map.remove("$defs") {
        for (name, mut definition) in own {
            move_references(&mut definition, type_name);
            definitions.insert(format!("{type_name}.{name}"), definition);
        }
    }
    move_references(&mut schema, type_name);
    let map = schema.as_object_mut()?;
    let properties = map.entry("properties").or_insert_with(|| json!({})).as_object_mut()?;
    properties.insert("type".to_owned(), json!({ "const": type_name, "description": "Type of the block." }));
    let addresses = json!({
        "type": "array", "items": { "type": "string" },
        "description": "What all objects of this service wait for: addresses or names of services."
    });
    properties.entry("dependsOn").or_insert(addresses);
    let protect =
        json!({ "type": "boolean", "description": "True if none of its objects may be deleted or replaced." });
    properties.entry("protect").or_insert(protect);
    let patch = json!({ "description": "Changes to the objects that it makes. Not supported yet." });
    properties.entry("patch").or_insert(patch);
    let required = map.entry("required").or_insert_with(|| json!([])).as_array_mut()?;
    required.insert(0, "type".into());
    map.insert("type".to_owned(), "object".into());
    map.insert("additionalProperties".to_owned(), false.into());
    Some(schema)
}

fn move_references(schema: &mut Value, type_name: &str) {
    match schema {
        Value::Object(map) => {
            if let Some(Value::String(reference)) = map.get_mut("$ref")
                && let Some(name) = reference.strip_prefix("#/$defs/")
            {
                *reference = format!("#/$defs/{type_name}.{name}");
            }
            map.values_mut().for_each(|value| move_references(value, type_name));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| move_references(item, type_name)),
        _ => {}
    }
}

/// Takes `null` out of what optional keys allow, and `default: null` with it: an optional key is left out, not emptied.
fn closed(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            if map.get("default").is_some_and(Value::is_null) {
                map.remove("default");
            }
            if let Some(Value::Array(types)) = map.get_mut("type") {
                types.retain(|name| name != "null");
                if let [single] = types.as_slice() {
                    let single = single.clone();
                    map.insert("type".to_owned(), single);
                }
            }
            if let Some(Value::Array(branches)) = map.get_mut("anyOf") {
                branches.retain(|branch| branch.get("type").is_none_or(|name| name != "null"));
                if let [Value::Object(single)] = branches.as_slice() {
                    let single = single.clone();
                    map.remove("anyOf");
                    for (key, value) in single {
                        map.entry(key).or_insert(value);
                    }
                }
            }
            map.values_mut().for_each(closed);
        }
        Value::Array(items) => items.iter_mut().for_each(closed),
        _ => {}
    }
}

/// Lets every value whose type is not text also be `${inputs.NAME}`, outside of the inputs themselves.
fn allow_inputs(schema: &mut Value) {
    let Value::Object(map) = schema else { return };
    let is_word = |branch: &Value| branch.get("const").is_some() || branch.get("enum").is_some();
    let words = map.get("oneOf").and_then(Value::as_array).is_some_and(|branches| branches.iter().all(is_word));
    let narrow =
        words || map.contains_key("enum") || map.get("type").is_some_and(|name| name != "string" && name != "object");
    for (keyword, value) in map.iter_mut() {
        match (keyword.as_str(), value) {
            ("properties" | "$defs", Value::Object(members)) => {
                for (name, member) in members {
                    let outside = !matches!(name.as_str(), "inputs" | "environments" | "InputDefinition");
                    if outside && member.get("const").is_none() {
                        allow_inputs(member);
                    }
                }
            }
            ("oneOf" | "anyOf" | "allOf", Value::Array(branches)) if !words => {
                branches.iter_mut().for_each(allow_inputs);
            }
            ("items" | "additionalProperties", member) => allow_inputs(member),
            _ => {}
        }
    }
    if narrow {
        let input = json!({ "type": "string", "pattern": WHOLE_INPUT });
        let description = map.remove("description");
        let own = std::mem::take(map);
        map.insert("anyOf".to_owned(), json!([own, input]));
        if let Some(description) = description {
            map.insert("description".to_owned(), description);
        }
    }
}
