//! Services, what is behind them, and what leads to them.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::json;

use super::shortened;
use crate::sandbox::table::Row;
use crate::sandbox::table::fields::Fields;
use crate::sandbox::table::selector::{labels, selector};

pub(super) fn service(service: Fields<'_>, now: Timestamp) -> Row {
    let ports: Vec<String> = service
        .items("/spec/ports")
        .map(|port| {
            let (number, protocol) = (port.integer("/port"), port.text("/protocol"));
            match port.integer("/nodePort") {
                0 => format!("{number}/{protocol}"),
                node_port => format!("{number}:{node_port}/{protocol}"),
            }
        })
        .collect();
    let ports = if ports.is_empty() { "<none>".to_owned() } else { ports.join(",") };
    vec![
        json!(service.name()),
        json!(service.text("/spec/type")),
        json!(service.texts("/spec/clusterIPs").first().copied().unwrap_or("<none>")),
        json!(external_addresses(service)),
        json!(ports),
        service.age(now),
        json!(labels(service, "/spec/selector")),
    ]
    .into()
}

fn external_addresses(service: Fields<'_>) -> String {
    let external = service.texts("/spec/externalIPs").join(",");
    let or = |text: String, otherwise: &str| if text.is_empty() { otherwise.to_owned() } else { text };
    match service.text("/spec/type") {
        "ClusterIP" | "NodePort" => or(external, "<none>"),
        "LoadBalancer" => {
            let balancer = balancer_addresses(service);
            let all = [balancer, external].into_iter().filter(|addresses| !addresses.is_empty());
            or(all.collect::<Vec<_>>().join(","), "<pending>")
        }
        "ExternalName" => service.text("/spec/externalName").to_owned(),
        _ => "<unknown>".to_owned(),
    }
}

/// Returns where a load balancer can be reached: addresses, and names of those without one, sorted.
fn balancer_addresses(object: Fields<'_>) -> String {
    let entries = object.items("/status/loadBalancer/ingress");
    let addresses: BTreeSet<&str> =
        entries.map(|entry| entry.either("/ip", "/hostname")).filter(|address| !address.is_empty()).collect();
    addresses.into_iter().collect::<Vec<_>>().join(",")
}

pub(super) fn endpoints(endpoints: Fields<'_>, now: Timestamp) -> Row {
    let mut all = Vec::new();
    for subset in endpoints.items("/subsets") {
        let addresses: Vec<&str> = subset.items("/addresses").map(|address| address.text("/ip")).collect();
        if subset.count("/ports") == 0 {
            // There may be services without a port.
            all.extend(addresses.iter().map(|address| (*address).to_owned()));
        }
        for port in subset.items("/ports") {
            let port = port.integer("/port");
            all.extend(addresses.iter().map(|address| match address.contains(':') {
                true => format!("[{address}]:{port}"),
                false => format!("{address}:{port}"),
            }));
        }
    }
    let shown = match endpoints.count("/subsets") {
        0 => "<none>".to_owned(),
        _ => shortened(&all, 3, all.len()),
    };
    vec![json!(endpoints.name()), json!(shown), endpoints.age(now)].into()
}

pub(super) fn endpoint_slice(slice: Fields<'_>, now: Timestamp) -> Row {
    let ports: Vec<String> = slice
        .items("/ports")
        .map(|port| port.scalar("/port").or_else(|| port.scalar("/name")).unwrap_or_else(|| "*".to_owned()))
        .collect();
    let addresses: Vec<String> =
        slice.items("/endpoints").flat_map(|endpoint| endpoint.texts("/addresses")).map(str::to_owned).collect();
    let listed = |values: &[String]| match shortened(values, 3, values.len()) {
        text if text.is_empty() => "<unset>".to_owned(),
        text => text,
    };
    vec![
        json!(slice.name()),
        json!(slice.text("/addressType")),
        json!(listed(&ports)),
        json!(listed(&addresses)),
        slice.age(now),
    ]
    .into()
}

pub(super) fn ingress(ingress: Fields<'_>, now: Timestamp) -> Row {
    let class = ingress.scalar("/spec/ingressClassName").unwrap_or_else(|| "<none>".to_owned());
    vec![
        json!(ingress.name()),
        json!(class),
        json!(hosts(ingress)),
        json!(balancer_addresses(ingress)),
        json!(if ingress.count("/spec/tls") > 0 { "80, 443" } else { "80" }),
        ingress.age(now),
    ]
    .into()
}

/// Lists three hosts. What is beyond is counted in rules, as the server does.
fn hosts(ingress: Fields<'_>) -> String {
    let rules = ingress.items("/spec/rules");
    let count = rules.len();
    let mut hosts: Vec<&str> = Vec::new();
    let mut more = false;
    for rule in rules {
        more |= hosts.len() == 3;
        let host = rule.text("/host");
        if !more && !host.is_empty() {
            hosts.push(host);
        }
    }
    match (hosts.is_empty(), more) {
        (true, _) => "*".to_owned(),
        (false, true) => format!("{} + {} more...", hosts.join(","), count - 3),
        (false, false) => hosts.join(","),
    }
}

pub(super) fn ingress_class(class: Fields<'_>, now: Timestamp) -> Row {
    let parameters = class.at("/spec/parameters").map(Fields).map_or_else(
        || "<none>".to_owned(),
        |parameters| {
            let group = parameters.scalar("/apiGroup").map(|group| format!(".{group}")).unwrap_or_default();
            format!("{}{group}/{}", parameters.text("/kind"), parameters.text("/name"))
        },
    );
    vec![json!(class.name()), json!(class.text("/spec/controller")), json!(parameters), class.age(now)].into()
}

pub(super) fn network_policy(policy: Fields<'_>, now: Timestamp) -> Row {
    vec![json!(policy.name()), json!(selector(policy, "/spec/podSelector")), policy.age(now)].into()
}

pub(super) fn service_cidr(range: Fields<'_>, now: Timestamp) -> Row {
    vec![json!(range.name()), json!(range.texts("/spec/cidrs").join(",")), range.age(now)].into()
}

/// Has a third cell, the age, for which the server declares no column.
pub(super) fn ip_address(address: Fields<'_>, now: Timestamp) -> Row {
    let parent = address.at("/spec/parentRef").map(Fields).map_or_else(
        || "<none>".to_owned(),
        |parent| {
            let resource = match (parent.text("/resource"), parent.text("/group")) {
                (resource, "") => resource.to_lowercase(),
                (resource, group) => format!("{resource}.{group}").to_lowercase(),
            };
            let steps = [resource.as_str(), parent.text("/namespace"), parent.text("/name")];
            let [resource, namespace, name] = steps;
            if namespace.is_empty() { format!("{resource}/{name}") } else { format!("{resource}/{namespace}/{name}") }
        },
    );
    vec![json!(address.name()), json!(parent), address.age(now)].into()
}
