//! Jobs: pods that run to their end, so many times.
//!
//! Each pod carries a finalizer until it is counted, so that none is counted twice or never: its uid is first written into
//! `uncountedTerminatedPods`, then its finalizer is taken, then it is added to the counts.

mod count;
mod indexes;
mod member;
mod status;

use std::sync::Arc;

use serde_json::Value;

use super::deed::{Outcome, Propagation};
use super::fields::{after, at, flag, has_finalizer, is_leaving, items, number, text, time, without_finalizer};
use super::offspring::{self, MANAGER};
use super::pod::is_over;
use super::{condition, fields};
use crate::sandbox::view::View;

const COMPONENT: &str = "job-controller";
const TRACKING: &str = "batch.kubernetes.io/job-tracking";

/// A Job with its pods.
struct Work<'a> {
    job: &'a Value,
    pods: Vec<Arc<Value>>,
}

impl Work<'_> {
    fn is_indexed(&self) -> bool {
        text(self.job, "/spec/completionMode") == "Indexed"
    }

    fn completions(&self) -> Option<i64> {
        number(self.job, "/spec/completions")
    }

    fn active(&self) -> impl Iterator<Item = &Arc<Value>> {
        self.pods.iter().filter(|pod| offspring::is_active(pod))
    }

    fn terminating(&self) -> usize {
        self.pods.iter().filter(|pod| is_leaving(pod) && !is_over(pod)).count()
    }
}

pub(super) fn reconcile(view: &dyn View, job: &Value) -> Outcome {
    let mut outcome = Outcome::default();
    let managed_by = text(job, "/spec/managedBy");
    if !managed_by.is_empty() && managed_by != "kubernetes.io/job-controller" {
        return outcome;
    }
    offspring::adopt(view, job, ("", "Pod"), at(job, "/spec/selector"), &mut outcome);
    let work = Work { job, pods: offspring::owned(view, job, "Pod") };
    if is_leaving(job) {
        release(&work, &mut outcome);
        return outcome;
    }
    if is_finished(job) {
        release(&work, &mut outcome);
        work.active().for_each(|pod| outcome.delete(pod));
        if outcome.is_idle() {
            expire(view, job, &mut outcome);
        }
        return outcome;
    }
    if count::pods(&work, &mut outcome) {
        return outcome;
    }
    let verdict = status::verdict(view, &work, &mut outcome);
    if verdict.is_some() || flag(job, "/spec/suspend") {
        for pod in work.active() {
            outcome.delete(pod);
            outcome.normal(job, COMPONENT, "SuccessfulDelete", format!("Deleted pod: {}", fields::name(pod)));
        }
    } else {
        member::keep(view, &work, &mut outcome);
    }
    status::write(view, &work, verdict, &mut outcome);
    outcome
}

/// Tells whether a Job is over.
pub(super) fn is_finished(job: &Value) -> bool {
    condition::is_true(job, "Complete") || condition::is_true(job, "Failed")
}

/// Takes the finalizers from pods that are counted no more.
fn release(work: &Work<'_>, outcome: &mut Outcome) {
    for pod in work.pods.iter().filter(|pod| has_finalizer(pod, TRACKING)) {
        outcome.update(without_finalizer(pod, TRACKING), MANAGER);
    }
}

/// Deletes a finished Job when its time is up.
fn expire(view: &dyn View, job: &Value, outcome: &mut Outcome) {
    let Some(seconds) = number(job, "/spec/ttlSecondsAfterFinished") else { return };
    let finished = items(job, "/status/conditions")
        .iter()
        .filter(|condition| matches!(text(condition, "/type"), "Complete" | "Failed"))
        .find_map(|condition| time(condition, "/lastTransitionTime"));
    match finished.map(|finished| after(finished, seconds)) {
        Some(due) if due > view.now() => outcome.again(due),
        Some(_) => outcome.delete_with(job, Propagation::Foreground, None),
        None => {}
    }
}
