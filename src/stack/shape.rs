//! Checks the shape of a file against its JSON Schema, and says what is wrong in words and with positions.
//!
//! Knows the keywords that schemas of ours have, not all of JSON Schema; a test compares its verdict with that of a
//! JSON Schema library.

use serde_json::{Map, Value};

use super::nearest::{did_you_mean, listed};
use crate::yaml::{Entry, Node, NodeValue, Problem, Problems, Spot};

/// Checks a node against a schema whose definitions stand in `root`, and returns what is wrong.
pub(super) fn check(file: &str, node: &Node, key_at: Spot, schema: &Value, root: &Value) -> Problems {
    let mut shape = Shape { file, root, problems: Problems::default(), concealing: false };
    shape.check(node, key_at, schema, "");
    shape.problems
}

struct Shape<'a> {
    file: &'a str,
    root: &'a Value,
    problems: Problems,
    /// True where a secret may stand in the text.
    concealing: bool,
}

impl Shape<'_> {
    fn error(&mut self, at: Spot, message: String, hint: Option<String>) {
        self.problems.push(Problem::error(self.file, at, message).maybe_hint(hint).conceal(self.concealing));
    }

    /// `key` is the name under which the node stands, empty for the root and for items.
    fn check(&mut self, node: &Node, key_at: Spot, schema: &Value, key: &str) {
        let Value::Object(schema) = schema else { return };
        let outside = self.concealing;
        self.concealing |= may_hold_secret(node, schema);
        self.check_keywords(node, key_at, schema, key);
        self.concealing = outside;
    }

    fn check_keywords(&mut self, node: &Node, key_at: Spot, schema: &Map<String, Value>, key: &str) {
        if node.value == NodeValue::Unknown {
            return;
        }
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let root = self.root;
            if let Some(target) = reference.strip_prefix('#').and_then(|pointer| root.pointer(pointer)) {
                self.check(node, key_at, target, key);
            }
        }
        if !self.check_type(node, schema) || !self.check_words(node, schema) {
            return;
        }
        self.check_range(node, schema);
        match &node.value {
            NodeValue::Map(_) => self.check_map(node, key_at, schema),
            NodeValue::List(items) => {
                if let Some(item_schema) = schema.get("items") {
                    for item in items {
                        self.check(item, item.at, item_schema, "");
                    }
                }
            }
            _ => {}
        }
        for keyword in ["oneOf", "anyOf"] {
            if let Some(branches) = schema.get(keyword).and_then(Value::as_array) {
                self.check_branches(node, key_at, branches, key);
            }
        }
        for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            self.check(node, key_at, part, key);
        }
    }

    fn check_type(&mut self, node: &Node, schema: &Map<String, Value>) -> bool {
        let names: Vec<&str> = type_names(schema);
        if names.is_empty() || names.iter().any(|name| is_of_type(node, name)) {
            return true;
        }
        let expected = names.iter().map(|name| with_article(name)).collect::<Vec<_>>().join(" or ");
        if self.concealing {
            self.error(node.at, format!("expected {expected}, and never a value in clear text"), None);
            return false;
        }
        let hint = match (&node.value, names.as_slice()) {
            (NodeValue::Number(_) | NodeValue::Bool(_), ["string"]) => Some("put it in quotes".to_owned()),
            (NodeValue::String(text), ["integer" | "number" | "boolean"])
                if text.parse::<f64>().is_ok() || ["true", "false"].contains(&text.as_str()) =>
            {
                Some("take away the quotes".to_owned())
            }
            _ => None,
        };
        self.error(node.at, format!("expected {expected}, found {}", node.describe()), hint);
        false
    }

    fn check_words(&mut self, node: &Node, schema: &Map<String, Value>) -> bool {
        let allowed = match (schema.get("enum"), schema.get("const")) {
            (Some(Value::Array(values)), _) => values.clone(),
            (_, Some(value)) => vec![value.clone()],
            _ => return true,
        };
        if allowed.contains(&node.to_json()) {
            return true;
        }
        self.not_one_of(node, &allowed);
        false
    }

    fn not_one_of(&mut self, node: &Node, allowed: &[Value]) {
        let words: Vec<String> =
            allowed.iter().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).collect();
        let message = format!("expected {}, found {}", listed(words.iter().map(String::as_str), "or"), node.describe());
        let hint = node.as_str().and_then(|text| did_you_mean(text, words.iter().map(String::as_str)));
        self.error(node.at, message, hint);
    }

    fn check_range(&mut self, node: &Node, schema: &Map<String, Value>) {
        if let NodeValue::Number(number) = &node.value {
            let number = number.as_f64().unwrap_or(0.0);
            if let Some(minimum) =
                schema.get("minimum").filter(|minimum| minimum.as_f64().is_some_and(|least| number < least))
            {
                self.error(node.at, format!("expected at least {minimum}, found {}", node.describe()), None);
            }
            if let Some(maximum) =
                schema.get("maximum").filter(|maximum| maximum.as_f64().is_some_and(|most| number > most))
            {
                self.error(node.at, format!("expected at most {maximum}, found {}", node.describe()), None);
            }
        }
        let least = |keyword: &str| schema.get(keyword).and_then(Value::as_u64).unwrap_or(0);
        let short = match &node.value {
            NodeValue::String(text) => (text.chars().count() as u64) < least("minLength"),
            NodeValue::List(items) => (items.len() as u64) < least("minItems"),
            NodeValue::Map(entries) => (entries.len() as u64) < least("minProperties"),
            _ => false,
        };
        if short {
            self.error(node.at, "this must not be empty".to_owned(), None);
        }
    }

    fn check_map(&mut self, node: &Node, key_at: Spot, schema: &Map<String, Value>) {
        let empty = Map::new();
        let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&empty);
        for entry in node.entries() {
            match (properties.get(&entry.key), schema.get("additionalProperties")) {
                (Some(property), _) => self.check(&entry.value, entry.key_at, property, &entry.key),
                (None, Some(Value::Bool(false))) => {
                    let known = || properties.keys().map(String::as_str);
                    let hint = did_you_mean(&entry.key, known()).or_else(|| {
                        (!properties.is_empty()).then(|| format!("known keys are {}", listed(known(), "and")))
                    });
                    self.error(entry.key_at, format!("unknown key `{}`", entry.key), hint);
                }
                (None, Some(others)) => self.check(&entry.value, entry.key_at, others, ""),
                (None, None) => {}
            }
        }
        for required in schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
        {
            if node.entry(required).is_none() {
                let what =
                    properties.get(required).and_then(|property| property.get("description")).and_then(Value::as_str);
                self.error(
                    key_at,
                    format!("the key `{required}` is missing"),
                    what.map(|what| format!("`{required}`: {what}")),
                );
            }
        }
    }

    fn check_branches(&mut self, node: &Node, key_at: Spot, branches: &[Value], key: &str) {
        if let Some(keys) = alternatives(branches) {
            if matches!(node.value, NodeValue::Map(_)) {
                self.check_exactly_one(node, key_at, &keys);
            }
        } else if let Some(words) = branches.iter().map(words_of).collect::<Option<Vec<_>>>() {
            let words = words.concat();
            if !words.contains(&node.to_json()) {
                self.not_one_of(node, &words);
            }
        } else if let Some(discriminator) = discriminator(branches) {
            self.check_discriminated(node, key_at, branches, discriminator);
        } else {
            self.check_best(node, key_at, branches, key);
        }
    }

    fn check_exactly_one(&mut self, node: &Node, key_at: Spot, keys: &[&str]) {
        let present: Vec<&str> = keys.iter().copied().filter(|key| node.entry(key).is_some()).collect();
        match present.as_slice() {
            [_] => {}
            [] => self.error(key_at, format!("one of {} must be given", listed(keys.iter().copied(), "or")), None),
            [_, second, ..] => {
                let at = node.entry(second).map_or(key_at, |entry| entry.key_at);
                let message = format!("{} exclude each other", listed(present.iter().copied(), "and"));
                self.error(at, message, Some("keep one of them".to_owned()));
            }
        }
    }

    fn check_discriminated(&mut self, node: &Node, key_at: Spot, branches: &[Value], discriminator: &str) {
        if !matches!(node.value, NodeValue::Map(_)) {
            return self.error(node.at, format!("expected a map, found {}", node.describe()), None);
        }
        let constant = |branch: &Value| branch["properties"][discriminator]["const"].clone();
        let Some(chosen) = node.get(discriminator) else {
            let words = branches.iter().map(constant).collect::<Vec<_>>();
            let words = listed(words.iter().filter_map(Value::as_str), "or");
            return self.error(
                key_at,
                format!("the key `{discriminator}` is missing"),
                Some(format!("it is one of {words}")),
            );
        };
        if chosen.value == NodeValue::Unknown {
            return;
        }
        match branches.iter().find(|branch| constant(branch) == chosen.to_json()) {
            Some(branch) => self.check(node, key_at, branch, ""),
            None => self.not_one_of(chosen, &branches.iter().map(constant).collect::<Vec<_>>()),
        }
    }

    /// Takes the branch that fits, or else reports what the nearest one says.
    fn check_best(&mut self, node: &Node, key_at: Spot, branches: &[Value], key: &str) {
        let fits_type = |branch: &&Value| {
            let names = self.resolved(branch).map(type_names).unwrap_or_default();
            names.is_empty() || names.iter().any(|name| is_of_type(node, name))
        };
        let fitting: Vec<&Value> = branches.iter().filter(fits_type).collect();
        if fitting.is_empty() {
            let mut names: Vec<&str> =
                branches.iter().filter_map(|branch| self.resolved(branch)).flat_map(type_names).collect();
            names.dedup();
            let expected: Vec<&str> = names.into_iter().map(with_article).collect();
            return self.error(node.at, format!("expected {}, found {}", expected.join(" or "), node.describe()), None);
        }
        let mut best: Option<Problems> = None;
        for branch in fitting {
            let (file, root, concealing) = (self.file, self.root, self.concealing);
            let mut trial = Shape { file, root, problems: Problems::default(), concealing };
            trial.check(node, key_at, branch, key);
            if best.as_ref().is_none_or(|best| trial.problems.len() < best.len()) {
                best = Some(trial.problems);
            }
        }
        self.problems.extend(best.unwrap_or_default());
    }

    fn resolved<'b>(&'b self, schema: &'b Value) -> Option<&'b Map<String, Value>> {
        match schema.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#')) {
            Some(pointer) => self.root.pointer(pointer)?.as_object(),
            None => schema.as_object(),
        }
    }
}

