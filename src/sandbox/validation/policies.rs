//! Admission policies: what they look at, and the expressions that decide.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::Problems;
use super::conditions;
use super::expressions::{RESERVED_WORDS, Scope, Sort, compile, compile_to};
use super::meta;
use super::names::{self, NameRule};
use super::numbers;
use super::path::Path;
use super::read::{Read, texts};
use super::same::same_field;
use super::selector;
use super::webhooks;

const MOST_CONDITIONS: usize = 64;
const MOST_ANNOTATIONS: usize = 20;
const LONGEST_ANNOTATION: usize = 5 * 1024;
const REASONS: [&str; 3] = ["Forbidden", "Invalid", "RequestEntityTooLarge"];

/// A ValidatingAdmissionPolicy, new or changed.
pub(super) fn of(live: Option<&Value>, object: &Value, problems: &mut Problems) {
    meta::generic(object, false, NameRule::Subdomain, problems);
    let none = Value::Object(Map::new());
    let spec = object.field("spec").unwrap_or(&none);
    let path = Path::new("spec");
    match spec.maybe_text("failurePolicy") {
        None => problems.push(path.child("failurePolicy").required("")),
        policy => numbers::one_of_if_any(policy, &["Fail", "Ignore"], &path.child("failurePolicy"), problems),
    }
    let parameters = spec.field("paramKind");
    if let Some(kind) = parameters {
        parameter_kind(kind, &path.child("paramKind"), problems);
    }
    let at = path.child("matchConstraints");
    match spec.field("matchConstraints") {
        None => problems.push(at.required("")),
        Some(constraints) => {
            matched(constraints, &at, problems);
            if constraints.list("resourceRules").is_empty() {
                problems.push(at.child("resourceRules").required(""));
            }
        }
    }
    let before = live.map(|live| live.field("spec").unwrap_or(&none));
    let is_same = |name: &str| before.is_some_and(|before| same_field(name, before, spec));
    if !is_same("paramKind") || !is_same("matchConditions") {
        let at = path.child("matchConditions");
        match_conditions(spec.list("matchConditions"), parameters.is_some(), &at, problems);
    }
    let scope = Scope { params: parameters.is_some(), authorizer: true, variables: None };
    let scope = of_variables(spec.list("variables"), scope, &path.child("variables"), problems);
    of_validations(object, spec, &scope, &path, problems);
}

/// The status of a policy.
pub(super) fn of_status(object: &Value, problems: &mut Problems) {
    let none = Value::Object(Map::new());
    let status = object.field("status").unwrap_or(&none);
    let path = Path::new("status");
    let warnings = status.field("typeChecking").map_or(&[][..], |checked| checked.list("expressionWarnings"));
    for (index, warning) in warnings.iter().enumerate() {
        let at = path.child("typeChecking").child("expressionWarnings").index(index);
        if warning.text("warning").is_empty() {
            problems.push(at.child("warning").required(""));
        }
        if warning.text("fieldRef").trim().is_empty() {
            problems.push(at.child("fieldRef").required(""));
        }
    }
    conditions::of(status.list("conditions"), &path.child("conditions"), problems);
}

fn of_variables(variables: &[Value], mut scope: Scope, path: &Path, problems: &mut Problems) -> Scope {
    for (index, variable) in variables.iter().enumerate() {
        let at = path.index(index);
        scope.variables.get_or_insert_default();
        let name = variable.text("name");
        if name.trim().is_empty() {
            problems.push(at.child("name").required("name is not specified"));
        } else if !is_identifier(name) {
            problems.push(at.child("name").invalid(name, "must be a valid CEL identifier"));
        }
        let expression = variable.text("expression");
        if expression.trim().is_empty() {
            problems.push(at.child("expression").required("expression is not specified"));
            continue;
        }
        let sort = compile(expression, &scope).unwrap_or_else(|error| {
            problems.push(at.child("expression").invalid(expression, &error));
            Sort::Dyn
        });
        scope.variables.get_or_insert_default().insert(name.to_owned(), sort.of_variable());
    }
    scope
}

