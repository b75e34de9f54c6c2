//! Revisions of a Deployment: each is a ReplicaSet with a number.

use serde_json::{Map, Value, json};

use super::{COMPONENT, Sets, bounds, replicas, rollout};
use crate::sandbox::controllers::condition;
use crate::sandbox::controllers::deed::Outcome;
use crate::sandbox::controllers::fields::{
    annotation, at, controller_reference, is_controlled_by, is_leaving, items, name, namespace, number, same, set,
    stamp, text, uid,
};
use crate::sandbox::controllers::hash;
use crate::sandbox::controllers::offspring::MANAGER;
use crate::sandbox::view::View;

const REVISION: &str = "deployment.kubernetes.io/revision";
const HISTORY: &str = "deployment.kubernetes.io/revision-history";
pub(super) const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
pub(super) const MOST: &str = "deployment.kubernetes.io/max-replicas";
const HASH_LABEL: &str = "pod-template-hash";
/// Annotations that a ReplicaSet does not take over.
const NOT_COPIED: [&str; 6] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    HISTORY,
    DESIRED,
    MOST,
    "deprecated.deployment.rollback.to",
];

/// Tells whether a ReplicaSet is of that template.
pub(super) fn is_of(replica_set: &Value, template: &Value) -> bool {
    let mut own = at(replica_set, "/spec/template").cloned().unwrap_or_default();
    let mut template = template.clone();
    for template in [&mut own, &mut template] {
        crate::sandbox::controllers::fields::unset(template, "/metadata/labels", HASH_LABEL);
    }
    same(&own, &template)
}

fn number_of(replica_set: &Value) -> i64 {
    annotation(replica_set, REVISION).and_then(|revision| revision.parse().ok()).unwrap_or(0)
}

/// Returns the number that comes after those of the old ReplicaSets.
fn next(sets: &Sets) -> i64 {
    sets.old.iter().map(|set| number_of(set)).max().unwrap_or(0).saturating_add(1)
}

/// Makes the ReplicaSet of the present template.
pub(super) fn make(view: &dyn View, deployment: &Value, sets: &Sets, outcome: &mut Outcome) {
    let template = at(deployment, "/spec/template").cloned().unwrap_or_default();
    let collisions = number(deployment, "/status/collisionCount").unwrap_or(0);
    let hash = hash::of(&template, collisions);
    let set_name = format!("{}-{hash}", name(deployment));
    let progress = |reason: &str, message: String, outcome: &mut Outcome, collisions: i64| {
        let mut status = deployment.get("status").cloned().unwrap_or_else(|| json!({}));
        if collisions > 0 {
            set(&mut status, &["collisionCount"], Value::from(collisions));
        }
        let mut conditions = items(deployment, "/status/conditions").to_vec();
        let said = condition::Said { kind: "Progressing", status: "True", reason, message: &message };
        let mut made = condition::make(condition::among(&conditions, "Progressing"), said, view.now());
        set(&mut made, &["lastUpdateTime"], stamp(view.now()));
        condition::put(&mut conditions, made);
        set(&mut status, &["conditions"], Value::from(conditions));
        outcome.status(deployment, status, MANAGER);
    };
    if let Some(taken) = view.get("apps", "ReplicaSet", namespace(deployment), &set_name) {
        if !is_leaving(&taken) && !is_controlled_by(&taken, uid(deployment)) || !is_of(&taken, &template) {
            let message = format!("Found new replica set {set_name:?}");
            progress("FoundNewReplicaSet", message, outcome, collisions + 1);
        }
        return;
    }
    let mut labelled = template;
    set(&mut labelled, &["metadata", "labels", HASH_LABEL], Value::from(hash.as_str()));
    let mut selector = at(deployment, "/spec/selector").cloned().unwrap_or_default();
    set(&mut selector, &["matchLabels", HASH_LABEL], Value::from(hash.as_str()));
    let count = rollout::room(deployment, sets, 0);
    let mut annotations = copied(deployment);
    annotations.insert(REVISION.to_owned(), Value::from(next(sets).to_string()));
    annotations.insert(DESIRED.to_owned(), Value::from(replicas(deployment).to_string()));
    annotations.insert(MOST.to_owned(), Value::from((replicas(deployment) + bounds(deployment).0).to_string()));
    let labels = at(&labelled, "/metadata/labels").cloned().unwrap_or_default();
    let mut spec = json!({"replicas": count, "selector": selector, "template": labelled});
    if let Some(seconds) = number(deployment, "/spec/minReadySeconds").filter(|seconds| *seconds > 0) {
        set(&mut spec, &["minReadySeconds"], Value::from(seconds));
    }
    let replica_set = json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {
            "name": set_name, "namespace": namespace(deployment), "labels": labels, "annotations": annotations,
            "ownerReferences": [controller_reference(deployment)]
        },
        "spec": spec
    });
    outcome.create(replica_set, MANAGER);
    if count > 0 {
        let message = format!("Scaled up replica set {set_name} from 0 to {count}");
        outcome.normal(deployment, COMPONENT, "ScalingReplicaSet", message);
    }
    if has_deadline(deployment) {
        let mut annotated = Outcome::default();
        progress("NewReplicaSetCreated", format!("Created new replica set {set_name:?}"), &mut annotated, 0);
        outcome.merge(annotated);
    }
}

