//! What is refused in one version of a definition, or in what all versions have in common.

use serde_json::Value;

use super::go_form;
use super::openapi_rules::schema_problems;
use super::structural_rules::{can_be_structural, structural_problems};
use super::subject::field_path;
use crate::sandbox::custom::prune::prune_schema;
use crate::sandbox::custom::structural::{default_of, flag, is_embedded, items, properties, schemas, text};
use crate::sandbox::custom::validate::check_default;
use crate::sandbox::refusal::{FieldProblem, ProblemSort};

const COLUMN_TYPES: [&str; 5] = ["boolean", "date", "integer", "number", "string"];
const COLUMN_FORMATS: [&str; 8] = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];
const ALLOWED_AT_ROOT: &str = "[Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems \
     MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields XValidations]";
/// These the server comes to before the type.
const NOT_ALLOWED_FIRST: [&str; 3] = ["id", "$schema", "$ref"];
const NOT_ALLOWED_AT_ROOT: [&str; 19] = [
    "default",
    "enum",
    "maxProperties",
    "minProperties",
    "allOf",
    "oneOf",
    "anyOf",
    "not",
    "additionalProperties",
    "patternProperties",
    "dependencies",
    "additionalItems",
    "definitions",
    "nullable",
    "x-kubernetes-embedded-resource",
    "x-kubernetes-int-or-string",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-list-type",
    "x-kubernetes-map-type",
];

pub(super) fn check_schema(schema: &Value, has_status: bool, path: &str, problems: &mut Vec<FieldProblem>) {
    let kind = text(schema, "type");
    let before = problems.len();
    let has_any = |keys: &[&str]| {
        let is_set = |value: &Value| !value.is_null() && *value != false && *value != "";
        keys.iter().any(|key| schema.get(*key).is_some_and(is_set))
    };
    if has_status && !kind.is_empty() && kind != "object" && !has_any(&NOT_ALLOWED_FIRST) {
        let why =
            "only \"object\" is allowed as the type at the root of the schema if the status subresource is enabled";
        problems.push(FieldProblem::invalid(format!("{path}.type"), &Value::from(kind), why));
    } else if has_status && (has_any(&NOT_ALLOWED_FIRST) || has_any(&NOT_ALLOWED_AT_ROOT)) {
        problems.push(FieldProblem {
            sort: ProblemSort::Invalid,
            field: path.to_owned(),
            detail: format!(
                "only {ALLOWED_AT_ROOT} fields are allowed at the root of the schema if the status subresource is enabled"
            ),
            value: Some(go_form::schema(schema)),
        });
    }
    if flag(schema, "nullable") {
        problems.push(FieldProblem::forbidden(format!("{path}.nullable"), "nullable cannot be true at the root"));
    }
    let mut structural = Vec::new();
    let can_be_structural = can_be_structural(schema);
    if can_be_structural {
        structural = structural_problems(schema, path);
        if structural.is_empty() {
            check_defaults(schema, path, &mut structural);
        }
    }
    let reads_rules = structural.is_empty();
    problems.append(&mut structural);
    problems.append(&mut schema_problems(schema, path, reads_rules && can_be_structural));
    if !can_be_structural && problems.len() == before {
        // All else that no structural schema has was told already.
        let why = "OpenAPIV3Schema 'schema' is not supported";
        problems.push(FieldProblem::invalid(path, &Value::from(""), why));
    }
}

/// Defaults must be what the schema allows.
fn check_defaults(schema: &Value, path: &str, problems: &mut Vec<FieldProblem>) {
    if let Some(default) = default_of(schema) {
        let path = format!("{path}.default");
        let mut pruned = default.clone();
        prune_schema(schema, &mut pruned, is_embedded(schema));
        if pruned != *default {
            problems.push(FieldProblem::invalid(&path, default, "must not have unknown fields"));
        }
        problems.append(&mut check_default(schema, default, &path));
    }
    if let Some(items) = items(schema) {
        check_defaults(items, &format!("{path}.items"), problems);
    }
    for (name, property) in properties(schema) {
        check_defaults(property, &format!("{path}.properties[{name}]"), problems);
    }
}

