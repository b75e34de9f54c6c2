//! Endpoints and EndpointSlices: the addresses of the pods that a Service selects.

use std::sync::Arc;

use serde_json::{Value, json};

use super::deed::Outcome;
use super::fields::{at, controller_reference, flag, is_leaving, items, name, namespace, same, set, stamp, text, uid};
use super::hash;
use super::offspring::{self, MANAGER};
use super::pod::is_over;
use super::selector;
use crate::sandbox::view::View;

const TRIGGERED: &str = "endpoints.kubernetes.io/last-change-trigger-time";
const HEADLESS: &str = "service.kubernetes.io/headless";
const MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";
/// Who manages the slices made here.
const SLICES: &str = "endpointslice-controller.k8s.io";
/// The most addresses in one slice.
const MOST: usize = 100;

/// One pod behind a Service.
struct Address {
    ip: String,
    is_ready: bool,
    is_leaving: bool,
    pod: Arc<Value>,
    /// Its ports, by the Service's.
    ports: Vec<Value>,
}

/// Looks at one Service.
pub(super) fn reconcile(view: &dyn View, service: &Value) -> Outcome {
    let mut outcome = Outcome::default();
    let selector =
        at(service, "/spec/selector").filter(|selector| selector.as_object().is_some_and(|map| !map.is_empty()));
    if is_leaving(service) || selector.is_none() || text(service, "/spec/type") == "ExternalName" {
        return outcome;
    }
    let mut addresses: Vec<Address> = view
        .list("", "Pod", Some(namespace(service)))
        .into_iter()
        .filter(|pod| selector::matches_map(selector, pod) && !is_over(pod) && !text(pod, "/status/podIP").is_empty())
        .map(|pod| Address {
            ip: text(&pod, "/status/podIP").to_owned(),
            is_ready: offspring::is_ready(&pod),
            is_leaving: is_leaving(&pod),
            ports: ports(service, &pod),
            pod,
        })
        .collect();
    addresses.sort_by(|one, other| one.ip.cmp(&other.ip));
    endpoints(view, service, &addresses, &mut outcome);
    slices(view, service, &addresses, &mut outcome);
    outcome
}

/// Looks at a Service that is gone: its Endpoints have no owner and go with it.
pub(super) fn reconcile_gone(view: &dyn View, place: &str, service: &str) -> Outcome {
    let mut outcome = Outcome::default();
    if let Some(endpoints) = view.get("", "Endpoints", place, service)
        && super::fields::label(&endpoints, "endpoints.kubernetes.io/managed-by") == "endpoint-controller"
        && !is_leaving(&endpoints)
    {
        outcome.delete(&endpoints);
    }
    outcome
}

fn is_headless(service: &Value) -> bool {
    text(service, "/spec/clusterIP") == "None"
}

/// Returns the ports of a Service on a pod; a named one is what the pod says it is, or is left out.
fn ports(service: &Value, pod: &Value) -> Vec<Value> {
    let target = |port: &Value| -> Option<Value> {
        let number = match port.get("targetPort") {
            Some(Value::String(wanted)) => {
                let containers = items(pod, "/spec/initContainers").iter().chain(items(pod, "/spec/containers"));
                let mut named = containers.flat_map(|container| items(container, "/ports"));
                let protocol = |port: &Value| match text(port, "/protocol") {
                    "" => "TCP".to_owned(),
                    protocol => protocol.to_owned(),
                };
                let found = named.find(|named| text(named, "/name") == wanted && protocol(named) == protocol(port))?;
                found.get("containerPort").cloned()?
            }
            Some(Value::Number(number)) if number.as_i64() != Some(0) => Value::Number(number.clone()),
            _ => port.get("port").cloned()?,
        };
        let mut made =
            json!({"port": number, "protocol": match text(port, "/protocol") { "" => "TCP", protocol => protocol }});
        for field in ["name", "appProtocol"] {
            if !text(port, &format!("/{field}")).is_empty() {
                set(&mut made, &[field], Value::from(text(port, &format!("/{field}"))));
            }
        }
        Some(made)
    };
    items(service, "/spec/ports").iter().filter_map(target).collect()
}

