//! The definitions of custom kinds, as their CustomResourceDefinitions give them.

use serde_json::{Map, Value, json};

use super::definitions::{MORE_TYPES, definitions_of, reference_to};
use crate::sandbox::kind::Kind;
use crate::ssa::Schema;

const OBJECT_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
const RESOURCES: &str = "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources";
const KINDS: &str = "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds";
const METADATA: &str = "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";

/// Returns the name of a custom kind's definition: the group's parts turned around, the version, the kind.
pub(super) fn type_name(kind: &Kind) -> String {
    let mut parts: Vec<&str> = kind.group.split('.').collect();
    parts.reverse();
    format!("{}.{}.{}", parts.join("."), kind.version, kind.kind)
}

/// Returns the definition of a custom kind.
pub(super) fn definition(kind: &Kind) -> Value {
    let structural = kind.custom.as_ref().map(|custom| &custom.structural);
    let mut definition = match structural {
        Some(Value::Object(structural)) => publish(structural),
        _ => json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}),
    };
    describe_object(
        &mut definition,
        &[
            (
                "apiVersion",
                "APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values.",
            ),
            (
                "kind",
                "Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase.",
            ),
        ],
    );
    definition["x-kubernetes-group-version-kind"] =
        json!([{"group": kind.group, "version": kind.version, "kind": kind.kind}]);
    definition
}

/// Returns the definition of a custom kind's list.
pub(super) fn list_definition(kind: &Kind) -> Value {
    json!({
        "description": format!("{} is a list of {}", kind.list_kind, kind.kind),
        "type": "object",
        "required": ["items"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "items": {"type": "array", "items": reference_to(&type_name(kind))},
            "metadata": {"allOf": [reference_to("io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta")]}
        },
        "x-kubernetes-group-version-kind": [{"group": kind.group, "version": kind.version, "kind": kind.list_kind}]
    })
}

/// Returns the shape of a custom kind, read from its own document as a client reads it.
pub(in crate::sandbox) fn schema_of_custom(kind: &Kind) -> Option<Schema> {
    let mut definitions = Map::new();
    definitions_of(&MORE_TYPES, OBJECT_META, &mut definitions);
    definitions.insert(type_name(kind), definition(kind));
    let scope = if kind.namespaced { "namespaces/{namespace}/" } else { "" };
    let path = format!("/apis/{}/{}/{scope}{}/{{name}}", kind.group, kind.version, kind.plural);
    let identity = json!({"group": kind.group, "version": kind.version, "kind": kind.kind});
    let operation = json!({"get": {"x-kubernetes-group-version-kind": identity}});
    let mut paths = Map::new();
    if kind.subresource("status").is_some() {
        paths.insert(format!("{path}/status"), operation.clone());
    }
    paths.insert(path, operation);
    let document = json!({"paths": paths, "components": {"schemas": definitions}});
    Schema::from_openapi(&document, &kind.group, &kind.version, &kind.kind)
}

/// Declares what every object has. Its metadata is always the server's own.
fn describe_object(definition: &mut Value, descriptions: &[(&str, &str); 2]) {
    let links = [RESOURCES, KINDS];
    let mut properties = definition.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    for ((name, description), link) in descriptions.iter().zip(links) {
        let description = format!("{description} More info: {link}");
        properties.insert((*name).to_owned(), json!({"description": description, "type": "string"}));
    }
    let description = format!("Standard object's metadata. More info: {METADATA}");
    let metadata = json!({"description": description, "allOf": [reference_to(OBJECT_META)]});
    properties.insert("metadata".to_owned(), metadata);
    definition["properties"] = Value::Object(properties);
}

/// Writes a structural schema as it is published.
fn publish(schema: &Map<String, Value>) -> Value {
    let mut published = Map::new();
    for (key, value) in schema {
        let value = match (key.as_str(), value) {
            ("properties", Value::Object(fields)) => {
                fields.iter().map(|(name, field)| (name.clone(), publish_value(field))).collect()
            }
            ("items" | "additionalProperties" | "not", value) => publish_value(value),
            ("allOf" | "anyOf" | "oneOf", Value::Array(branches)) => branches.iter().map(publish_value).collect(),
            (_, value) => value.clone(),
        };
        published.insert(key.clone(), value);
    }
    let is = |key: &str| schema.get(key) == Some(&Value::Bool(true));
    if is("x-kubernetes-int-or-string") && !published.contains_key("anyOf") && !published.contains_key("allOf") {
        published.insert("anyOf".to_owned(), json!([{"type": "integer"}, {"type": "string"}]));
    }
    let embedded = is("x-kubernetes-embedded-resource");
    let mut published = Value::Object(published);
    if embedded {
        describe_object(
            &mut published,
            &[
                ("apiVersion", "apiVersion defines the versioned schema of this representation of an object."),
                ("kind", "kind is a string value representing the type of this object. In CamelCase."),
            ],
        );
        let mut required = vec![json!("kind"), json!("apiVersion")];
        let declared = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        required.extend(declared.filter(|name| *name != "kind" && *name != "apiVersion").cloned());
        published["required"] = Value::Array(required);
    }
    published
}

fn publish_value(schema: &Value) -> Value {
    match schema {
        Value::Object(schema) => publish(schema),
        other => other.clone(),
    }
}
