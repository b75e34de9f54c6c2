//! The shape of a block: its JSON Schema, and all places where a block as written departs from it.
//!
//! serde stops at the first problem and does not say where it is; so the published schema itself is walked first, and
//! serde only sees what already fits. Only the words are understood that `schemars` writes for the types of this
//! module; a test fails on any other.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::Remark;
use super::block::below;

/// Returns the schema of a block, self-contained.
pub(super) fn schema<T: JsonSchema>() -> Schema {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    settings.into_generator().into_root_schema_for::<T>()
}

/// Reads a block.
///
/// # Errors
/// Every key that does not exist, every missing key and every value of a wrong type.
pub(super) fn decode<T: JsonSchema + DeserializeOwned>(block: &Value) -> Result<T, Vec<Remark>> {
    let mut remarks = Vec::new();
    compare(schema::<T>().as_value(), block, "", &mut remarks);
    if !remarks.is_empty() {
        return Err(remarks);
    }
    serde_json::from_value(block.clone()).map_err(|error| vec![Remark::new("", error.to_string())])
}

fn compare(schema: &Value, value: &Value, pointer: &str, remarks: &mut Vec<Remark>) {
    if let Some(choices) = schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Value::as_array) {
        compare_choices(choices, value, pointer, remarks);
        return;
    }
    let wanted = wanted_types(schema);
    if !wanted.is_empty() && !wanted.iter().any(|wanted| is_of_type(value, wanted)) {
        remarks.push(wrong_type(&wanted, value, pointer));
        return;
    }
    if let Some(words) = schema.get("enum").and_then(Value::as_array)
        && !words.contains(value)
    {
        remarks.push(unknown_word(words, value, pointer));
        return;
    }
    match value {
        Value::Object(map) => compare_map(schema, map, pointer, remarks),
        Value::Array(items) => {
            if let Some(item_schema) = schema.get("items") {
                for (index, item) in items.iter().enumerate() {
                    compare(item_schema, item, &below(pointer, &index.to_string()), remarks);
                }
            }
        }
        Value::Number(number) => {
            let number = number.as_f64().unwrap_or(f64::NAN);
            let limit = |key: &str| schema.get(key).and_then(Value::as_f64);
            if limit("minimum").is_some_and(|minimum| number < minimum)
                || limit("maximum").is_some_and(|maximum| number > maximum)
            {
                remarks.push(Remark::new(pointer, format!("`{number}` is out of range")));
            }
        }
        _ => {}
    }
}

/// A choice is either `null` beside one shape, or several constant words, each with its own description.
fn compare_choices(choices: &[Value], value: &Value, pointer: &str, remarks: &mut Vec<Remark>) {
    let words: Vec<Value> = choices
        .iter()
        .filter_map(|choice| {
            choice.get("const").map(|word| vec![word.clone()]).or_else(|| choice.get("enum")?.as_array().cloned())
        })
        .flatten()
        .collect();
    if !words.is_empty() {
        if !words.contains(value) {
            remarks.push(unknown_word(&words, value, pointer));
        }
        return;
    }
    if value.is_null() {
        return;
    }
    for choice in choices.iter().filter(|choice| choice.get("type").and_then(Value::as_str) != Some("null")) {
        compare(choice, value, pointer, remarks);
    }
}

fn compare_map(schema: &Value, map: &Map<String, Value>, pointer: &str, remarks: &mut Vec<Remark>) {
    let none = Map::new();
    let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
    let others = schema.get("additionalProperties");
    for (key, value) in map {
        match (properties.get(key), others) {
            (Some(property), _) => compare(property, value, &below(pointer, key), remarks),
            (None, Some(Value::Bool(false))) => remarks.push(unknown_key(properties, key, pointer)),
            (None, Some(other)) => compare(other, value, &below(pointer, key), remarks),
            (None, None) => {}
        }
    }
    for required in schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        if !map.contains_key(required) {
            let remark = Remark::new(pointer, format!("`{required}` is missing"));
            let description = properties.get(required).and_then(|property| property.get("description")?.as_str());
            remarks.push(match description {
                Some(description) => remark.hinted(format!("`{required}`: {}", one_line(description))),
                None => remark,
            });
        }
    }
}