fn target(pod: &Value) -> Value {
    json!({"kind": "Pod", "name": name(pod), "namespace": namespace(pod), "uid": uid(pod)})
}

/// The name by which a pod is known in the domain of a headless Service.
fn hostname<'v>(service: &Value, pod: &'v Value) -> Option<&'v str> {
    let host = text(pod, "/spec/hostname");
    (!host.is_empty() && text(pod, "/spec/subdomain") == name(service)).then_some(host)
}

/// The server writes empty lists of a slice as `null`.
fn listed(items: Vec<Value>) -> Value {
    if items.is_empty() { Value::Null } else { Value::from(items) }
}

fn labels(service: &Value) -> Value {
    let mut labels = at(service, "/metadata/labels").cloned().filter(Value::is_object).unwrap_or_else(|| json!({}));
    if is_headless(service) {
        set(&mut labels, &[HEADLESS], Value::from(""));
    }
    labels
}

/// When the last of the pods changed; it only ever tells what caused a write.
fn triggered(view: &dyn View) -> Value {
    stamp(view.now())
}

fn endpoints(view: &dyn View, service: &Value, addresses: &[Address], outcome: &mut Outcome) {
    let mut subsets: Vec<(Vec<Value>, Vec<Value>, Vec<Value>)> = Vec::new();
    let publishes = flag(service, "/spec/publishNotReadyAddresses");
    for address in addresses {
        let is_ready = publishes || (address.is_ready && !address.is_leaving);
        if address.is_leaving && !publishes {
            continue;
        }
        let mut entry = json!({"ip": address.ip, "nodeName": text(&address.pod, "/spec/nodeName"), "targetRef": target(&address.pod)});
        if let Some(host) = hostname(service, &address.pod) {
            set(&mut entry, &["hostname"], Value::from(host));
        }
        let index = subsets.iter().position(|(ports, _, _)| *ports == address.ports).unwrap_or_else(|| {
            subsets.push((address.ports.clone(), Vec::new(), Vec::new()));
            subsets.len() - 1
        });
        if let Some((_, ready, unready)) = subsets.get_mut(index) {
            if is_ready { ready.push(entry) } else { unready.push(entry) }
        }
    }
    let subsets: Vec<Value> = subsets
        .into_iter()
        .map(|(ports, ready, unready)| {
            let mut subset = json!({});
            for (field, list) in [("addresses", ready), ("notReadyAddresses", unready), ("ports", ports)] {
                if !list.is_empty() {
                    set(&mut subset, &[field], Value::from(list));
                }
            }
            subset
        })
        .collect();
    let mut labels = labels(service);
    set(&mut labels, &["endpoints.kubernetes.io/managed-by"], Value::from("endpoint-controller"));
    match view.get("", "Endpoints", namespace(service), name(service)) {
        None => {
            let mut metadata = json!({"name": name(service), "namespace": namespace(service), "labels": labels});
            set(&mut metadata, &["annotations", TRIGGERED], triggered(view));
            let mut endpoints = json!({"apiVersion": "v1", "kind": "Endpoints", "metadata": metadata});
            if !subsets.is_empty() {
                set(&mut endpoints, &["subsets"], Value::from(subsets));
            }
            outcome.create(endpoints, MANAGER);
        }
        Some(present) => {
            let is_same = same(&Value::from(items(&present, "/subsets")), &Value::from(subsets.clone()));
            if !is_same || at(&present, "/metadata/labels") != Some(&labels) {
                let mut endpoints = (*present).clone();
                super::fields::unset(&mut endpoints, "", "subsets");
                if !subsets.is_empty() {
                    set(&mut endpoints, &["subsets"], Value::from(subsets));
                }
                set(&mut endpoints, &["metadata", "labels"], labels);
                set(&mut endpoints, &["metadata", "annotations", TRIGGERED], triggered(view));
                outcome.update(endpoints, MANAGER);
            }
        }
    }
}

