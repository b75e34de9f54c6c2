//! What decoding takes away from a custom resource: fields that its schema does not know, and nulls that it does not allow.
//!
//! Source of the rules: `apiextensions-apiserver/pkg/apiserver/schema/{pruning,defaulting,objectmeta}`.

use serde_json::{Map, Value};

use super::structural::{
    Under, default_of, is_embedded, is_forbidden_null, items, preserves_unknown, properties, under,
};
use crate::sandbox::decode::metadata_mistake;
use crate::sandbox::kind::Custom;
use crate::sandbox::refusal::FieldProblem;
use crate::ssa::{Schema, builtin};

const TYPE_AND_METADATA: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// Removes what the schema does not know and returns the paths of it, in the server's order: those of the metadata, the
/// others, those of the metadata of embedded resources, each sorted.
pub fn prune(custom: &Custom, object: &mut Value) -> Vec<String> {
    let schema = &custom.structural;
    let mut paths = Vec::new();
    let metadata = builtin("", "v1", "ConfigMap").and_then(|kind| kind.field("metadata"));
    let Some(metadata) = metadata else { return paths };
    if let Some(own) = object.get_mut("metadata") {
        prune_metadata(&metadata, own, "metadata", &mut paths);
    }
    paths.sort();

    let mut unknown = Vec::new();
    prune_value(Some(schema), object, true, "", &mut unknown);
    unknown.sort();
    paths.append(&mut unknown);

    let mut embedded = Vec::new();
    prune_embedded(&metadata, schema, object, "", &mut embedded);
    embedded.sort();
    paths.append(&mut embedded);
    paths
}

/// Tells what is wrong with the metadata and types of embedded resources, which are read like those of any object.
pub fn embedded_problem(custom: &Custom, object: &Value) -> Option<FieldProblem> {
    problem_of_embedded(&custom.structural, object, "")
}

fn problem_of_embedded(schema: &Value, value: &Value, path: &str) -> Option<FieldProblem> {
    match value {
        Value::Object(map) => map.iter().find_map(|(key, value)| {
            let own = match key.as_str() {
                _ if !is_embedded(schema) => None,
                "apiVersion" | "kind" if !value.is_string() => Some("must be a string".to_owned()),
                "metadata" => metadata_mistake(value),
                _ => None,
            };
            match (own, under(schema, key)) {
                (Some(mistake), _) => Some(FieldProblem::invalid(below(path, key), value, mistake)),
                (None, Under::Property(property)) => problem_of_embedded(property, value, &below(path, key)),
                (None, Under::Additional(Some(schema))) => {
                    problem_of_embedded(schema, value, &format!("{path}[{key}]"))
                }
                _ => None,
            }
        }),
        Value::Array(list) => {
            let item_schema = items(schema)?;
            list.iter()
                .enumerate()
                .find_map(|(index, item)| problem_of_embedded(item_schema, item, &format!("{path}[{index}]")))
        }
        _ => None,
    }
}

/// Removes nulls where the schema neither allows them nor has a default that would take their place.
pub fn drop_nulls(custom: &Custom, object: &mut Value) {
    drop_nulls_of(Some(&custom.structural), object);
}

pub(super) fn below(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// Removes from a value what a schema does not know.
pub(super) fn prune_schema(schema: &Value, value: &mut Value, is_resource: bool) {
    prune_value(Some(schema), value, is_resource, "", &mut Vec::new());
}

fn prune_value(schema: Option<&Value>, value: &mut Value, is_resource: bool, path: &str, unknown: &mut Vec<String>) {
    if let Some(schema) = schema.filter(|schema| preserves_unknown(schema)) {
        return prune_preserved(schema, value, is_resource, path, unknown);
    }
    match value {
        Value::Object(map) => {
            let is_resource = is_resource || schema.is_some_and(is_embedded);
            map.retain(|key, value| {
                if is_resource && TYPE_AND_METADATA.contains(&key.as_str()) {
                    return true;
                }
                match schema.map_or(Under::Undeclared, |schema| under(schema, key)) {
                    Under::Undeclared => {
                        unknown.push(below(path, key));
                        false
                    }
                    declared => {
                        prune_value(declared.schema(), value, false, &below(path, key), unknown);
                        true
                    }
                }
            });
        }
        Value::Array(list) => {
            for (index, item) in list.iter_mut().enumerate() {
                prune_value(schema.and_then(items), item, false, &format!("{path}[{index}]"), unknown);
            }
        }
        _ => {}
    }
}

/// Walks on below a schema that keeps what it does not know: what it declares may be stricter again.
fn prune_preserved(schema: &Value, value: &mut Value, is_resource: bool, path: &str, unknown: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            let is_resource = is_resource || is_embedded(schema);
            for (key, value) in map.iter_mut() {
                if is_resource && TYPE_AND_METADATA.contains(&key.as_str()) {
                    continue;
                }
                match under(schema, key) {
                    Under::Undeclared => {}
                    declared => prune_value(declared.schema(), value, false, &below(path, key), unknown),
                }
            }
        }
        Value::Array(list) => {
            let Some(item_schema) = items(schema) else { return };
            for (index, item) in list.iter_mut().enumerate() {
                prune_preserved(item_schema, item, false, &format!("{path}[{index}]"), unknown);
            }
        }
        _ => {}
    }
}

