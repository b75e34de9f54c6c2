//! StatefulSets: pods with numbers, each with its own claims, made, updated and deleted in order.

mod claims;
mod member;
mod status;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::deed::Outcome;
use super::fields::{at, is_leaving, label, name, number, share, text};
use super::offspring;
use super::pod::is_over;
use super::replica_set::BURST;
use super::revision::{self, LABEL, Revisions};
use crate::sandbox::view::View;

const COMPONENT: &str = "statefulset-controller";

/// A StatefulSet with all that belongs to it.
struct Set<'a> {
    object: &'a Value,
    revisions: &'a Revisions,
    /// The revision that the pods had before the update under way.
    current: Arc<Value>,
    /// Its pods by number.
    pods: BTreeMap<i64, Arc<Value>>,
}

impl Set<'_> {
    fn start(&self) -> i64 {
        number(self.object, "/spec/ordinals/start").unwrap_or(0)
    }

    fn replicas(&self) -> i64 {
        number(self.object, "/spec/replicas").unwrap_or(1)
    }

    fn has(&self, ordinal: i64) -> bool {
        (self.start()..self.start() + self.replicas()).contains(&ordinal)
    }

    fn is_ordered(&self) -> bool {
        text(self.object, "/spec/podManagementPolicy") != "Parallel"
    }

    fn is_rolling(&self) -> bool {
        text(self.object, "/spec/updateStrategy/type") != "OnDelete"
    }

    fn partition(&self) -> i64 {
        number(self.object, "/spec/updateStrategy/rollingUpdate/partition").unwrap_or(0)
    }

    /// The revision that a new pod of this number gets.
    fn revision_of(&self, ordinal: i64) -> &Value {
        if self.is_rolling() && ordinal < self.start() + self.partition() {
            &self.current
        } else {
            &self.revisions.present
        }
    }

    fn is_updated(&self, pod: &Value) -> bool {
        label(pod, LABEL) == name(&self.revisions.present)
    }
}

pub(super) fn reconcile(view: &dyn View, object: &Value) -> Outcome {
    let mut outcome = Outcome::default();
    offspring::adopt(view, object, ("", "Pod"), at(object, "/spec/selector"), &mut outcome);
    let Some(revisions) = revision::find(view, object, &mut outcome) else { return outcome };
    let current = text(object, "/status/currentRevision");
    let current = revisions.all.iter().find(|revision| name(revision) == current).unwrap_or(&revisions.present).clone();
    let numbered = |pod: Arc<Value>| Some((offspring::ordinal(object, &pod)?, pod));
    let pods = offspring::owned(view, object, "Pod").into_iter().filter_map(numbered).collect();
    let set = Set { object, revisions: &revisions, current, pods };
    if !is_leaving(object) && outcome.is_idle() {
        claims::keep_owners(view, &set, &mut outcome);
        move_on(view, &set, &mut outcome);
    }
    let mut used: Vec<&str> = set.pods.values().map(|pod| label(pod, LABEL)).collect();
    used.push(name(&set.current));
    status::write(view, &set, &mut outcome);
    if outcome.is_idle() && !is_leaving(object) {
        revision::clean_up(object, &revisions, &used, &mut outcome);
    }
    outcome
}

fn is_healthy(pod: &Value) -> bool {
    text(pod, "/status/phase") == "Running" && offspring::is_ready(pod) && !is_leaving(pod)
}

/// Makes what is missing, deletes what is too much, updates what is old: in order, one at a time, unless told otherwise.
fn move_on(view: &dyn View, set: &Set<'_>, outcome: &mut Outcome) {
    let min_ready = number(set.object, "/spec/minReadySeconds").unwrap_or(0);
    let mut is_settled = true;
    let mut made = 0;
    for ordinal in set.start()..set.start() + set.replicas() {
        let is_waiting = match set.pods.get(&ordinal) {
            None => {
                if claims::is_stale(view, set, ordinal) {
                    // A claim that is leaving must be gone before the new one can be made.
                    true
                } else {
                    claims::make(view, set, ordinal, outcome);
                    member::make(view, set, ordinal, outcome);
                    made += 1;
                    true
                }
            }
            Some(pod) if is_over(pod) => {
                if !is_leaving(pod) {
                    member::delete(set, pod, outcome);
                }
                true
            }
            Some(pod) => {
                if !is_leaving(pod) {
                    claims::make(view, set, ordinal, outcome);
                }
                !is_healthy(pod) || !offspring::is_available(pod, min_ready, view.now(), outcome)
            }
        };
        is_settled &= !is_waiting;
        if (is_waiting && set.is_ordered()) || made == BURST {
            return;
        }
    }
    for (_, pod) in set.pods.iter().rev().filter(|(ordinal, _)| !set.has(**ordinal)) {
        if !is_leaving(pod) {
            member::delete(set, pod, outcome);
        }
        is_settled = false;
        if set.is_ordered() {
            return;
        }
    }
    // An ordered set waits for a pod that is not ready, of whatever template: nothing is updated meanwhile.
    if set.is_rolling() && (is_settled || !set.is_ordered()) {
        update(view, set, min_ready, outcome);
    }
}

/// Deletes pods of an old template from the highest number down; each is replaced and ready before the next goes.
fn update(view: &dyn View, set: &Set<'_>, min_ready: i64, outcome: &mut Outcome) {
    let most = at(set.object, "/spec/updateStrategy/rollingUpdate/maxUnavailable");
    let most = share(most, set.replicas(), true).unwrap_or(1).max(1);
    let is_there = |ordinal: &i64, outcome: &mut Outcome| {
        let pod = set.pods.get(ordinal);
        pod.is_some_and(|pod| is_healthy(pod) && offspring::is_available(pod, min_ready, view.now(), outcome))
    };
    let all: Vec<i64> = (set.start()..set.start() + set.replicas()).collect();
    let mut unavailable = 0;
    for ordinal in &all {
        unavailable += i64::from(!is_there(ordinal, outcome));
    }
    for ordinal in all.iter().rev().filter(|ordinal| **ordinal >= set.start() + set.partition()) {
        let Some(pod) = set.pods.get(ordinal) else { continue };
        if set.is_updated(pod) || is_leaving(pod) {
            continue;
        }
        let is_broken = !is_there(ordinal, outcome);
        if is_broken || unavailable < most {
            member::delete(set, pod, outcome);
            unavailable += i64::from(!is_broken);
        }
        if unavailable >= most {
            return;
        }
    }
}