/// Tells whether somebody may have written a secret itself where the schema has the way to it (`writeOnly`): as a bare
/// value, or under a key that does not exist.
fn may_hold_secret(node: &Node, schema: &Map<String, Value>) -> bool {
    let known = schema.get("properties").and_then(Value::as_object);
    let is_unknown = |entry: &Entry| known.is_some_and(|known| !known.contains_key(&entry.key));
    schema.get("writeOnly") == Some(&Value::Bool(true))
        && (!matches!(node.value, NodeValue::Map(_)) || node.entries().iter().any(is_unknown))
}

fn type_names(schema: &Map<String, Value>) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(name)) => vec![name.as_str()],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn is_of_type(node: &Node, name: &str) -> bool {
    match &node.value {
        NodeValue::Unknown => true,
        NodeValue::Null => name == "null",
        NodeValue::Bool(_) => name == "boolean",
        NodeValue::Number(number) => name == "number" || (name == "integer" && !number.is_f64()),
        NodeValue::String(_) => name == "string",
        NodeValue::List(_) => name == "array",
        NodeValue::Map(_) => name == "object",
    }
}

fn with_article(type_name: &str) -> &str {
    match type_name {
        "object" => "a map",
        "array" => "a list",
        "string" => "a string",
        "integer" => "an integer",
        "number" => "a number",
        "boolean" => "a boolean",
        "null" => "nothing",
        other => other,
    }
}

