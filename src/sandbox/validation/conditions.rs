//! Conditions of a status, as `metav1.Condition` has them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Problems;
use super::names;
use super::numbers;
use super::path::Path;
use super::read::Read;

const LONGEST_REASON: usize = 1024;
const LONGEST_MESSAGE: usize = 32 * 1024;

/// The conditions of a list.
pub(super) fn of(conditions: &[Value], path: &Path, problems: &mut Problems) {
    let mut types = BTreeSet::new();
    for (index, condition) in conditions.iter().enumerate() {
        let at = path.index(index);
        let sort = condition.text("type");
        if !types.insert(sort) {
            problems.push(at.child("type").duplicate(sort));
        }
        problems.extend(at.child("type").each(sort, names::qualified(sort)));
        let status = condition.text("status");
        numbers::one_of_if_any(Some(status), &["False", "True", "Unknown"], &at.child("status"), problems);
        let generation = condition.number("observedGeneration").unwrap_or_default();
        if generation < 0 {
            let detail = "must be greater than or equal to zero";
            problems.push(at.child("observedGeneration").invalid(generation, detail));
        }
        if condition.text("lastTransitionTime").is_empty() {
            problems.push(at.child("lastTransitionTime").required(""));
        }
        of_reason(condition.text("reason"), &at.child("reason"), problems);
        if condition.text("message").len() > LONGEST_MESSAGE {
            problems.push(at.child("message").too_long(LONGEST_MESSAGE));
        }
    }
}

fn of_reason(reason: &str, path: &Path, problems: &mut Problems) {
    if reason.is_empty() {
        problems.push(path.required(""));
        return;
    }
    if !is_reason(reason) {
        let words = names::unmatched(
            "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric \
             characters or '_,:', and must end with an alphanumeric character or '_'",
            "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?",
            &["my_name", "MY_NAME", "MyName", "ReasonA,ReasonB", "ReasonA:ReasonB"],
        );
        problems.push(path.invalid(reason, &words));
    }
    if reason.len() > LONGEST_REASON {
        problems.push(path.too_long(LONGEST_REASON));
    }
}

fn is_reason(text: &str) -> bool {
    let is_word = |byte: u8| byte == b'_' || byte.is_ascii_alphanumeric();
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().next_back().is_some_and(is_word)
        && text.bytes().all(|byte| is_word(byte) || matches!(byte, b',' | b':'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sandbox::validation::tests::lines;

    #[test]
    fn a_type_stands_there_once_and_has_a_status_a_reason_and_a_time() {
        let good =
            json!({"type": "Ready", "status": "True", "reason": "Fine", "lastTransitionTime": "2024-01-01T00:00:00Z"});
        let bad = json!({"type": "Ready", "status": "x", "observedGeneration": -1, "reason": "-"});
        let mut problems = Problems::new();
        of(&[good, bad], &Path::new("status").child("conditions"), &mut problems);
        insta::assert_snapshot!(lines(&problems), @r#"
        status.conditions[1].type: Duplicate value: "Ready"
        status.conditions[1].status: Unsupported value: "x": supported values: "False", "True", "Unknown"
        status.conditions[1].observedGeneration: Invalid value: -1: must be greater than or equal to zero
        status.conditions[1].lastTransitionTime: Required value
        status.conditions[1].reason: Invalid value: "-": a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')
        "#);
    }
}
