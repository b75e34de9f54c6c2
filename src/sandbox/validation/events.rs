//! Events, in the forms of the core group and of `events.k8s.io`.

use serde_json::Value;

use super::Problems;
use super::meta;
use super::names::{self, NameRule};
use super::path::Path;
use super::read::Read;
use super::same::same_field;
use crate::sandbox::refusal::FieldProblem;

const MOST: usize = 128;
const MOST_NOTE: usize = 1024;

/// An Event. Those of the newer group are asked for more.
pub(super) fn of(object: &Value, is_newer: bool, problems: &mut Problems) {
    common(object, is_newer, problems);
    if !is_newer {
        return;
    }
    meta::of(object, true, NameRule::Subdomain, problems);
    series(object, problems);
    if object.field("eventTime").is_none() {
        problems.push(Path::new("eventTime").required(""));
    }
    let sort = object.text("type");
    if !matches!(sort, "Normal" | "Warning") {
        problems.push(Path::new("type").invalid("", &format!("has invalid value: {sort}")));
    }
    for (name, called) in [("deprecatedFirstTimestamp", "firstTimestamp"), ("deprecatedLastTimestamp", "lastTimestamp")]
    {
        if object.field(name).is_some() {
            problems.push(Path::new(called).invalid("", "needs to be unset"));
        }
    }
    if object.number("deprecatedCount").unwrap_or_default() != 0 {
        problems.push(Path::new("count").invalid("", "needs to be unset"));
    }
    let source = object.field("deprecatedSource");
    if source.is_some_and(|source| !source.text("component").is_empty() || !source.text("host").is_empty()) {
        problems.push(Path::new("source").invalid("", "needs to be unset"));
    }
}

fn series(object: &Value, problems: &mut Problems) {
    let Some(series) = object.field("series") else { return };
    if series.number("count").unwrap_or_default() < 2 {
        problems.push(Path::new("series.count").invalid("", "should be at least 2"));
    }
    if series.field("lastObservedTime").is_none() {
        problems.push(Path::new("series.lastObservedTime").required(""));
    }
}

/// Who writes an Event in the newer group may change little more than its series. Fields are told by their names in the
/// core group.
pub(super) fn newer_update(live: &Value, object: &Value, problems: &mut Problems) {
    const FIXED: [(&str, &str); 13] = [
        ("regarding", "involvedObject"),
        ("reason", "reason"),
        ("note", "message"),
        ("deprecatedSource", "source"),
        ("deprecatedFirstTimestamp", "firstTimestamp"),
        ("deprecatedLastTimestamp", "lastTimestamp"),
        ("deprecatedCount", "count"),
        ("type", "type"),
        ("eventTime", "eventTime"),
        ("action", "action"),
        ("related", "related"),
        ("reportingController", "reportingController"),
        ("reportingInstance", "reportingInstance"),
    ];
    common(object, true, problems);
    meta::of_update(live, object, problems);
    if !same_field("series", live, object) {
        series(object, problems);
    }
    for (field, called) in FIXED {
        if !same_field(field, live, object) {
            let value = object.get(field).unwrap_or(&Value::Null);
            problems.push(FieldProblem::invalid(called, value, "field is immutable"));
        }
    }
}

/// What every Event is asked for.
pub(super) fn common(object: &Value, is_newer: bool, problems: &mut Problems) {
    let names = if is_newer {
        ["regarding", "reportingController", "note"]
    } else {
        ["involvedObject", "reportingComponent", "message"]
    };
    let [about, controller, note] = names;
    let namespace = object.below(&["metadata", "namespace"]).and_then(Value::as_str).unwrap_or_default();
    let of = object.field(about).map_or("", |about| about.text("namespace"));
    let mismatch = Path::new("involvedObject").child("namespace").invalid(of, "does not match event.namespace");
    if object.field("eventTime").is_none() {
        let fits = if of.is_empty() { matches!(namespace, "" | "default") } else { namespace == of };
        if !fits {
            problems.push(mismatch);
        }
    } else {
        if of.is_empty() && !matches!(namespace, "default" | "kube-system") {
            problems.push(mismatch);
        }
        let at = Path::new(controller);
        let reporter = object.text(controller);
        if reporter.is_empty() {
            problems.push(at.required(""));
        }
        problems.extend(at.each(reporter, names::qualified(reporter)));
        for name in ["reportingInstance", "action", "reason"] {
            let text = object.text(name);
            if text.is_empty() {
                problems.push(Path::new(name).required(""));
            }
            if text.len() > MOST {
                problems.push(Path::new(name).invalid("", &format!("can have at most {MOST} characters")));
            }
        }
        if object.text(note).len() > MOST_NOTE {
            problems.push(Path::new("message").invalid("", &format!("can have at most {MOST_NOTE} characters")));
        }
    }
    problems.extend(Path::new("namespace").each(namespace, names::subdomain(namespace)));
}
