//! What a schema of a definition may say, structural or not.
//!
//! Source: `ValidateCustomResourceDefinitionOpenAPISchema` of apiextensions.

use serde_json::Value;

use super::go_form;
use super::structural_rules::list_key_problems;
use super::subject::field_path;
use crate::sandbox::custom::rules;
use crate::sandbox::custom::structural::{default_of, flag, is_embedded, items, properties, schemas, text, texts};
use crate::sandbox::refusal::{FieldProblem, ProblemSort};

const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];
const REASONS: [&str; 4] = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];

/// What is known of the place of a schema.
#[derive(Debug, Clone, Default)]
struct Place {
    /// Why there may be no default, if so.
    no_defaults: Option<String>,
    in_metadata: bool,
    is_root: bool,
    /// Whether what nests it is structural itself, so that its rules are read.
    reads_rules: bool,
}

/// Returns what is wrong with a schema: first all but the rules, then the rules themselves.
pub(super) fn schema_problems(schema: &Value, path: &str, reads_rules: bool) -> Vec<FieldProblem> {
    let (mut problems, mut of_rules) = (Vec::new(), Vec::new());
    let place = Place { is_root: true, reads_rules, ..Place::default() };
    check(schema, &place, path, &mut problems, &mut of_rules);
    problems.append(&mut of_rules);
    problems
}

fn check(
    schema: &Value,
    place: &Place,
    path: &str,
    problems: &mut Vec<FieldProblem>,
    of_rules: &mut Vec<FieldProblem>,
) {
    let before = problems.len();
    plain(schema, place, path, problems);
    if flag(schema, "uniqueItems") {
        let why = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
        problems.push(FieldProblem::forbidden(format!("{path}.uniqueItems"), why));
    }
    let inner = Place { is_root: false, ..place.clone() };
    let additional = schema.get("additionalProperties").filter(|additional| !additional.is_null());
    if let Some(additional) = additional {
        let path = format!("{path}.additionalProperties");
        if properties(schema).next().is_some() && *additional != Value::Bool(true) {
            problems.push(FieldProblem::forbidden(&path, "additionalProperties and properties are mutual exclusive"));
        }
        if additional.is_object() {
            let mut inner = inner.clone();
            if inner.in_metadata {
                inner.no_defaults = Some("inside additionalProperties applying to object metadata".to_owned());
            }
            check(additional, &inner, &path, problems, of_rules);
        }
    }
    for (name, property) in properties(schema) {
        let mut inner = inner.clone();
        if (place.is_root || is_embedded(schema)) && matches!(name.as_str(), "metadata" | "kind" | "apiVersion") {
            inner.in_metadata = true;
            if place.is_root {
                inner.no_defaults = Some(format!("in top-level {name}"));
            }
        }
        check(property, &inner, &format!("{path}.properties[{name}]"), problems, of_rules);
    }
    let nested = Place { reads_rules: false, ..inner.clone() };
    if let Some(not) = schema.get("not").filter(|not| not.is_object()) {
        check(not, &nested, &format!("{path}.not"), problems, of_rules);
    }
    for key in ["allOf", "oneOf", "anyOf"] {
        for (index, one) in schemas(schema, key).enumerate() {
            check(one, &nested, &format!("{path}.{key}[{index}]"), problems, of_rules);
        }
    }
    if let Some(items) = items(schema) {
        check(items, &inner, &format!("{path}.items"), problems, of_rules);
    }
    extensions(schema, path, problems);
    list_key_problems(schema, path, problems);
    rules_are_well_formed(schema, path, problems);
    if place.reads_rules && problems.len() == before {
        rules_can_be_read(schema, path, of_rules);
    }
}

fn plain(schema: &Value, place: &Place, path: &str, problems: &mut Vec<FieldProblem>) {
    let kind = text(schema, "type");
    if !kind.is_empty() && !TYPES.contains(&kind) {
        problems.push(FieldProblem::not_supported(format!("{path}.type"), &Value::from(kind), &TYPES));
    }
    let mut forbid = |key: &str, why: String| problems.push(FieldProblem::forbidden(format!("{path}.{key}"), why));
    if default_of(schema).is_some()
        && let Some(reason) = &place.no_defaults
    {
        forbid("default", format!("must not be set {reason}"));
    }
    for key in ["id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref"] {
        if schema.get(key).is_some_and(|value| !value.is_null()) {
            forbid(key, format!("{key} is not supported"));
        }
    }
    if kind == "null" {
        forbid("type", "type cannot be set to null, use nullable as an alternative".to_owned());
    }
    if schema.get("items").is_some_and(Value::is_array) {
        forbid("items", "items must be a schema object and not an array".to_owned());
    }
    if place.in_metadata && is_embedded(schema) {
        forbid("x-kubernetes-embedded-resource", "must not be used inside of resource meta".to_owned());
    }
}

