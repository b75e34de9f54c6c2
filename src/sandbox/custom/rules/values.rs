//! Values as rules see them: typed by the schema, with names that CEL can write.

use std::collections::HashMap;
use std::sync::Arc;

use cel::Value as CelValue;
use cel::objects::{Key, Map, OptionalValue};
use serde_json::Value;

use crate::sandbox::custom::structural::{Under, is_embedded, items, preserves_unknown, text, under};
use crate::sandbox::validation::RESERVED_WORDS;

/// Returns a value as CEL has it; `is_root` for a whole object, whose metadata is only its names.
pub(super) fn cel_value(schema: &Value, value: &Value, is_root: bool) -> CelValue {
    match value {
        Value::Null => CelValue::Null,
        Value::Bool(value) => CelValue::Bool(*value),
        Value::Number(number) => match (text(schema, "type"), number.as_i64()) {
            ("number", _) | (_, None) => {
                let real = number.as_f64().unwrap_or_default();
                // It has no fraction.
                if text(schema, "type") == "integer" && real.fract() == 0.0 {
                    CelValue::Int(real as i64)
                } else {
                    CelValue::Float(real)
                }
            }
            (_, Some(whole)) => CelValue::Int(whole),
        },
        Value::String(value) => cel_text(schema, value),
        Value::Array(list) => {
            let item_schema = items(schema).unwrap_or(&Value::Null);
            CelValue::List(Arc::new(list.iter().map(|item| cel_value(item_schema, item, false)).collect()))
        }
        Value::Object(map) => {
            let is_resource = is_root || is_embedded(schema);
            let mut entries: HashMap<Key, CelValue> = HashMap::new();
            for (key, value) in map {
                let (name, value) = match under(schema, key) {
                    _ if is_resource && key == "metadata" => (key.clone(), names_of(value)),
                    Under::Property(property) => (escaped(key), cel_value(property, value, false)),
                    Under::Additional(additional) => {
                        (key.clone(), cel_value(additional.unwrap_or(&Value::Null), value, false))
                    }
                    Under::Undeclared if is_resource && matches!(key.as_str(), "apiVersion" | "kind") => {
                        (key.clone(), cel_value(&Value::Null, value, false))
                    }
                    Under::Undeclared if schema.is_null() || preserves_unknown(schema) => {
                        (key.clone(), cel_value(&Value::Null, value, false))
                    }
                    Under::Undeclared => continue,
                };
                entries.insert(Key::String(Arc::new(name)), value);
            }
            CelValue::Map(Map { map: Arc::new(entries) })
        }
    }
}

fn names_of(metadata: &Value) -> CelValue {
    let entries = ["name", "generateName"].into_iter().filter_map(|key| {
        let value = metadata.get(key)?.as_str()?;
        Some((Key::String(Arc::new(key.to_owned())), CelValue::from(value)))
    });
    CelValue::Map(Map { map: Arc::new(entries.collect()) })
}

fn cel_text(schema: &Value, value: &str) -> CelValue {
    let plain = || CelValue::from(value);
    match text(schema, "format").replace('-', "").as_str() {
        "datetime" => chrono::DateTime::parse_from_rfc3339(value).map_or_else(|_| plain(), CelValue::Timestamp),
        "date" => {
            let time = format!("{value}T00:00:00Z");
            chrono::DateTime::parse_from_rfc3339(&time).map_or_else(|_| plain(), CelValue::Timestamp)
        }
        _ => plain(),
    }
}

/// The optional value that `oldSelf` is where a rule asks for one.
pub(super) fn optional(value: Option<CelValue>) -> CelValue {
    CelValue::Opaque(Arc::new(value.map_or_else(OptionalValue::none, OptionalValue::of)))
}

/// Writes the name of a property so that it is an identifier.
fn escaped(name: &str) -> String {
    // A field of such a name is written with underscores around it.
    if RESERVED_WORDS.contains(&name) {
        return format!("__{name}__");
    }
    name.replace("__", "__underscores__").replace('.', "__dot__").replace('-', "__dash__").replace('/', "__slash__")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_language_are_names_between_underscores() {
        for (name, written) in [
            ("namespace", "__namespace__"),
            ("while", "__while__"),
            ("a-b.c/d", "a__dash__b__dot__c__slash__d"),
            ("a__b", "a__underscores__b"),
            ("whiles", "whiles"),
        ] {
            assert_eq!(escaped(name), written);
        }
    }
}
