//! What may change in a Pod once it is there: its images, its deadline, its tolerations, and little else.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{containers, metadata_and_spec, placement};
use crate::sandbox::validation::Problems;
use crate::sandbox::validation::internal;
use crate::sandbox::validation::meta;
use crate::sandbox::validation::path::Path;
use crate::sandbox::validation::read::Read;
use crate::sandbox::validation::same::same_field;

const MAY_CHANGE: &str = "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";
const MIRROR: &str = "kubernetes.io/config.mirror";

/// A change of a Pod.
pub(in crate::sandbox::validation) fn of_update(live: &Value, pod: &Value, problems: &mut Problems) {
    meta::of_update(live, pod, problems);
    metadata_and_spec(pod, problems);
    mirror(live, pod, problems);
    let none = Value::Object(Map::new());
    let before = live.field("spec").unwrap_or(&none);
    let after = pod.field("spec").unwrap_or(&none);
    let path = Path::new("spec");
    for list in ["containers", "initContainers"] {
        let at = path.child(list);
        if before.list(list).len() != after.list(list).len() {
            problems.push(at.forbidden("pod updates may not add or remove containers"));
            return;
        }
        for (index, container) in after.list(list).iter().enumerate() {
            if container.text("image").is_empty() {
                problems.push(at.index(index).child("image").required(""));
            }
            containers::padded_image(container, &at.index(index), problems);
        }
    }
    if !deadline(before, after, &path, problems) {
        return;
    }
    added_tolerations(before, after, &path.child("tolerations"), problems);
    removed_gates(before, after, &path.child("schedulingGates"), problems);
    let mut allowed = after.clone();
    take_over(before, &mut allowed);
    if !before.list("schedulingGates").is_empty() {
        gated(before, &mut allowed, &path, problems);
    }
    if !internal::equal(internal::POD_SPEC, before, &allowed) {
        let changes = internal::changes(internal::POD_SPEC, before, &allowed);
        let detail = format!("pod updates may not change fields other than {MAY_CHANGE}\n{changes}");
        problems.push(path.forbidden(&detail));
    }
}

/// A change of the containers that are added later.
pub(in crate::sandbox::validation) fn ephemeral_containers(live: &Value, pod: &Value, problems: &mut Problems) {
    meta::of_update(live, pod, problems);
    metadata_and_spec(pod, problems);
    mirror(live, pod, problems);
    let path = Path::new("spec").child("ephemeralContainers");
    let listed = |pod: &Value| pod.field("spec").map_or(Vec::new(), |spec| spec.list("ephemeralContainers").to_vec());
    let new = listed(pod);
    for old in listed(live) {
        let name = old.text("name");
        match new.iter().rfind(|container| container.text("name") == name) {
            None => {
                problems.push(path.forbidden(&format!("existing ephemeral containers {name:?} may not be removed\n")));
            }
            Some(container) if !internal::equal(internal::EPHEMERAL_CONTAINER, &old, container) => {
                let changes = internal::changes(internal::EPHEMERAL_CONTAINER, &old, container);
                let detail = format!("existing ephemeral containers {name:?} may not be changed\n{changes}");
                problems.push(path.forbidden(&detail));
            }
            Some(_) => {}
        }
    }
}

fn mirror(live: &Value, pod: &Value, problems: &mut Problems) {
    let path = Path::new("metadata").child("annotations").key(MIRROR);
    let of = |pod: &Value| pod.below(&["metadata", "annotations", MIRROR]).cloned();
    match (of(live), of(pod)) {
        (Some(old), new) if new.as_ref() != Some(&old) => {
            problems.push(path.forbidden("may not remove or update mirror pod annotation"));
        }
        (None, Some(_)) => problems.push(path.forbidden("may not add mirror pod annotation")),
        _ => {}
    }
}