fn check_path(value: &str, path: &str, problems: &mut Vec<FieldProblem>) -> bool {
    let is_simple = value.starts_with('.');
    if !is_simple {
        let why = "must be a simple json path starting with .";
        problems.push(FieldProblem::invalid(path, &Value::from(value), why));
    }
    is_simple
}

pub(super) fn check_subresources(version: &Value, path: &str, problems: &mut Vec<FieldProblem>) {
    let Some(scale) = version.pointer("/subresources/scale").filter(|scale| scale.is_object()) else { return };
    let all: [(&str, &[&str], &str); 3] = [
        ("specReplicasPath", &[".spec."], "should be a json path under .spec"),
        ("statusReplicasPath", &[".status."], "should be a json path under .status"),
        ("labelSelectorPath", &[".spec.", ".status."], "should be a json path under either .spec or .status"),
    ];
    for (key, prefixes, why) in all {
        let (value, path) = (text(scale, key), format!("{path}.scale.{key}"));
        if value.is_empty() {
            if key != "labelSelectorPath" {
                problems.push(FieldProblem::required(path, ""));
            }
        } else if check_path(value, &path, problems) && !prefixes.iter().any(|prefix| value.starts_with(prefix)) {
            problems.push(FieldProblem::invalid(path, &Value::from(value), why));
        }
    }
}

pub(super) fn check_columns(version: &Value, path: &str, problems: &mut Vec<FieldProblem>) {
    for (index, column) in schemas(version, "additionalPrinterColumns").enumerate() {
        let path = format!("{path}[{index}]");
        if text(column, "name").is_empty() {
            problems.push(FieldProblem::required(format!("{path}.name"), ""));
        }
        let kind = text(column, "type");
        let one_of = format!("must be one of {}", COLUMN_TYPES.join(","));
        if kind.is_empty() {
            problems.push(FieldProblem::required(format!("{path}.type"), one_of));
        } else if !COLUMN_TYPES.contains(&kind) {
            problems.push(FieldProblem::invalid(format!("{path}.type"), &Value::from(kind), one_of));
        }
        let format = text(column, "format");
        if !format.is_empty() && !COLUMN_FORMATS.contains(&format) {
            let why = format!("must be one of {}", COLUMN_FORMATS.join(","));
            problems.push(FieldProblem::invalid(format!("{path}.format"), &Value::from(format), why));
        }
        match text(column, "jsonPath") {
            "" => problems.push(FieldProblem::required(format!("{path}.JSONPath"), "")),
            value => {
                check_path(value, &format!("{path}.JSONPath"), problems);
            }
        }
    }
}

pub(super) fn check_selectable(version: &Value, path: &str, problems: &mut Vec<FieldProblem>) {
    let Some(schema) = version.pointer("/schema/openAPIV3Schema") else { return };
    let mut known: Vec<String> = Vec::new();
    for (index, field) in schemas(version, "selectableFields").enumerate() {
        let path = format!("{path}[{index}].jsonPath");
        let value = text(field, "jsonPath");
        if value.is_empty() {
            problems.push(FieldProblem::required(path, ""));
            continue;
        }
        let (written, found) = match field_path(value, schema, false) {
            Ok(found) => found,
            Err(why) => {
                let why = format!("is an invalid path: {why}");
                problems.push(FieldProblem::invalid(path, &Value::from(value), why));
                continue;
            }
        };
        if written == "metadata" || written.starts_with("metadata.") {
            let why = "must not point to fields in metadata";
            problems.push(FieldProblem::invalid(&path, &Value::from(value), why));
        }
        if !matches!(text(found, "type"), "string" | "boolean" | "integer") {
            let why = "must point to a field of type string, boolean or integer. Enum string fields and strings with \
                       formats are allowed.";
            problems.push(FieldProblem::invalid(&path, &Value::from(value), why));
        }
        if known.contains(&written) {
            problems.push(FieldProblem::duplicate(path, &Value::from(value)));
        } else {
            known.push(written);
        }
    }
    if known.len() > 8 {
        problems.push(FieldProblem::too_many(path, known.len(), 8));
    }
}
