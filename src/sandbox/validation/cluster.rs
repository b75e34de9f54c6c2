//! Kinds of the cluster itself: Namespaces, Nodes, Leases, and classes of priority, runtime and storage.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::Problems;
use super::internal;
use super::meta;
use super::names::{self, NameRule};
use super::numbers;
use super::path::Path;
use super::pod;
use super::read::{Read, texts};
use super::resources;
use super::same::same_field;

const HIGHEST_PRIORITY: i64 = 1_000_000_000;
const SYSTEM_PRIORITIES: [(&str, i64); 2] =
    [("system-node-critical", 2_000_001_000), ("system-cluster-critical", 2_000_000_000)];
const MOST_PARAMETERS: usize = 512;
const MOST_PARAMETER_BYTES: usize = 256 * 1024;

fn name_of(object: &Value) -> &str {
    object.below(&["metadata", "name"]).and_then(Value::as_str).unwrap_or_default()
}

/// A Namespace.
pub(super) fn namespace(object: &Value, problems: &mut Problems) {
    meta::of(object, false, NameRule::Label, problems);
    let path = Path::new("spec").child("finalizers");
    for finalizer in texts(object.field("spec").map_or(&[], |spec| spec.list("finalizers"))) {
        problems.extend(path.each(finalizer, names::qualified(finalizer)));
        meta::known_finalizer(finalizer, &path, problems);
    }
}

/// A change of the finalizers of a Namespace.
pub(super) fn namespace_finalize(live: &Value, object: &Value, problems: &mut Problems) {
    meta::of_update(live, object, problems);
    let finalizers = object.field("spec").map_or(&[][..], |spec| spec.list("finalizers"));
    for (index, finalizer) in texts(finalizers).enumerate() {
        let path = Path::new("spec").child("finalizers").index(index);
        problems.extend(path.each(finalizer, names::qualified(finalizer)));
        meta::known_finalizer(finalizer, &path, problems);
    }
}

/// A change of the status of a Namespace: its phase follows from its deletion.
pub(super) fn namespace_status(live: &Value, object: &Value, problems: &mut Problems) {
    meta::of_update(live, object, problems);
    let phase = object.below(&["status", "phase"]).and_then(Value::as_str).unwrap_or_default();
    let is_deleted = object.below(&["metadata", "deletionTimestamp"]).is_some();
    let path = Path::new("status").child("Phase");
    if !is_deleted && phase != "Active" {
        problems.push(path.invalid(phase, "may only be 'Active' if `deletionTimestamp` is empty"));
    }
    if is_deleted && phase != "Terminating" {
        problems.push(path.invalid(phase, "may only be 'Terminating' if `deletionTimestamp` is not empty"));
    }
}

/// A Node.
pub(super) fn node(object: &Value, problems: &mut Problems) {
    meta::of(object, false, NameRule::Subdomain, problems);
    taints(object, problems);
    node_amounts(object, problems);
    let none = Value::Null;
    let blocks = object.field("spec").unwrap_or(&none).list("podCIDRs");
    let path = Path::new("spec").child("podCIDRs");
    for (index, block) in texts(blocks).enumerate() {
        numbers::cidr(block, &path.index(index), problems);
    }
    let is_six = |block: &Value| block.as_str().is_some_and(|block| block.contains(':'));
    let is_dual = blocks.iter().any(is_six) && !blocks.iter().all(is_six);
    if blocks.len() > 1 && (!is_dual || blocks.len() > 2) {
        let detail = "may specify no more than one CIDR for each IP family";
        problems.push(path.invalid(Value::from(blocks), detail));
    }
}

fn node_amounts(object: &Value, problems: &mut Problems) {
    let Some(status) = object.field("status") else { return };
    for list in ["capacity", "allocatable"] {
        for (name, value) in status.entries(list).iter() {
            resources::amount(name, value, &Path::new("status").child(list).child(name), problems);
        }
    }
}

fn taints(object: &Value, problems: &mut Problems) {
    let path = Path::new("metadata").child("taints");
    let mut seen = BTreeSet::new();
    for (index, taint) in object.field("spec").map_or(&[][..], |spec| spec.list("taints")).iter().enumerate() {
        let at = path.index(index);
        let (key, value, effect) = (taint.text("key"), taint.text("value"), taint.text("effect"));
        problems.extend(at.child("key").each(key, names::qualified(key)));
        let messages = names::label_value(value);
        if !messages.is_empty() {
            problems.push(at.child("value").invalid(value, &messages.join(";")));
        }
        pod::taint_effect(effect, &at.child("effect"), problems);
        if !seen.insert((effect, key)) {
            let mut problem = at.duplicate("");
            problem.value = Some(internal::shown("Taint", taint));
            problem.detail = "taints must be unique by key and effect pair".to_owned();
            problems.push(problem);
        }
    }
}