/// Looks at the deadline; tells whether to look further.
fn deadline(before: &Value, after: &Value, path: &Path, problems: &mut Problems) -> bool {
    let at = path.child("activeDeadlineSeconds");
    let old = before.number("activeDeadlineSeconds");
    match (old, after.number("activeDeadlineSeconds")) {
        (_, Some(new)) if !(0..=i64::from(i32::MAX)).contains(&new) => {
            problems.push(at.invalid(new, &format!("must be between 0 and {}, inclusive", i32::MAX)));
            false
        }
        (Some(old), Some(new)) if old < new => {
            problems.push(at.invalid(new, "must be less than or equal to previous value"));
            false
        }
        (Some(_), None) => {
            problems.push(at.invalid(Value::Null, "must not update from a positive integer to nil value"));
            true
        }
        _ => true,
    }
}

fn added_tolerations(before: &Value, after: &Value, path: &Path, problems: &mut Problems) {
    let without_time = |toleration: &Value| {
        let mut toleration = toleration.clone();
        if let Some(map) = toleration.as_object_mut() {
            map.remove("tolerationSeconds");
        }
        toleration
    };
    let new: Vec<Value> = after.list("tolerations").iter().map(without_time).collect();
    if before.list("tolerations").iter().any(|old| !new.contains(&without_time(old))) {
        let detail = "existing toleration can not be modified except its tolerationSeconds";
        problems.push(path.forbidden(detail));
        return;
    }
    placement::tolerations(after.list("tolerations"), path, problems);
}

fn removed_gates(before: &Value, after: &Value, path: &Path, problems: &mut Problems) {
    let old: BTreeSet<&str> = before.list("schedulingGates").iter().map(|gate| gate.text("name")).collect();
    for (index, gate) in after.list("schedulingGates").iter().enumerate() {
        let name = gate.text("name");
        if !old.contains(name) {
            let detail = format!("only deletion is allowed, but found new scheduling gate '{name}'");
            problems.push(path.index(index).child("name").forbidden(&detail));
        }
    }
}

/// Takes over from the live Pod what may differ, so that the rest can be compared.
fn take_over(before: &Value, after: &mut Value) {
    let Some(spec) = after.as_object_mut() else { return };
    for list in ["containers", "initContainers"] {
        let Some(Value::Array(items)) = spec.get_mut(list) else { continue };
        for (container, old) in items.iter_mut().zip(before.list(list)) {
            if let Some(map) = container.as_object_mut() {
                restore(map, "image", old);
            }
            // Requests are filled in from limits, and be there none of them.
            if let Some(resources) = container.get_mut("resources").and_then(Value::as_object_mut)
                && resources.get("limits").and_then(Value::as_object).is_some_and(Map::is_empty)
            {
                resources.entry("requests").or_insert_with(|| Value::Object(Map::new()));
            }
        }
    }
    // None at all is null after that, and not an empty list.
    spec.retain(|name, value| name != "initContainers" || value.as_array().is_none_or(|items| !items.is_empty()));
    for name in ["activeDeadlineSeconds", "schedulingGates", "tolerations"] {
        restore(spec, name, before);
    }
    const GRACE: &str = "terminationGracePeriodSeconds";
    let was_negative = before.number(GRACE).is_some_and(|grace| grace < 0);
    if was_negative && spec.get(GRACE).and_then(Value::as_i64) == Some(1) {
        restore(spec, GRACE, before);
    }
}

fn restore(map: &mut Map<String, Value>, name: &str, before: &Value) {
    match before.field(name) {
        Some(old) => map.insert(name.to_owned(), old.clone()),
        None => map.remove(name),
    };
}

/// A Pod that waits may still be told to be choosier about nodes.
fn gated(before: &Value, after: &mut Value, path: &Path, problems: &mut Problems) {
    if !same_field("nodeSelector", before, after) {
        let at = path.child("nodeSelector");
        let new = after.entries("nodeSelector");
        for (key, value) in before.entries("nodeSelector").texts() {
            if new.get(key).and_then(Value::as_str) != Some(value) {
                let shown = Value::Object(new.iter().map(|(key, value)| (key.to_owned(), value.clone())).collect());
                problems.push(
                    at.invalid(shown, "only additions to spec.nodeSelector are allowed (no mutations or deletions)"),
                );
                break;
            }
        }
        if let Some(map) = after.as_object_mut() {
            restore(map, "nodeSelector", before);
        }
    }
}
