//! Whether a schema is structural.
//!
//! Source: `apiextensions-apiserver/pkg/apiserver/schema/{validation,complete,convert}.go`.

use serde_json::Value;

use crate::sandbox::custom::openapi::int_or_string_patterns;
use crate::sandbox::custom::structural::{
    default_of, flag, is_embedded, is_int_or_string, items, preserves_unknown, properties, schemas, text, texts,
};
use crate::sandbox::custom::validate::compiled;
use crate::sandbox::refusal::FieldProblem;

/// Where a schema stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Root,
    Item,
    Field,
}

/// The keys that no structural schema may have; with one of them nothing else is looked at.
const UNSUPPORTED: [&str; 7] =
    ["id", "$schema", "$ref", "patternProperties", "dependencies", "additionalItems", "definitions"];

/// Tells whether the schema can be structural at all.
pub(super) fn can_be_structural(schema: &Value) -> bool {
    let unsupported = UNSUPPORTED.iter().any(|key| schema.get(key).is_some_and(|value| !value.is_null()));
    let keeps_false = schema.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(false));
    !unsupported
        && !keeps_false
        && !schema.get("items").is_some_and(Value::is_array)
        && below(schema).all(|(_, schema)| can_be_structural(schema))
}

/// Returns all schemas right below one, with the steps that lead there.
pub(super) fn below(schema: &Value) -> impl Iterator<Item = (String, &Value)> {
    let single = ["items", "additionalProperties", "not"]
        .into_iter()
        .filter_map(|key| Some((format!(".{key}"), schema.get(key).filter(|value| value.is_object())?)));
    let listed = ["allOf", "oneOf", "anyOf"].into_iter().flat_map(|key| {
        schemas(schema, key).enumerate().map(move |(index, schema)| (format!(".{key}[{index}]"), schema))
    });
    single.chain(listed).chain(properties(schema).map(|(name, schema)| (format!(".properties[{name}]"), schema)))
}

/// Returns why a schema is not structural, sorted.
pub(super) fn structural_problems(schema: &Value, path: &str) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    invariants(schema, Level::Root, path, &mut problems);
    combined_is_complete(schema, schema, path, path, &mut problems);
    problems.sort_by_cached_key(FieldProblem::text);
    problems
}

fn invariants(schema: &Value, level: Level, path: &str, problems: &mut Vec<FieldProblem>) {
    let kind = text(schema, "type");
    match items(schema) {
        Some(items) => invariants(items, Level::Item, &format!("{path}.items"), problems),
        None if kind == "array" => problems.push(FieldProblem::required(format!("{path}.items"), "must be specified")),
        None => {}
    }
    for (name, property) in properties(schema) {
        invariants(property, Level::Field, &format!("{path}.properties[{name}]"), problems);
    }
    let additional = schema.get("additionalProperties").filter(|additional| !additional.is_null());
    if let Some(additional) = additional {
        let path = format!("{path}.additionalProperties");
        if level == Level::Root {
            problems.push(FieldProblem::forbidden(&path, "must not be used at the root"));
        }
        if additional.is_object() {
            invariants(additional, Level::Field, &path, problems);
        }
    }
    extensions(schema, path, problems);
    values(schema, int_or_string_patterns(schema), level, path, problems);
    own_type(schema, kind, level, path, problems);
    if is_embedded(schema) && additional.is_some() {
        let why = "must not be used if x-kubernetes-embedded-resource is set";
        problems.push(FieldProblem::forbidden(format!("{path}.additionalProperties"), why));
    }
    if level == Level::Root && !kind.is_empty() && kind != "object" {
        problems.push(FieldProblem::invalid(format!("{path}.type"), &Value::from(kind), "must be object at the root"));
    }
    identity(schema, level, path, problems);
    if is_embedded(schema) && !preserves_unknown(schema) && properties(schema).next().is_none() {
        let why = "must not be empty if x-kubernetes-embedded-resource is true without \
                   x-kubernetes-preserve-unknown-fields";
        problems.push(FieldProblem::required(format!("{path}.properties"), why));
    }
}

fn extensions(schema: &Value, path: &str, problems: &mut Vec<FieldProblem>) {
    if !is_int_or_string(schema) {
        return;
    }
    for key in ["x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"] {
        if flag(schema, key) {
            let why = "must be false if x-kubernetes-int-or-string is true";
            problems.push(FieldProblem::invalid(format!("{path}.{key}"), &Value::Bool(true), why));
        }
    }
}

