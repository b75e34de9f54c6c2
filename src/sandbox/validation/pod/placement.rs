//! Where a Pod may run: affinity, tolerations, spreading over a topology.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::sandbox::validation::Problems;
use crate::sandbox::validation::names;
use crate::sandbox::validation::numbers;
use crate::sandbox::validation::path::Path;
use crate::sandbox::validation::read::{Read, texts};
use crate::sandbox::validation::selector;

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

/// What a Pod wants to be near to, or far from.
pub(super) fn affinity(spec: &Value, path: &Path, problems: &mut Problems) {
    let Some(affinity) = spec.field("affinity") else { return };
    let path = path.child("affinity");
    if let Some(nodes) = affinity.field("nodeAffinity") {
        let path = path.child("nodeAffinity");
        if let Some(required) = nodes.field(REQUIRED) {
            node_selector(required, &path.child(REQUIRED), problems);
        }
        for (index, term) in nodes.list(PREFERRED).iter().enumerate() {
            let path = path.child(PREFERRED).index(index);
            weight(term, &path, problems);
            if let Some(preference) = term.field("preference") {
                node_term(preference, false, &path.child("preference"), problems);
            }
        }
    }
    for name in ["podAffinity", "podAntiAffinity"] {
        let Some(pods) = affinity.field(name) else { continue };
        let path = path.child(name);
        for (index, term) in pods.list(REQUIRED).iter().enumerate() {
            pod_term(term, &path.child(REQUIRED).index(index), problems);
        }
        for (index, weighted) in pods.list(PREFERRED).iter().enumerate() {
            let path = path.child(PREFERRED).index(index);
            weight(weighted, &path, problems);
            let empty = Value::Null;
            let term = weighted.field("podAffinityTerm").unwrap_or(&empty);
            pod_term(term, &path.child("podAffinityTerm"), problems);
        }
    }
}

fn weight(term: &Value, path: &Path, problems: &mut Problems) {
    let weight = term.number("weight").unwrap_or_default();
    if !(1..=100).contains(&weight) {
        problems.push(path.child("weight").invalid(weight, "must be in the range 1-100"));
    }
}

/// A selector of nodes.
pub(in crate::sandbox::validation) fn node_selector(selector: &Value, path: &Path, problems: &mut Problems) {
    let path = path.child("nodeSelectorTerms");
    let terms = selector.list("nodeSelectorTerms");
    if terms.is_empty() {
        problems.push(path.required("must have at least one node selector term"));
    }
    for (index, term) in terms.iter().enumerate() {
        node_term(term, true, &path.index(index), problems);
    }
}

