//! Services.

use serde_json::{Map, Value, json};

use super::{holds_something, is_missing, set_missing, text};

pub(super) fn spec(spec: &mut Map<String, Value>) {
    match text(spec, "sessionAffinity") {
        "ClientIP" => {
            let seconds =
                spec.get("sessionAffinityConfig").and_then(|config| config.pointer("/clientIP/timeoutSeconds"));
            if seconds.is_none_or(Value::is_null) {
                spec.insert("sessionAffinityConfig".to_owned(), json!({"clientIP": {"timeoutSeconds": 10800}}));
            }
        }
        "" | "None" => {
            spec.remove("sessionAffinityConfig");
        }
        _ => {}
    }
    let kind = if is_missing(spec, "type") { "ClusterIP" } else { text(spec, "type") }.to_owned();
    let is_open = matches!(kind.as_str(), "NodePort" | "LoadBalancer")
        || kind == "ClusterIP" && holds_something(spec, "externalIPs");
    if is_open {
        set_missing(spec, "externalTrafficPolicy", "Cluster");
    }
    if kind != "ExternalName" {
        set_missing(spec, "internalTrafficPolicy", "Cluster");
    }
    if kind == "LoadBalancer" {
        set_missing(spec, "allocateLoadBalancerNodePorts", true);
    }
}

pub(super) fn target_port(port: &mut Map<String, Value>) {
    let is_unset = is_missing(port, "targetPort") || port.get("targetPort").is_some_and(|target| *target == 0);
    if is_unset && let Some(number) = port.get("port").cloned() {
        port.insert("targetPort".to_owned(), number);
    }
}
