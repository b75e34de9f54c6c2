//! Jobs. The same fields stay empty in the template that a CronJob has of one.

use serde_json::{Map, Value};

use super::core::set_missing_labels;
use super::{is_missing, map_in, set_missing};

/// The fields of a Job's spec that are filled in, but not in a CronJob.
pub(super) const JOB_FIELDS: &[&str] = &[
    "completions",
    "parallelism",
    "backoffLimit",
    "completionMode",
    "suspend",
    "podReplacementPolicy",
    "manualSelector",
];

pub(super) fn job(job: &mut Map<String, Value>) {
    let Some(spec) = map_in(job, "spec") else { return };
    if is_missing(spec, "completions") && is_missing(spec, "parallelism") {
        spec.insert("completions".to_owned(), Value::from(1));
    }
    set_missing(spec, "parallelism", 1);
    let retries = if is_missing(spec, "backoffLimitPerIndex") { 6 } else { i32::MAX };
    set_missing(spec, "backoffLimit", retries);
    set_missing(spec, "completionMode", "NonIndexed");
    set_missing(spec, "suspend", false);
    let replacement = if is_missing(spec, "podFailurePolicy") { "TerminatingOrFailed" } else { "Failed" };
    set_missing(spec, "podReplacementPolicy", replacement);
    set_missing(spec, "manualSelector", false);
    let labels = spec.get("template").and_then(|template| template.pointer("/metadata/labels")).cloned();
    if let Some(labels) = labels.filter(Value::is_object) {
        set_missing_labels(job, labels);
    }
}
