//! Services.

use serde_json::{Map, Value, json};

use super::{holds_something, is_unset, set_missing, set_unset, text};

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
    let kind = if is_unset(spec, "type") { "ClusterIP" } else { text(spec, "type") }.to_owned();
    let is_open = matches!(kind.as_str(), "NodePort" | "LoadBalancer")
        || kind == "ClusterIP" && holds_something(spec, "externalIPs");
    if is_open {
        set_unset(spec, "externalTrafficPolicy", "Cluster");
    }
    if matches!(kind.as_str(), "NodePort" | "LoadBalancer" | "ClusterIP") {
        set_missing(spec, "internalTrafficPolicy", "Cluster");
    }
    if kind == "LoadBalancer" {
        set_missing(spec, "allocateLoadBalancerNodePorts", true);
    }
}

/// How the addresses of a balancer are reached, where it is asked for one.
pub(super) fn points(service: &mut Map<String, Value>) {
    let is_balanced = service.get("spec").and_then(|spec| spec.get("type")).is_some_and(|kind| kind == "LoadBalancer");
    let points = service.get_mut("status").and_then(|status| status.pointer_mut("/loadBalancer/ingress"));
    for point in points.and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_object_mut) {
        if is_balanced && !text(point, "ip").is_empty() {
            set_missing(point, "ipMode", "VIP");
        }
    }
}

pub(super) fn target_port(port: &mut Map<String, Value>) {
    let is_unset = is_unset(port, "targetPort") || port.get("targetPort").is_some_and(|target| *target == 0);
    if is_unset && let Some(number) = port.get("port").cloned() {
        port.insert("targetPort".to_owned(), number);
    }
}
