//! CronJobs.

use serde_json::{Map, Value};

use super::Problems;
use super::jobs;
use super::meta;
use super::names::NameRule;
use super::numbers;
use super::path::Path;
use super::read::Read;
use super::schedule;
use super::selector;

const MOST_CRON_NAME: usize = 52;

/// A CronJob.
pub(super) fn cron_job(object: &Value, problems: &mut Problems) {
    meta::of(object, true, NameRule::Subdomain, problems);
    cron_spec(object, None, problems);
    let name = object.below(&["metadata", "name"]).and_then(Value::as_str).unwrap_or_default();
    if name.len() > MOST_CRON_NAME {
        let detail = format!("must be no more than {MOST_CRON_NAME} characters");
        problems.push(Path::new("metadata").child("name").invalid(name, &detail));
    }
}

/// A change of a CronJob.
pub(super) fn cron_job_update(live: &Value, object: &Value, problems: &mut Problems) {
    meta::of_update(live, object, problems);
    cron_spec(object, Some(live), problems);
}

fn cron_spec(object: &Value, live: Option<&Value>, problems: &mut Problems) {
    let none = Value::Object(Map::new());
    let spec = object.field("spec").unwrap_or(&none);
    let before = live.map(|live| live.field("spec").unwrap_or(&none));
    let path = Path::new("spec");
    let zone = spec.maybe_text("timeZone");
    match spec.text("schedule") {
        "" => problems.push(path.child("schedule").required("")),
        text => {
            let may_name_zone = before.is_some_and(|before| before.text("schedule").contains("TZ"));
            schedule::of(text, may_name_zone, zone.is_some(), &path.child("schedule"), problems);
        }
    }
    numbers::not_negative_if_any(
        spec.number("startingDeadlineSeconds"),
        &path.child("startingDeadlineSeconds"),
        problems,
    );
    if before.is_none_or(|before| before.maybe_text("timeZone") != zone)
        && let Some(zone) = zone
    {
        schedule::zone(zone, &path.child("timeZone"), problems);
    }
    let at = path.child("concurrencyPolicy");
    numbers::one_of(spec.text("concurrencyPolicy"), &["Allow", "Forbid", "Replace"], &at, problems);
    let at = path.child("jobTemplate").child("spec");
    let job = spec.below(&["jobTemplate", "spec"]).unwrap_or(&none);
    jobs::of_spec(job, &at, problems);
    if job.field("selector").is_some() {
        let shown = selector::shown(job.field("selector"));
        problems.push(at.child("selector").invalid_shown(shown, "`selector` will be auto-generated"));
    }
    if job.flag("manualSelector") {
        problems.push(at.child("manualSelector").not_supported(true, &["nil", "false"]));
    }
    for name in ["successfulJobsHistoryLimit", "failedJobsHistoryLimit"] {
        numbers::not_negative_if_any(spec.number(name), &path.child(name), problems);
    }
}
