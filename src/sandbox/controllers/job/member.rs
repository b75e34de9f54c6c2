//! The pods that a Job has running.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{COMPONENT, TRACKING, Work, indexes};
use crate::sandbox::controllers::deed::Outcome;
use crate::sandbox::controllers::fields::{at, is_leaving, items, name, number, set, text};
use crate::sandbox::controllers::offspring::{self, MANAGER, Named};
use crate::sandbox::controllers::replica_set::BURST;
use crate::sandbox::view::View;

/// Makes pods until as many run as may, and deletes those that are too many.
pub(super) fn keep(view: &dyn View, work: &Work<'_>, outcome: &mut Outcome) {
    let job = work.job;
    let parallelism = number(job, "/spec/parallelism").unwrap_or(1).max(0);
    let succeeded = number(job, "/status/succeeded").unwrap_or(0);
    let active: Vec<_> = work.active().collect();
    let running = i64::try_from(active.len()).unwrap_or(0);
    let leaving = i64::try_from(work.pods.iter().filter(|pod| is_leaving(pod)).count()).unwrap_or(0);
    let wanted = match work.completions() {
        Some(completions) => parallelism.min(completions - succeeded),
        // Once one has succeeded the others decide that there is no more to do.
        None if succeeded > 0 => running.min(parallelism),
        None => parallelism,
    };
    if running > wanted {
        let mut victims: Vec<_> = active.into_iter().cloned().collect();
        offspring::sort_for_deletion(&mut victims);
        for pod in victims.iter().take(usize::try_from(running - wanted).unwrap_or(0).min(BURST)) {
            outcome.delete(pod);
            outcome.normal(job, COMPONENT, "SuccessfulDelete", format!("Deleted pod: {}", name(pod)));
        }
        return;
    }
    let waits_for_gone = text(job, "/spec/podReplacementPolicy") == "Failed";
    let missing = wanted - running - if waits_for_gone { leaving } else { 0 };
    let missing = usize::try_from(missing).unwrap_or(0).min(BURST);
    let numbers: Vec<Option<i64>> = match work.is_indexed() {
        true => free_indexes(work, missing).into_iter().map(Some).collect(),
        false => vec![None; missing],
    };
    for (index, number) in numbers.into_iter().enumerate() {
        let pod = make(view, work, index, number);
        let message = format!("Created pod: {}", name(&pod));
        outcome.create(pod, MANAGER);
        outcome.normal(job, COMPONENT, "SuccessfulCreate", message);
    }
}

/// Returns the lowest numbers that no pod has and none has completed, so many at most.
fn free_indexes(work: &Work<'_>, most: usize) -> Vec<i64> {
    let busy: BTreeSet<i64> = work.active().filter_map(|pod| indexes::of(pod)).collect();
    let end = work.completions().unwrap_or(0);
    let done = indexes::parse(text(work.job, "/status/completedIndexes"));
    let (mut free, mut next) = (Vec::new(), 0);
    for (first, last) in done.into_iter().chain([(end, end)]) {
        let between = (next..first.min(end)).filter(|index| !busy.contains(index));
        free.extend(between.take(most - free.len()));
        next = last.saturating_add(1);
    }
    free
}

fn make(view: &dyn View, work: &Work<'_>, index: usize, number: Option<i64>) -> Value {
    let job = work.job;
    let template = at(job, "/spec/template").unwrap_or(&Value::Null);
    let prefix = match number {
        Some(number) => format!("{}-{number}-", name(job)),
        None => format!("{}-", name(job)),
    };
    let mut pod = offspring::make(job, template, &Named::After { prefix: &prefix, index }, view);
    let mut finalizers = items(&pod, "/metadata/finalizers").to_vec();
    finalizers.push(Value::from(TRACKING));
    set(&mut pod, &["metadata", "finalizers"], Value::from(finalizers));
    let Some(number) = number else { return pod };
    for kind in ["labels", "annotations"] {
        set(&mut pod, &["metadata", kind, indexes::INDEX], Value::from(number.to_string()));
    }
    set(&mut pod, &["spec", "hostname"], Value::from(format!("{}-{number}", name(job))));
    let path = format!("metadata.labels['{}']", indexes::INDEX);
    let variable = json!({
        "name": "JOB_COMPLETION_INDEX", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}
    });
    for list in ["initContainers", "containers"] {
        let mut containers = items(&pod, &format!("/spec/{list}")).to_vec();
        for container in &mut containers {
            let mut env = items(container, "/env").to_vec();
            if !env.iter().any(|present| text(present, "/name") == "JOB_COMPLETION_INDEX") {
                env.push(variable.clone());
            }
            set(container, &["env"], Value::from(env));
        }
        if !containers.is_empty() {
            set(&mut pod, &["spec", list], Value::from(containers));
        }
    }
    pod
}
