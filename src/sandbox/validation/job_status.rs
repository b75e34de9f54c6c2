//! The status of Jobs, which no controller may make contradict itself: what is checked is what changes.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Problems;
use super::job_policies::{count_of_indexes, intervals};
use super::meta;
use super::numbers;
use super::path::Path;
use super::read::{Read, texts};
use super::same::same_field;

/// What a status says, in the words of the rules.
struct Said<'j> {
    status: &'j Value,
    is_complete: bool,
    is_failed: bool,
    fails: bool,
    succeeds: bool,
}

impl<'j> Said<'j> {
    fn of(status: &'j Value) -> Self {
        let is = |sort: &str| {
            let has = |one: &Value| one.text("type") == sort && one.text("status") == "True";
            status.list("conditions").iter().any(has)
        };
        Self {
            status,
            is_complete: is("Complete"),
            is_failed: is("Failed"),
            fails: is("FailureTarget"),
            succeeds: is("SuccessCriteriaMet"),
        }
    }

    fn is_finished(&self) -> bool {
        self.is_complete || self.is_failed
    }

    fn count(&self, name: &str) -> i64 {
        self.status.number(name).unwrap_or_default()
    }
}

/// A change of the status of a Job.
pub(super) fn of(live: &Value, object: &Value, problems: &mut Problems) {
    meta::of_update(live, object, problems);
    let none = Value::Null;
    let spec = object.field("spec").unwrap_or(&none);
    let before = Said::of(live.field("status").unwrap_or(&none));
    let after = Said::of(object.field("status").unwrap_or(&none));
    let path = Path::new("status");
    for name in ["active", "succeeded", "failed", "ready", "terminating"] {
        numbers::not_negative_if_any(after.status.number(name), &path.child(name), problems);
    }
    uncounted(after.status, &path.child("uncountedTerminatedPods"), problems);
    endings(&before, &after, spec, &path, problems);
    indexes(&before, &after, spec, &path, problems);
    let differs = |name: &str| !same_field(name, before.status, after.status);
    let is_finished_anew = before.is_finished() != after.is_finished();
    if (is_finished_anew || differs("terminating")) && after.is_finished() && after.count("terminating") > 0 {
        let detail = "terminating>0 is invalid for finished job";
        problems.push(path.child("terminating").invalid(after.count("terminating"), detail));
    }
    let ready = after.count("ready");
    if (differs("ready") || differs("active")) && after.status.field("ready").is_some() && ready > after.count("active")
    {
        problems.push(path.child("ready").invalid(ready, "cannot set more ready pods than active"));
    }
    let contradictions = [
        (after.succeeds && after.is_failed, "cannot set SuccessCriteriaMet=True and Failed=true conditions"),
        (after.succeeds && after.fails, "cannot set SuccessCriteriaMet=True and FailureTarget=true conditions"),
        (
            spec.field("successPolicy").is_some() && !after.succeeds && after.is_complete,
            "cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True",
        ),
        (before.is_failed && !after.is_failed, "cannot disable the terminal Failed=True condition"),
        (before.is_complete && !after.is_complete, "cannot disable the terminal Complete=True condition"),
        (before.fails && !after.fails, "cannot disable the terminal FailureTarget=True condition"),
    ];
    told(&contradictions, &path, problems);
    never_back(&before, &after, spec, &path, problems);
    let contradictions = [
        (before.succeeds && !after.succeeds, "cannot disable the SuccessCriteriaMet=True condition"),
        (
            before.is_complete && !before.succeeds && after.succeeds,
            "cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions",
        ),
    ];
    told(&contradictions, &path, problems);
}

fn told(contradictions: &[(bool, &str)], path: &Path, problems: &mut Problems) {
    let path = path.child("conditions");
    let met = contradictions.iter().filter(|(is_met, _)| *is_met);
    problems.extend(met.map(|(_, detail)| path.invalid_unshown(detail)));
}

fn uncounted(status: &Value, path: &Path, problems: &mut Problems) {
    let Some(pods) = status.field("uncountedTerminatedPods") else { return };
    let mut seen = BTreeSet::new();
    for list in ["succeeded", "failed"] {
        for (index, uid) in texts(pods.list(list)).enumerate() {
            let at = path.child(list).index(index);
            if uid.is_empty() {
                problems.push(at.invalid(uid, "must not be empty"));
            } else if !seen.insert(uid) {
                problems.push(at.duplicate(uid));
            }
        }
    }
}

