//! The status of a Job, and its verdict.

use serde_json::{Value, json};

use super::{COMPONENT, Work};
use crate::sandbox::controllers::condition;
use crate::sandbox::controllers::deed::{EventSort, Outcome};
use crate::sandbox::controllers::fields::{after, flag, items, number, set, stamp, text, time};
use crate::sandbox::controllers::offspring::{self, MANAGER};
use crate::sandbox::view::View;

/// How a Job ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    Complete,
    Failed { reason: &'static str, message: &'static str },
}

/// Judges a Job by its counts and its time.
pub(super) fn verdict(view: &dyn View, work: &Work<'_>, outcome: &mut Outcome) -> Option<Verdict> {
    const LIMIT: Verdict =
        Verdict::Failed { reason: "BackoffLimitExceeded", message: "Job has reached the specified backoff limit" };
    const DEADLINE: Verdict =
        Verdict::Failed { reason: "DeadlineExceeded", message: "Job was active longer than specified deadline" };
    let job = work.job;
    if condition::is_true(job, "FailureTarget") {
        let is_late =
            condition::find(job, "FailureTarget").is_some_and(|found| text(found, "/reason") == "DeadlineExceeded");
        return Some(if is_late { DEADLINE } else { LIMIT });
    }
    if condition::is_true(job, "SuccessCriteriaMet") {
        return Some(Verdict::Complete);
    }
    let count = |field: &str| number(job, &format!("/status/{field}")).unwrap_or(0);
    let limit = number(job, "/spec/backoffLimit").unwrap_or(6);
    let restarts: i64 = if text(job, "/spec/template/spec/restartPolicy") == "OnFailure" {
        let of = |pod: &Value| -> i64 {
            items(pod, "/status/containerStatuses").iter().filter_map(|status| number(status, "/restartCount")).sum()
        };
        work.active().map(|pod| of(pod)).sum()
    } else {
        0
    };
    if count("failed") > limit || (restarts > 0 && restarts >= limit) {
        return Some(LIMIT);
    }
    let deadline = number(job, "/spec/activeDeadlineSeconds").filter(|_| !flag(job, "/spec/suspend"));
    if let (Some(seconds), Some(started)) = (deadline, time(job, "/status/startTime")) {
        let due = after(started, seconds);
        if due <= view.now() {
            return Some(DEADLINE);
        }
        outcome.again(due);
    }
    let succeeded = count("succeeded");
    let is_complete = match work.completions() {
        Some(completions) => succeeded >= completions,
        None => succeeded > 0 && work.active().next().is_none(),
    };
    is_complete.then_some(Verdict::Complete)
}

pub(super) fn write(view: &dyn View, work: &Work<'_>, verdict: Option<Verdict>, outcome: &mut Outcome) {
    let (job, now) = (work.job, view.now());
    let mut conditions = items(job, "/status/conditions").to_vec();
    let mut put = |kind: &str, status: &str, reason: &str, message: &str| -> bool {
        let before = condition::among(&conditions, kind);
        if before.is_some_and(|before| text(before, "/status") == status && text(before, "/reason") == reason) {
            return false;
        }
        let mut made = condition::make(before, condition::Said { kind, status, reason, message }, now);
        set(&mut made, &["lastProbeTime"], stamp(now));
        condition::put(&mut conditions, made);
        true
    };
    let mut announced: Option<(EventSort, &str, &str)> = None;
    let mut status = job.get("status").cloned().unwrap_or_else(|| json!({}));
    let is_suspended = flag(job, "/spec/suspend");
    if verdict.is_none() {
        if is_suspended {
            if put("Suspended", "True", "JobSuspended", "Job suspended") {
                announced = Some((EventSort::Normal, "Suspended", "Job suspended"));
            }
            super::fields::unset(&mut status, "", "startTime");
        } else if condition::is_true(job, "Suspended") {
            put("Suspended", "False", "JobResumed", "Job resumed");
            announced = Some((EventSort::Normal, "Resumed", "Job resumed"));
            set(&mut status, &["startTime"], stamp(now));
        }
    }
    if !is_suspended && time(&status, "/startTime").is_none() {
        set(&mut status, &["startTime"], stamp(now));
    }
    // Pods that still run are deleted first; the verdict is final when they are gone.
    let is_empty = work.active().next().is_none() && work.terminating() == 0;
    match verdict {
        Some(Verdict::Complete) => {
            let (reason, message) = ("CompletionsReached", "Reached expected number of succeeded pods");
            put("SuccessCriteriaMet", "True", reason, message);
            if is_empty && put("Complete", "True", reason, message) {
                set(&mut status, &["completionTime"], stamp(now));
                announced = Some((EventSort::Normal, "Completed", "Job completed"));
            }
        }
        Some(Verdict::Failed { reason, message }) => {
            put("FailureTarget", "True", reason, message);
            if is_empty && put("Failed", "True", reason, message) {
                announced = Some((EventSort::Warning, reason, message));
            }
        }
        None => {}
    }
    let ready = work.active().filter(|pod| offspring::is_ready(pod)).count();
    for (field, value) in [
        ("active", Value::from(work.active().count())),
        ("ready", Value::from(ready)),
        ("terminating", Value::from(work.terminating())),
        ("conditions", Value::from(conditions)),
        ("uncountedTerminatedPods", status.get("uncountedTerminatedPods").cloned().unwrap_or_else(|| json!({}))),
    ] {
        set(&mut status, &[field], value);
    }
    if outcome.status(job, status, MANAGER)
        && let Some((sort, reason, message)) = announced
    {
        outcome.event(job, sort, COMPONENT, reason, message.to_owned());
    }
}
