//! ReplicationControllers, templates of Pods that stand alone, and revisions.

use serde_json::Value;

use super::Problems;
use super::meta;
use super::names::{self, NameRule};
use super::numbers;
use super::path::Path;
use super::pod;
use super::read::Read;
use super::workloads::{count, runs_forever, spec_of, template, unmatched_labels};

/// A ReplicationController.
pub(super) fn replication_controller(object: &Value, problems: &mut Problems) {
    meta::with_name(object, true, |name| names::subdomain_in(name, "bytes"), |_| Vec::new(), problems);
    meta::known_finalizers(object, problems);
    replication_controller_spec(object, problems);
}

/// A change of a ReplicationController.
pub(super) fn replication_controller_update(live: &Value, object: &Value, problems: &mut Problems) {
    meta::of_update(live, object, problems);
    replication_controller_spec(object, problems);
}

fn replication_controller_spec(object: &Value, problems: &mut Problems) {
    let spec = &spec_of(object);
    let path = Path::new("spec");
    count(spec, "minReadySeconds", &path, problems);
    let selector = spec.entries("selector");
    if selector.is_empty() {
        problems.push(path.child("selector").required(""));
    }
    count(spec, "replicas", &path, problems);
    if spec.field("template").is_none() {
        problems.push(path.child("template").required(""));
        return;
    }
    let none = Value::Null;
    let labels = spec.below(&["template", "metadata", "labels"]).unwrap_or(&none);
    if !selector.texts().all(|(key, value)| labels.maybe_text(key) == Some(value)) {
        unmatched_labels(spec, &path, problems);
    }
    template(spec, &path, problems);
    runs_forever(spec, "ReplicationController", &path, problems);
}

/// A template of Pods that stands alone.
pub(super) fn pod_template(object: &Value, problems: &mut Problems) {
    meta::of(object, true, NameRule::Subdomain, problems);
    pod::of_template(object.field("template").unwrap_or(&Value::Null), &Path::new("template"), problems);
}

/// A change of such a template.
pub(super) fn pod_template_update(live: &Value, object: &Value, problems: &mut Problems) {
    meta::of_update(live, object, problems);
    pod::of_template(object.field("template").unwrap_or(&Value::Null), &Path::new("template"), problems);
}

/// What a controller revision holds.
pub(super) fn controller_revision(object: &Value, problems: &mut Problems) {
    meta::of(object, true, NameRule::Subdomain, problems);
    numbers::not_negative_if_any(object.number("revision"), &Path::new("revision"), problems);
    match object.field("data") {
        Some(Value::Object(_)) => {}
        Some(_) => problems.push(Path::new("data").required("data must be a valid JSON object")),
        None => problems.push(Path::new("data").required("data is mandatory")),
    }
}

/// A change of a controller revision.
pub(super) fn controller_revision_update(live: &Value, object: &Value, problems: &mut Problems) {
    meta::of_update(live, object, problems);
    meta::of(object, true, NameRule::Subdomain, problems);
    numbers::not_negative_if_any(object.number("revision"), &Path::new("revision"), problems);
    if live.field("data") != object.field("data") {
        let data = object.field("data").cloned().unwrap_or_default();
        problems.push(Path::new("data").invalid(data, "field is immutable"));
    }
}
