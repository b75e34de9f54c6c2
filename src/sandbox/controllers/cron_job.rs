//! CronJobs: a Job at each time of a schedule.

use std::str::FromStr;
use std::sync::Arc;

use croner::Cron;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};
use serde_json::{Value, json};

use super::condition;
use super::deed::Outcome;
use super::event;
use super::fields::{
    annotation, at, controller_reference, flag, is_leaving, items, name, namespace, number, set, stamp, text, time, uid,
};
use super::job::is_finished;
use super::offspring::{self, MANAGER};
use super::trouble;
use crate::sandbox::view::View;

const COMPONENT: &str = "cronjob-controller";
const SCHEDULED: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";

pub(super) fn reconcile(view: &dyn View, cron: &Value) -> Outcome {
    let mut outcome = Outcome::default();
    if is_leaving(cron) {
        return outcome;
    }
    let mut jobs = offspring::owned(view, cron, "Job");
    jobs.sort_by_key(|job| (time(job, "/status/startTime"), name(job).to_owned()));
    keep_status(cron, &jobs, &mut outcome);
    clean_up(cron, &jobs, &mut outcome);
    if outcome.is_idle() && !flag(cron, "/spec/suspend") {
        schedule(view, cron, &jobs, &mut outcome);
    }
    outcome
}

fn schedule(view: &dyn View, cron: &Value, jobs: &[Arc<Value>], outcome: &mut Outcome) {
    let now = view.now();
    let shown = text(cron, "/spec/schedule");
    let zone_name = text(cron, "/spec/timeZone");
    let zone = match zone_name {
        "" => TimeZone::UTC,
        zone_name => match TimeZone::get(zone_name) {
            Ok(zone) => zone,
            Err(_) => {
                let message = format!("invalid timeZone: {zone_name:?}: unknown time zone {zone_name}");
                event::once(view, outcome, cron, "Warning", COMPONENT, "UnknownTimeZone", &message);
                return;
            }
        },
    };
    let Some(schedule) = Schedule::read(shown) else {
        let message = format!("unparseable schedule: {shown:?} : it is no cron pattern");
        event::once(view, outcome, cron, "Warning", COMPONENT, "UnparseableSchedule", &message);
        return;
    };
    let here = now.to_zoned(zone);
    let since = time(cron, "/status/lastScheduleTime").or_else(|| time(cron, "/metadata/creationTimestamp"));
    if let Some(next) = schedule.next(&here, since) {
        outcome.again(next);
    }
    let Some(latest) = schedule.latest(&here, since) else { return };
    let at = latest.timestamp();
    let deadline = number(cron, "/spec/startingDeadlineSeconds").map(SignedDuration::from_secs);
    let too_old = deadline.and_then(|deadline| now.checked_sub(deadline).ok());
    if since.is_some_and(|since| at <= since) {
        return;
    }
    if too_old.is_some_and(|too_old| at < too_old) {
        let message = format!("Missed scheduled time to start a job: {}", latest.strftime("%a, %d %b %Y %H:%M:%S UTC"));
        event::once(view, outcome, cron, "Warning", COMPONENT, "MissSchedule", &message);
        return;
    }
    let job_name = format!("{}-{}", name(cron), at.as_second().div_euclid(60));
    if view.get("batch", "Job", namespace(cron), &job_name).is_some() {
        return;
    }
    let active: Vec<_> = jobs.iter().filter(|job| !is_finished(job)).collect();
    match text(cron, "/spec/concurrencyPolicy") {
        "Forbid" if !active.is_empty() => {
            let message = "Not starting job because prior execution is running and concurrency policy is Forbid";
            event::once(view, outcome, cron, "Normal", COMPONENT, "JobAlreadyActive", message);
            return;
        }
        "Replace" if !active.is_empty() => {
            for job in active {
                if !is_leaving(job) {
                    outcome.delete(job);
                    outcome.normal(cron, COMPONENT, "SuccessfulDelete", format!("Deleted job {}", name(job)));
                }
            }
        }
        _ => {}
    }
    let shown_at = latest.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string().replace("+00:00", "Z");
    outcome.create(make(cron, &job_name, &shown_at), MANAGER);
    outcome.normal(cron, COMPONENT, "SuccessfulCreate", format!("Created job {job_name}"));
}

/// When Jobs are started.
enum Schedule {
    Pattern(Box<Cron>),
    /// Again and again after the last one.
    Every(SignedDuration),
}

impl Schedule {
    fn read(text: &str) -> Option<Self> {
        if let Some(delay) = text.strip_prefix("@every ") {
            let delay = trouble::parse_duration(delay)?;
            return Some(Self::Every(SignedDuration::from_secs(delay.as_secs().max(1))));
        }
        Cron::from_str(&pattern(text)).ok().map(|pattern| Self::Pattern(Box::new(pattern)))
    }

    fn next(&self, here: &Zoned, since: Option<Timestamp>) -> Option<Timestamp> {
        match self {
            Self::Pattern(pattern) => pattern.find_next_occurrence(here, false).ok().map(|next| next.timestamp()),
            Self::Every(delay) => self.latest(here, since)?.timestamp().checked_add(*delay).ok(),
        }
    }

