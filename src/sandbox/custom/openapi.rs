//! The OpenAPI v3 schemas of a custom kind and of its list, as the server publishes them.
//!
//! Source: `apiextensions-apiserver/pkg/controller/openapi/builder`.

use serde_json::{Map, Value, json};

use super::structural::{is_embedded, is_int_or_string, text, texts};
use crate::sandbox::kind::Kind;

const OBJECT_META: &str = "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
const LIST_META: &str = "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta";
const CONVENTIONS: &str = "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md";

/// The keys of a structural schema that are published, wherever they stand.
const PUBLISHED: [&str; 28] = [
    "default",
    "description",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "nullable",
    "pattern",
    "required",
    "title",
    "type",
    "uniqueItems",
    "x-kubernetes-embedded-resource",
    "x-kubernetes-int-or-string",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-list-type",
    "x-kubernetes-map-type",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-validations",
];

/// Returns what stands under `components.schemas` for a custom kind and its list.
#[must_use]
pub fn openapi_schemas(kind: &Kind) -> Map<String, Value> {
    let (list_kind, plural, name) = (&kind.list_kind, &kind.plural, &kind.kind);
    let entry = kind.custom.as_ref().map(|custom| &custom.version);
    let structural = entry.and_then(|entry| entry.pointer("/schema/openAPIV3Schema"));
    let mut schema = structural.map_or_else(|| json!({"type": "object"}), published);
    if structural.is_some() {
        set_property(&mut schema, "apiVersion", api_version("APIVersion"));
        set_property(&mut schema, "kind", json!({"description": kind_description(), "type": "string"}));
        set_property(&mut schema, "metadata", object_meta());
    }
    let mut list = json!({
        "description": format!("{list_kind} is a list of {name}"),
        "type": "object",
        "required": ["items"],
        "properties": {
            "apiVersion": api_version("APIVersion"),
            "items": {
                "description": format!("List of {plural}. More info: {CONVENTIONS}"),
                "type": "array",
                "items": {"$ref": format!("#/components/schemas/{}", model_name(kind))}
            },
            "kind": {"description": kind_description(), "type": "string"},
            "metadata": {
                "description": format!("Standard list metadata. More info: {CONVENTIONS}#types-kinds"),
                "allOf": [{"$ref": LIST_META}]
            }
        }
    });
    let selectable: Vec<Value> = entry
        .into_iter()
        .flat_map(|entry| super::structural::schemas(entry, "selectableFields"))
        .map(|field| json!({"fieldPath": text(field, "jsonPath").trim_start_matches('.')}))
        .collect();
    for (schema, name) in [(&mut schema, name), (&mut list, list_kind)] {
        let Some(map) = schema.as_object_mut() else { continue };
        let identity = json!([{"group": kind.group, "kind": name, "version": kind.version}]);
        map.insert("x-kubernetes-group-version-kind".to_owned(), identity);
        if !selectable.is_empty() {
            map.insert("x-kubernetes-selectable-fields".to_owned(), Value::from(selectable.clone()));
        }
    }
    Map::from_iter([(model_name(kind), schema), (list_model_name(kind), list)])
}

/// Returns the name of a custom kind's schema: the group backwards, the version, the kind.
#[must_use]
pub fn model_name(kind: &Kind) -> String {
    format!("{}{}", package(kind), kind.kind)
}

fn list_model_name(kind: &Kind) -> String {
    format!("{}{}", package(kind), kind.list_kind)
}

fn package(kind: &Kind) -> String {
    let backwards: Vec<&str> = kind.group.rsplit('.').collect();
    format!("{}.{}.", backwards.join("."), kind.version)
}

fn api_version(begin: &str) -> Value {
    let description = format!(
        "{begin} defines the versioned schema of this representation of an object. Servers should convert recognized \
         schemas to the latest internal value, and may reject unrecognized values. More info: {CONVENTIONS}#resources"
    );
    json!({"description": description, "type": "string"})
}