fn extensions(schema: &Value, path: &str, problems: &mut Vec<FieldProblem>) {
    let kind = text(schema, "type");
    let of = |key: &str| schema.get(key).and_then(Value::as_str);
    let keeps = "x-kubernetes-preserve-unknown-fields";
    if schema.get(keeps) == Some(&Value::Bool(false)) {
        let why = "must be true or undefined";
        problems.push(FieldProblem::invalid(format!("{path}.{keeps}"), &Value::Bool(false), why));
    }
    let wants = |wanted: &str, key: &str| {
        let (path, why) = (format!("{path}.type"), format!("must be {wanted} if {key} is specified"));
        match kind {
            "" => FieldProblem::required(path, why),
            kind => FieldProblem::invalid(path, &Value::from(kind), why),
        }
    };
    let (map_type, list_type) = (of("x-kubernetes-map-type"), of("x-kubernetes-list-type"));
    if map_type.is_some() && kind != "object" {
        problems.push(wants("object", "x-kubernetes-map-type"));
    }
    if let Some(map_type) = map_type.filter(|map_type| !matches!(*map_type, "atomic" | "granular")) {
        let path = format!("{path}.x-kubernetes-map-type");
        problems.push(FieldProblem::not_supported(path, &Value::from(map_type), &["atomic", "granular"]));
    }
    if list_type.is_some() && kind != "array" {
        problems.push(wants("array", "x-kubernetes-list-type"));
    } else if let (Some("set"), Some(item)) = (list_type, items(schema)) {
        set_item(item, path, problems);
    }
    if let Some(list_type) = list_type.filter(|list_type| !matches!(*list_type, "atomic" | "set" | "map")) {
        let path = format!("{path}.x-kubernetes-list-type");
        problems.push(FieldProblem::not_supported(path, &Value::from(list_type), &["atomic", "set", "map"]));
    }
    let keys = texts(schema, "x-kubernetes-list-map-keys");
    if !keys.is_empty() && list_type != Some("map") {
        let (path, why) =
            (format!("{path}.x-kubernetes-list-type"), "must be map if x-kubernetes-list-map-keys is non-empty");
        problems.push(match list_type {
            None => FieldProblem::required(path, why),
            Some(list_type) => FieldProblem::invalid(path, &Value::from(list_type), why),
        });
    }
    if list_type == Some("map") {
        map_items(schema, &keys, path, problems);
    }
}

fn set_item(item: &Value, path: &str, problems: &mut Vec<FieldProblem>) {
    let why = "must be atomic as item of a list with x-kubernetes-list-type=set";
    let list_type = item.get("x-kubernetes-list-type").unwrap_or(&Value::Null);
    match text(item, "type") {
        "array" if !list_type.is_null() && *list_type != "atomic" => {
            problems.push(FieldProblem::invalid(format!("{path}.items.x-kubernetes-list-type"), list_type, why));
        }
        "object" if text(item, "x-kubernetes-map-type") != "atomic" => {
            // The server shows the list type here, which is none.
            problems.push(FieldProblem::invalid(format!("{path}.items.x-kubernetes-map-type"), list_type, why));
        }
        _ => {}
    }
}

