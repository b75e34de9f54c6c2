//! Claims to storage.

use serde_json::Value;

use super::Problems;
use super::internal;
use super::meta;
use super::names::{self, NameRule};
use super::numbers;
use super::path::Path;
use super::read::{Read, texts};
use super::resources;
use super::same::same_field;
use super::selector;

const ACCESS_MODES: [&str; 4] = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
pub(super) const VOLUME_MODES: [&str; 2] = ["Block", "Filesystem"];

/// A claim.
pub(super) fn of(claim: &Value, problems: &mut Problems) {
    meta::of(claim, true, NameRule::Subdomain, problems);
    if let Some(spec) = claim.field("spec") {
        of_spec(spec, &Path::new("spec"), problems);
    }
}

/// A template of claims within a Pod.
pub(super) fn template(template: &Value, path: &Path, problems: &mut Problems) {
    let none = Value::Null;
    let metadata = template.field("metadata").unwrap_or(&none);
    let at = path.child("metadata");
    meta::annotations(metadata, &at, problems);
    meta::labels(metadata, "labels", &at, problems);
    for name in ["name", "generateName", "namespace", "uid", "resourceVersion", "ownerReferences", "finalizers"] {
        if metadata.field(name).is_some() {
            problems.push(at.child(name).forbidden("cannot be set"));
        }
    }
    of_spec(template.field("spec").unwrap_or(&none), &path.child("spec"), problems);
}

pub(super) fn access_modes(spec: &Value, path: &Path, problems: &mut Problems) {
    let path = path.child("accessModes");
    let modes: Vec<&str> = texts(spec.list("accessModes")).collect();
    for mode in &modes {
        numbers::one_of_if_any(Some(mode), &ACCESS_MODES, &path, problems);
    }
    let is_for_one_pod = |mode: &&str| *mode == "ReadWriteOncePod";
    if modes.iter().any(is_for_one_pod) && modes.iter().any(|mode| !is_for_one_pod(mode) && ACCESS_MODES.contains(mode))
    {
        problems.push(path.forbidden("may not use ReadWriteOncePod with other access modes"));
    }
}

/// What is claimed.
pub(super) fn of_spec(spec: &Value, path: &Path, problems: &mut Problems) {
    if spec.list("accessModes").is_empty() {
        problems.push(path.child("accessModes").required("at least 1 access mode is required"));
    }
    if let Some(selector) = spec.field("selector") {
        selector::of(selector, &path.child("selector"), problems);
    }
    access_modes(spec, path, problems);
    let at = path.child("resources").key("storage");
    match spec.below(&["resources", "requests", "storage"]) {
        None => problems.push(at.required("")),
        Some(amount) => {
            resources::positive(amount, &at, problems);
        }
    }
    class(spec, "storageClassName", path, problems);
    numbers::one_of_if_any(spec.maybe_text("volumeMode"), &VOLUME_MODES, &path.child("volumeMode"), problems);
    for name in ["dataSource", "dataSourceRef"] {
        if let Some(source) = spec.field(name) {
            data_source(source, &path.child(name), problems);
        }
    }
    if let (Some(source), Some(reference)) = (spec.field("dataSource"), spec.field("dataSourceRef")) {
        let is_elsewhere = !reference.text("namespace").is_empty();
        let is_same = ["apiGroup", "kind", "name"].iter().all(|name| source.field(name) == reference.field(name));
        let detail = match (is_elsewhere, is_same) {
            (true, _) => "may not be specified when dataSourceRef.namespace is specified",
            (false, false) => "must match dataSourceRef",
            (false, true) => "",
        };
        if !detail.is_empty() {
            // A path is shown where the value is meant, and a path has nothing to show.
            problems.push(path.invalid(Value::Object(serde_json::Map::new()), detail));
        }
    }
    class(spec, "volumeAttributesClassName", path, problems);
}

pub(super) fn class(spec: &Value, name: &str, path: &Path, problems: &mut Problems) {
    let class = spec.text(name);
    if !class.is_empty() {
        problems.extend(path.child(name).each(class, names::subdomain(class)));
    }
}

fn data_source(source: &Value, path: &Path, problems: &mut Problems) {
    for name in ["name", "kind"] {
        if source.text(name).is_empty() {
            problems.push(path.child(name).required(""));
        }
    }
    let group = source.text("apiGroup");
    let kind = source.text("kind");
    if group.is_empty() && kind != "PersistentVolumeClaim" {
        let detail = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
        problems.push(path.invalid(kind, detail));
    }
    if !group.is_empty() {
        problems.extend(path.child("apiGroup").each(group, names::subdomain(group)));
    }
    let namespace = source.text("namespace");
    if !namespace.is_empty() {
        problems.extend(path.child("namespace").each(namespace, names::label(namespace)));
    }
}

