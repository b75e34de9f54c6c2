//! What is to be said of services and where they lead.

use serde_json::Value;

use super::addresses::{of_address, of_block};
use crate::sandbox::strategy::fields::{at, items, text};

/// Returns what is to be said of a service.
pub(super) fn of(service: &Value) -> Vec<String> {
    let mut told = Vec::new();
    if at(service, &["metadata", "annotations", "service.kubernetes.io/topology-aware-hints"]).is_some() {
        told.push(
            "annotation service.kubernetes.io/topology-aware-hints is deprecated, please use \
             service.kubernetes.io/topology-mode instead"
                .to_owned(),
        );
    }
    let none = Value::Null;
    let spec = at(service, &["spec"]).unwrap_or(&none);
    let each = |list: &str| -> Vec<(String, String)> {
        let named = |(index, one): (usize, &Value)| {
            (format!("spec.{list}[{index}]"), one.as_str().unwrap_or_default().to_owned())
        };
        items(spec, &[list]).iter().enumerate().map(named).collect()
    };
    if !matches!(text(spec, &["clusterIP"]), "" | "None") {
        told.extend(each("clusterIPs").iter().filter_map(|(path, one)| of_address(path, one)));
    }
    let kind = text(spec, &["type"]);
    let has_outside = !items(spec, &["externalIPs"]).is_empty();
    if kind == "ClusterIP" && text(spec, &["clusterIP"]) == "None" {
        let ignored = [
            ("spec.loadBalancerIP", !text(spec, &["loadBalancerIP"]).is_empty()),
            ("spec.externalIPs", has_outside),
            ("spec.SessionAffinity", text(spec, &["sessionAffinity"]) != "None"),
        ];
        let ignored = ignored.iter().filter(|(_, is_set)| *is_set);
        told.extend(ignored.map(|(field, _)| format!("{field} is ignored for headless services")));
    }
    told.extend(each("externalIPs").iter().filter_map(|(path, one)| of_address(path, one)));
    told.extend(of_address("spec.loadBalancerIP", text(spec, &["loadBalancerIP"])));
    told.extend(each("loadBalancerSourceRanges").iter().flat_map(|(path, one)| of_block(path, one)));
    if kind == "ExternalName" && has_outside {
        told.push("spec.externalIPs is ignored when spec.type is \"ExternalName\"".to_owned());
    }
    if kind != "ExternalName" && !text(spec, &["externalName"]).is_empty() {
        told.push("spec.externalName is ignored when spec.type is not \"ExternalName\"".to_owned());
    }
    if text(spec, &["trafficDistribution"]) == "PreferClose" {
        told.push("spec.trafficDistribution: \"PreferClose\" is deprecated; use \"PreferSameZone\"".to_owned());
    }
    told
}

/// Returns what is to be said of endpoints, unless their controller wrote them.
pub(super) fn of_endpoints(endpoints: &Value) -> Vec<String> {
    if text(endpoints, &["metadata", "labels", "endpoints.kubernetes.io/managed-by"]) == "endpoint-controller" {
        return Vec::new();
    }
    let mut told = Vec::new();
    for (index, subset) in items(endpoints, &["subsets"]).iter().enumerate() {
        for list in ["addresses", "notReadyAddresses"] {
            for (at, one) in items(subset, &[list]).iter().enumerate() {
                told.extend(of_address(&format!("subsets[{index}].{list}[{at}].ip"), text(one, &["ip"])));
            }
        }
    }
    told
}

/// Returns what is to be said of a slice; of its sort only when it is made.
pub(super) fn of_slice(is_new: bool, slice: &Value) -> Vec<String> {
    let mut told = Vec::new();
    if is_new && text(slice, &["addressType"]) == "FQDN" {
        told.push("spec.addressType: FQDN endpoints are deprecated".to_owned());
    }
    let by = text(slice, &["metadata", "labels", "endpointslice.kubernetes.io/managed-by"]);
    if matches!(by, "endpointslice-controller.k8s.io" | "endpointslicemirroring-controller.k8s.io") {
        return told;
    }
    for (index, endpoint) in items(slice, &["endpoints"]).iter().enumerate() {
        for (at, address) in items(endpoint, &["addresses"]).iter().enumerate() {
            let path = format!("endpoints[{index}].addresses[{at}]");
            told.extend(of_address(&path, address.as_str().unwrap_or_default()));
        }
    }
    told
}