/// A change of a Node, or of its status.
pub(super) fn node_update(live: &Value, object: &Value, problems: &mut Problems) {
    meta::of_update(live, object, problems);
    node_amounts(object, problems);
    let none = Value::Object(Map::new());
    let addresses = object.field("status").map_or(&[][..], |status| status.list("addresses"));
    let mut seen = BTreeSet::new();
    for (index, address) in addresses.iter().enumerate() {
        if !seen.insert((address.text("type"), address.text("address"))) {
            let mut problem = Path::new("status").child("addresses").index(index).duplicate("");
            problem.value = Some(internal::shown("NodeAddress", address));
            problems.push(problem);
        }
    }
    let before = live.field("spec").unwrap_or(&none);
    let after = object.field("spec").unwrap_or(&none);
    let path = Path::new("spec");
    let (old, new) = (before.list("podCIDRs"), after.list("podCIDRs"));
    if !old.is_empty() {
        let count =
            if old.len() == new.len() { old.iter().zip(new).filter(|(old, new)| old != new).count() } else { 1 };
        for _ in 0..count {
            let detail = "node updates may not change podCIDR except from \"\" to valid";
            problems.push(path.child("podCIDRs").forbidden(detail));
        }
    }
    let provider = before.text("providerID");
    if !provider.is_empty() && provider != after.text("providerID") {
        let detail = "node updates may not change providerID except from \"\" to valid";
        problems.push(path.child("providerID").forbidden(detail));
    }
    taints(object, problems);
    if before.text("externalID") != after.text("externalID") {
        problems.push(path.child("externalID").forbidden("may not be updated"));
    }
}

/// A Lease.
pub(super) fn lease(object: &Value, problems: &mut Problems) {
    meta::generic(object, true, NameRule::Subdomain, problems);
    lease_spec(object, problems);
}

/// A change of a Lease.
pub(super) fn lease_update(live: &Value, object: &Value, problems: &mut Problems) {
    meta::generic_update(live, object, problems);
    lease_spec(object, problems);
}

fn lease_spec(object: &Value, problems: &mut Problems) {
    let none = Value::Object(Map::new());
    let spec = object.field("spec").unwrap_or(&none);
    let path = Path::new("spec");
    if let Some(seconds) = spec.number("leaseDurationSeconds").filter(|seconds| *seconds <= 0) {
        problems.push(path.child("leaseDurationSeconds").invalid(seconds, "must be greater than 0"));
    }
    if let Some(count) = spec.number("leaseTransitions").filter(|count| *count < 0) {
        problems.push(path.child("leaseTransitions").invalid(count, "must be greater than or equal to 0"));
    }
    let strategy = spec.maybe_text("strategy");
    if let Some(strategy) = strategy {
        let at = path.child("strategy").child("strategy");
        if strategy.contains('/') {
            problems.extend(at.each(strategy, names::qualified(strategy)));
        } else {
            numbers::one_of_if_any(Some(strategy), &["OldestEmulationVersion"], &at, problems);
        }
    }
    if !spec.text("preferredHolder").is_empty() && strategy.unwrap_or_default().is_empty() {
        let detail = "may only be specified if `strategy` is defined";
        problems.push(path.child("preferredHolder").forbidden(detail));
    }
}

/// A PriorityClass.
pub(super) fn priority_class(object: &Value, problems: &mut Problems) {
    meta::of(object, false, NameRule::Subdomain, problems);
    let name = name_of(object);
    let value = object.number("value").unwrap_or_default();
    if name.starts_with("system-") {
        let error = match SYSTEM_PRIORITIES.iter().find(|(system, _)| *system == name) {
            None => Some(format!("{name} is not a known system priority class")),
            Some((_, expected)) if *expected != value => {
                Some(format!("value of {name} PriorityClass must be {expected}"))
            }
            Some(_) if object.flag("globalDefault") => {
                Some(format!("globalDefault of {name} PriorityClass must be false"))
            }
            Some(_) => None,
        };
        if let Some(error) = error {
            let detail =
                format!("priority class names with 'system-' prefix are reserved for system use only. error: {error}");
            problems.push(Path::new("metadata").child("name").forbidden(&detail));
        }
    } else if value > HIGHEST_PRIORITY {
        let detail = format!("maximum allowed value of a user defined priority is {HIGHEST_PRIORITY}");
        problems.push(Path::new("value").forbidden(&detail));
    }
    if let Some(policy) = object.maybe_text("preemptionPolicy") {
        let at = Path::new("preemptionPolicy");
        numbers::one_of(policy, &["PreemptLowerPriority", "Never"], &at, problems);
    }
}

/// A change of a PriorityClass: what it is worth stays.
pub(super) fn priority_class_update(live: &Value, object: &Value, problems: &mut Problems) {
    meta::of_update(live, object, problems);
    if live.number("value").unwrap_or_default() != object.number("value").unwrap_or_default() {
        problems.push(Path::new("value").forbidden("may not be changed in an update."));
    }
    stays(live, object, "preemptionPolicy", problems);
}