fn own_type(schema: &Value, kind: &str, level: Level, path: &str, problems: &mut Vec<FieldProblem>) {
    let path = format!("{path}.type");
    if is_embedded(schema) && kind != "object" {
        let why = "must be object if x-kubernetes-embedded-resource is true";
        problems.push(match kind {
            "" => FieldProblem::required(path, why),
            kind => FieldProblem::invalid(path, &Value::from(kind), why),
        });
    } else if kind.is_empty() && !is_int_or_string(schema) && !preserves_unknown(schema) {
        let why = match level {
            Level::Root => "must not be empty at the root",
            Level::Item => "must not be empty for specified array items",
            Level::Field => "must not be empty for specified object fields",
        };
        problems.push(FieldProblem::required(path, why));
    }
}

/// The schema of what every object has may say little.
fn identity(schema: &Value, level: Level, path: &str, problems: &mut Vec<FieldProblem>) {
    let is_resource = level == Level::Root || is_embedded(schema);
    let property = |name: &str| schema.get("properties").and_then(|properties| properties.get(name));
    for name in ["kind", "apiVersion"] {
        if let Some(kind) = property(name).map(|property| text(property, "type"))
            && is_resource
            && kind != "string"
        {
            let path = format!("{path}.properties[{name}].type");
            problems.push(FieldProblem::invalid(path, &Value::from(kind), "must be string"));
        }
    }
    let Some(metadata) = property("metadata") else { return };
    let path = format!("{path}.properties[metadata]");
    let kind = text(metadata, "type");
    if is_resource && kind != "object" {
        problems.push(FieldProblem::invalid(format!("{path}.type"), &Value::from(kind), "must be object"));
    }
    if level == Level::Root {
        let names: Vec<&str> = properties(metadata).map(|(name, _)| name.as_str()).collect();
        let only_names = names.iter().all(|name| matches!(*name, "name" | "generateName"));
        let rest = metadata.as_object().into_iter().flatten();
        let says_more = rest.into_iter().any(|(key, value)| {
            let is_unset = matches!(value, Value::Null | Value::Bool(false)) || value.as_str() == Some("");
            !matches!(key.as_str(), "type" | "default" | "properties") && !is_unset
        });
        if !only_names || says_more {
            let why =
                "must not specify anything other than name and generateName, but metadata is implicitly specified";
            problems.push(FieldProblem::forbidden(path, why));
        }
    }
}

/// What values must be, here and in what is nested; `either` tells whether `anyOf` here, and in the first of `allOf`, is the
/// one of an int-or-string.
fn values(schema: &Value, either: (bool, bool), level: Level, path: &str, problems: &mut Vec<FieldProblem>) {
    if !either.0 {
        for (index, one) in schemas(schema, "anyOf").enumerate() {
            nested(one, false, level, &format!("{path}.anyOf[{index}]"), problems);
        }
    }
    for (index, one) in schemas(schema, "allOf").enumerate() {
        nested(one, either.1 && index == 0, level, &format!("{path}.allOf[{index}]"), problems);
    }
    for (index, one) in schemas(schema, "oneOf").enumerate() {
        nested(one, false, level, &format!("{path}.oneOf[{index}]"), problems);
    }
    if let Some(not) = schema.get("not").filter(|not| not.is_object()) {
        nested(not, false, level, &format!("{path}.not"), problems);
    }
    let pattern = text(schema, "pattern");
    if !pattern.is_empty() && compiled(pattern).is_none() {
        let why = format!("must be a valid regular expression, but isn't: error parsing regexp: `{pattern}`");
        problems.push(FieldProblem::invalid(format!("{path}.pattern"), &Value::from(pattern), why));
    }
}