fn node_term(term: &Value, checks_values: bool, path: &Path, problems: &mut Problems) {
    for (index, requirement) in term.list("matchExpressions").iter().enumerate() {
        let path = path.child("matchExpressions").index(index);
        let values = requirement.list("values");
        let at = path.child("values");
        match requirement.text("operator") {
            "In" | "NotIn" if values.is_empty() => {
                problems.push(at.required("must be specified when `operator` is 'In' or 'NotIn'"));
            }
            "Exists" | "DoesNotExist" if !values.is_empty() => {
                let detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
                problems.push(at.forbidden(detail));
            }
            "Gt" | "Lt" if values.len() != 1 => {
                problems.push(at.required("must be specified single value when `operator` is 'Lt' or 'Gt'"));
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt" => {}
            other => problems.push(path.child("operator").invalid(other, "not a valid selector operator")),
        }
        let key = requirement.text("key");
        problems.extend(path.child("key").each(key, names::qualified(key)));
        if checks_values {
            for (index, value) in texts(values).enumerate() {
                problems.extend(at.index(index).each(value, names::label_value(value)));
            }
        }
    }
    for (index, requirement) in term.list("matchFields").iter().enumerate() {
        let path = path.child("matchFields").index(index);
        let values = requirement.list("values");
        let at = path.child("values");
        match requirement.text("operator") {
            "In" | "NotIn" if values.len() != 1 => {
                let detail = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
                problems.push(at.required(detail));
            }
            "In" | "NotIn" => {}
            other => problems.push(path.child("operator").invalid(other, "not a valid selector operator")),
        }
        let key = requirement.text("key");
        if key == "metadata.name" {
            for (index, value) in texts(values).enumerate() {
                problems.extend(at.index(index).each(value, names::subdomain(value)));
            }
        } else {
            problems.push(path.child("key").invalid(key, "not a valid field selector key"));
        }
    }
}

fn pod_term(term: &Value, path: &Path, problems: &mut Problems) {
    for name in ["labelSelector", "namespaceSelector"] {
        if let Some(selector) = term.field(name) {
            selector::of(selector, &path.child(name), problems);
        }
    }
    for namespace in texts(term.list("namespaces")) {
        problems.extend(path.child("namespace").each(namespace, names::label(namespace)));
    }
    label_keys(term, path, problems);
    let key = term.text("topologyKey");
    let at = path.child("topologyKey");
    if key.is_empty() {
        problems.push(at.required("can not be empty"));
    }
    problems.extend(at.each(key, names::qualified(key)));
}

/// Keys of labels that are taken from the Pod itself.
fn label_keys(term: &Value, path: &Path, problems: &mut Problems) {
    let selector = term.field("labelSelector");
    for name in ["matchLabelKeys", "mismatchLabelKeys"] {
        let path = path.child(name);
        let keys = term.list(name);
        if keys.is_empty() {
            continue;
        }
        if selector.is_none() {
            problems.push(path.forbidden("must not be specified when labelSelector is not set"));
            continue;
        }
        for (index, key) in texts(keys).enumerate() {
            problems.extend(path.index(index).each(key, names::qualified(key)));
        }
    }
    let matched: Vec<&str> = texts(term.list("matchLabelKeys")).collect();
    let places: BTreeMap<&str, usize> = matched.iter().enumerate().map(|(index, key)| (*key, index)).collect();
    if let Some(selector) = selector {
        let mut selected: BTreeSet<&str> = selector.entries("matchLabels").iter().map(|(key, _)| key).collect();
        for requirement in selector.list("matchExpressions") {
            let key = requirement.text("key");
            if let Some(index) = places.get(key)
                && selected.contains(key)
            {
                let detail = "exists in both matchLabelKeys and labelSelector";
                problems.push(path.index(*index).invalid(key, detail));
            }
            selected.insert(key);
        }
    }
    let mismatched: BTreeSet<&str> = texts(term.list("mismatchLabelKeys")).collect();
    for (index, key) in matched.iter().enumerate() {
        if mismatched.contains(key) {
            let detail = "exists in both matchLabelKeys and mismatchLabelKeys";
            problems.push(path.child("matchLabelKeys").index(index).invalid(*key, detail));
        }
    }
}

/// What a Pod bears of the taints of nodes.
pub(in crate::sandbox::validation) fn tolerations(tolerations: &[Value], path: &Path, problems: &mut Problems) {
    for (index, toleration) in tolerations.iter().enumerate() {
        let path = path.index(index);
        let key = toleration.text("key");
        let operator = toleration.text("operator");
        let value = toleration.text("value");
        let effect = toleration.text("effect");
        if !key.is_empty() {
            problems.extend(path.child("key").each(key, names::qualified(key)));
        }
        if key.is_empty() && operator != "Exists" {
            let detail = "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
            problems.push(path.child("operator").invalid(operator, detail));
        }
        if toleration.number("tolerationSeconds").is_some() && effect != "NoExecute" {
            let detail = "effect must be 'NoExecute' when `tolerationSeconds` is set";
            problems.push(path.child("effect").invalid(effect, detail));
        }
        let at = path.child("operator");
        match operator {
            "Equal" | "" => {
                let messages = names::label_value(value);
                if !messages.is_empty() {
                    problems.push(at.invalid(value, &messages.join(";")));
                }
            }
            "Exists" if !value.is_empty() => {
                problems.push(at.invalid(value, "value must be empty when `operator` is 'Exists'"));
            }
            "Exists" => {}
            "Lt" | "Gt" => problems.push(at.not_supported(operator, &["Equal", "Exists", "Lt", "Gt"])),
            other => problems.push(at.not_supported(other, &["Equal", "Exists"])),
        }
        if !effect.is_empty() {
            taint_effect(effect, &path.child("effect"), problems);
        }
    }
}

/// What a taint does.
pub(in crate::sandbox::validation) fn taint_effect(effect: &str, path: &Path, problems: &mut Problems) {
    numbers::one_of(effect, &["NoSchedule", "PreferNoSchedule", "NoExecute"], path, problems);
}

/// How Pods are spread.
pub(super) fn topology_spread(spec: &Value, path: &Path, problems: &mut Problems) {
    let constraints = spec.list("topologySpreadConstraints");
    let called = |constraint: &'_ Value| {
        (constraint.text("topologyKey").to_owned(), constraint.text("whenUnsatisfiable").to_owned())
    };
    let last: BTreeMap<_, _> = constraints.iter().enumerate().map(|(index, one)| (called(one), index)).collect();
    for (index, constraint) in constraints.iter().enumerate() {
        let path = path.child("topologySpreadConstraints").index(index);
        let skew = constraint.number("maxSkew").unwrap_or_default();
        if skew <= 0 {
            problems.push(path.child("maxSkew").invalid(skew, "must be greater than zero"));
        }
        let key = constraint.text("topologyKey");
        if key.is_empty() {
            problems.push(path.child("topologyKey").required("can not be empty"));
        }
        let action = constraint.text("whenUnsatisfiable");
        let actions = ["DoNotSchedule", "ScheduleAnyway"];
        numbers::one_of_if_any(Some(action), &actions, &path.child("whenUnsatisfiable"), problems);
        if last.get(&called(constraint)).is_some_and(|last| *last > index) {
            problems.push(path.child("{topologyKey, whenUnsatisfiable}").duplicate(format!("{{{key}, {action}}}")));
        }
        if let Some(domains) = constraint.number("minDomains") {
            let at = path.child("minDomains");
            if domains <= 0 {
                problems.push(at.invalid(domains, "must be greater than zero"));
            }
            if action != "DoNotSchedule" {
                let detail = format!("can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}");
                problems.push(at.invalid(domains, &detail));
            }
        }
        for name in ["nodeAffinityPolicy", "nodeTaintsPolicy"] {
            numbers::one_of_if_any(constraint.maybe_text(name), &["Honor", "Ignore"], &path.child(name), problems);
        }
        label_keys(constraint, &path, problems);
        if let Some(selector) = constraint.field("labelSelector") {
            selector::of(selector, &path.child("labelSelector"), problems);
        }
    }
}
