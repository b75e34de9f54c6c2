//! Nodes and what pods take from them, and the class of an ingress: `TaintNodesByCondition`, `PodTopologyLabels`,
//! `DefaultIngressClass`.

use serde_json::{Value, json};

use super::Request;
use super::storage::newest_default;
use crate::sandbox::strategy::fields::{at, entries, items, list_mut, put, text};

const NOT_READY: &str = "node.kubernetes.io/not-ready";
const TOPOLOGY: [&str; 2] = ["topology.kubernetes.io/zone", "topology.kubernetes.io/region"];

/// Nothing is put on a new node before it is ready.
pub(super) fn taint(request: &Request<'_>, node: &mut Value) {
    let is_tainted = |taint: &Value| (text(taint, &["key"]), text(taint, &["effect"])) == (NOT_READY, "NoSchedule");
    if request.is_for("", "Node")
        && !items(node, &["spec", "taints"]).iter().any(is_tainted)
        && let Some(taints) = list_mut(node, &["spec", "taints"])
    {
        taints.push(json!({"key": NOT_READY, "effect": "NoSchedule"}));
    }
}

/// A pod, or the binding of one, takes the labels that say where its node is.
pub(super) fn copy_topology(request: &Request<'_>, object: &mut Value) {
    if !request.kind.is("", "Pod") || request.kind.custom.is_some() {
        return;
    }
    let node = match request.subresource {
        None => text(object, &["spec", "nodeName"]),
        Some("binding") if text(object, &["target", "kind"]) == "Node" => text(object, &["target", "name"]),
        Some(_) => return,
    };
    let node = if node.is_empty() { None } else { request.view.get("", "Node", "", node) };
    for (label, value) in node.iter().flat_map(|node| entries(node, &["metadata", "labels"])) {
        if TOPOLOGY.contains(&label.as_str()) {
            put(object, &["metadata", "labels", label], value.clone());
        }
    }
}

pub(super) fn choose_ingress_class(request: &Request<'_>, ingress: &mut Value) {
    let is_chosen = at(ingress, &["spec", "ingressClassName"]).is_some()
        || at(ingress, &["metadata", "annotations", "kubernetes.io/ingress.class"]).is_some();
    if request.is_for("networking.k8s.io", "Ingress") && !is_chosen {
        let classes = request.view.list("networking.k8s.io", "IngressClass", None);
        if let Some(name) = newest_default(&classes, &["ingressclass.kubernetes.io/is-default-class"]) {
            put(ingress, &["spec", "ingressClassName"], name);
        }
    }
}