/// What a Job that is over says, and one that is not.
fn endings(before: &Said<'_>, after: &Said<'_>, spec: &Value, path: &Path, problems: &mut Problems) {
    let differs = |name: &str| !same_field(name, before.status, after.status);
    let is_complete_anew = before.is_complete != after.is_complete;
    let is_failed_anew = before.is_failed != after.is_failed;
    let is_finished_anew = before.is_finished() != after.is_finished();
    let contradictions = [
        (
            (is_complete_anew || is_failed_anew) && after.is_complete && after.is_failed,
            "cannot set Complete=True and Failed=true conditions",
        ),
        (
            (is_complete_anew || before.fails != after.fails) && after.is_complete && after.fails,
            "cannot set Complete=True and FailureTarget=true conditions",
        ),
    ];
    told(&contradictions, path, problems);
    let (started, completed) = (after.status.maybe_text("startTime"), after.status.maybe_text("completionTime"));
    let at = path.child("completionTime");
    if is_complete_anew || differs("completionTime") {
        match completed {
            Some(time) if !after.is_complete => {
                let detail = "cannot set completionTime when there is no Complete=True condition";
                problems.push(at.invalid(time, detail));
            }
            None if after.is_complete => {
                problems.push(at.required("completionTime is required for Complete jobs"));
            }
            _ => {}
        }
    }
    if let (Some(started), Some(completed)) = (started, completed)
        && (differs("startTime") || differs("completionTime"))
        && completed < started
    {
        problems.push(at.invalid(completed, "must be equal to or after `startTime`"));
    }
    let contradictions = [
        (
            (is_failed_anew || differs("failedIndexes")) && after.is_failed && !after.fails,
            "cannot set Failed=True condition without the FailureTarget=true condition",
        ),
        (
            (is_complete_anew || before.succeeds != after.succeeds) && after.is_complete && !after.succeeds,
            "cannot set Complete=True condition without the SuccessCriteriaMet=true condition",
        ),
    ];
    told(&contradictions, path, problems);
    if !after.is_finished() {
        return;
    }
    if (is_finished_anew || differs("active")) && after.count("active") > 0 {
        let detail = "active>0 is invalid for finished job";
        problems.push(path.child("active").invalid(after.count("active"), detail));
    }
    let never_began = spec.flag("suspend") && spec.number("completions") == Some(0);
    if (is_finished_anew || differs("startTime")) && !never_began && started.is_none() {
        problems.push(path.child("startTime").required("startTime is required for finished job"));
    }
    if (is_finished_anew || differs("uncountedTerminatedPods"))
        && let Some(pods) = after.status.field("uncountedTerminatedPods")
        && ["succeeded", "failed"].iter().any(|list| !pods.list(list).is_empty())
    {
        let listed = |list: &str| pods.field(list).cloned().unwrap_or_default();
        let shown = format!(r#"{{"Succeeded":{},"Failed":{}}}"#, listed("succeeded"), listed("failed"));
        problems.push(path.child("uncountedTerminatedPods").invalid_shown(shown, "must be empty for finished job"));
    }
}

/// Indexes that are done and indexes that failed are none of each other's.
fn indexes(before: &Said<'_>, after: &Said<'_>, spec: &Value, path: &Path, problems: &mut Problems) {
    let differs = |name: &str| !same_field(name, before.status, after.status);
    let completions = spec.number("completions");
    let has_limit = spec.field("backoffLimitPerIndex").is_some();
    let (done, failed) = (after.status.text("completedIndexes"), after.status.maybe_text("failedIndexes"));
    let (done_at, failed_at) = (path.child("completedIndexes"), path.child("failedIndexes"));
    let readable = |text: &str, name: &str, at: &Path, problems: &mut Problems| {
        if let Some(Err(error)) = completions.map(|completions| count_of_indexes(text, completions)) {
            problems.push(at.invalid(text, &format!("error parsing {name}: {error}")));
        }
    };
    if differs("completedIndexes") {
        readable(done, "completedIndexes", &done_at, problems);
    }
    if let Some(failed) = failed.filter(|_| differs("failedIndexes") && has_limit) {
        readable(failed, "failedIndexes", &failed_at, problems);
    }
    if differs("completedIndexes") && !done.is_empty() && spec.text("completionMode") != "Indexed" {
        let detail = "cannot set non-empty completedIndexes when non-indexed completion mode";
        problems.push(done_at.invalid(done, detail));
    }
    let Some(failed) = failed else { return };
    if differs("failedIndexes") && !has_limit {
        let detail = "cannot set non-null failedIndexes when backoffLimitPerIndex is null";
        problems.push(failed_at.invalid(failed, detail));
    }
    if let Some(completions) = completions.filter(|_| differs("failedIndexes") || differs("completedIndexes"))
        && let Some(index) = overlap(&intervals(done, completions), &intervals(failed, completions))
    {
        let detail = format!("failedIndexes and completedIndexes overlap at index: {index}");
        problems.push(failed_at.invalid(failed, &detail));
    }
}

/// The first index that is in both; both are walked at once.
fn overlap(one: &[(i64, i64)], other: &[(i64, i64)]) -> Option<i64> {
    let (mut one, mut other) = (one.iter().peekable(), other.iter().peekable());
    while let (Some((first, last)), Some((other_first, other_last))) = (one.peek(), other.peek()) {
        if first <= other_last && other_first <= last {
            return Some(*first.max(other_first));
        }
        if first <= other_first {
            one.next();
        } else {
            other.next();
        }
    }
    None
}

/// What is counted and when it began does not go back.
fn never_back(before: &Said<'_>, after: &Said<'_>, spec: &Value, path: &Path, problems: &mut Problems) {
    let shrinks = spec.text("completionMode") == "Indexed"
        && same_field(
            "completions",
            spec,
            &json!({
                "completions": spec.field("parallelism")
            }),
        );
    for (name, is_held) in [("failed", true), ("succeeded", !shrinks)] {
        if is_held && after.count(name) < before.count(name) {
            let detail = format!("cannot decrease the {name} counter");
            problems.push(path.child(name).invalid(after.count(name), &detail));
        }
    }
    let time = |said: &Said<'_>, name: &str| said.status.maybe_text(name).map(str::to_owned);
    if let (Some(old), Some(new)) = (time(before, "completionTime"), time(after, "completionTime"))
        && old != new
    {
        problems.push(path.child("completionTime").invalid(new, "field is immutable"));
    }
    let suspended = |said: &Said<'_>, status: &str| {
        let has = |one: &Value| one.text("type") == "Suspended" && one.text("status") == status;
        said.status.list("conditions").iter().any(has)
    };
    let resumes = suspended(before, "True") && suspended(after, "False");
    let old = time(before, "startTime");
    if old.is_some() && old != time(after, "startTime") && !resumes && !spec.flag("suspend") {
        problems.push(path.child("startTime").required("startTime cannot be removed for unsuspended job"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::validation::tests::lines;

    fn told(before: Value, after: Value) -> String {
        let job = |status: Value| {
            json!({"metadata": {"name": "j", "namespace": "n"}, "status": status, "spec": {
            "completionMode": "Indexed", "completions": 5, "parallelism": 1, "backoffLimitPerIndex": 1}})
        };
        let mut problems = Problems::new();
        of(&job(before), &job(after), &mut problems);
        lines(&problems)
    }

    #[test]
    fn a_job_that_is_over_says_so_throughout() {
        let condition = |sort: &str| json!({"type": sort, "status": "True"});
        insta::assert_snapshot!(told(json!({}), json!({"conditions": [condition("Complete")], "active": 1})), @r"
        status.completionTime: Required value: completionTime is required for Complete jobs
        status.conditions: Invalid value: cannot set Complete=True condition without the SuccessCriteriaMet=true condition
        status.active: Invalid value: 1: active>0 is invalid for finished job
        status.startTime: Required value: startTime is required for finished job
        ");
        let over = json!({"conditions": [condition("SuccessCriteriaMet"), condition("Complete")],
            "startTime": "2024-01-01T00:00:00Z", "completionTime": "2024-01-01T00:00:01Z", "succeeded": 5});
        assert_eq!(told(json!({"succeeded": 4}), over.clone()), "");
        insta::assert_snapshot!(told(over, json!({"startTime": "2024-01-01T00:00:00Z"})), @r"
        status.conditions: Invalid value: cannot disable the terminal Complete=True condition
        status.succeeded: Invalid value: 0: cannot decrease the succeeded counter
        status.conditions: Invalid value: cannot disable the SuccessCriteriaMet=True condition
        ");
    }

    #[test]
    fn an_index_is_done_or_failed() {
        insta::assert_snapshot!(told(json!({}), json!({"completedIndexes": "0-2,9", "failedIndexes": "2,4"})), @r#"
        status.completedIndexes: Invalid value: "0-2,9": error parsing completedIndexes: too large index: "9"
        status.failedIndexes: Invalid value: "2,4": failedIndexes and completedIndexes overlap at index: 2
        "#);
    }
}
