//! DaemonSets: one pod a node.

use std::sync::Arc;

use serde_json::{Value, json};

use super::deed::Outcome;
use super::fields::{annotation, at, is_leaving, items, label, name, number, set, share, text};
use super::offspring::{self, MANAGER, Named};
use super::pod::{fits, is_over, is_tolerated};
use super::revision::{self, LABEL};
use crate::sandbox::view::View;

const COMPONENT: &str = "daemonset-controller";
const GENERATION: &str = "deprecated.daemonset.template.generation";
const AFFINITY: [&str; 4] = ["spec", "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"];

/// A node and the pods that the DaemonSet has there.
struct Place<'a> {
    node: &'a Value,
    wants: bool,
    pods: Vec<Arc<Value>>,
}

pub(super) fn reconcile(view: &dyn View, daemon: &Value) -> Outcome {
    let mut outcome = Outcome::default();
    offspring::adopt(view, daemon, ("", "Pod"), at(daemon, "/spec/selector"), &mut outcome);
    let Some(revisions) = revision::find(view, daemon, &mut outcome) else { return outcome };
    if !outcome.is_idle() {
        return outcome;
    }
    let hash = label(&revisions.present, LABEL).to_owned();
    let pods = offspring::owned(view, daemon, "Pod");
    let nodes = view.list("", "Node", None);
    let probe = with_tolerations(offspring::make(
        daemon,
        at(daemon, "/spec/template").unwrap_or(&Value::Null),
        &Named::As { name: "probe", prefix: "" },
        view,
    ));
    let places: Vec<Place<'_>> = nodes
        .iter()
        .map(|node| {
            let here = |pod: &&Arc<Value>| target(pod) == name(node);
            let wants = fits(&probe, node) && is_tolerated(&probe, node, &["NoSchedule", "NoExecute"]);
            Place { node, wants, pods: pods.iter().filter(here).cloned().collect() }
        })
        .collect();
    if !is_leaving(daemon) {
        manage(view, daemon, &places, &hash, &mut outcome);
        if outcome.is_idle() && text(daemon, "/spec/updateStrategy/type") != "OnDelete" {
            update(view, daemon, &places, &hash, &mut outcome);
        }
    }
    write_status(view, daemon, &places, &hash, &mut outcome);
    if outcome.is_idle() && !is_leaving(daemon) {
        let used: Vec<&str> = pods.iter().map(|pod| label(pod, LABEL)).collect();
        revision::clean_up(daemon, &revisions, &used, &mut outcome);
    }
    outcome
}

/// Returns the node that a pod has, or is made for.
fn target(pod: &Value) -> &str {
    match text(pod, "/spec/nodeName") {
        "" => {
            let terms = items(
                pod,
                "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms",
            );
            let field = terms
                .iter()
                .flat_map(|term| items(term, "/matchFields"))
                .find(|field| text(field, "/key") == "metadata.name");
            field.and_then(|field| items(field, "/values").first()).and_then(Value::as_str).unwrap_or_default()
        }
        node => node,
    }
}

/// A daemon runs on nodes that are in trouble too.
fn with_tolerations(mut pod: Value) -> Value {
    let mut tolerations = items(&pod, "/spec/tolerations").to_vec();
    for (key, effect) in [
        ("node.kubernetes.io/not-ready", "NoExecute"),
        ("node.kubernetes.io/unreachable", "NoExecute"),
        ("node.kubernetes.io/disk-pressure", "NoSchedule"),
        ("node.kubernetes.io/memory-pressure", "NoSchedule"),
        ("node.kubernetes.io/pid-pressure", "NoSchedule"),
        ("node.kubernetes.io/unschedulable", "NoSchedule"),
    ] {
        let toleration = json!({"key": key, "operator": "Exists", "effect": effect});
        if !tolerations.contains(&toleration) {
            tolerations.push(toleration);
        }
    }
    set(&mut pod, &["spec", "tolerations"], Value::from(tolerations));
    pod
}

fn make(view: &dyn View, daemon: &Value, node: &str, hash: &str, outcome: &mut Outcome) {
    let template = at(daemon, "/spec/template").unwrap_or(&Value::Null);
    let prefix = format!("{}-", name(daemon));
    let index = outcome.deeds.len();
    let mut pod = with_tolerations(offspring::make(daemon, template, &Named::After { prefix: &prefix, index }, view));
    set(&mut pod, &["metadata", "labels", LABEL], Value::from(hash));
    if let Some(generation) = annotation(daemon, GENERATION) {
        set(&mut pod, &["metadata", "labels", "pod-template-generation"], Value::from(generation));
    }
    let field = json!({"key": "metadata.name", "operator": "In", "values": [node]});
    let path = format!("/{}/nodeSelectorTerms", AFFINITY.join("/"));
    let mut terms = items(&pod, &path).to_vec();
    if terms.is_empty() {
        terms.push(json!({}));
    }
    for term in &mut terms {
        set(term, &["matchFields"], json!([field]));
    }
    set(&mut pod, &[AFFINITY.as_slice(), &["nodeSelectorTerms"]].concat(), Value::from(terms));
    let message = format!("Created pod: {}", name(&pod));
    outcome.create(pod, MANAGER);
    outcome.normal(daemon, COMPONENT, "SuccessfulCreate", message);
}

