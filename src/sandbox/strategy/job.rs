//! Jobs: the selector and the labels that the server generates from name and uid.

use serde_json::Value;

use super::fields::{at, map_mut, put, text};
use crate::sandbox::kind::Kind;

const CONTROLLER_UID: &str = "batch.kubernetes.io/controller-uid";

pub(super) fn create(object: &mut Value) {
    let is_manual = at(object, &["spec", "manualSelector"]) == Some(&Value::Bool(true));
    if is_manual {
        return;
    }
    let name = text(object, &["metadata", "name"]).to_owned();
    let uid = text(object, &["metadata", "uid"]).to_owned();
    // Whoever set other labels there is told so by validation.
    if let Some(labels) = map_mut(object, &["spec", "template", "metadata", "labels"]) {
        for (label, value) in [
            ("job-name", &name),
            ("batch.kubernetes.io/job-name", &name),
            ("controller-uid", &uid),
            (CONTROLLER_UID, &uid),
        ] {
            labels.entry(label).or_insert_with(|| value.clone().into());
        }
    }
    if let Some(selected) = map_mut(object, &["spec", "selector", "matchLabels"]) {
        selected.entry(CONTROLLER_UID).or_insert_with(|| uid.into());
    }
    labels_of_template(object);
}

/// Tells whether a Job, as it was decoded, has no labels, so that it is to have those of its template.
///
/// Defaults copy them before the generated ones are there. Whoever fills in defaults drops the labels of such a Job
/// again before it is prepared; a Job that was sent with equal labels keeps just those.
#[must_use]
pub fn labels_follow_template(kind: &Kind, decoded: &Value) -> bool {
    kind.is("batch", "Job")
        && at(decoded, &["metadata", "labels"]).and_then(Value::as_object).is_none_or(serde_json::Map::is_empty)
}

/// A Job without labels of its own has those of its template, with the generated ones.
fn labels_of_template(object: &mut Value) {
    let has_labels = at(object, &["metadata", "labels"]).and_then(Value::as_object).is_some_and(|map| !map.is_empty());
    let of_template = at(object, &["spec", "template", "metadata", "labels"]).cloned();
    if let (false, Some(labels)) = (has_labels, of_template) {
        put(object, &["metadata", "labels"], labels);
    }
}
