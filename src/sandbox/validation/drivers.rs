//! Storage drivers: what they are and can do, on which nodes they run, how much room they have, what they are told.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::Problems;
use super::meta;
use super::names::{self, NameRule};
use super::numbers;
use super::path::Path;
use super::read::{Read, texts};
use super::resources;
use super::same::same_field;
use super::selector;

const LONGEST_DRIVER: usize = 63;
const LONGEST_NODE: usize = 256;
const LEAST_PERIOD: i64 = 10;
const LEAST_SECONDS: i64 = 600;
const MOST_SECONDS: i64 = 1 << 32;
const MOST_PARAMETERS: usize = 512;
const MOST_PARAMETER_BYTES: usize = 256 * 1024;

/// The name by which a driver is known to a node.
pub(super) fn driver_name(name: &str, path: &Path, problems: &mut Problems) {
    if name.is_empty() {
        problems.push(path.required(""));
        return;
    }
    if name.len() > LONGEST_DRIVER {
        problems.push(path.too_long(LONGEST_DRIVER));
    }
    problems.extend(names::subdomain(&name.to_lowercase()).iter().map(|message| path.invalid(name, message)));
}

/// A CSIDriver.
pub(super) fn driver(object: &Value, problems: &mut Problems) {
    meta::of(object, false, NameRule::Subdomain, problems);
    driver_spec(object, problems);
}

/// A change of a CSIDriver.
pub(super) fn driver_update(live: &Value, object: &Value, problems: &mut Problems) {
    meta::of_update(live, object, problems);
    driver_spec(object, problems);
    let none = Value::Object(Map::new());
    let (before, after) = (live.field("spec").unwrap_or(&none), object.field("spec").unwrap_or(&none));
    // The server calls the first of them by a name that it has not.
    for (name, called) in [("attachRequired", "attachedRequired"), ("volumeLifecycleModes", "volumeLifecycleModes")] {
        if !same_field(name, before, after) {
            let shown = after.field(name).cloned().unwrap_or_default();
            problems.push(Path::new("spec").child(called).invalid(shown, "field is immutable"));
        }
    }
}

fn driver_spec(object: &Value, problems: &mut Problems) {
    let none = Value::Object(Map::new());
    let spec = object.field("spec").unwrap_or(&none);
    let path = Path::new("spec");
    for (name, called) in [
        ("attachRequired", "attachedRequired"),
        ("podInfoOnMount", "podInfoOnMount"),
        ("storageCapacity", "storageCapacity"),
    ] {
        if spec.field(name).is_none() {
            problems.push(path.child(called).required(""));
        }
    }
    let policies = ["File", "None", "ReadWriteOnceWithFSType"];
    numbers::one_of_if_any(spec.maybe_text("fsGroupPolicy"), &policies, &path.child("fsGroupPolicy"), problems);
    let requests = spec.list("tokenRequests");
    token_requests(requests, &path.child("tokenRequests"), problems);
    for mode in texts(spec.list("volumeLifecycleModes")) {
        let at = path.child("volumeLifecycleModes");
        numbers::one_of_if_any(Some(mode), &["Persistent", "Ephemeral"], &at, problems);
    }
    if spec.field("seLinuxMount").is_none() {
        problems.push(path.child("seLinuxMount").required(""));
    }
    let period = spec.number("nodeAllocatableUpdatePeriodSeconds");
    if let Some(period) = period.filter(|period| *period < LEAST_PERIOD) {
        let detail = format!("must be greater than or equal to {LEAST_PERIOD} seconds");
        problems.push(path.child("nodeAllocatableUpdatePeriodSeconds").invalid(period, &detail));
    }
    let place = spec.field("serviceAccountTokenInSecrets");
    if let Some(place) = place.filter(|_| requests.is_empty()) {
        let detail = "serviceAccountTokenInSecrets is set but no tokenRequests are specified";
        problems.push(path.child("serviceAccountTokenInSecrets").invalid(place.clone(), detail));
    }
}

