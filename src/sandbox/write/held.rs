//! What the server's internal form makes of an object, between its defaults and who owns its fields: two fields that tell the
//! same are brought into line there.

use serde_json::{Value, json};

use crate::sandbox::kind::Kind;

const SOURCES: [&str; 2] = ["dataSource", "dataSourceRef"];

/// Which spellings of its source a claim has.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sources([bool; 2]);

/// Takes note of an object before its defaults are filled in.
pub(super) fn sources(kind: &Kind, object: &Value) -> Sources {
    if !kind.is("", "PersistentVolumeClaim") {
        return Sources::default();
    }
    let has = |field: &str| object.get("spec").and_then(|spec| spec.get(field)).is_some_and(|value| !value.is_null());
    Sources(SOURCES.map(has))
}

/// Holds an object of Kubernetes' own kinds once it has its defaults.
pub(super) fn hold(kind: &Kind, sources: Sources, object: &mut Value) {
    if kind.is("", "Node") {
        addresses_of_pods(object);
    } else if kind.is("", "PersistentVolumeClaim") {
        keep(sources, object);
        phase(object, "Pending");
    } else if kind.is("", "PersistentVolume") {
        phase(object, "Pending");
    } else if kind.is("", "Namespace") {
        phase(object, "Active");
    } else if kind.is("", "Service") {
        modes_of_addresses(object);
    } else if kind.is("apps", "DaemonSet") {
        amounts(object, "/spec/updateStrategy/rollingUpdate");
    } else if kind.is("apps", "Deployment") {
        amounts(object, "/spec/strategy/rollingUpdate");
    }
}

/// How many are replaced at a time are no pointers there: where no default was filled in, since this is no rolling update,
/// it is none.
fn amounts(object: &mut Value, settings: &str) {
    if let Some(settings) = object.pointer_mut(settings).and_then(Value::as_object_mut) {
        for field in ["maxSurge", "maxUnavailable"] {
            let amount = settings.entry(field).or_insert(Value::Null);
            if amount.is_null() {
                *amount = json!(0);
            }
        }
    }
}

/// An object is in its first phase unless its status says otherwise.
fn phase(object: &mut Value, first: &str) {
    let Some(object) = object.as_object_mut() else { return };
    let status = object.entry("status").or_insert_with(|| json!({}));
    if let Some(status) = status.as_object_mut()
        && status.get("phase").and_then(Value::as_str).unwrap_or_default().is_empty()
    {
        status.insert("phase".to_owned(), json!(first));
    }
}

/// Addresses of a load balancer lead to it unless it is said that they lead past it: a default of the status.
fn modes_of_addresses(service: &mut Value) {
    if service.pointer("/spec/type").and_then(Value::as_str) != Some("LoadBalancer") {
        return;
    }
    let addresses = service.pointer_mut("/status/loadBalancer/ingress").and_then(Value::as_array_mut);
    for address in addresses.into_iter().flatten().filter_map(Value::as_object_mut) {
        let has_address = address.get("ip").and_then(Value::as_str).is_some_and(|ip| !ip.is_empty());
        if has_address && address.get("ipMode").is_none_or(Value::is_null) {
            address.insert("ipMode".to_owned(), json!("VIP"));
        }
    }
}

/// The list of ranges begins with the one range that older clients know, whose word counts.
fn addresses_of_pods(node: &mut Value) {
    let Some(spec) = node.get_mut("spec").and_then(Value::as_object_mut) else { return };
    let Some(range) = spec.get("podCIDR").filter(|range| range.as_str().is_some_and(|range| !range.is_empty())) else {
        // Without the list there is no range, and the first of the list is the range.
        let first = spec.get("podCIDRs").and_then(Value::as_array).and_then(|ranges| ranges.first()).cloned();
        if let Some(first) = first {
            spec.insert("podCIDR".to_owned(), first);
        }
        return;
    };
    let ranges = spec.get("podCIDRs").and_then(Value::as_array);
    if ranges.and_then(|ranges| ranges.first()) != Some(range) {
        let ranges = json!([range]);
        spec.insert("podCIDRs".to_owned(), ranges);
    }
}

/// One spelling of a claim's source is filled in from the other only when the claim is stored, and so is nobody's.
fn keep(Sources(given): Sources, claim: &mut Value) {
    let Some(spec) = claim.get_mut("spec").and_then(Value::as_object_mut) else { return };
    for (field, _) in SOURCES.iter().zip(given).filter(|(_, is_given)| !is_given) {
        spec.remove(*field);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::strategy::tests::kind;

    #[test]
    fn the_ranges_of_a_node_begin_with_its_range() {
        let node = kind("v1", "Node");
        for (given, held) in [
            (json!({"podCIDR": "10.1.0.0/24"}), json!({"podCIDR": "10.1.0.0/24", "podCIDRs": ["10.1.0.0/24"]})),
            (json!({"podCIDR": "a", "podCIDRs": ["b", "c"]}), json!({"podCIDR": "a", "podCIDRs": ["a"]})),
            (json!({"podCIDR": "a", "podCIDRs": ["a", "c"]}), json!({"podCIDR": "a", "podCIDRs": ["a", "c"]})),
            (json!({"podCIDRs": ["b"]}), json!({"podCIDR": "b", "podCIDRs": ["b"]})),
        ] {
            let mut object = json!({"spec": given});
            hold(&node, Sources::default(), &mut object);
            assert_eq!(object["spec"], held);
        }
    }

    #[test]
    fn what_is_no_rolling_update_replaces_none_at_a_time() {
        let mut object = json!({"spec": {"updateStrategy": {"type": "OnDelete", "rollingUpdate": {}}}});
        hold(&kind("apps/v1", "DaemonSet"), Sources::default(), &mut object);
        let held = json!({"type": "OnDelete", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}});
        assert_eq!(object["spec"]["updateStrategy"], held);
    }
}
