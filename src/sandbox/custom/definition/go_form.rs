//! Parts of a definition as the server's own structures print them: a few problems show them whole.

use serde_json::{Value, json};

use crate::sandbox::custom::structural::{flag, text};

/// The fields of a schema in the server's order: Go's name, the key, what it is when unset.
const SCHEMA: [(&str, &str, &str); 44] = [
    ("ID", "id", "\"\""),
    ("Schema", "$schema", "\"\""),
    ("Ref", "$ref", "null"),
    ("Description", "description", "\"\""),
    ("Type", "type", "\"\""),
    ("Nullable", "nullable", "false"),
    ("Format", "format", "\"\""),
    ("Title", "title", "\"\""),
    ("Default", "default", "null"),
    ("Maximum", "maximum", "null"),
    ("ExclusiveMaximum", "exclusiveMaximum", "false"),
    ("Minimum", "minimum", "null"),
    ("ExclusiveMinimum", "exclusiveMinimum", "false"),
    ("MaxLength", "maxLength", "null"),
    ("MinLength", "minLength", "null"),
    ("Pattern", "pattern", "\"\""),
    ("MaxItems", "maxItems", "null"),
    ("MinItems", "minItems", "null"),
    ("UniqueItems", "uniqueItems", "false"),
    ("MultipleOf", "multipleOf", "null"),
    ("Enum", "enum", "null"),
    ("MaxProperties", "maxProperties", "null"),
    ("MinProperties", "minProperties", "null"),
    ("Required", "required", "null"),
    ("Items", "items", "null"),
    ("AllOf", "allOf", "null"),
    ("OneOf", "oneOf", "null"),
    ("AnyOf", "anyOf", "null"),
    ("Not", "not", "null"),
    ("Properties", "properties", "null"),
    ("AdditionalProperties", "additionalProperties", "null"),
    ("PatternProperties", "patternProperties", "null"),
    ("Dependencies", "dependencies", "null"),
    ("AdditionalItems", "additionalItems", "null"),
    ("Definitions", "definitions", "null"),
    ("ExternalDocs", "externalDocs", "null"),
    ("Example", "example", "null"),
    ("XPreserveUnknownFields", "x-kubernetes-preserve-unknown-fields", "null"),
    ("XEmbeddedResource", "x-kubernetes-embedded-resource", "false"),
    ("XIntOrString", "x-kubernetes-int-or-string", "false"),
    ("XListMapKeys", "x-kubernetes-list-map-keys", "null"),
    ("XListType", "x-kubernetes-list-type", "null"),
    ("XMapType", "x-kubernetes-map-type", "null"),
    ("XValidations", "x-kubernetes-validations", "null"),
];

pub(super) fn schema(value: &Value) -> String {
    let fields = SCHEMA.iter().map(|(name, key, unset)| {
        let value = value.get(*key).filter(|value| !value.is_null());
        let shown = value.map_or_else(|| (*unset).to_owned(), |value| schema_field(key, value));
        format!("\"{name}\":{shown}")
    });
    format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
}

fn schema_field(key: &str, value: &Value) -> String {
    let list = |each: fn(&Value) -> String| {
        let items: Vec<String> = value.as_array().into_iter().flatten().map(each).collect();
        format!("[{}]", items.join(","))
    };
    match key {
        "allOf" | "oneOf" | "anyOf" => list(schema),
        "x-kubernetes-validations" => list(rule),
        "not" => schema(value),
        "items" => format!("{{\"Schema\":{},\"JSONSchemas\":null}}", schema(value)),
        "additionalProperties" => match value {
            Value::Bool(allows) => format!("{{\"Allows\":{allows},\"Schema\":null}}"),
            value => format!("{{\"Allows\":true,\"Schema\":{}}}", schema(value)),
        },
        "properties" | "definitions" | "patternProperties" => {
            let entries = value.as_object().into_iter().flatten();
            let entries: Vec<String> =
                entries.map(|(name, value)| format!("{}:{}", json!(name), schema(value))).collect();
            format!("{{{}}}", entries.join(","))
        }
        _ => value.to_string(),
    }
}

pub(super) fn rule(rule: &Value) -> String {
    let or_null = |key: &str| rule.get(key).cloned().unwrap_or(Value::Null);
    // Go writes these three signs as escapes.
    let quoted = |key: &str| {
        let json = json!(text(rule, key)).to_string();
        json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
    };
    format!(
        "{{\"Rule\":{},\"Message\":{},\"MessageExpression\":{},\"Reason\":{},\"FieldPath\":{},\"OptionalOldSelf\":{}}}",
        quoted("rule"),
        quoted("message"),
        quoted("messageExpression"),
        or_null("reason"),
        quoted("fieldPath"),
        or_null("optionalOldSelf"),
    )
}

/// `spec.versions`; what all versions have in common is not theirs any more.
pub(super) fn versions(versions: &[&Value], schemas_are_shared: bool) -> String {
    let shown = versions.iter().map(|version| {
        let schema = match version.pointer("/schema/openAPIV3Schema").filter(|_| !schemas_are_shared) {
            Some(value) => format!("{{\"OpenAPIV3Schema\":{}}}", schema(value)),
            None => "null".to_owned(),
        };
        format!(
            "{{\"Name\":{},\"Served\":{},\"Storage\":{},\"Deprecated\":{},\"DeprecationWarning\":{},\"Schema\":{schema},\
             \"Subresources\":null,\"AdditionalPrinterColumns\":null,\"SelectableFields\":null}}",
            json!(text(version, "name")),
            flag(version, "served"),
            flag(version, "storage"),
            flag(version, "deprecated"),
            version.get("deprecationWarning").unwrap_or(&Value::Null),
        )
    });
    format!("[{}]", shown.collect::<Vec<_>>().join(","))
}