fn nested(schema: &Value, skips_any_of: bool, level: Level, path: &str, problems: &mut Vec<FieldProblem>) {
    values(schema, (skips_any_of, false), level, path, problems);
    if let Some(items) = items(schema) {
        nested(items, false, level, &format!("{path}.items"), problems);
    }
    for (name, property) in properties(schema) {
        nested(property, false, Level::Field, &format!("{path}.properties[{name}]"), problems);
    }
    let mut forbid = |key: &str, why: &str| problems.push(FieldProblem::forbidden(format!("{path}.{key}"), why));
    if !text(schema, "type").is_empty() {
        forbid("type", "must be empty to be structural");
    }
    if schema.get("additionalProperties").is_some_and(|it| it.is_object() || *it == Value::Bool(true)) {
        forbid("additionalProperties", "must be undefined to be structural");
    }
    if default_of(schema).is_some() {
        forbid("default", "must be undefined to be structural");
    }
    for key in ["title", "description"] {
        if !text(schema, key).is_empty() {
            forbid(key, "must be empty to be structural");
        }
    }
    for key in [
        "nullable",
        "x-kubernetes-preserve-unknown-fields",
        "x-kubernetes-embedded-resource",
        "x-kubernetes-int-or-string",
    ] {
        if flag(schema, key) {
            forbid(key, "must be false to be structural");
        }
    }
    for key in ["x-kubernetes-list-map-keys", "x-kubernetes-validations"] {
        if schemas(schema, key).next().is_some() {
            forbid(key, "must be empty to be structural");
        }
    }
    for key in ["x-kubernetes-list-type", "x-kubernetes-map-type"] {
        if schema.get(key).is_some() {
            forbid(key, "must be undefined to be structural");
        }
    }
    if schema.pointer("/properties/metadata").is_some() {
        forbid("properties[metadata]", "must not be specified in a nested context");
    }
}

/// What is combined may only speak of what the schema itself declares.
fn combined_is_complete(
    nested: &Value,
    schema: &Value,
    schema_path: &str,
    nested_path: &str,
    problems: &mut Vec<FieldProblem>,
) {
    if let Some(not) = nested.get("not").filter(|not| not.is_object()) {
        is_declared(not, schema, schema_path, &format!("{nested_path}.not"), problems);
    }
    for key in ["allOf", "anyOf", "oneOf"] {
        for (index, one) in schemas(nested, key).enumerate() {
            is_declared(one, schema, schema_path, &format!("{nested_path}.{key}[{index}]"), problems);
        }
    }
}

fn is_declared(nested: &Value, schema: &Value, schema_path: &str, nested_path: &str, problems: &mut Vec<FieldProblem>) {
    combined_is_complete(nested, schema, schema_path, nested_path, problems);
    let mut visit = |step: String, below: &Value, declared: Option<&Value>| {
        let (schema_path, path) = (format!("{schema_path}{step}"), format!("{nested_path}{step}"));
        match declared {
            Some(declared) => is_declared(below, declared, &schema_path, &path, problems),
            None => problems.push(FieldProblem::required(schema_path, format!("because it is defined in {path}"))),
        }
    };
    if let Some(below) = items(nested) {
        visit(".items".to_owned(), below, items(schema));
    }
    for (name, below) in properties(nested) {
        let declared = schema.get("properties").and_then(|properties| properties.get(name));
        visit(format!(".properties[{name}]"), below, declared);
    }
}

/// Returns why the keys of a list that is a map do not do, and what else its items may not be.
pub(super) fn list_key_problems(schema: &Value, path: &str, problems: &mut Vec<FieldProblem>) {
    let kind = text(schema, "x-kubernetes-list-type");
    let Some(item) = items(schema).filter(|_| matches!(kind, "set" | "map")) else { return };
    if flag(item, "nullable") {
        let why = format!("cannot be nullable when x-kubernetes-list-type is {kind}");
        problems.push(FieldProblem::forbidden(format!("{path}.items.nullable"), why));
    }
    if kind != "map" {
        return;
    }
    let required = texts(item, "required");
    for key in texts(schema, "x-kubernetes-list-map-keys") {
        let Some(property) = item.get("properties").and_then(|properties| properties.get(key)) else { continue };
        let path = format!("{path}.items.properties[{key}]");
        if !required.contains(&key) && default_of(property).is_none() {
            let why =
                "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property";
            problems.push(FieldProblem::required(format!("{path}.default"), why));
        }
        if flag(property, "nullable") {
            let why = "this property is in x-kubernetes-list-map-keys, so it cannot be nullable";
            problems.push(FieldProblem::forbidden(format!("{path}.nullable"), why));
        }
    }
}