fn slices(view: &dyn View, service: &Value, addresses: &[Address], outcome: &mut Outcome) {
    let publishes = flag(service, "/spec/publishNotReadyAddresses");
    let mut wanted: Vec<(Vec<Value>, Vec<Value>)> = Vec::new();
    for address in addresses {
        let is_ready = publishes || (address.is_ready && !address.is_leaving);
        let mut entry = json!({
            "addresses": [address.ip], "nodeName": text(&address.pod, "/spec/nodeName"), "targetRef": target(&address.pod),
            "conditions": {"ready": is_ready, "serving": address.is_ready, "terminating": address.is_leaving}
        });
        if let Some(host) = hostname(service, &address.pod) {
            set(&mut entry, &["hostname"], Value::from(host));
        }
        match wanted.iter_mut().find(|(ports, entries)| *ports == address.ports && entries.len() < MOST) {
            Some((_, entries)) => entries.push(entry),
            None => wanted.push((address.ports.clone(), vec![entry])),
        }
    }
    if wanted.is_empty() {
        // A slice without endpoints says that there are none.
        wanted.push((Vec::new(), Vec::new()));
    }
    let present: Vec<_> = view
        .dependents(uid(service))
        .into_iter()
        .filter(|slice| {
            super::fields::kind(slice) == "EndpointSlice"
                && super::fields::label(slice, MANAGED_BY) == SLICES
                && !is_leaving(slice)
        })
        .collect();
    let mut labels = labels(service);
    set(&mut labels, &["kubernetes.io/service-name"], Value::from(name(service)));
    set(&mut labels, &[MANAGED_BY], Value::from(SLICES));
    for (index, (ports, entries)) in wanted.iter().enumerate() {
        // The older form leaves an empty name out; the newer one has it.
        let ports: Vec<Value> = ports
            .iter()
            .map(|port| {
                let mut port = port.clone();
                if port.get("name").is_none() {
                    set(&mut port, &["name"], Value::from(""));
                }
                port
            })
            .collect();
        match present.get(index) {
            Some(slice) => {
                let is_same = same(&Value::from(items(slice, "/endpoints")), &Value::from(entries.clone()))
                    && same(&Value::from(items(slice, "/ports")), &Value::from(ports.clone()))
                    && at(slice, "/metadata/labels") == Some(&labels);
                if !is_same {
                    let mut slice = (**slice).clone();
                    set(&mut slice, &["endpoints"], listed(entries.clone()));
                    set(&mut slice, &["ports"], listed(ports));
                    set(&mut slice, &["metadata", "labels"], labels.clone());
                    set(&mut slice, &["metadata", "annotations", TRIGGERED], triggered(view));
                    outcome.update(slice, MANAGER);
                }
            }
            None => {
                let prefix = format!("{}-", name(service));
                let free = |salt: &usize| {
                    let made = format!("{prefix}{}", hash::suffix(&[uid(service), &salt.to_string()]));
                    view.get("discovery.k8s.io", "EndpointSlice", namespace(service), &made).is_none().then_some(made)
                };
                let Some(made) = (index..index + 1000).find_map(|salt| free(&salt)) else { continue };
                let mut metadata = json!({
                    "name": made, "generateName": prefix, "namespace": namespace(service), "labels": labels,
                    "ownerReferences": [controller_reference(service)]
                });
                set(&mut metadata, &["annotations", TRIGGERED], triggered(view));
                let slice = json!({
                    "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": metadata,
                    "addressType": match items(service, "/spec/ipFamilies").first().and_then(Value::as_str) {
                        Some("IPv6") => "IPv6",
                        _ => "IPv4",
                    },
                    "endpoints": listed(entries.clone()), "ports": listed(ports)
                });
                outcome.create(slice, MANAGER);
            }
        }
    }
    for slice in present.iter().skip(wanted.len()) {
        outcome.delete(slice);
    }
}