fn prune_embedded(metadata: &Schema, schema: &Value, value: &mut Value, path: &str, unknown: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            if is_embedded(schema)
                && let Some(own) = map.get_mut("metadata")
            {
                prune_metadata(metadata, own, &below(path, "metadata"), unknown);
            }
            for (key, value) in map.iter_mut() {
                if let Some(schema) = under(schema, key).schema() {
                    prune_embedded(metadata, schema, value, &below(path, key), unknown);
                }
            }
        }
        Value::Array(list) => {
            let Some(item_schema) = items(schema) else { return };
            for (index, item) in list.iter_mut().enumerate() {
                prune_embedded(metadata, item_schema, item, &format!("{path}[{index}]"), unknown);
            }
        }
        _ => {}
    }
}

/// Removes from metadata what ObjectMeta has no field for, and what it would not write back.
fn prune_metadata(schema: &Schema, value: &mut Value, path: &str, unknown: &mut Vec<String>) {
    if value.is_null() {
        *value = Value::Object(Map::new());
    }
    prune_typed(schema, value, path, unknown);
    if let Value::Object(map) = value {
        // An empty list of managed fields has a meaning of its own.
        map.retain(|key, value| key == "managedFields" || !is_empty(value));
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(map) => map.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

fn prune_typed(schema: &Schema, value: &mut Value, path: &str, unknown: &mut Vec<String>) {
    match value {
        Value::Object(map) => prune_typed_map(schema, map, path, unknown),
        Value::Array(list) => {
            let Some(item_schema) = schema.items() else { return };
            for (index, item) in list.iter_mut().enumerate() {
                prune_typed(&item_schema, item, &format!("{path}[{index}]"), unknown);
            }
        }
        _ => {}
    }
}

fn prune_typed_map(schema: &Schema, map: &mut Map<String, Value>, path: &str, unknown: &mut Vec<String>) {
    map.retain(|key, value| {
        if let Some(field) = schema.field(key) {
            prune_typed(&field, value, &below(path, key), unknown);
            return true;
        }
        if !schema.shape().allows_only_its_fields() {
            return true;
        }
        unknown.push(below(path, key));
        false
    });
}

fn drop_nulls_of(schema: Option<&Value>, value: &mut Value) {
    match value {
        Value::Object(map) => map.retain(|key, value| {
            let field = schema.and_then(|schema| under(schema, key).schema());
            if field.is_some_and(|field| is_forbidden_null(value, field) && default_of(field).is_none()) {
                return false;
            }
            drop_nulls_of(field, value);
            true
        }),
        Value::Array(list) => {
            for item in list {
                drop_nulls_of(schema.and_then(items), item);
            }
        }
        _ => {}
    }
}

/// Fills in what the schema has defaults for: where a field is missing, and where it is null but may not be.
pub fn with_defaults(custom: &Custom, object: &mut Value) {
    fill(&custom.structural, object);
}

fn fill(schema: &Value, value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (name, property) in properties(schema) {
                let Some(default) = default_of(property) else { continue };
                if map.get(name).is_none_or(|present| is_forbidden_null(present, property)) {
                    map.insert(name.clone(), default.clone());
                }
            }
            for (key, value) in map.iter_mut() {
                match under(schema, key) {
                    Under::Property(property) => fill(property, value),
                    Under::Additional(Some(additional)) => fill_unnamed(additional, value),
                    Under::Additional(None) | Under::Undeclared => {}
                }
            }
        }
        Value::Array(list) => {
            let Some(item_schema) = items(schema) else { return };
            for item in list {
                fill_unnamed(item_schema, item);
            }
        }
        _ => {}
    }
}

fn fill_unnamed(schema: &Value, value: &mut Value) {
    if is_forbidden_null(value, schema)
        && let Some(default) = default_of(schema)
    {
        *value = default.clone();
    }
    fill(schema, value);
}