pub(super) fn has_deadline(deployment: &Value) -> bool {
    number(deployment, "/spec/progressDeadlineSeconds").is_some_and(|seconds| seconds != i64::from(i32::MAX))
}

fn copied(deployment: &Value) -> Map<String, Value> {
    let annotations = at(deployment, "/metadata/annotations").and_then(Value::as_object);
    let wanted = |(key, _): &(&String, &Value)| !NOT_COPIED.contains(&key.as_str());
    annotations
        .map(|all| all.iter().filter(wanted).map(|(key, value)| (key.clone(), value.clone())).collect())
        .unwrap_or_default()
}

/// Keeps the annotations of the present ReplicaSet in step, and the revision of the Deployment. Tells whether the
/// ReplicaSet or the Deployment is written.
pub(super) fn annotate(deployment: &Value, new: &Value, sets: &Sets, outcome: &mut Outcome) -> bool {
    let mut annotations = at(new, "/metadata/annotations").and_then(Value::as_object).cloned().unwrap_or_default();
    let before = annotations.clone();
    // What the Deployment no longer says goes too.
    annotations.retain(|key, _| NOT_COPIED.contains(&key.as_str()));
    annotations.extend(copied(deployment));
    let (present, next) = (number_of(new), next(sets));
    if present < next {
        if present > 0 {
            let mut history: Vec<String> = annotations
                .get(HISTORY)
                .and_then(Value::as_str)
                .map(|all| all.split(',').map(str::to_owned).collect())
                .unwrap_or_default();
            history.push(present.to_string());
            annotations.insert(HISTORY.to_owned(), Value::from(history.join(",")));
        }
        annotations.insert(REVISION.to_owned(), Value::from(next.to_string()));
    }
    let min_ready = |object: &Value| number(object, "/spec/minReadySeconds").unwrap_or(0);
    if annotations != before || min_ready(new) != min_ready(deployment) {
        let mut new = new.clone();
        set(&mut new, &["metadata", "annotations"], Value::Object(annotations));
        if min_ready(&new) != min_ready(deployment) {
            set(&mut new, &["spec", "minReadySeconds"], Value::from(min_ready(deployment)));
        }
        outcome.update(new, MANAGER);
        return true;
    }
    let revision = annotation(new, REVISION).unwrap_or_default();
    if annotation(deployment, REVISION) != Some(revision) {
        // The real controller writes it through the status subresource, which takes annotations along.
        let mut deployment = deployment.clone();
        set(&mut deployment, &["metadata", "annotations", REVISION], Value::from(revision));
        outcome.deeds.push(crate::sandbox::controllers::deed::Deed::Status { object: deployment, manager: MANAGER });
        return true;
    }
    false
}

/// Deletes the oldest ReplicaSets without pods beyond the history that is to be kept.
pub(super) fn clean_up(deployment: &Value, sets: &Sets, outcome: &mut Outcome) {
    let Some(limit) = number(deployment, "/spec/revisionHistoryLimit").and_then(|limit| usize::try_from(limit).ok())
    else {
        return;
    };
    let mut old: Vec<_> = sets.old.iter().filter(|set| !is_leaving(set)).collect();
    old.sort_by_key(|set| number_of(set));
    let too_many = old.len().saturating_sub(limit);
    for set in old.into_iter().take(too_many) {
        let is_settled = number(set, "/status/observedGeneration") >= number(set, "/metadata/generation");
        if replicas(set) == 0
            && number(set, "/status/replicas").unwrap_or(0) == 0
            && is_settled
            && !text(set, "/metadata/uid").is_empty()
        {
            outcome.delete(set);
        }
    }
}