/// A change of a claim: once it is bound it may only grow.
pub(super) fn of_update(live: &Value, claim: &Value, problems: &mut Problems) {
    meta::of_update(live, claim, problems);
    of(claim, problems);
    let none = Value::Null;
    let before = live.field("spec").unwrap_or(&none);
    let after = claim.field("spec").unwrap_or(&none);
    let mut compared = after.clone();
    let mut old = before.clone();
    let is_bound = claim.below(&["status", "phase"]).and_then(Value::as_str) == Some("Bound");
    if let (Some(compared), Some(old)) = (compared.as_object_mut(), old.as_object_mut()) {
        // A volume may be found, and a class be given where none was.
        if before.text("volumeName").is_empty() {
            old.insert("volumeName".to_owned(), compared.get("volumeName").cloned().unwrap_or_default());
        }
        if gets_class(live, claim, problems) {
            compared.remove("storageClassName");
        }
        if is_bound {
            let class = old.get("volumeAttributesClassName").cloned().unwrap_or_default();
            compared.insert("volumeAttributesClassName".to_owned(), class);
        }
    }
    if is_bound
        && let Some(requests) = compared.pointer_mut("/resources/requests").and_then(Value::as_object_mut)
        && let Some(amount) = before.below(&["resources", "requests", "storage"])
    {
        requests.insert("storage".to_owned(), amount.clone());
    }
    let path = Path::new("spec");
    if !internal::equal(internal::CLAIM_SPEC, &old, &compared) {
        let detail =
            "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
        let changes = internal::changes(internal::CLAIM_SPEC, &old, &compared);
        problems.push(path.forbidden(&format!("{detail}\n{changes}")));
    }
    // What is missing is none.
    let amount = |value: Option<&Value>| value.and_then(resources::quantity).map_or(0, |amount| amount.nano());
    let requested = |spec: &Value| amount(spec.below(&["resources", "requests", "storage"]));
    let capacity = amount(live.below(&["status", "capacity", "storage"]));
    if requested(after) < requested(before) && requested(after) <= capacity {
        let at = path.child("resources").child("requests").child("storage");
        problems.push(at.forbidden("field can not be less than status.capacity"));
    }
    if !same_field("volumeMode", before, after) {
        let mode = after.field("volumeMode").cloned().unwrap_or_default();
        problems.push(Path::new("volumeMode").invalid(mode, "field is immutable"));
    }
}

/// A change of the status of a claim.
pub(super) fn of_status(live: &Value, claim: &Value, problems: &mut Problems) {
    meta::of_update(live, claim, problems);
    let none = Value::Null;
    let status = claim.field("status").unwrap_or(&none);
    let path = Path::new("status");
    for (name, value) in status.entries("capacity").iter() {
        resources::whole_amount(value, &path.child("capacity").key(name), problems);
    }
    let at = path.child("allocatedResourceStatuses");
    for (name, sort) in status.entries("allocatedResourceStatuses").texts() {
        resizable(name, &at, problems);
        if !RESIZES.contains(&sort) {
            problems.push(at.not_supported(name, &RESIZES));
        }
    }
    let at = path.child("allocatedResources");
    for (name, value) in status.entries("allocatedResources").iter() {
        if resizable(name, &at, problems) && resources::whole_amount(value, &at.key(name), problems) {
            resources::amount("storage", value, &at.key(name), problems);
        }
    }
}

/// Tells whether this is something of which a volume can get more.
fn resizable(name: &str, path: &Path, problems: &mut Problems) -> bool {
    let messages = names::qualified(name);
    let is_sound = messages.is_empty();
    problems.extend(path.each(name, messages));
    let is_other = is_sound && resources::is_native(name) && name != "storage";
    if is_other {
        problems.push(path.not_supported(name, &["storage"]));
    }
    is_sound && !is_other
}

/// Tells whether a claim gets the class that it had in an annotation, or gets one where it had none. The annotation stays.
fn gets_class(live: &Value, claim: &Value, problems: &mut Problems) -> bool {
    const CLASS: &str = "volume.beta.kubernetes.io/storage-class";
    let said =
        |claim: &'_ Value| claim.below(&["metadata", "annotations", CLASS]).and_then(Value::as_str).map(str::to_owned);
    let given = |claim: &Value| claim.below(&["spec", "storageClassName"]).and_then(Value::as_str).map(str::to_owned);
    let (before, after, class) = (said(live), said(claim), given(claim));
    let is_new = class.is_some() && given(live).is_none() && (before.is_none() || class == before);
    let is_taken_over = is_new && before.is_some() && (after.is_none() || after == before);
    if !is_taken_over && before.unwrap_or_default() != after.clone().unwrap_or_default() {
        let path = Path::new("metadata").child("annotations").child(CLASS);
        problems.push(path.invalid(after.unwrap_or_default(), "field is immutable"));
    }
    is_new
}

/// How far a change of size is.
const RESIZES: [&str; 5] = [
    "ControllerResizeInProgress",
    "ControllerResizeInfeasible",
    "NodeResizeInProgress",
    "NodeResizeInfeasible",
    "NodeResizePending",
];
