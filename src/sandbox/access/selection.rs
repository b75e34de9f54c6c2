//! The selectors of access reviews: what is wrong with them, and which are ignored. No stored role speaks of them.

use serde_json::Value;

use crate::sandbox::{
    read::{FieldSelector, LabelSelector},
    refusal::FieldProblem,
    validation::{label_value, qualified},
};

/// Both selectors of `resourceAttributes`.
const BOTH: [&str; 2] = ["fieldSelector", "labelSelector"];

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

/// Tells what is wrong with the selectors.
pub(super) fn problems(resource: &Value) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    for name in BOTH.into_iter().filter(|name| !resource[*name].is_null()) {
        let (selector, path) = (&resource[name], format!("spec.resourceAttributes.{name}"));
        let requirements = list(selector, "requirements");
        match (text(selector, "rawSelector").is_empty(), requirements.is_empty()) {
            (false, false) => {
                let why = "may not specified at the same time as requirements";
                let path = format!("{path}.rawSelector");
                problems.push(FieldProblem::invalid(path, &selector["rawSelector"], why));
            }
            (true, true) => {
                let why = format!("when {path} is specified, requirements or rawSelector is required");
                problems.push(FieldProblem::required(format!("{path}.requirements"), why));
            }
            _ => {}
        }
        for (index, requirement) in requirements.iter().enumerate() {
            let path = format!("{path}.requirements[{index}]");
            of_requirement(requirement, name == "labelSelector", &path, &mut problems);
        }
    }
    problems
}

/// An operator that is not known is none that is wrong: a later client may know it.
fn of_requirement(requirement: &Value, of_labels: bool, path: &str, problems: &mut Vec<FieldProblem>) {
    let (key, values) = (text(requirement, "key"), list(requirement, "values"));
    if !of_labels && key.is_empty() {
        problems.push(FieldProblem::required(format!("{path}.key"), "must be specified"));
    }
    match text(requirement, "operator") {
        "In" | "NotIn" if values.is_empty() => {
            let why = "must be specified when `operator` is 'In' or 'NotIn'";
            problems.push(FieldProblem::required(format!("{path}.values"), why));
        }
        "Exists" | "DoesNotExist" if !values.is_empty() => {
            let why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
            problems.push(FieldProblem::forbidden(format!("{path}.values"), why));
        }
        _ => {}
    }
    if !of_labels {
        return;
    }
    let wrong = qualified(key).into_iter();
    problems.extend(wrong.map(|why| FieldProblem::invalid(format!("{path}.key"), &requirement["key"], why)));
    for (index, value) in values.iter().enumerate() {
        let wrong = label_value(value.as_str().unwrap_or_default()).into_iter();
        problems.extend(wrong.map(|why| FieldProblem::invalid(format!("{path}.values[{index}]"), value, why)));
    }
}

/// Says which selectors cannot be read, and so are ignored, whole or in part.
pub(super) fn ignored(resource: &Value) -> Option<String> {
    let said = BOTH.into_iter().filter_map(|name| {
        let (selector, of_labels) = (&resource[name], name == "labelSelector");
        let raw = text(selector, "rawSelector");
        let is_bad = match of_labels {
            true => LabelSelector::read(raw).is_err(),
            false => FieldSelector::read(raw).is_err(),
        };
        let requirements = list(selector, "requirements");
        let good = requirements.iter().filter(|requirement| is_read(requirement, of_labels)).count();
        if !is_bad && good == requirements.len() {
            return None;
        }
        let part = if good > 0 { "partially ignored" } else { "ignored" };
        Some(format!("spec.resourceAttributes.{name} {part} due to parse error"))
    });
    let said: Vec<String> = said.collect();
    (!said.is_empty()).then(|| said.join("; "))
}

/// Of fields only single values are compared.
fn is_read(requirement: &Value, of_labels: bool) -> bool {
    match text(requirement, "operator") {
        "In" | "NotIn" => of_labels || list(requirement, "values").len() == 1,
        "Exists" | "DoesNotExist" => of_labels,
        _ => false,
    }
}