fn token_requests(requests: &[Value], path: &Path, problems: &mut Problems) {
    let mut audiences = BTreeSet::new();
    for (index, request) in requests.iter().enumerate() {
        let at = path.index(index);
        let audience = request.text("audience");
        if !audiences.insert(audience) {
            problems.push(at.child("audience").duplicate(audience));
            continue;
        }
        let Some(seconds) = request.number("expirationSeconds") else { continue };
        let at = at.child("expirationSeconds");
        if seconds < LEAST_SECONDS {
            problems.push(at.invalid(seconds, "may not specify a duration less than 10 minutes"));
        }
        if seconds > MOST_SECONDS {
            problems.push(at.invalid(seconds, "may not specify a duration larger than 2^32 seconds"));
        }
    }
}

/// A CSINode.
pub(super) fn node(object: &Value, problems: &mut Problems) {
    meta::of(object, false, NameRule::Subdomain, problems);
    let path = Path::new("spec").child("drivers");
    let drivers = drivers(object);
    let mut seen = BTreeSet::new();
    for (index, driver) in drivers.iter().enumerate() {
        let at = path.index(index);
        let name = driver.text("name");
        driver_name(name, &at.child("name"), problems);
        let (id, here) = (driver.text("nodeID"), at.child("nodeID"));
        if id.is_empty() {
            problems.push(here.required(""));
        }
        if id.len() > LONGEST_NODE {
            problems.push(here.invalid(id, &format!("must be {LONGEST_NODE} characters or less")));
        }
        let count = driver.below(&["allocatable", "count"]).and_then(Value::as_i64);
        numbers::not_negative_if_any(count, &at.child("allocatable").child("count"), problems);
        if !seen.insert(name) {
            problems.push(at.child("name").duplicate(name));
        }
        let mut keys = BTreeSet::new();
        for key in texts(driver.list("topologyKeys")) {
            if key.is_empty() {
                problems.push(at.required(""));
            }
            if !keys.insert(key) {
                problems.push(at.duplicate(key));
            }
            problems.extend(at.each(key, names::qualified(key)));
        }
    }
}

/// A change of a CSINode: the server looks at all of it twice. A driver that stays is what it was, but for its limit.
pub(super) fn node_update(live: &Value, object: &Value, problems: &mut Problems) {
    node(object, problems);
    node(object, problems);
    for before in drivers(live) {
        for after in drivers(object).iter().filter(|after| after.text("name") == before.text("name")) {
            if ["nodeID", "topologyKeys"].iter().any(|name| !same_field(name, before, after)) {
                let keys = after.field("topologyKeys").cloned().unwrap_or_default();
                let shown = format!(
                    r#"{{"Name":{},"NodeID":{},"TopologyKeys":{keys},"Allocatable":null}}"#,
                    json!(after.text("name")),
                    json!(after.text("nodeID")),
                );
                problems.push(Path::new("spec").child("drivers").invalid_shown(shown, "field is immutable"));
            }
        }
    }
}

fn drivers(object: &Value) -> &[Value] {
    object.field("spec").map_or(&[], |spec| spec.list("drivers"))
}

/// A CSIStorageCapacity.
pub(super) fn capacity(object: &Value, problems: &mut Problems) {
    meta::of(object, true, NameRule::Subdomain, problems);
    if let Some(topology) = object.field("nodeTopology") {
        selector::of(topology, &Path::new("nodeTopology"), problems);
    }
    let class = object.text("storageClassName");
    problems.extend(Path::new("storageClassName").each(class, names::subdomain(class)));
    let amount = object.field("capacity").and_then(resources::quantity);
    if let Some(amount) = amount.filter(|amount| amount.nano() < 0) {
        let detail = "must be greater than or equal to 0";
        problems.push(Path::new("capacity").invalid(amount.canonical(), detail));
    }
}

/// A change of a CSIStorageCapacity: where it is stays.
pub(super) fn capacity_update(live: &Value, object: &Value, problems: &mut Problems) {
    capacity(object, problems);
    meta::of_update(live, object, problems);
    if !same_field("nodeTopology", live, object) {
        let shown = selector::shown(object.field("nodeTopology"));
        problems.push(Path::new("nodeTopology").invalid_shown(shown, "field is immutable"));
    }
    if live.text("storageClassName") != object.text("storageClassName") {
        problems.push(Path::new("storageClassName").invalid(object.text("storageClassName"), "field is immutable"));
    }
}

