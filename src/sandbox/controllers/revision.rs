//! ControllerRevisions: the templates that a StatefulSet or DaemonSet has had.

use std::sync::Arc;

use serde_json::{Value, json};

use super::deed::Outcome;
use super::fields::{at, controller_reference, kind, name, namespace, number, same, same_fields, set, text};
use super::hash;
use super::offspring::{self, MANAGER};
use crate::sandbox::view::View;

/// Says in the template of a revision that it takes the place of the present one.
const PATCH: &str = "$patch";

/// Label of the pods with their revision.
pub(super) const LABEL: &str = "controller-revision-hash";

/// The revisions of a workload, oldest first, and which is of the present template.
pub(super) struct Revisions {
    pub(super) all: Vec<Arc<Value>>,
    pub(super) present: Arc<Value>,
}

/// What a revision keeps: a patch that brings the template back.
fn data(workload: &Value) -> Value {
    let mut template = at(workload, "/spec/template").cloned().unwrap_or_default();
    set(&mut template, &[PATCH], Value::from("replace"));
    let mut data = Value::Null;
    set(&mut data, &["spec", "template"], template);
    data
}

/// Tells whether a revision keeps the template that a workload has now: [`data`] without making it.
fn is_of(revision: &Value, workload: &Value) -> bool {
    let Some(kept) = revision.get("data") else { return false };
    let alone = |value: &Value| value.as_object().is_some_and(|fields| fields.len() == 1);
    match (at(kept, "/spec/template"), at(workload, "/spec/template")) {
        (Some(Value::Object(kept_template)), Some(Value::Object(template)))
            if alone(kept) && kept.get("spec").is_some_and(alone) && !template.contains_key(PATCH) =>
        {
            let fields = kept_template.iter().filter(|(field, _)| *field != PATCH);
            kept_template.get(PATCH).is_some_and(|patch| patch == "replace") && same_fields(fields, template.iter())
        }
        _ => same(kept, &data(workload)),
    }
}

/// Returns the pod template of a revision.
pub(super) fn template(revision: &Value) -> Value {
    let mut template = at(revision, "/data/spec/template").cloned().unwrap_or_default();
    super::fields::unset(&mut template, "", PATCH);
    template
}

/// Finds the revisions of a workload. Where that of the present template is missing, or is not the newest, it is written
/// and nothing is returned: the workload is looked at again.
pub(super) fn find(view: &dyn View, workload: &Value, outcome: &mut Outcome) -> Option<Revisions> {
    let mut all = offspring::owned(view, workload, "ControllerRevision");
    let order = |revision: &Value| number(revision, "/revision").unwrap_or(0);
    all.sort_by(|one, other| order(one).cmp(&order(other)).then_with(|| name(one).cmp(name(other))));
    let newest = all.last().map_or(0, |revision| order(revision));
    let next = newest.saturating_add(1);
    let equal = all.iter().rev().find(|revision| is_of(revision, workload)).cloned();
    if let Some(present) = equal {
        if order(&present) < newest {
            let mut renewed = (*present).clone();
            set(&mut renewed, &["revision"], Value::from(next));
            outcome.update(renewed, MANAGER);
            return None;
        }
        return Some(Revisions { all, present });
    }
    let data = data(workload);
    let mut collisions = number(workload, "/status/collisionCount").unwrap_or(0);
    let (hash, revision_name) = loop {
        let hash = hash::of(&data, collisions);
        let revision_name = format!("{}-{hash}", name(workload));
        if view.get("apps", "ControllerRevision", namespace(workload), &revision_name).is_none() {
            break (hash, revision_name);
        }
        collisions += 1;
    };
    let mut labels = at(workload, "/spec/template/metadata/labels").cloned().unwrap_or_else(|| json!({}));
    let label = if kind(workload) == "StatefulSet" { "controller.kubernetes.io/hash" } else { LABEL };
    set(&mut labels, &[label], Value::from(hash));
    let mut metadata = json!({
        "name": revision_name, "namespace": namespace(workload), "labels": labels,
        "ownerReferences": [controller_reference(workload)]
    });
    let mut annotations = at(workload, "/metadata/annotations").cloned().unwrap_or_default();
    super::fields::unset(&mut annotations, "", "kubectl.kubernetes.io/last-applied-configuration");
    if annotations.as_object().is_some_and(|annotations| !annotations.is_empty()) {
        set(&mut metadata, &["annotations"], annotations);
    }
    let mut revision = json!({"apiVersion": "apps/v1", "kind": "ControllerRevision", "revision": next});
    set(&mut revision, &["metadata"], metadata);
    set(&mut revision, &["data"], data);
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