fn kind_description() -> String {
    format!(
        "Kind is a string value representing the REST resource this object represents. Servers may infer this from the \
         endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: {CONVENTIONS}#types-kinds"
    )
}

fn object_meta() -> Value {
    let description = format!("Standard object's metadata. More info: {CONVENTIONS}#metadata");
    json!({"description": description, "allOf": [{"$ref": OBJECT_META}]})
}

fn set_property(schema: &mut Value, name: &str, property: Value) {
    let Some(map) = schema.as_object_mut() else { return };
    let properties = map.entry("properties").or_insert_with(|| json!({}));
    if let Some(properties) = properties.as_object_mut() {
        properties.insert(name.to_owned(), property);
    }
}

fn published(schema: &Value) -> Value {
    let Some(map) = schema.as_object() else { return json!({}) };
    let mut result = Map::new();
    for (key, value) in map {
        let value = match key.as_str() {
            "properties" => {
                let properties = value.as_object().into_iter().flatten();
                Value::Object(properties.map(|(name, property)| (name.clone(), published(property))).collect())
            }
            "additionalProperties" if value.is_boolean() => value.clone(),
            "items" | "additionalProperties" | "not" => published(value),
            "allOf" | "anyOf" | "oneOf" => value.as_array().into_iter().flatten().map(published).collect(),
            key if PUBLISHED.contains(&key) => value.clone(),
            _ => continue,
        };
        result.insert(key.clone(), value);
    }
    unfold(&mut result);
    let mut result = Value::Object(result);
    if is_embedded(schema) {
        let kind = "kind is a string value representing the type of this object. In CamelCase. More info: ";
        let version = "apiVersion defines the versioned schema of this representation of an object. More info: ";
        set_property(
            &mut result,
            "apiVersion",
            json!({"description": format!("{version}{CONVENTIONS}#resources"), "type": "string"}),
        );
        set_property(
            &mut result,
            "kind",
            json!({"description": format!("{kind}{CONVENTIONS}#types-kinds"), "type": "string"}),
        );
        set_property(&mut result, "metadata", object_meta());
        let mut required = texts(schema, "required");
        for name in ["kind", "apiVersion"] {
            if !required.contains(&name) {
                required.push(name);
            }
        }
        result["required"] = json!(required);
    }
    result
}

/// Says in plain OpenAPI that a value may be an integer or a string.
fn unfold(schema: &mut Map<String, Value>) {
    if schema.get("x-kubernetes-int-or-string") != Some(&Value::Bool(true)) {
        return;
    }
    let either = int_or_string();
    let first_of_all = schema.get("allOf").and_then(|all| all.get(0)).and_then(|first| first.get("anyOf"));
    if schema.get("anyOf") == Some(&either) || first_of_all == Some(&either) {
        return;
    }
    if schema.contains_key("anyOf") {
        let mut all = vec![json!({"anyOf": either})];
        all.extend(schema.get("allOf").and_then(Value::as_array).cloned().unwrap_or_default());
        schema.insert("allOf".to_owned(), Value::from(all));
    } else {
        schema.insert("anyOf".to_owned(), either);
    }
}

/// The `anyOf` that goes with `x-kubernetes-int-or-string`.
pub(super) fn int_or_string() -> Value {
    json!([{"type": "integer"}, {"type": "string"}])
}

/// Tells whether the schema has the `anyOf` of an int-or-string, at its place or as the first of `allOf`.
pub(super) fn int_or_string_patterns(schema: &Value) -> (bool, bool) {
    if !is_int_or_string(schema) && schema.get("anyOf").is_none() && schema.get("allOf").is_none() {
        return (false, false);
    }
    let either = int_or_string();
    let first_of_all = schema.get("allOf").and_then(|all| all.get(0)).and_then(|first| first.get("anyOf"));
    (schema.get("anyOf") == Some(&either), first_of_all == Some(&either))
}
