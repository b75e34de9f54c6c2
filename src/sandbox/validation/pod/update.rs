//! What may change in a Pod once it is there: its images, its deadline, its tolerations, and little else.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{containers, metadata_and_spec, placement, security, special_annotations};
use crate::sandbox::validation::Problems;
use crate::sandbox::validation::internal;
use crate::sandbox::validation::meta;
use crate::sandbox::validation::path::Path;
use crate::sandbox::validation::read::Read;
use crate::sandbox::validation::same::{same, same_field};

const MAY_CHANGE: &str = "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";
const MIRROR: &str = "kubernetes.io/config.mirror";

/// A change of a Pod.
pub(in crate::sandbox::validation) fn of_update(live: &Value, pod: &Value, problems: &mut Problems) {
    meta::of_update(live, pod, problems);
    metadata_and_spec(pod, problems);
    annotations(live, pod, problems);
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
    annotations(live, pod, problems);
    let path = Path::new("spec").child("ephemeralContainers");
    fn listed(pod: &Value) -> &[Value] {
        pod.field("spec").map_or(&[], |spec| spec.list("ephemeralContainers"))
    }
    let new: BTreeMap<&str, &Value> = listed(pod).iter().map(|container| (container.text("name"), container)).collect();
    for old in listed(live) {
        let name = old.text("name");
        match new.get(name) {
            None => {
                problems.push(path.forbidden(&format!("existing ephemeral containers {name:?} may not be removed\n")));
            }
            Some(container) if !internal::equal(internal::EPHEMERAL_CONTAINER, old, container) => {
                let changes = internal::changes(internal::EPHEMERAL_CONTAINER, old, container);
                let detail = format!("existing ephemeral containers {name:?} may not be changed\n{changes}");
                problems.push(path.forbidden(&detail));
            }
            Some(_) => {}
        }
    }
}

/// Annotations that stay as they are; those that mean something are looked at once more.
pub(super) fn annotations(live: &Value, pod: &Value, problems: &mut Problems) {
    let none = Value::Object(Map::new());
    let path = Path::new("metadata").child("annotations");
    let metadata = pod.field("metadata").unwrap_or(&none);
    let before = live.field("metadata").unwrap_or(&none).entries("annotations");
    let after = metadata.entries("annotations");
    let called = |key: &str| match key {
        MIRROR => Some("mirror pod annotation"),
        key => key.starts_with(security::APP_ARMOR).then_some("AppArmor annotations"),
    };
    for (key, _) in before.iter().filter(|(key, old)| after.get(key) != Some(*old)) {
        problems.extend(called(key).map(|what| path.key(key).forbidden(&format!("may not remove or update {what}"))));
    }
    for (key, _) in after.iter().filter(|(key, _)| !before.has(key)) {
        problems.extend(called(key).map(|what| path.key(key).forbidden(&format!("may not add {what}"))));
    }
    special_annotations(metadata, pod.field("spec").unwrap_or(&none), &path, problems);
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
    fn without_time(toleration: &Value) -> [&str; 4] {
        ["key", "operator", "value", "effect"].map(|name| toleration.text(name))
    }
    let new: BTreeSet<[&str; 4]> = after.list("tolerations").iter().map(without_time).collect();
    if before.list("tolerations").iter().any(|old| !new.contains(&without_time(old))) {
        let detail = "existing toleration can not be modified except its tolerationSeconds";
        problems.push(path.forbidden(detail));
        return;
    }
    placement::tolerations(after.list("tolerations"), path, problems);
}