    /// Returns the last time up to now; of a delay that is `since` when it has not passed yet.
    fn latest(&self, here: &Zoned, since: Option<Timestamp>) -> Option<Zoned> {
        match self {
            Self::Pattern(pattern) => pattern.find_previous_occurrence(here, true).ok(),
            Self::Every(delay) => {
                let since = since?;
                let passed = here.timestamp().duration_since(since).as_secs().max(0);
                let whole = SignedDuration::from_secs(passed - passed % delay.as_secs());
                since.checked_add(whole).ok().map(|latest| latest.to_zoned(here.time_zone().clone()))
            }
        }
    }
}

/// Writes a pattern as its library reads it: `5/15` is from 5 on, and a question mark is a star.
fn pattern(text: &str) -> String {
    let ends = ["59", "23", "31", "12", "6"];
    let part = |part: &str, end: &str| match part.split_once('/') {
        Some((from, step)) if !from.contains(['*', '-']) => format!("{from}-{end}/{step}"),
        _ => part.to_owned(),
    };
    let field = |(index, field): (usize, &str)| {
        let end = ends.get(index).copied().unwrap_or_default();
        let parts: Vec<String> = field.replace('?', "*").split(',').map(|one| part(one, end)).collect();
        parts.join(",")
    };
    text.split_whitespace().enumerate().map(field).collect::<Vec<_>>().join(" ")
}

fn make(cron: &Value, job_name: &str, scheduled: &str) -> Value {
    let template = at(cron, "/spec/jobTemplate").unwrap_or(&Value::Null);
    let mut metadata = json!({
        "name": job_name, "namespace": namespace(cron), "ownerReferences": [controller_reference(cron)]
    });
    for field in ["labels", "annotations"] {
        if let Some(value) =
            at(template, "/metadata").and_then(|metadata| metadata.get(field)).filter(|value| value.is_object())
        {
            set(&mut metadata, &[field], value.clone());
        }
    }
    set(&mut metadata, &["annotations", SCHEDULED], Value::from(scheduled));
    json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": metadata,
        "spec": template.get("spec").cloned().unwrap_or_default()
    })
}

/// Writes which Jobs are active, and when the last was started and the last succeeded.
fn keep_status(cron: &Value, jobs: &[Arc<Value>], outcome: &mut Outcome) {
    let mut status = cron.get("status").cloned().unwrap_or_else(|| json!({}));
    let scheduled = |job: &Arc<Value>| -> Option<Timestamp> { annotation(job, SCHEDULED)?.parse().ok() };
    let last = jobs.iter().filter_map(scheduled).chain(time(cron, "/status/lastScheduleTime")).max();
    if let Some(last) = last {
        set(&mut status, &["lastScheduleTime"], stamp(last));
    }
    let completed = jobs.iter().filter_map(|job| time(job, "/status/completionTime"));
    if let Some(completed) = completed.chain(time(cron, "/status/lastSuccessfulTime")).max() {
        set(&mut status, &["lastSuccessfulTime"], stamp(completed));
    }
    let active: Vec<Value> = jobs
        .iter()
        .filter(|job| !is_finished(job) && scheduled(job).is_some())
        .map(|job| {
            let present = items(cron, "/status/active").iter().find(|active| text(active, "/uid") == uid(job));
            present.cloned().unwrap_or_else(|| {
                json!({
                    "apiVersion": "batch/v1", "kind": "Job", "name": name(job), "namespace": namespace(job), "uid": uid(job),
                    "resourceVersion": text(job, "/metadata/resourceVersion")
                })
            })
        })
        .collect();
    let gone: Vec<&Value> = items(cron, "/status/active")
        .iter()
        .filter(|before| !active.iter().any(|now| text(now, "/uid") == text(before, "/uid")))
        .collect();
    if active.is_empty() {
        super::fields::unset(&mut status, "", "active");
    } else {
        set(&mut status, &["active"], Value::from(active));
    }
    if !outcome.status(cron, status, MANAGER) {
        return;
    }
    for gone in gone {
        let job = jobs.iter().find(|job| uid(job) == text(gone, "/uid"));
        match job {
            Some(job) => {
                let kind = if condition::is_true(job, "Failed") { "Failed" } else { "Complete" };
                let message = format!("Saw completed job: {}, condition: {kind}", name(job));
                outcome.normal(cron, COMPONENT, "SawCompletedJob", message);
            }
            None => outcome.normal(
                cron,
                COMPONENT,
                "MissingJob",
                format!("Active job went missing: {}", text(gone, "/name")),
            ),
        }
    }
}

/// Deletes the oldest finished Jobs beyond the history that is to be kept.
fn clean_up(cron: &Value, jobs: &[Arc<Value>], outcome: &mut Outcome) {
    for (kind, field, usual) in [("Complete", "successfulJobsHistoryLimit", 3), ("Failed", "failedJobsHistoryLimit", 1)]
    {
        let limit = number(cron, &format!("/spec/{field}")).unwrap_or(usual);
        let limit = usize::try_from(limit).unwrap_or(0);
        let of_kind: Vec<_> = jobs.iter().filter(|job| condition::is_true(job, kind)).collect();
        let too_many = of_kind.len().saturating_sub(limit);
        for job in of_kind.into_iter().take(too_many).filter(|job| !is_leaving(job)) {
            outcome.delete(job);
            outcome.normal(cron, COMPONENT, "SuccessfulDelete", format!("Deleted job {}", name(job)));
        }
    }
}
