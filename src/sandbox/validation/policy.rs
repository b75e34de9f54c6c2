//! Who may talk to whom, and how many Pods may be missing: NetworkPolicies and PodDisruptionBudgets.

use serde_json::{Map, Value};

use super::Problems;
use super::internal;
use super::meta;
use super::names::{self, NameRule};
use super::numbers;
use super::path::Path;
use super::read::{Read, texts};
use super::selector;

/// A NetworkPolicy.
pub(super) fn network(object: &Value, problems: &mut Problems) {
    meta::of(object, true, NameRule::Subdomain, problems);
    network_spec(object, problems);
}

/// A change of a NetworkPolicy: the server looks at all of it twice.
pub(super) fn network_update(live: &Value, object: &Value, problems: &mut Problems) {
    network(object, problems);
    meta::of_update(live, object, problems);
    network_spec(object, problems);
}

fn network_spec(object: &Value, problems: &mut Problems) {
    let none = Value::Object(Map::new());
    let spec = object.field("spec").unwrap_or(&none);
    let path = Path::new("spec");
    selector::of(spec.field("podSelector").unwrap_or(&none), &path.child("podSelector"), problems);
    for (direction, peers) in [("ingress", "from"), ("egress", "to")] {
        for (index, rule) in spec.list(direction).iter().enumerate() {
            let at = path.child(direction).index(index);
            for (index, port) in rule.list("ports").iter().enumerate() {
                of_port(port, &at.child("ports").index(index), problems);
            }
            for (index, peer) in rule.list(peers).iter().enumerate() {
                of_peer(peer, &at.child(peers).index(index), problems);
            }
        }
    }
    let types = spec.list("policyTypes");
    let at = path.child("policyTypes");
    if types.len() > 2 {
        problems.push(at.invalid(Value::from(types), "may not specify more than two policyTypes"));
        return;
    }
    for (index, sort) in texts(types).enumerate() {
        numbers::one_of_if_any(Some(sort), &["Ingress", "Egress"], &at.index(index), problems);
    }
}

fn of_port(port: &Value, path: &Path, problems: &mut Problems) {
    let protocols = ["TCP", "UDP", "SCTP"];
    numbers::one_of_if_any(port.maybe_text("protocol"), &protocols, &path.child("protocol"), problems);
    let end = port.number("endPort");
    let end_path = path.child("endPort");
    match port.field("port") {
        Some(Value::String(name)) => {
            if let Some(end) = end {
                problems.push(end_path.invalid(end, "may not be specified when `port` is non-numeric"));
            }
            problems.extend(path.child("port").each(name, names::port(name)));
        }
        Some(number) => {
            let number = number.as_i64().unwrap_or_default();
            numbers::port(number, &path.child("port"), problems);
            if let Some(end) = end {
                if end < number {
                    problems.push(end_path.invalid(number, "must be greater than or equal to `port`"));
                }
                numbers::port(end, &end_path, problems);
            }
        }
        None => {
            if let Some(end) = end {
                problems.push(end_path.invalid(end, "may not be specified when `port` is not specified"));
            }
        }
    }
}

fn of_peer(peer: &Value, path: &Path, problems: &mut Problems) {
    let mut peers = 0;
    for name in ["podSelector", "namespaceSelector"] {
        if let Some(selector) = peer.field(name) {
            peers += 1;
            selector::of(selector, &path.child(name), problems);
        }
    }
    let block = peer.field("ipBlock");
    if let Some(block) = block {
        peers += 1;
        of_block(block, &path.child("ipBlock"), problems);
    }
    if peers == 0 {
        problems.push(path.required("must specify a peer"));
    } else if peers > 1 && block.is_some() {
        problems.push(path.forbidden("may not specify both ipBlock and another peer"));
    }
}

fn of_block(block: &Value, path: &Path, problems: &mut Problems) {
    let text = block.text("cidr");
    if text.is_empty() {
        problems.push(path.child("cidr").required(""));
        return;
    }
    numbers::cidr(text, &path.child("cidr"), problems);
    let Some(outer) = numbers::block(text) else { return };
    for (index, text) in texts(block.list("except")).enumerate() {
        let at = path.child("except").index(index);
        numbers::cidr(text, &at, problems);
        let Some(inner) = numbers::block(text) else { continue };
        if !numbers::holds(outer, inner.0) || outer.1 >= inner.1 {
            problems.push(at.invalid(text, "must be a strict subset of `cidr`"));
        }
    }
}

/// A PodDisruptionBudget; the server looks at its metadata only when all else is well.
pub(super) fn disruption_budget(object: &Value, problems: &mut Problems) {
    let none = Value::Object(Map::new());
    let spec = object.field("spec").unwrap_or(&none);
    let path = Path::new("spec");
    let (least, most) = (spec.field("minAvailable"), spec.field("maxUnavailable"));
    if least.is_some() && most.is_some() {
        let shown = internal::shown("PodDisruptionBudgetSpec", spec);
        problems.push(path.invalid_shown(shown, "minAvailable and maxUnavailable cannot be both set"));
    }
    for (name, value) in [("minAvailable", least), ("maxUnavailable", most)] {
        if let Some(value) = value {
            numbers::count_or_percent(value, &path.child(name), problems);
            numbers::at_most_all(value, &path.child(name), problems);
        }
    }
    if let Some(selector) = spec.field("selector") {
        selector::of(selector, &path.child("selector"), problems);
    }
    let policy = spec.maybe_text("unhealthyPodEvictionPolicy");
    let at = path.child("unhealthyPodEvictionPolicy");
    numbers::one_of_if_any(policy, &["AlwaysAllow", "IfHealthyBudget"], &at, problems);
}