fn stays(live: &Value, object: &Value, name: &str, problems: &mut Problems) {
    if !same_field(name, live, object) {
        let shown = object.field(name).cloned().unwrap_or_default();
        problems.push(Path::new(name).invalid(shown, "field is immutable"));
    }
}

/// A RuntimeClass.
pub(super) fn runtime_class(object: &Value, problems: &mut Problems) {
    meta::generic(object, false, NameRule::Subdomain, problems);
    let handler = object.text("handler");
    problems.extend(Path::new("handler").each(handler, names::label(handler)));
    if let Some(amounts) = object.below(&["overhead", "podFixed"]) {
        let limits = Value::Object(Map::from_iter([("limits".to_owned(), amounts.clone())]));
        resources::of_container(&limits, &BTreeSet::new(), &Path::new("overhead"), problems);
    }
    let Some(scheduling) = object.field("scheduling") else { return };
    let path = Path::new("scheduling");
    meta::labels(scheduling, "nodeSelector", &path, problems);
    let tolerations = scheduling.list("tolerations");
    let at = path.child("tolerations");
    pod::tolerations(tolerations, &at, problems);
    let mut seen = BTreeSet::new();
    for (index, toleration) in tolerations.iter().enumerate() {
        if !seen.insert(["key", "operator", "value", "effect"].map(|name| toleration.text(name))) {
            let mut problem = at.index(index).duplicate("");
            problem.value = Some(internal::shown("Toleration", toleration));
            problems.push(problem);
        }
    }
}

/// A change of a RuntimeClass: its handler stays.
pub(super) fn runtime_class_update(live: &Value, object: &Value, problems: &mut Problems) {
    meta::generic_update(live, object, problems);
    stays(live, object, "handler", problems);
}

/// A StorageClass.
pub(super) fn storage_class(object: &Value, problems: &mut Problems) {
    meta::of(object, false, NameRule::Subdomain, problems);
    let path = Path::new("provisioner");
    match object.text("provisioner") {
        "" => problems.push(path.required("")),
        provisioner => {
            let lower = provisioner.to_lowercase();
            problems.extend(path.each(&lower, names::qualified(&lower)));
        }
    }
    let parameters = object.entries("parameters");
    let path = Path::new("parameters");
    if parameters.len() > MOST_PARAMETERS {
        problems.push(path.too_long(MOST_PARAMETERS));
    } else {
        if parameters.has("") {
            problems.push(path.invalid("", "field can not be empty."));
        }
        if parameters.texts().map(|(key, value)| key.len() + value.len()).sum::<usize>() > MOST_PARAMETER_BYTES {
            problems.push(path.too_long(MOST_PARAMETER_BYTES));
        }
    }
    let policy = object.maybe_text("reclaimPolicy").filter(|policy| !policy.is_empty());
    numbers::one_of_if_any(policy, &["Delete", "Retain"], &Path::new("reclaimPolicy"), problems);
    let modes = ["Immediate", "WaitForFirstConsumer"];
    match object.maybe_text("volumeBindingMode") {
        None => problems.push(Path::new("volumeBindingMode").required("")),
        mode => numbers::one_of_if_any(mode, &modes, &Path::new("volumeBindingMode"), problems),
    }
    let terms = object.list("allowedTopologies");
    let mut met: Vec<BTreeMap<&str, BTreeSet<&str>>> = Vec::new();
    for (index, term) in terms.iter().enumerate() {
        let path = Path::new("allowedTopologies").index(index).child("matchLabelExpressions");
        let mut keys = BTreeMap::new();
        for (index, requirement) in term.list("matchLabelExpressions").iter().enumerate() {
            let at = path.index(index);
            let values = requirement.list("values");
            if values.is_empty() {
                problems.push(at.child("values").required(""));
            }
            let mut seen = BTreeSet::new();
            for (index, value) in texts(values).enumerate() {
                if !seen.insert(value) {
                    problems.push(at.child("values").index(index).duplicate(value));
                }
            }
            let key = requirement.text("key");
            problems.extend(at.child("key").each(key, names::qualified(key)));
            if keys.insert(key, seen).is_some() {
                problems.push(at.child("key").duplicate(key));
            }
        }
        // The server's list of those that it has met begins with as many empty ones as there are terms.
        let blank = if keys.is_empty() { terms.len() } else { 0 };
        let same = blank + met.iter().filter(|other| **other == keys).count();
        problems.extend(std::iter::repeat_with(|| path.duplicate("")).take(same));
        met.push(keys);
    }
}

/// A change of a StorageClass: nearly nothing may.
pub(super) fn storage_class_update(live: &Value, object: &Value, problems: &mut Problems) {
    meta::of_update(live, object, problems);
    for name in ["parameters", "provisioner", "reclaimPolicy"] {
        // Parameters that are given, but empty, are others than none.
        if !same_field(name, live, object) || (name == "parameters" && live.field(name) != object.field(name)) {
            problems.push(Path::new(name).forbidden(&format!("updates to {name} are forbidden.")));
        }
    }
    stays(live, object, "volumeBindingMode", problems);
}
