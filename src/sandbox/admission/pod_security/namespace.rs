//! The labels of a namespace: what they may say, and which pods of it a stricter level finds at fault.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{LABEL, LEVELS, Policy};
use crate::sandbox::admission::{Operation, Request};
use crate::sandbox::refusal::{FieldProblem, Refusal};
use crate::sandbox::strategy::fields::{at, text};

/// Refuses labels that say nothing; the answer are warnings.
pub(super) fn review(request: &Request<'_>, object: &Value) -> Result<Vec<String>, Refusal> {
    if request.subresource.is_some() {
        return Ok(Vec::new());
    }
    let problems = problems_of(object);
    let live = match request.operation {
        Operation::Update(live) => Some(live),
        _ => None,
    };
    if !problems.is_empty() && live.is_none_or(|live| problems_of(live) != problems) {
        return Err(Refusal::invalid(request.kind, text(object, &["metadata", "name"]), &problems));
    }
    Ok(live.map(|live| violations(request, live, object)).unwrap_or_default())
}

/// Tells which pods violate what is enforced from now on.
fn violations(request: &Request<'_>, live: &Value, object: &Value) -> Vec<String> {
    let (before, after) = (Policy::of(live, "enforce"), Policy::of(object, "enforce"));
    let rank = |level: &str| LEVELS.iter().position(|known| *known == level);
    let version = |policy: &Policy<'_>| policy.written.rsplit(':').next().map(str::to_owned);
    let is_relaxed = version(&before) == version(&after) && rank(after.level) <= rank(before.level);
    if is_relaxed || after.level == "privileged" {
        return Vec::new();
    }
    let namespace = text(object, &["metadata", "name"]);
    // By what is wrong: the first of the pods, and how many there are.
    let mut found: BTreeMap<String, (String, usize)> = BTreeMap::new();
    for pod in request.view.list("", "Pod", Some(namespace)) {
        let findings = after.findings(&pod["metadata"], &pod["spec"]);
        let reasons: Vec<String> = findings.into_iter().map(|(reason, _)| reason).collect();
        if !reasons.is_empty() {
            let name = text(&pod, &["metadata", "name"]);
            let (first, count) = found.entry(reasons.join(", ")).or_insert_with(|| (name.to_owned(), 0));
            if name < first.as_str() {
                name.clone_into(first);
            }
            *count += 1;
        }
    }
    let mut told: Vec<String> = found
        .into_iter()
        .map(|(reason, (name, count))| match count {
            1 => format!("{name}: {reason}"),
            2 => format!("{name} (and 1 other pod): {reason}"),
            _ => format!("{name} (and {} other pods): {reason}", count - 1),
        })
        .collect();
    told.sort_unstable();
    if !told.is_empty() {
        let level = &after.written;
        let what =
            format!("existing pods in namespace {namespace:?} violate the new PodSecurity enforce level {level:?}");
        told.insert(0, what);
    }
    told
}

fn problems_of(namespace: &Value) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    for mode in ["enforce", "audit", "warn"] {
        for (label, is_fine, why) in [
            (format!("{LABEL}{mode}"), is_level as fn(&str) -> bool, "must be one of privileged, baseline, restricted"),
            (format!("{LABEL}{mode}-version"), is_version, "must be \"latest\" or \"v1.x\""),
        ] {
            let value = at(namespace, &["metadata", "labels", &label]).and_then(Value::as_str);
            if let Some(value) = value.filter(|value| !is_fine(value)) {
                problems.push(FieldProblem::invalid(format!("metadata.labels[{label}]"), &json!(value), why));
            }
        }
    }
    problems
}

fn is_level(text: &str) -> bool {
    LEVELS.contains(&text)
}

fn is_version(text: &str) -> bool {
    let is_number = |digits: &str| {
        let has_digits = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
        has_digits && (digits == "0" || !digits.starts_with('0'))
    };
    text == "latest" || text.strip_prefix("v1.").is_some_and(is_number)
}