fn map_items(schema: &Value, keys: &[&str], path: &str, problems: &mut Vec<FieldProblem>) {
    let keys_path = format!("{path}.x-kubernetes-list-map-keys");
    if keys.is_empty() {
        problems.push(FieldProblem::required(&keys_path, "must not be empty if x-kubernetes-list-type is map"));
    }
    let Some(item) = items(schema) else {
        let why = "must have a schema if x-kubernetes-list-type is map";
        problems.push(FieldProblem::required(format!("{path}.items"), why));
        return;
    };
    let kind = text(item, "type");
    if kind != "object" {
        let why = "must be object if parent array's x-kubernetes-list-type is map";
        problems.push(FieldProblem::invalid(format!("{path}.items.type"), &Value::from(kind), why));
        return;
    }
    for (index, key) in keys.iter().enumerate() {
        match item.get("properties").and_then(|properties| properties.get(*key)) {
            Some(property) if matches!(text(property, "type"), "array" | "object") => {
                let path = format!("{path}.items.properties[{key}].type");
                let why = "must be a scalar type if parent array's x-kubernetes-list-type is map";
                problems.push(FieldProblem::invalid(path, &Value::from(kind), why));
            }
            Some(_) => {}
            None => {
                let why = "entries must all be names of item properties";
                problems.push(FieldProblem::invalid(&keys_path, &Value::from(keys.to_vec()), why));
            }
        }
        if keys.iter().take(index).any(|other| other == key) {
            problems.push(FieldProblem::invalid(
                &keys_path,
                &Value::from(keys.to_vec()),
                "must not contain duplicate entries",
            ));
        }
    }
}

fn rules_are_well_formed(schema: &Value, path: &str, problems: &mut Vec<FieldProblem>) {
    let broken = |text: &str| text.contains(['\n', '\r']);
    for (index, rule) in schemas(schema, "x-kubernetes-validations").enumerate() {
        let path = format!("{path}.x-kubernetes-validations[{index}]");
        let value = |key: &str| Value::from(text(rule, key));
        let (message, expression) = (text(rule, "message"), text(rule, "rule").trim());
        if expression.is_empty() {
            problems.push(FieldProblem::required(format!("{path}.rule"), "rule is not specified"));
        } else if !message.is_empty() && message.trim().is_empty() {
            let why = "must be non-empty if specified";
            problems.push(FieldProblem::invalid(format!("{path}.message"), &value("message"), why));
        } else if broken(message.trim()) {
            let why = "must not contain line breaks";
            problems.push(FieldProblem::invalid(format!("{path}.message"), &value("message"), why));
        } else if broken(expression) && message.trim().is_empty() {
            let why = "message must be specified if rule contains line breaks";
            problems.push(FieldProblem::required(format!("{path}.message"), why));
        }
        let message_expression = text(rule, "messageExpression");
        if !message_expression.is_empty() && message_expression.trim().is_empty() {
            let why = "messageExpression must be non-empty if specified";
            problems.push(FieldProblem::required(format!("{path}.messageExpression"), why));
        }
        if let Some(reason) = rule.get("reason").and_then(Value::as_str).filter(|reason| !REASONS.contains(reason)) {
            problems.push(FieldProblem::not_supported(format!("{path}.reason"), &Value::from(reason), &REASONS));
        }
        let subject = text(rule, "fieldPath");
        let mut wrong =
            |why: &str| problems.push(FieldProblem::invalid(format!("{path}.fieldPath"), &value("fieldPath"), why));
        if !subject.is_empty() && subject.trim().is_empty() {
            wrong("must be non-empty if specified");
        }
        if broken(subject) {
            wrong("must not contain line breaks");
        }
        if !subject.is_empty() && field_path(subject, schema, true).is_err() {
            wrong("must be a valid path");
        }
    }
}

fn rules_can_be_read(schema: &Value, path: &str, problems: &mut Vec<FieldProblem>) {
    for (index, rule) in schemas(schema, "x-kubernetes-validations").enumerate() {
        let path = format!("{path}.x-kubernetes-validations[{index}]");
        for key in ["rule", "messageExpression"] {
            let expression = text(rule, key);
            if !expression.is_empty()
                && let Some(why) = rules::syntax_error(expression)
            {
                problems.push(FieldProblem {
                    sort: ProblemSort::Invalid,
                    field: format!("{path}.{key}"),
                    detail: format!("compilation failed: {why}"),
                    value: Some(go_form::rule(rule)),
                });
            }
        }
        let option = rule.get("optionalOldSelf").filter(|option| !option.is_null());
        if let Some(option) = option
            && !rules::uses_old_self(text(rule, "rule"))
        {
            let why = "may not be set if oldSelf is not used in rule";
            problems.push(FieldProblem::invalid(format!("{path}.optionalOldSelf"), option, why));
        }
    }
}
