//! Reading a structural schema, which stays the JSON that the definition has.

use serde_json::Value;

/// What a schema says about a key of an object.
#[derive(Debug, Clone, Copy)]
pub(super) enum Under<'a> {
    /// A declared property.
    Property(&'a Value),
    /// A key that `additionalProperties` allows; with its schema, if it has one.
    Additional(Option<&'a Value>),
    /// Nothing.
    Undeclared,
}

impl<'a> Under<'a> {
    /// Returns the schema of the value, where there is one.
    pub(super) fn schema(self) -> Option<&'a Value> {
        match self {
            Self::Property(schema) => Some(schema),
            Self::Additional(schema) => schema,
            Self::Undeclared => None,
        }
    }
}

pub(super) fn text<'a>(schema: &'a Value, key: &str) -> &'a str {
    schema.get(key).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn flag(schema: &Value, key: &str) -> bool {
    schema.get(key) == Some(&Value::Bool(true))
}

/// Returns the texts of a list, such as `required`.
pub(super) fn texts<'a>(schema: &'a Value, key: &str) -> Vec<&'a str> {
    schemas(schema, key).filter_map(Value::as_str).collect()
}

/// Returns the items of a list, such as `anyOf`.
pub(super) fn schemas<'a>(schema: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    schema.get(key).and_then(Value::as_array).into_iter().flatten()
}

/// Returns the declared properties, sorted.
pub(super) fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema.get("properties").and_then(Value::as_object).into_iter().flatten()
}

pub(super) fn items(schema: &Value) -> Option<&Value> {
    schema.get("items").filter(|items| items.is_object())
}

/// Returns what the schema says about a key.
pub(super) fn under<'a>(schema: &'a Value, key: &str) -> Under<'a> {
    if let Some(property) = schema.get("properties").and_then(|properties| properties.get(key)) {
        return Under::Property(property);
    }
    match schema.get("additionalProperties") {
        Some(additional @ Value::Object(_)) => Under::Additional(Some(additional)),
        Some(Value::Bool(_)) => Under::Additional(None),
        _ => Under::Undeclared,
    }
}

pub(super) fn preserves_unknown(schema: &Value) -> bool {
    flag(schema, "x-kubernetes-preserve-unknown-fields")
}

pub(super) fn is_embedded(schema: &Value) -> bool {
    flag(schema, "x-kubernetes-embedded-resource")
}

pub(super) fn is_int_or_string(schema: &Value) -> bool {
    flag(schema, "x-kubernetes-int-or-string")
}

/// Returns the default, if one is declared; `null` is none.
pub(super) fn default_of(schema: &Value) -> Option<&Value> {
    schema.get("default").filter(|default| !default.is_null())
}

/// Tells whether a value is `null` where the schema does not allow it.
pub(super) fn is_forbidden_null(value: &Value, schema: &Value) -> bool {
    value.is_null() && !flag(schema, "nullable")
}