fn delete(daemon: &Value, pod: &Value, outcome: &mut Outcome) {
    outcome.delete(pod);
    outcome.normal(daemon, COMPONENT, "SuccessfulDelete", format!("Deleted pod: {}", name(pod)));
}

fn surge(daemon: &Value) -> i64 {
    share(at(daemon, "/spec/updateStrategy/rollingUpdate/maxSurge"), 1, true).unwrap_or(0)
}

/// Makes pods where they are missing, and deletes those that are too many, have failed, or do not belong.
fn manage(view: &dyn View, daemon: &Value, places: &[Place<'_>], hash: &str, outcome: &mut Outcome) {
    for place in places {
        let mut kept: Vec<&Value> = Vec::new();
        let mut is_leaving_one = false;
        for pod in &place.pods {
            if is_leaving(pod) {
                is_leaving_one = true;
            } else if is_over(pod) {
                outcome.warning(
                    daemon,
                    COMPONENT,
                    "FailedDaemonPod",
                    format!(
                        "Found failed daemon pod {}/{} on node {}, will try to kill it",
                        super::fields::namespace(pod),
                        name(pod),
                        name(place.node)
                    ),
                );
                delete(daemon, pod, outcome);
                is_leaving_one = true;
            } else if place.wants {
                kept.push(pod);
            } else {
                delete(daemon, pod, outcome);
            }
        }
        if place.wants && kept.is_empty() && !is_leaving_one {
            make(view, daemon, name(place.node), hash, outcome);
        }
        // While an update surges there are two: the old one goes when the new one is available.
        let is_new = |pod: &&&Value| label(pod, LABEL) == hash;
        let new = kept.iter().find(is_new);
        let min_ready = number(daemon, "/spec/minReadySeconds").unwrap_or(0);
        if kept.len() > 1 {
            let is_replaced = match new {
                Some(new) => surge(daemon) == 0 || offspring::is_available(new, min_ready, view.now(), outcome),
                None => true,
            };
            if is_replaced {
                let first = new.or(kept.first()).map_or("", |pod| name(pod)).to_owned();
                for pod in kept.iter().filter(|pod| name(pod) != first) {
                    delete(daemon, pod, outcome);
                }
            }
        }
    }
}

fn update(view: &dyn View, daemon: &Value, places: &[Place<'_>], hash: &str, outcome: &mut Outcome) {
    let wanted = i64::try_from(places.iter().filter(|place| place.wants).count()).unwrap_or(i64::MAX);
    let rolling = at(daemon, "/spec/updateStrategy/rollingUpdate");
    let count = |field: &str| rolling.and_then(|rolling| share(rolling.get(field), wanted, true));
    let most_more = count("maxSurge").unwrap_or(0);
    let min_ready = number(daemon, "/spec/minReadySeconds").unwrap_or(0);
    let mut unavailable = 0;
    let mut old: Vec<(&Place<'_>, &Value, bool)> = Vec::new();
    for place in places.iter().filter(|place| place.wants) {
        let mut is_there = false;
        for pod in place.pods.iter().filter(|pod| offspring::is_active(pod)) {
            let is_available = offspring::is_available(pod, min_ready, view.now(), outcome);
            is_there |= is_available;
            if label(pod, LABEL) != hash && !place.pods.iter().any(|other| label(other, LABEL) == hash) {
                old.push((place, pod, is_available));
            }
        }
        unavailable += i64::from(!is_there);
    }
    if most_more > 0 {
        for (place, _, _) in old.into_iter().take(usize::try_from(most_more).unwrap_or(0)) {
            make(view, daemon, name(place.node), hash, outcome);
        }
        return;
    }
    let mut room = count("maxUnavailable").unwrap_or(1).max(1) - unavailable;
    for (_, pod, is_available) in old {
        if !is_available {
            delete(daemon, pod, outcome);
        } else if room > 0 {
            room -= 1;
            delete(daemon, pod, outcome);
        }
    }
}

fn write_status(view: &dyn View, daemon: &Value, places: &[Place<'_>], hash: &str, outcome: &mut Outcome) {
    let min_ready = number(daemon, "/spec/minReadySeconds").unwrap_or(0);
    let (mut desired, mut current, mut misplaced, mut ready, mut available, mut updated) = (0, 0, 0, 0, 0, 0);
    for place in places {
        let active: Vec<_> = place.pods.iter().filter(|pod| !is_leaving(pod)).collect();
        if !place.wants {
            misplaced += i64::from(!active.is_empty());
            continue;
        }
        desired += 1;
        let Some(pod) = active.iter().find(|pod| label(pod, LABEL) == hash).or(active.first()) else { continue };
        current += 1;
        updated += i64::from(label(pod, LABEL) == hash);
        let any_ready = active.iter().any(|pod| offspring::is_ready(pod));
        ready += i64::from(any_ready);
        available += i64::from(active.iter().any(|pod| offspring::is_available(pod, min_ready, view.now(), outcome)));
    }
    let mut status = json!({
        "observedGeneration": number(daemon, "/metadata/generation").unwrap_or(0), "desiredNumberScheduled": desired,
        "currentNumberScheduled": current, "numberMisscheduled": misplaced, "numberReady": ready,
        "numberAvailable": available, "numberUnavailable": desired - available, "updatedNumberScheduled": updated
    });
    if let Some(collisions) = number(daemon, "/status/collisionCount") {
        set(&mut status, &["collisionCount"], Value::from(collisions));
    }
    outcome.status(daemon, status, MANAGER);
}
