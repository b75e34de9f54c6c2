//! ControllerRevisions: the templates that a StatefulSet or DaemonSet has had.

use std::sync::Arc;

use serde_json::{Value, json};

use super::deed::Outcome;
use super::fields::{controller_reference, kind, name, namespace, number, same, set, text};
use super::hash;
use super::offspring::{self, MANAGER};
use crate::sandbox::view::View;

/// Label of the pods with their revision.
pub(super) const LABEL: &str = "controller-revision-hash";

/// The revisions of a workload, oldest first, and which is of the present template.
pub(super) struct Revisions {
    pub(super) all: Vec<Arc<Value>>,
    pub(super) present: Arc<Value>,
}

/// What a revision keeps: a patch that brings the template back.
fn data(workload: &Value) -> Value {
    let mut template = workload.pointer("/spec/template").cloned().unwrap_or_default();
    set(&mut template, &["$patch"], Value::from("replace"));
    json!({"spec": {"template": template}})
}

/// Returns the pod template of a revision.
pub(super) fn template(revision: &Value) -> Value {
    let mut template = revision.pointer("/data/spec/template").cloned().unwrap_or_default();
    super::fields::unset(&mut template, "", "$patch");
    template
}

/// Finds the revisions of a workload. Where that of the present template is missing, or is not the newest, it is written
/// and nothing is returned: the workload is looked at again.
pub(super) fn find(view: &dyn View, workload: &Value, outcome: &mut Outcome) -> Option<Revisions> {
    let mut all = offspring::owned(view, workload, "ControllerRevision");
    let order = |revision: &Value| number(revision, "/revision").unwrap_or(0);
    all.sort_by_key(|revision| (order(revision), name(revision).to_owned()));
    let data = data(workload);
    let newest = all.last().map_or(0, |revision| order(revision));
    let next = newest.saturating_add(1);
    let equal =
        all.iter().rev().find(|revision| revision.get("data").is_some_and(|present| same(present, &data))).cloned();
    if let Some(present) = equal {
        if order(&present) < newest {
            let mut renewed = (*present).clone();
            set(&mut renewed, &["revision"], Value::from(next));
            outcome.update(renewed, MANAGER);
            return None;
        }
        return Some(Revisions { all, present });
    }
    let mut collisions = number(workload, "/status/collisionCount").unwrap_or(0);
    let (hash, revision_name) = loop {
        let hash = hash::of(&data, collisions);
        let revision_name = format!("{}-{hash}", name(workload));
        if view.get("apps", "ControllerRevision", namespace(workload), &revision_name).is_none() {
            break (hash, revision_name);
        }
        collisions += 1;
    };
    let mut labels = workload.pointer("/spec/template/metadata/labels").cloned().unwrap_or_else(|| json!({}));
    let label = if kind(workload) == "StatefulSet" { "controller.kubernetes.io/hash" } else { LABEL };
    set(&mut labels, &[label], Value::from(hash));
    let mut metadata = json!({
        "name": revision_name, "namespace": namespace(workload), "labels": labels,
        "ownerReferences": [controller_reference(workload)]
    });
    let mut annotations = workload.pointer("/metadata/annotations").cloned().unwrap_or_default();
    super::fields::unset(&mut annotations, "", "kubectl.kubernetes.io/last-applied-configuration");
    if annotations.as_object().is_some_and(|annotations| !annotations.is_empty()) {
        set(&mut metadata, &["annotations"], annotations);
    }
    let revision = json!({
        "apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": metadata, "data": data, "revision": next
    });
    outcome.create(revision, MANAGER);
    None
}

/// Deletes the oldest revisions that no pod has and that go beyond the history.
pub(super) fn clean_up(workload: &Value, revisions: &Revisions, used: &[&str], outcome: &mut Outcome) {
    let limit =
        number(workload, "/spec/revisionHistoryLimit").and_then(|limit| usize::try_from(limit).ok()).unwrap_or(10);
    let is_used = |revision: &Value| {
        let label = ["controller.kubernetes.io/hash", LABEL].map(|label| super::fields::label(revision, label));
        name(revision) == name(&revisions.present)
            || used.iter().any(|used| *used == name(revision) || label.contains(used))
    };
    let unused: Vec<_> = revisions.all.iter().filter(|revision| !is_used(revision)).collect();
    let too_many = unused.len().saturating_sub(limit);
    for revision in unused.into_iter().take(too_many) {
        if !text(revision, "/metadata/uid").is_empty() {
            outcome.delete(revision);
        }
    }
}
