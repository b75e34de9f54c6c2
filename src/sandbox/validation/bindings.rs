//! Bindings of admission policies.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Problems;
use super::meta;
use super::names::NameRule;
use super::path::Path;
use super::policies;
use super::read::{Read, texts};
use super::selector;

/// A binding, new or changed.
pub(super) fn of(object: &Value, problems: &mut Problems) {
    meta::generic(object, false, NameRule::Subdomain, problems);
    let spec = object.field("spec").unwrap_or(&Value::Null);
    let path = Path::new("spec");
    match spec.text("policyName") {
        "" => problems.push(path.child("policyName").required("")),
        policy => problems.extend(path.child("policyName").each(policy, NameRule::Subdomain.of_name(policy))),
    }
    if let Some(parameters) = spec.field("paramRef") {
        parameter(parameters, &path.child("paramRef"), problems);
    }
    if let Some(resources) = spec.field("matchResources") {
        policies::matched(resources, &path.child("matchResources"), problems);
    }
    actions(spec, &path.child("validationActions"), problems);
}

fn parameter(parameters: &Value, path: &Path, problems: &mut Problems) {
    let name = parameters.text("name");
    let selector = parameters.field("selector");
    let exclusive = "name and selector are mutually exclusive";
    if !name.is_empty() {
        problems.extend(path.child("name").each(name, NameRule::Segment.of_name(name)));
        if selector.is_some() {
            problems.push(path.child("name").forbidden(exclusive));
        }
    }
    if let Some(selector) = selector {
        selector::of(selector, &path.child("selector"), problems);
        if !name.is_empty() {
            problems.push(path.child("selector").forbidden(exclusive));
        }
    } else if name.is_empty() {
        problems.push(path.required("one of name or selector must be specified"));
    }
    match parameters.text("parameterNotFoundAction") {
        "" => problems.push(path.child("parameterNotFoundAction").required("")),
        "Deny" | "Allow" => {}
        other => problems.push(path.child("parameterNotFoundAction").not_supported(other, &["Deny", "Allow"])),
    }
}

fn actions(spec: &Value, path: &Path, problems: &mut Problems) {
    let known = ["Audit", "Deny", "Warn"];
    let listed = spec.list("validationActions");
    let mut met = BTreeSet::new();
    for (index, action) in texts(listed).enumerate() {
        if !known.contains(&action) {
            problems.push(path.index(index).not_supported(action, &known));
        }
        if !met.insert(action) {
            problems.push(path.index(index).duplicate(action));
        }
    }
    if met.contains("Deny") && met.contains("Warn") {
        problems.push(path.invalid(
            listed.to_vec(),
            "must not contain both Deny and Warn (repeating the same validation failure information in the API response \
             and headers serves no purpose)",
        ));
    }
    if met.is_empty() {
        problems.push(path.required("at least one validation action is required"));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sandbox::validation::tests::lines;

    #[test]
    fn a_binding_names_a_policy_and_says_what_to_do() {
        let mut problems = Problems::new();
        of(&json!({"metadata": {"name": "a"}, "spec": {"validationActions": [""]}}), &mut problems);
        assert_eq!(
            lines(&problems),
            "spec.policyName: Required value\n\
             spec.validationActions[0]: Unsupported value: \"\": supported values: \"Audit\", \"Deny\", \"Warn\"\n"
        );
    }
}