fn removed_gates(before: &Value, after: &Value, path: &Path, problems: &mut Problems) {
    let old: BTreeSet<&str> = before.list("schedulingGates").iter().map(|gate| gate.text("name")).collect();
    let new = after.list("schedulingGates").iter().enumerate().map(|(index, gate)| (gate.text("name"), index));
    // Of several of one name the last counts.
    for (name, index) in new.collect::<BTreeMap<_, _>>() {
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
    const NODES: [&str; 2] = ["affinity", "nodeAffinity"];
    let old = before.below(&NODES);
    if same(old, after.below(&NODES)) {
        return;
    }
    added_requirements(old, after.below(&NODES), &path.child(NODES[0]).child(NODES[1]), problems);
    let Some(spec) = after.as_object_mut() else { return };
    let was_there = before.field("affinity").is_some();
    let affinity = spec.entry("affinity").or_insert_with(|| Value::Object(Map::new()));
    if let Some(affinity) = affinity.as_object_mut() {
        restore(affinity, "nodeAffinity", before.field("affinity").unwrap_or(&Value::Null));
    }
    if !was_there && is_nothing(affinity) {
        spec.remove("affinity");
    }
}

fn is_nothing(value: &Value) -> bool {
    value.as_object().is_some_and(|map| map.values().all(Value::is_null))
}

/// To what is required of nodes only more may be required.
fn added_requirements(old: Option<&Value>, new: Option<&Value>, path: &Path, problems: &mut Problems) {
    const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
    const TERM: &str = "NodeSelectorTerm";
    fn terms(affinity: Option<&Value>) -> &[Value] {
        affinity
            .and_then(|affinity| affinity.field(REQUIRED))
            .map_or(&[], |required| required.list("nodeSelectorTerms"))
    }
    let (old, new) = (terms(old), terms(new));
    let path = path.child(REQUIRED).child("nodeSelectorTerms");
    if !old.is_empty() && old.len() != new.len() {
        let shown: Vec<String> = new.iter().map(|term| internal::shown(TERM, term)).collect();
        let shown = if new.is_empty() { "null".to_owned() } else { format!("[{}]", shown.join(",")) };
        let detail = "no additions/deletions to non-empty NodeSelectorTerms list are allowed";
        problems.push(path.invalid_shown(shown, detail));
        return;
    }
    for (index, (old, new)) in old.iter().zip(new).enumerate() {
        let lists = ["matchExpressions", "matchFields"];
        let was_empty = lists.iter().all(|list| old.list(list).is_empty());
        let is_kept = lists.iter().all(|list| {
            let (old, new) = (old.list(list), new.list(list));
            let begins = new
                .get(..old.len())
                .is_some_and(|new| old.iter().zip(new).all(|(old, new)| same(Some(old), Some(new))));
            begins && (new.is_empty() || !was_empty)
        });
        if !is_kept {
            let detail = "only additions are allowed (no mutations or deletions)";
            problems.push(path.index(index).invalid_shown(internal::shown(TERM, new), detail));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sandbox::validation::tests::lines;

    fn told(live: Option<Value>, new: Option<Value>) -> String {
        let spec = |affinity: Option<Value>| match affinity {
            Some(affinity) => json!({"nodeSelector": {}, "affinity": {"nodeAffinity": affinity}}),
            None => json!({}),
        };
        let (before, mut after) = (spec(live), spec(new));
        let mut problems = Problems::new();
        gated(&before, &mut after, &Path::new("spec"), &mut problems);
        assert!(same(before.field("affinity"), after.field("affinity")));
        lines(&problems)
    }

    fn required(terms: &Value) -> Option<Value> {
        Some(json!({"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}))
    }

    #[test]
    fn a_gated_pod_may_require_more_of_nodes_but_not_less() {
        let one = json!({"key": "a", "operator": "In", "values": ["b"]});
        let two = json!({"key": "c", "operator": "Exists"});
        let live = required(&json!([{"matchExpressions": [one]}]));
        assert_eq!(told(live.clone(), required(&json!([{"matchExpressions": [one, two]}]))), "");
        assert_eq!(told(None, live.clone()), "");
        insta::assert_snapshot!(told(live.clone(), required(&json!([{"matchExpressions": [two]}]))), @r#"spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0]: Invalid value: {"MatchExpressions":[{"Key":"c","Operator":"Exists","Values":null}],"MatchFields":null}: only additions are allowed (no mutations or deletions)"#);
        insta::assert_snapshot!(told(live, None), @"spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Invalid value: null: no additions/deletions to non-empty NodeSelectorTerms list are allowed");
    }

    #[test]
    fn of_several_gates_of_one_name_the_last_is_told() {
        let mut problems = Problems::new();
        let after = json!({"schedulingGates": [{"name": "a"}, {"name": "a"}]});
        removed_gates(&json!({}), &after, &Path::new("gates"), &mut problems);
        assert_eq!(
            lines(&problems),
            "gates[1].name: Forbidden: only deletion is allowed, but found new scheduling gate 'a'\n"
        );
    }
}
