//! Nodes, namespaces, and what is kept in them.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::json;

use crate::sandbox::table::Row;
use crate::sandbox::table::fields::Fields;

pub(super) fn namespace(namespace: Fields<'_>, now: Timestamp) -> Row {
    vec![json!(namespace.name()), json!(namespace.text("/status/phase")), namespace.age(now)].into()
}

pub(super) fn node(node: Fields<'_>, now: Timestamp) -> Row {
    // Of several conditions of a type the last counts.
    let ready = node.items("/status/conditions").rev().find(|condition| condition.text("/type") == "Ready");
    let mut status = match ready.map(|condition| condition.text("/status")) {
        Some("True") => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    }
    .to_owned();
    if node.is_true("/spec/unschedulable") {
        status.push_str(",SchedulingDisabled");
    }
    let address = |kind: &str| {
        let found = node.items("/status/addresses").find(|address| address.text("/type") == kind);
        json!(found.map_or("<none>", |address| address.text("/address")))
    };
    let info = |field: &str| json!(node.text_or(&format!("/status/nodeInfo/{field}"), "<unknown>"));
    vec![
        json!(node.name()),
        json!(status),
        json!(roles(node)),
        node.age(now),
        json!(node.text("/status/nodeInfo/kubeletVersion")),
        address("InternalIP"),
        address("ExternalIP"),
        info("osImage"),
        info("kernelVersion"),
        info("containerRuntimeVersion"),
    ]
    .into()
}

/// Returns what a node is for, as its labels say.
fn roles(node: Fields<'_>) -> String {
    let labels = node.map("/metadata/labels").into_iter().flatten();
    let roles: BTreeSet<&str> = labels
        .filter_map(|(key, value)| match key.strip_prefix("node-role.kubernetes.io/") {
            Some(role) => Some(role),
            None => (key == "kubernetes.io/role").then(|| value.as_str()).flatten(),
        })
        .filter(|role| !role.is_empty())
        .collect();
    if roles.is_empty() { "<none>".to_owned() } else { roles.into_iter().collect::<Vec<_>>().join(",") }
}

pub(super) fn config_map(map: Fields<'_>, now: Timestamp) -> Row {
    vec![json!(map.name()), json!(map.count("/data") + map.count("/binaryData")), map.age(now)].into()
}

pub(super) fn secret(secret: Fields<'_>, now: Timestamp) -> Row {
    vec![json!(secret.name()), json!(secret.text("/type")), json!(secret.count("/data")), secret.age(now)].into()
}

pub(super) fn resource_quota(quota: Fields<'_>, now: Timestamp) -> Row {
    let (mut requests, mut limits) = (Vec::new(), Vec::new());
    let used = quota.map("/status/used");
    let amount = |value: Option<&serde_json::Value>| {
        value.map_or_else(|| "0".to_owned(), |value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    };
    for (resource, hard) in quota.map("/status/hard").into_iter().flatten() {
        let used = amount(used.and_then(|used| used.get(resource)));
        let text = format!("{resource}: {used}/{}", amount(Some(hard)));
        if resource.starts_with("limits.") { limits.push(text) } else { requests.push(text) }
    }
    vec![json!(quota.name()), json!(requests.join(", ")), json!(limits.join(", ")), quota.age(now)].into()
}

pub(super) fn component_status(component: Fields<'_>, _now: Timestamp) -> Row {
    let healthy = component.condition("/conditions", "Healthy");
    let status = match healthy.map(|condition| condition.text("/status")) {
        Some("True") => "Healthy",
        Some(_) => "Unhealthy",
        None => "Unknown",
    };
    let told = |path: &str| json!(healthy.map_or("", |condition| condition.text(path)));
    vec![json!(component.name()), json!(status), told("/message"), told("/error")].into()
}

pub(super) fn lease(lease: Fields<'_>, now: Timestamp) -> Row {
    vec![json!(lease.name()), json!(lease.text("/spec/holderIdentity")), lease.age(now)].into()
}

pub(super) fn runtime_class(class: Fields<'_>, now: Timestamp) -> Row {
    vec![json!(class.name()), json!(class.text("/handler")), class.age(now)].into()
}

pub(super) fn priority_class(class: Fields<'_>, now: Timestamp) -> Row {
    vec![
        json!(class.name()),
        json!(class.integer("/value")),
        json!(class.is_true("/globalDefault")),
        class.age(now),
        json!(class.text("/preemptionPolicy")),
    ]
    .into()
}