/// Returns the keys of `oneOf: [{required: [a]}, {required: [b]}]`.
fn alternatives(branches: &[Value]) -> Option<Vec<&str>> {
    branches
        .iter()
        .map(|branch| match (branch.as_object()?.len(), branch.get("required")?.as_array()?.as_slice()) {
            (1, [Value::String(key)]) => Some(key.as_str()),
            _ => None,
        })
        .collect()
}

/// Returns the words that a branch allows, if it allows nothing else.
fn words_of(branch: &Value) -> Option<Vec<Value>> {
    match (branch.get("const"), branch.get("enum")) {
        (Some(word), _) => Some(vec![word.clone()]),
        (None, Some(Value::Array(words))) => Some(words.clone()),
        _ => None,
    }
}

/// Returns the property that has another constant in each branch.
fn discriminator(branches: &[Value]) -> Option<&str> {
    let properties = branches.first()?.get("properties")?.as_object()?;
    let constant = |branch: &Value, name: &str| branch.pointer(&format!("/properties/{name}/const")).is_some();
    properties.keys().map(String::as_str).find(|name| branches.iter().all(|branch| constant(branch, name)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::super::schema::shape_schema;

    /// A keyword that is not understood would be passed over in silence.
    #[test]
    fn every_keyword_of_the_schema_is_understood() {
        const CHECKED: &[&str] = &[
            "$ref",
            "type",
            "required",
            "enum",
            "const",
            "minimum",
            "maximum",
            "minLength",
            "minItems",
            "minProperties",
            "writeOnly",
        ];
        const TOLD: &[&str] = &["$schema", "title", "description", "default", "examples", "format"];
        fn look(schema: &Value, unknown: &mut BTreeSet<String>) {
            for (keyword, value) in schema.as_object().into_iter().flatten() {
                match (keyword.as_str(), value) {
                    ("properties" | "$defs", Value::Object(named)) => named.values().for_each(|one| look(one, unknown)),
                    ("oneOf" | "anyOf" | "allOf", Value::Array(branches)) => {
                        branches.iter().for_each(|branch| look(branch, unknown));
                    }
                    ("items" | "additionalProperties", value) => look(value, unknown),
                    (keyword, _) if CHECKED.contains(&keyword) || TOLD.contains(&keyword) => {}
                    (keyword, _) => drop(unknown.insert(keyword.to_owned())),
                }
            }
        }
        let mut unknown = BTreeSet::new();
        look(shape_schema(), &mut unknown);
        assert_eq!(unknown, BTreeSet::new());
    }
}