/// A VolumeAttributesClass.
pub(super) fn attributes_class(object: &Value, problems: &mut Problems) {
    meta::of(object, false, NameRule::Subdomain, problems);
    let path = Path::new("driverName");
    match object.text("driverName") {
        "" => problems.push(path.required("")),
        driver => {
            let lower = driver.to_lowercase();
            problems.extend(path.each(&lower, names::qualified(&lower)));
        }
    }
    let parameters = object.entries("parameters");
    let path = Path::new("parameters");
    if parameters.len() > MOST_PARAMETERS {
        problems.push(path.too_long(MOST_PARAMETERS));
        return;
    }
    if parameters.has("") {
        problems.push(path.invalid("", "field can not be empty."));
    }
    if parameters.texts().map(|(key, value)| key.len() + value.len()).sum::<usize>() > MOST_PARAMETER_BYTES {
        problems.push(path.too_long(MOST_PARAMETER_BYTES));
    }
    if parameters.is_empty() {
        problems.push(path.required("must contain at least one key/value pair"));
    }
}

/// A change of a VolumeAttributesClass: nothing but its metadata may.
pub(super) fn attributes_class_update(live: &Value, object: &Value, problems: &mut Problems) {
    meta::of_update(live, object, problems);
    for name in ["driverName", "parameters"] {
        // Parameters that are given, but empty, are others than none.
        if live.field(name) != object.field(name) {
            problems.push(Path::new(name).forbidden(&format!("updates to {name} are forbidden.")));
        }
    }
    attributes_class(object, problems);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::validation::tests::lines;

    fn told(of: impl Fn(&mut Problems)) -> String {
        let mut problems = Problems::new();
        of(&mut problems);
        lines(&problems)
    }

    #[test]
    fn what_a_driver_attaches_and_for_how_long_volumes_live_stays() {
        let live = json!({"metadata": {"name": "a"}, "spec": {"attachRequired": true, "podInfoOnMount": false,
            "storageCapacity": false, "seLinuxMount": false, "volumeLifecycleModes": ["Persistent"]}});
        let mut object = live.clone();
        object["spec"]["attachRequired"] = json!(false);
        object["spec"]["volumeLifecycleModes"] = json!(["b"]);
        object["spec"]["tokenRequests"] = json!([{"audience": "a"}, {"audience": "a"}]);
        insta::assert_snapshot!(told(|problems| driver_update(&live, &object, problems)), @r#"
        spec.tokenRequests[1].audience: Duplicate value: "a"
        spec.volumeLifecycleModes: Unsupported value: "b": supported values: "Persistent", "Ephemeral"
        spec.attachedRequired: Invalid value: false: field is immutable
        spec.volumeLifecycleModes: Invalid value: ["b"]: field is immutable
        "#);
    }

    #[test]
    fn a_driver_of_a_node_has_a_name_and_an_id_that_stays() {
        let node_with = |drivers: Value| json!({"metadata": {"name": "n"}, "spec": {"drivers": drivers}});
        insta::assert_snapshot!(told(|problems| node(&node_with(json!([{}])), problems)), @r"
        spec.drivers[0].name: Required value
        spec.drivers[0].nodeID: Required value
        ");
        let live = node_with(json!([{"name": "a.b", "nodeID": "n"}]));
        let object = node_with(json!([{"name": "a.b", "nodeID": "with space"}]));
        insta::assert_snapshot!(told(|problems| node_update(&live, &object, problems)), @r#"spec.drivers: Invalid value: {"Name":"a.b","NodeID":"with space","TopologyKeys":null,"Allocatable":null}: field is immutable"#);
    }

    #[test]
    fn changes_of_capacities_and_classes_are_looked_at_in_the_order_of_the_server() {
        let capacity = |amount: &str| {
            json!({"metadata": {"name": "c", "namespace": "n"}, "storageClassName": "a",
            "capacity": amount})
        };
        let refused = "capacity: Invalid value: \"-1\": must be greater than or equal to 0\n";
        assert_eq!(told(|problems| capacity_update(&capacity("1"), &capacity("-1"), problems)), refused);
        let class =
            |parameters: Value| json!({"metadata": {"name": "c"}, "driverName": "a.b", "parameters": parameters});
        let (live, object) = (class(json!({"a": "b"})), class(json!({})));
        insta::assert_snapshot!(told(|problems| attributes_class_update(&live, &object, problems)), @r"
        parameters: Forbidden: updates to parameters are forbidden.
        parameters: Required value: must contain at least one key/value pair
        ");
    }
}
