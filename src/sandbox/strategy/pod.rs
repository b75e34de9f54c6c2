//! Pods: quality of service, selectors completed from labels, gates, and what each subresource may change.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::fields::{
    amount, at, entries, items, items_mut, list_mut, map_mut, number, put, remove, restore, same, text,
};

pub(super) fn create(pod: &mut Value) {
    put(pod, &["status"], json!({"phase": "Pending", "qosClass": quality_of_service(pod)}));
    if !items(pod, &["spec", "schedulingGates"]).is_empty() {
        let condition = json!({
            "type": "PodScheduled", "status": "False",
            "lastProbeTime": null, "lastTransitionTime": text(pod, &["metadata", "creationTimestamp"]),
            "reason": "SchedulingGated", "message": "Scheduling is blocked due to non-empty scheduling gates"
        });
        put(pod, &["status", "conditions"], json!([condition]));
    }
    complete_selectors(pod);
}

/// The class of service that follows from the requests and limits of a pod.
pub(crate) fn quality_of_service(pod: &Value) -> &'static str {
    let of_pod = at(pod, &["spec", "resources"]);
    let parts: Vec<&Value> = match of_pod {
        Some(resources) => vec![resources],
        None => ["containers", "initContainers"]
            .iter()
            .flat_map(|list| items(pod, &["spec", list]))
            .map(|container| at(container, &["resources"]).unwrap_or(&Value::Null))
            .collect(),
    };
    let mut totals: [BTreeMap<&str, i128>; 2] = Default::default();
    let mut all_limited = true;
    for part in parts {
        for (total, field) in totals.iter_mut().zip(["requests", "limits"]) {
            let counted = entries(part, &[field])
                .filter(|(name, _)| matches!(name.as_str(), "cpu" | "memory"))
                .filter_map(|(name, value)| Some((name.as_str(), amount(value)?)))
                .filter(|(_, amount)| *amount > 0);
            let mut names = BTreeSet::new();
            for (name, amount) in counted {
                *total.entry(name).or_default() += amount;
                names.insert(name);
            }
            let nothing_limited = of_pod.is_some() && entries(part, &["limits"]).next().is_none();
            all_limited &= field == "requests" || names.len() == 2 || nothing_limited;
        }
    }
    let [requests, limits] = totals;
    if requests.is_empty() && limits.is_empty() {
        "BestEffort"
    } else if all_limited && requests == limits {
        "Guaranteed"
    } else {
        "Burstable"
    }
}

/// Writes `matchLabelKeys` and `mismatchLabelKeys` out into the selectors that they belong to.
fn complete_selectors(pod: &mut Value) {
    let labels = at(pod, &["metadata", "labels"]).cloned().unwrap_or_default();
    for affinity in ["podAffinity", "podAntiAffinity"] {
        let path = ["spec", "affinity", affinity];
        let Some(terms) = at(pod, &path).is_some().then(|| map_mut(pod, &path)).flatten() else { continue };
        for (list, is_weighted) in [
            ("preferredDuringSchedulingIgnoredDuringExecution", true),
            ("requiredDuringSchedulingIgnoredDuringExecution", false),
        ] {
            for term in terms.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
                let term = if is_weighted { term.get_mut("podAffinityTerm") } else { Some(term) };
                if let Some(term) = term {
                    select(term, "matchLabelKeys", "In", &labels);
                    select(term, "mismatchLabelKeys", "NotIn", &labels);
                }
            }
        }
    }
    for constraint in items_mut(pod, &["spec", "topologySpreadConstraints"]) {
        select(constraint, "matchLabelKeys", "In", &labels);
    }
}

fn select(term: &mut Value, keys: &str, operator: &str, labels: &Value) {
    let found = items(term, &[keys]).iter().filter_map(Value::as_str).filter_map(|key| {
        let value = labels.get(key)?.as_str()?;
        Some(json!({"key": key, "operator": operator, "values": [value]}))
    });
    let found: Vec<Value> = found.collect();
    if !found.is_empty()
        && at(term, &["labelSelector"]).is_some()
        && let Some(expressions) = list_mut(term, &["labelSelector", "matchExpressions"])
    {
        expressions.extend(found);
    }
}

/// A write of the status neither adopts nor deletes the pod, and keeps what it does not say about generations.
pub(super) fn status(live: &Value, pod: &mut Value) {
    if text(pod, &["status", "qosClass"]).is_empty() {
        restore(pod, live, &["status", "qosClass"]);
    }
    if number(pod, &["status", "observedGeneration"]).unwrap_or_default() == 0 {
        restore(pod, live, &["status", "observedGeneration"]);
    }
    let mut before: BTreeMap<String, std::collections::VecDeque<i64>> = BTreeMap::new();
    for condition in items(live, &["status", "conditions"]) {
        let generation = number(condition, &["observedGeneration"]).unwrap_or_default();
        before.entry(text(condition, &["type"]).to_owned()).or_default().push_back(generation);
    }
    for condition in items_mut(pod, &["status", "conditions"]) {
        let generation = before.get_mut(text(condition, &["type"])).and_then(std::collections::VecDeque::pop_front);
        let written = number(condition, &["observedGeneration"]).unwrap_or_default();
        if let (0, Some(generation @ 1..)) = (written, generation) {
            put(condition, &["observedGeneration"], generation);
        }
    }
}

pub(super) fn ephemeral_containers(live: &Value, pod: &mut Value) {
    let containers = at(pod, &["spec", "ephemeralContainers"]).cloned();
    keep_all_but_spec(live, pod);
    restore(pod, live, &["spec"]);
    match containers {
        Some(containers) => put(pod, &["spec", "ephemeralContainers"], containers),
        None => remove(pod, &["spec", "ephemeralContainers"]),
    }
    count(live, pod);
}

/// A resize changes the resources of containers; other containers than before are for validation to refuse.
pub(super) fn resize(live: &Value, pod: &mut Value) {
    const LISTS: [&str; 2] = ["containers", "initContainers"];
    let is_same_number = |list: &&str| items(pod, &["spec", list]).len() == items(live, &["spec", list]).len();
    if LISTS.iter().all(is_same_number) {
        let resized = LISTS.map(|list| resized(items(live, &["spec", list]), items(pod, &["spec", list])));
        keep_all_but_spec(live, pod);
        restore(pod, live, &["spec"]);
        for (list, containers) in LISTS.iter().zip(resized) {
            if !containers.is_empty() {
                put(pod, &["spec", list], containers);
            }
        }
    }
    count(live, pod);
}

fn resized(live: &[Value], written: &[Value]) -> Vec<Value> {
    let has_same_names = live.iter().zip(written).all(|(live, written)| live.get("name") == written.get("name"));
    if !has_same_names {
        return written.to_vec();
    }
    let merge = |(live, written): (&Value, &Value)| {
        let mut container = live.clone();
        restore(&mut container, written, &["resources"]);
        restore(&mut container, written, &["resizePolicy"]);
        container
    };
    live.iter().zip(written).map(merge).collect()
}

fn keep_all_but_spec(live: &Value, pod: &mut Value) {
    restore(pod, live, &["status"]);
    for field in ["labels", "annotations", "finalizers", "ownerReferences", "deletionTimestamp", "generation"] {
        restore(pod, live, &["metadata", field]);
    }
}

fn count(live: &Value, pod: &mut Value) {
    if !same(at(live, &["spec"]), at(pod, &["spec"])) {
        let generation = number(live, &["metadata", "generation"]).unwrap_or_default();
        put(pod, &["metadata", "generation"], generation + 1);
    }
}