fn wanted_types(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn is_of_type(value: &Value, wanted: &str) -> bool {
    match wanted {
        "integer" => value.is_i64() || value.is_u64(),
        _ => type_of(value) == wanted,
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn in_words(json_type: &str) -> &'static str {
    match json_type {
        "null" => "nothing",
        "boolean" => "`true` or `false`",
        "integer" => "a whole number",
        "number" => "a number",
        "string" => "a string",
        "array" => "a list",
        _ => "a map",
    }
}

fn wrong_type(wanted: &[&str], value: &Value, pointer: &str) -> Remark {
    let wanted: Vec<&str> = wanted.iter().copied().filter(|wanted| *wanted != "null").collect();
    let names: Vec<&str> = wanted.iter().map(|wanted| in_words(wanted)).collect();
    let remark = Remark::new(pointer, format!("must be {}, not {}", names.join(" or "), in_words(type_of(value))));
    match value {
        Value::Number(_) | Value::Bool(_) if wanted.contains(&"string") => {
            remark.hinted(format!("quote it: \"{value}\""))
        }
        Value::String(text) if wanted.contains(&"integer") && text.parse::<i64>().is_ok() => {
            remark.hinted(format!("leave the quotes out: {text}"))
        }
        _ => remark,
    }
}

fn unknown_word(words: &[Value], value: &Value, pointer: &str) -> Remark {
    let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
    let written = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let hint = nearest(&written, words.iter().copied())
        .map_or_else(|| format!("one of {}", words.join(", ")), |near| format!("did you mean `{near}`?"));
    Remark::new(pointer, format!("`{written}` is not one of its values")).hinted(hint)
}

fn unknown_key(properties: &Map<String, Value>, key: &str, pointer: &str) -> Remark {
    let hint = nearest(key, properties.keys().map(String::as_str)).map_or_else(
        || format!("the keys are {}", properties.keys().map(String::as_str).collect::<Vec<_>>().join(", ")),
        |near| format!("did you mean `{near}`?"),
    );
    Remark::new(below(pointer, key), format!("there is no key `{key}`")).hinted(hint)
}

/// Returns the candidate most like `written`, if any is like it at all.
fn nearest<'a>(written: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .map(|candidate| (strsim::jaro_winkler(&written.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, candidate)| candidate)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::super::{TYPES, block_schema};
    use super::*;

    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields, rename_all = "camelCase")]
    #[expect(dead_code, reason = "only its shape is looked at")]
    struct Sample {
        /// How it is called.
        title: String,
        #[serde(default)]
        count: Option<u8>,
        #[serde(default)]
        colour: Colour,
        #[serde(default)]
        inner: Vec<Inner>,
    }

    #[derive(Debug, Default, Deserialize, JsonSchema)]
    #[serde(rename_all = "kebab-case")]
    enum Colour {
        /// Red.
        #[default]
        DeepRed,
        /// Blue.
        LightBlue,
    }

    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its shape is looked at")]
    struct Inner {
        on: bool,
    }

    fn problems(block: Value) -> String {
        match decode::<Sample>(&block) {
            Ok(_) => "fits".to_owned(),
            Err(remarks) => remarks
                .iter()
                .map(|remark| {
                    let hint = remark.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
                    format!("{}: {}{hint}\n", remark.pointer, remark.message)
                })
                .collect(),
        }
    }

    #[test]
    fn every_problem_is_named_with_its_place() {
        insta::assert_snapshot!(
            problems(json!({"titel": "x", "count": 300, "colour": "light-bleu", "inner": [{"on": "yes"}, {"on": true, "off": 1}]})),
            @"
        /colour: `light-bleu` is not one of its values (did you mean `light-blue`?)
        /count: `300` is out of range
        /inner/0/on: must be `true` or `false`, not a string
        /inner/1/off: there is no key `off` (the keys are on)
        /titel: there is no key `titel` (did you mean `title`?)
        : `title` is missing (`title`: How it is called)
        "
        );
        insta::assert_snapshot!(problems(json!({"title": 5, "count": "7", "colour": 3})), @r#"
        /colour: `3` is not one of its values (one of deep-red, light-blue)
        /count: must be a whole number, not a string (leave the quotes out: 7)
        /title: must be a string, not a number (quote it: "5")
        "#);
        insta::assert_snapshot!(problems(json!({"title": "t", "count": null, "inner": [{"on": true}]})), @"fits");
        insta::assert_snapshot!(problems(json!([])), @": must be a map, not a list");
    }

    #[test]
    fn the_walk_understands_every_word_of_the_schemas() {
        const KNOWN: &[&str] = &[
            "$schema",
            "title",
            "description",
            "default",
            "examples",
            "format",
            "type",
            "properties",
            "required",
            "additionalProperties",
            "items",
            "enum",
            "const",
            "anyOf",
            "oneOf",
            "minimum",
            "maximum",
        ];
        fn look(schema: &Value, unknown: &mut Vec<String>) {
            let Some(map) = schema.as_object() else { return };
            for (word, value) in map {
                match word.as_str() {
                    "properties" => value.as_object().unwrap().values().for_each(|value| look(value, unknown)),
                    "items" | "additionalProperties" => look(value, unknown),
                    "anyOf" | "oneOf" => value.as_array().unwrap().iter().for_each(|value| look(value, unknown)),
                    word if KNOWN.contains(&word) => {}
                    word => unknown.push(word.to_owned()),
                }
            }
        }
        let mut unknown = Vec::new();
        for type_name in TYPES {
            look(block_schema(type_name).unwrap().as_value(), &mut unknown);
        }
        assert_eq!(unknown, Vec::<String>::new());
    }

    #[test]
    fn every_key_of_every_block_is_explained() {
        for type_name in TYPES {
            let schema = block_schema(type_name).unwrap();
            for (key, property) in schema.as_value()["properties"].as_object().unwrap() {
                assert!(property.get("description").is_some(), "{type_name}.{key} has no description");
            }
        }
    }
}
