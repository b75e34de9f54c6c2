//! Volumes and claims to them: data sources in their two spellings, and since when a volume is in its phase.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::fields::{at, put, remove, restore, text};

const SOURCE: [&str; 2] = ["spec", "dataSource"];
const SOURCE_REF: [&str; 2] = ["spec", "dataSourceRef"];

pub(super) fn create(object: &mut Value) {
    prepare(object, None);
}

pub(super) fn update(live: &Value, object: &mut Value) {
    prepare(object, Some(live));
}

fn prepare(object: &mut Value, live: Option<&Value>) {
    let in_use = |path: &[&str]| live.is_some_and(|live| at(live, path).is_some());
    // Sources in other namespaces are not served.
    let elsewhere = !text(object, &["spec", "dataSourceRef", "namespace"]).is_empty();
    if elsewhere && !in_use(&SOURCE_REF) {
        remove(object, &SOURCE_REF);
    }
    let was_in_use = in_use(&SOURCE) || in_use(&SOURCE_REF);
    if !was_in_use && at(object, &SOURCE_REF).is_none() && !is_claim_or_snapshot(object) {
        remove(object, &SOURCE);
    }
    if at(object, &SOURCE_REF).is_none() {
        copy(object, &SOURCE, &SOURCE_REF);
    } else if at(object, &SOURCE).is_none() && text(object, &["spec", "dataSourceRef", "namespace"]).is_empty() {
        copy(object, &SOURCE_REF, &SOURCE);
    }
}

fn is_claim_or_snapshot(object: &Value) -> bool {
    let part = |field| text(object, &["spec", "dataSource", field]);
    matches!(
        (part("kind"), part("apiGroup")),
        ("PersistentVolumeClaim", "") | ("VolumeSnapshot", "snapshot.storage.k8s.io")
    )
}

fn copy(object: &mut Value, from: &[&str], to: &[&str]) {
    let Some(source) = at(object, from).and_then(Value::as_object) else { return };
    let fields = ["apiGroup", "kind", "name"].iter();
    let copied: Map<String, Value> =
        fields.map(|field| ((*field).to_owned(), source.get(*field).cloned().unwrap_or_default())).collect();
    put(object, to, Value::Object(copied));
}

/// Notes when a volume changed its phase, unless whoever wrote the status did.
pub(super) fn phase_of_volume(live: &Value, object: &mut Value, now: Timestamp) {
    const TIME: [&str; 2] = ["status", "lastPhaseTransitionTime"];
    let is_same_phase = text(live, &["status", "phase"]) == text(object, &["status", "phase"]);
    let written = at(object, &TIME);
    if is_same_phase && written.is_none() {
        restore(object, live, &TIME);
    } else if !is_same_phase && (written.is_none() || written == at(live, &TIME)) {
        put(object, &TIME, stamp(now));
    }
}

/// A time as the server writes it: in seconds.
pub(super) fn stamp(now: Timestamp) -> String {
    Timestamp::from_second(now.as_second()).unwrap_or(now).to_string()
}