fn of_validations(object: &Value, spec: &Value, scope: &Scope, path: &Path, problems: &mut Problems) {
    let (validations, annotations) = (spec.list("validations"), spec.list("auditAnnotations"));
    if validations.is_empty() && annotations.is_empty() {
        for name in ["validations", "auditAnnotations"] {
            let detail = "validations or auditAnnotations must contain at least one item";
            problems.push(path.child(name).required(detail));
        }
        return;
    }
    for (index, validation) in validations.iter().enumerate() {
        of_validation(validation, scope, &path.child("validations").index(index), problems);
    }
    let path = path.child("auditAnnotations");
    if annotations.len() > MOST_ANNOTATIONS {
        let detail = format!("must not have more than {MOST_ANNOTATIONS} auditAnnotations");
        let shown: Vec<Value> = annotations
            .iter()
            .map(|one| json!({"Key": one.text("key"), "ValueExpression": one.text("valueExpression")}))
            .collect();
        problems.push(path.invalid(shown, &detail));
    }
    let mut keys = BTreeSet::new();
    for (index, annotation) in annotations.iter().enumerate() {
        let at = path.index(index);
        let key = annotation.text("key");
        match object.below(&["metadata", "name"]).and_then(Value::as_str) {
            Some(name) if !name.is_empty() => {
                let whole = format!("{name}/{key}");
                problems.extend(at.child("key").each(&whole, names::qualified(&whole)));
            }
            _ => problems.push(at.child("key").invalid(key, "requires metadata.name be non-empty")),
        }
        let expression = annotation.text("valueExpression");
        let (trimmed, here) = (expression.trim(), at.child("valueExpression"));
        if trimmed.is_empty() {
            problems.push(here.required("valueExpression is not specified"));
        } else if trimmed.len() > LONGEST_ANNOTATION {
            problems.push(here.required(&format!("must not exceed {LONGEST_ANNOTATION} bytes in length")));
        } else if let Err(error) = compile_to(&[Sort::Text, Sort::Null], trimmed, scope) {
            problems.push(here.invalid(expression, &error));
        }
        if !keys.insert(key) {
            problems.push(at.child("key").duplicate(key));
        }
    }
}

fn of_validation(validation: &Value, scope: &Scope, path: &Path, problems: &mut Problems) {
    let expression = validation.text("expression");
    let at = path.child("expression");
    if expression.trim().is_empty() {
        problems.push(at.required("expression is not specified"));
    } else if let Err(error) = compile_to(&[Sort::Bool], expression, scope) {
        problems.push(at.invalid(expression, &error));
    }
    let expression = validation.text("messageExpression");
    let at = path.child("messageExpression");
    if !expression.is_empty() && expression.trim().is_empty() {
        problems.push(at.invalid(expression, "must be non-empty if specified"));
    } else if !expression.is_empty() {
        let scope = Scope { authorizer: false, ..scope.clone() };
        if let Err(error) = compile_to(&[Sort::Text], expression, &scope) {
            problems.push(at.invalid(expression, &error));
        }
    }
    let message = validation.text("message");
    if !message.is_empty() && message.trim().is_empty() {
        problems.push(path.child("message").invalid(message, "must be non-empty if specified"));
    } else if message.trim().contains(['\n', '\r']) {
        problems.push(path.child("message").invalid(message, "must not contain line breaks"));
    }
    numbers::one_of_if_any(validation.maybe_text("reason"), &REASONS, &path.child("reason"), problems);
}

/// Conditions under which a request is looked at at all.
pub(super) fn match_conditions(conditions: &[Value], params: bool, path: &Path, problems: &mut Problems) {
    if conditions.len() > MOST_CONDITIONS {
        problems.push(path.too_many(conditions.len(), MOST_CONDITIONS));
    }
    let scope = Scope { params, authorizer: true, variables: None };
    let mut seen = BTreeSet::new();
    for (index, condition) in conditions.iter().enumerate() {
        let at = path.index(index);
        let expression = condition.text("expression").trim();
        if expression.is_empty() {
            problems.push(at.child("expression").required(""));
        } else if let Err(error) = compile_to(&[Sort::Bool], expression, &scope) {
            problems.push(at.child("expression").invalid(expression, &error));
        }
        let (name, at) = (condition.text("name"), at.child("name"));
        if name.is_empty() {
            problems.push(at.required(""));
            continue;
        }
        problems.extend(at.each(name, names::qualified(name)));
        if !seen.insert(name) {
            problems.push(at.duplicate(name));
        }
    }
}

