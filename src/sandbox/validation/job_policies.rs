//! When a Job counts as failed or as successful before all its pods have ended.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Problems;
use super::names;
use super::numbers;
use super::path::Path;
use super::read::Read;

const MOST_RULES: usize = 20;
const MOST_EXIT_CODES: usize = 255;

/// A list as Go prints texts: `["a" "b"]`.
fn quoted(values: &[&str]) -> String {
    let values: Vec<String> = values.iter().map(|value| format!("{value:?}")).collect();
    format!("valid values: [{}]", values.join(" "))
}

fn listed(text: &str, allowed: &[&str], path: &Path, problems: &mut Problems) {
    if text.is_empty() {
        problems.push(path.required(&quoted(allowed)));
    } else {
        numbers::one_of_if_any(Some(text), allowed, path, problems);
    }
}

pub(super) fn failure_policy(policy: &Value, spec: &Value, path: &Path, problems: &mut Problems) {
    let path = path.child("rules");
    let rules = policy.list("rules");
    if rules.len() > MOST_RULES {
        problems.push(path.too_many(rules.len(), MOST_RULES));
    }
    let none = Value::Null;
    let pods = spec.below(&["template", "spec"]).unwrap_or(&none);
    let containers: BTreeSet<&str> =
        ["containers", "initContainers"].iter().flat_map(|list| pods.list(list)).map(|one| one.text("name")).collect();
    for (index, rule) in rules.iter().enumerate() {
        let path = path.index(index);
        let action = rule.text("action");
        if action == "FailIndex" {
            if spec.field("backoffLimitPerIndex").is_none() {
                let detail = "requires the backoffLimitPerIndex to be set";
                problems.push(path.child("action").invalid(action, detail));
            }
        } else {
            listed(action, &["Count", "FailIndex", "FailJob", "Ignore"], &path.child("action"), problems);
        }
        let codes = rule.field("onExitCodes");
        let conditions = rule.list("onPodConditions");
        if let Some(codes) = codes {
            exit_codes(codes, &containers, &path.child("onExitCodes"), problems);
        }
        let at = path.child("onPodConditions");
        if conditions.len() > MOST_RULES {
            problems.push(at.too_many(conditions.len(), MOST_RULES));
        }
        for (index, condition) in conditions.iter().enumerate() {
            let at = at.index(index);
            let sort = condition.text("type");
            problems.extend(at.child("type").each(sort, names::qualified(sort)));
            listed(condition.text("status"), &["False", "True", "Unknown"], &at.child("status"), problems);
        }
        let detail = match (codes.is_some(), !conditions.is_empty()) {
            (true, true) => "specifying both OnExitCodes and OnPodConditions is not supported",
            (false, false) => "specifying one of OnExitCodes and OnPodConditions is required",
            _ => continue,
        };
        problems.push(path.invalid_unshown(detail));
    }
}

fn exit_codes(codes: &Value, containers: &BTreeSet<&str>, path: &Path, problems: &mut Problems) {
    let operator = codes.text("operator");
    listed(operator, &["In", "NotIn"], &path.child("operator"), problems);
    if let Some(name) = codes.maybe_text("containerName").filter(|name| !containers.contains(name)) {
        let detail = "must be one of the container or initContainer names in the pod template";
        problems.push(path.child("containerName").invalid(name, detail));
    }
    let path = path.child("values");
    let values = codes.list("values");
    if values.is_empty() {
        problems
            .push(path.invalid(codes.field("values").cloned().unwrap_or_default(), "at least one value is required"));
    } else if values.len() > MOST_EXIT_CODES {
        problems.push(path.too_many(values.len(), MOST_EXIT_CODES));
    }
    let numbers: Vec<i64> = values.iter().map(|value| value.as_i64().unwrap_or_default()).collect();
    let mut seen = BTreeSet::new();
    for (index, value) in numbers.iter().enumerate() {
        if operator == "In" && *value == 0 {
            problems.push(path.index(index).invalid(0, "must not be 0 for the In operator"));
        }
        if !seen.insert(*value) {
            problems.push(path.index(index).duplicate(*value));
        }
    }
    if !numbers.is_sorted() {
        problems.push(path.invalid(values.to_vec(), "must be ordered"));
    }
}

pub(super) fn success_policy(policy: &Value, spec: &Value, path: &Path, problems: &mut Problems) {
    let path = path.child("rules");
    let rules = policy.list("rules");
    if rules.is_empty() {
        problems.push(path.required("at least one rules must be specified when the successPolicy is specified"));
    }
    if rules.len() > MOST_RULES {
        problems.push(path.too_many(rules.len(), MOST_RULES));
    }
    let completions = spec.number("completions").unwrap_or_default();
    for (index, rule) in rules.iter().enumerate() {
        let path = path.index(index);
        let indexes = rule.maybe_text("succeededIndexes");
        let count = rule.number("succeededCount");
        if indexes.is_none() && count.is_none() {
            problems.push(path.required("at least one of succeededCount or succeededIndexes must be specified"));
        }
        let mut total = 0;
        if let Some(indexes) = indexes {
            match count_of_indexes(indexes, completions) {
                Ok(count) => total = count,
                Err(error) => {
                    let detail = format!("error parsing succeededIndexes: {error}");
                    problems.push(path.child("succeededIndexes").invalid(indexes, &detail));
                }
            }
        }
        if let Some(count) = count {
            let at = path.child("succeededCount");
            numbers::not_negative(count, &at, problems);
            let mut at_most = |most: i64, what: &str| {
                if count > most {
                    problems.push(
                        at.invalid(count, &format!("must be less than or equal to {most} (the number of {what})")),
                    );
                }
            };
            at_most(completions, "specified completions");
            if indexes.is_some() {
                at_most(total, "indexes in the specified succeededIndexes field");
            }
        }
    }
}

/// Counts indexes such as `0,2-4`.
pub(super) fn count_of_indexes(text: &str, completions: i64) -> Result<i64, String> {
    let mut total = 0;
    let mut last: Option<i64> = None;
    for part in text.split(',').filter(|_| !text.is_empty()) {
        let (first, second) = interval(part, completions)?;
        if let Some(last) = last.filter(|last| *last >= first) {
            return Err(not_increasing(last, first));
        }
        total += second - first + 1;
        last = Some(second);
    }
    Ok(total)
}

/// The intervals of such a text that can be read.
pub(super) fn intervals(text: &str, completions: i64) -> Vec<(i64, i64)> {
    text.split(',').filter_map(|part| interval(part, completions).ok()).collect()
}

fn interval(text: &str, completions: i64) -> Result<(i64, i64), String> {
    let number = |part: &str| -> Result<i64, String> {
        let value = part.parse().map_err(|_| format!("cannot convert string to integer for index: {part:?}"))?;
        if value >= completions { Err(format!("too large index: {part:?}")) } else { Ok(value) }
    };
    let mut parts = text.split('-');
    let first = parts.next().unwrap_or_default();
    let second = parts.next();
    if parts.next().is_some() {
        return Err(format!(
            "the fragment {text:?} violates the requirement that an index interval can have at most two parts separated by '-'"
        ));
    }
    let first = number(first)?;
    match second.map(number).transpose()? {
        Some(second) if first >= second => Err(not_increasing(first, second)),
        second => Ok((first, second.unwrap_or(first))),
    }
}

fn not_increasing(before: i64, now: i64) -> String {
    format!("non-increasing order, previous: {before}, current: {now}")
}
