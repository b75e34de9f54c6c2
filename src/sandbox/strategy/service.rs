//! Services that change their type: what the new type has no use for goes, unless it was changed as well.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::fields::{at, items, items_mut, number, put, remove, same, text};

/// The type of a service.
pub(super) fn service_type(service: &Value) -> &str {
    text(service, &["spec", "type"])
}

/// Tells whether a service of this type has addresses of its own, be it none (`None`).
pub(super) fn needs_address(service: &Value) -> bool {
    service_type(service) != "ExternalName"
}

/// Tells whether a service is reached through ports of the nodes.
pub(super) fn is_on_nodes(service: &Value) -> bool {
    matches!(service_type(service), "NodePort" | "LoadBalancer")
}

/// Tells whether a service is reached from outside the cluster.
fn is_reached_from_outside(service: &Value) -> bool {
    is_on_nodes(service)
        || (service_type(service) == "ClusterIP" && !items(service, &["spec", "externalIPs"]).is_empty())
}

/// Tells whether a load balancer asks the nodes for the health of this service.
pub(super) fn needs_health_check(service: &Value) -> bool {
    service_type(service) == "LoadBalancer" && text(service, &["spec", "externalTrafficPolicy"]) == "Local"
}

/// The ports of nodes that a service has.
pub(super) fn node_ports(service: &Value) -> BTreeSet<i64> {
    let ports = items(service, &["spec", "ports"]).iter();
    ports.filter_map(|port| number(port, &["nodePort"])).filter(|port| *port != 0).collect()
}

/// Drops from a changed service what only its former type had, as far as the change left it alone.
pub(super) fn drop_what_the_type_has_not(live: &Value, object: &mut Value) {
    let keeps_addresses = ["clusterIP", "clusterIPs"].iter().all(|field| is_unchanged(live, object, field));
    if needs_address(live) && !needs_address(object) {
        let drop = |object: &mut Value, field: &str| remove(object, &["spec", field]);
        if keeps_addresses {
            drop(object, "clusterIP");
            drop(object, "clusterIPs");
        }
        for field in ["ipFamilies", "ipFamilyPolicy"] {
            if is_unchanged(live, object, field) {
                drop(object, field);
            }
        }
    }
    if is_on_nodes(live) && !is_on_nodes(object) && node_ports(object).is_subset(&node_ports(live)) {
        for port in items_mut(object, &["spec", "ports"]) {
            remove(port, &["nodePort"]);
        }
    }
    let is_balanced = |service: &Value| service_type(service) == "LoadBalancer";
    let no_longer_balanced = is_balanced(live) && !is_balanced(object);
    let gone = [
        ("healthCheckNodePort", needs_health_check(live) && !needs_health_check(object)),
        ("allocateLoadBalancerNodePorts", no_longer_balanced),
        ("loadBalancerClass", no_longer_balanced),
        ("externalTrafficPolicy", is_reached_from_outside(live) && !is_reached_from_outside(object)),
    ];
    for (field, is_gone) in gone {
        if is_gone && is_unchanged(live, object, field) {
            remove(object, &["spec", field]);
        }
    }
    if !is_balanced(object) {
        put(object, &["status", "loadBalancer"], json!({}));
    }
}

fn is_unchanged(live: &Value, object: &Value, field: &str) -> bool {
    same(at(live, &["spec", field]), at(object, &["spec", field]))
}
