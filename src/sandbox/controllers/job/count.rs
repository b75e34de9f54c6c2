//! Counting the pods of a Job that have ended.

use serde_json::{Value, json};

use super::{TRACKING, Work, indexes};
use crate::sandbox::controllers::deed::Outcome;
use crate::sandbox::controllers::fields::{
    has_finalizer, is_leaving, items, number, set, text, uid, without_finalizer,
};
use crate::sandbox::controllers::offspring::MANAGER;

const UNCOUNTED: &str = "uncountedTerminatedPods";

/// Counts what has ended, one step at a time. Tells whether there was anything to count; the Job is looked at again then.
pub(super) fn pods(work: &Work<'_>, outcome: &mut Outcome) -> bool {
    let job = work.job;
    let listed = |list: &str| items(job, &format!("/status/{UNCOUNTED}/{list}")).to_vec();
    let (mut succeeded, mut failed) = (listed("succeeded"), listed("failed"));
    let mut found_new = false;
    for pod in work.pods.iter().filter(|pod| has_finalizer(pod, TRACKING)) {
        let id = Value::from(uid(pod));
        if succeeded.contains(&id) || failed.contains(&id) {
            continue;
        }
        if text(pod, "/status/phase") == "Succeeded" {
            succeeded.push(id);
            found_new = true;
        } else if text(pod, "/status/phase") == "Failed" || is_leaving(pod) {
            failed.push(id);
            found_new = true;
        }
    }
    let mut status = job.get("status").cloned().unwrap_or_else(|| json!({}));
    if found_new {
        let ended = |pod: &&std::sync::Arc<Value>| succeeded.contains(&Value::from(uid(pod)));
        if work.is_indexed() {
            let done = work.pods.iter().filter(ended).filter_map(|pod| indexes::of(pod));
            let all = indexes::joined(text(job, "/status/completedIndexes"), done);
            set(&mut status, &["completedIndexes"], Value::from(all));
        }
        put(&mut status, &succeeded, &failed);
        outcome.status(job, status, MANAGER);
        return true;
    }
    if succeeded.is_empty() && failed.is_empty() {
        return false;
    }
    let is_listed = |pod: &&std::sync::Arc<Value>| {
        let id = Value::from(uid(pod));
        succeeded.contains(&id) || failed.contains(&id)
    };
    for pod in work.pods.iter().filter(is_listed).filter(|pod| has_finalizer(pod, TRACKING)) {
        outcome.update(without_finalizer(pod, TRACKING), MANAGER);
    }
    if !outcome.is_idle() {
        return true;
    }
    for (field, more) in [("succeeded", succeeded.len()), ("failed", failed.len())] {
        let before = number(&status, &format!("/{field}")).unwrap_or(0);
        let more = i64::try_from(more).unwrap_or(0);
        set(&mut status, &[field], Value::from(before + more));
    }
    if work.is_indexed() {
        let count = indexes::count(text(&status, "/completedIndexes"));
        set(&mut status, &["succeeded"], Value::from(count));
    }
    put(&mut status, &[], &[]);
    outcome.status(job, status, MANAGER);
    true
}

fn put(status: &mut Value, succeeded: &[Value], failed: &[Value]) {
    let mut uncounted = json!({});
    for (field, list) in [("succeeded", succeeded), ("failed", failed)] {
        if !list.is_empty() {
            set(&mut uncounted, &[field], Value::from(list));
        }
    }
    set(status, &[UNCOUNTED], uncounted);
}