fn parameter_kind(kind: &Value, path: &Path, problems: &mut Problems) {
    let given = kind.text("apiVersion");
    let at = path.child("apiVersion");
    if given.is_empty() {
        problems.push(at.required(""));
    } else if given.matches('/').count() > 1 {
        problems.push(at.invalid(given, &format!("unexpected GroupVersion string: {given}")));
    } else {
        let (group, version) = given.split_once('/').unwrap_or(("", given));
        let mut joined = |text: &str, messages: Vec<String>| {
            if !messages.is_empty() {
                problems.push(at.invalid(text, &messages.join(",")));
            }
        };
        if !group.is_empty() {
            joined(group, names::subdomain(group));
        }
        if version.is_empty() {
            problems.push(at.invalid(given, "version must be specified"));
        } else {
            joined(version, names::label_1035(version));
        }
    }
    let name = kind.text("kind");
    let messages = names::label_1035(&name.to_lowercase());
    if name.is_empty() {
        problems.push(path.child("kind").required(""));
    } else if !messages.is_empty() {
        let detail = format!("may have mixed case, but should otherwise match: {}", messages.join(","));
        problems.push(path.child("kind").invalid(name, &detail));
    }
}

/// What a policy or a binding looks at.
pub(super) fn matched(resources: &Value, path: &Path, problems: &mut Problems) {
    match resources.maybe_text("matchPolicy") {
        None => problems.push(path.child("matchPolicy").required("")),
        policy => numbers::one_of_if_any(policy, &["Equivalent", "Exact"], &path.child("matchPolicy"), problems),
    }
    for name in ["namespaceSelector", "objectSelector"] {
        match resources.field(name) {
            None => problems.push(path.child(name).required("")),
            Some(selector) => selector::of(selector, &path.child(name), problems),
        }
    }
    for name in ["resourceRules", "excludeResourceRules"] {
        for (index, rule) in resources.list(name).iter().enumerate() {
            let at = path.child(name).index(index);
            let mut seen = BTreeSet::new();
            for (index, name) in texts(rule.list("resourceNames")).enumerate() {
                let here = at.child("resourceNames").index(index);
                problems.extend(here.each(name, names::segment(name)));
                if !seen.insert(name) {
                    problems.push(here.duplicate(name));
                }
            }
            webhooks::of_rule(rule, &at, problems);
        }
    }
}

fn is_identifier(name: &str) -> bool {
    let is_letter = |letter: char| letter == '_' || letter.is_ascii_alphabetic();
    name.starts_with(is_letter)
        && name.chars().all(|letter| is_letter(letter) || letter.is_ascii_digit())
        && !RESERVED_WORDS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::validation::tests::lines;

    fn told(spec: Value) -> String {
        let mut problems = Problems::new();
        of(None, &json!({"metadata": {"name": "p"}, "spec": spec}), &mut problems);
        lines(&problems)
    }

    #[test]
    fn a_policy_says_what_it_looks_at_and_what_must_hold() {
        insta::assert_snapshot!(told(json!({"failurePolicy": "Fail", "paramKind": {"kind": "1Gi"}})), @r#"
        spec.paramKind.apiVersion: Required value
        spec.paramKind.kind: Invalid value: "1Gi": may have mixed case, but should otherwise match: a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')
        spec.matchConstraints: Required value
        spec.validations: Required value: validations or auditAnnotations must contain at least one item
        spec.auditAnnotations: Required value: validations or auditAnnotations must contain at least one item
        "#);
    }

    #[test]
    fn variables_are_known_to_what_comes_after_them() {
        let constraints = json!({"matchPolicy": "Exact", "namespaceSelector": {}, "objectSelector": {}, "resourceRules": [
            {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]});
        let spec = json!({"failurePolicy": "Fail", "matchConstraints": constraints,
            "variables": [{"name": "a", "expression": "1"}, {"name": "b", "expression": "variables.a"}],
            "validations": [{"expression": "variables.b == 1"}, {"expression": "variables.b"}, {"expression": ""}]});
        insta::assert_snapshot!(told(spec), @r#"
        spec.validations[1].expression: Invalid value: "variables.b": must evaluate to bool but got int
        spec.validations[2].expression: Required value: expression is not specified
        "#);
    }
}
