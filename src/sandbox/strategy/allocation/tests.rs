use serde_json::{Value, json};

use super::*;
use crate::sandbox::strategy::tests::{Stored, decoded, kind, letters};

fn service(name: &str, spec: &Value) -> Value {
    let mut service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "n"}, "spec": spec
    });
    decoded(&kind("v1", "Service").schema, &mut service);
    service
}

fn given(view: &Stored, live: Option<&Value>, spec: &Value) -> Result<Value, String> {
    let mut object = service("s2", spec);
    allocate(view, &kind("v1", "Service"), live, &mut object, false, &mut letters)
        .map(|()| object["spec"].clone())
        .map_err(|refusal| format!("{} {}", refusal.code, refusal.message))
}

/// One service with an address, one with ports on the nodes.
fn cluster() -> Stored {
    Stored::with([
        service("s1", &json!({"clusterIP": "10.96.200.200", "clusterIPs": ["10.96.200.200"], "ports": [{"port": 80}]})),
        service(
            "s3",
            &json!({"type": "NodePort", "clusterIP": "10.96.1.1", "clusterIPs": ["10.96.1.1"],
            "ports": [{"port": 80, "nodePort": 30123}]}),
        ),
    ])
}

fn refused(spec: &Value) -> String {
    given(&cluster(), None, spec).unwrap_err()
}

#[test]
fn addresses_that_cannot_be_had_are_refused() {
    let why = |address: &str| refused(&json!({"ports": [{"port": 80}], "clusterIP": address}));
    insta::assert_snapshot!(why("10.96.200.200"), @r#"422 Service "s2" is invalid: spec.clusterIPs: Invalid value: ["10.96.200.200"]: failed to allocate IP 10.96.200.200: provided IP is already allocated"#);
    insta::assert_snapshot!(why("10.97.200.200"), @r#"422 Service "s2" is invalid: spec.clusterIPs: Invalid value: ["10.97.200.200"]: failed to allocate IP 10.97.200.200: the provided network does not match the current range"#);
    insta::assert_snapshot!(why("10.96.0.0"), @r#"422 Service "s2" is invalid: spec.clusterIPs: Invalid value: ["10.96.0.0"]: failed to allocate IP 10.96.0.0: the provided network does not match the current range"#);
    insta::assert_snapshot!(why("fd00::1"), @r#"422 Service "s2" is invalid: spec.clusterIPs[0]: Invalid value: ["fd00::1"]: IPv6 is not configured on this cluster"#);
    insta::assert_snapshot!(refused(&json!({"ports": [{"port": 80}], "clusterIPs": ["10.96.200.201"]})), @r#"422 Service "s2" is invalid: spec.clusterIPs: Invalid value: ["10.96.200.201"]: must be empty when `clusterIP` is not specified"#);
}

#[test]
fn families_that_cannot_be_had_are_refused() {
    let why = |field: &str, value: Value| refused(&json!({"ports": [{"port": 80}], field: value}));
    insta::assert_snapshot!(why("ipFamilyPolicy", json!("RequireDualStack")), @r#"422 Service "s2" is invalid: spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services"#);
    insta::assert_snapshot!(why("ipFamilies", json!(["IPv6"])), @r#"422 Service "s2" is invalid: spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster"#);
    insta::assert_snapshot!(why("ipFamilies", json!(["IPv4", "IPv6"])), @r#"422 Service "s2" is invalid: spec.ipFamilyPolicy: Invalid value: "SingleStack": must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified"#);
}

#[test]
fn ports_that_cannot_be_had_are_refused() {
    let why = |port: i64| refused(&json!({"type": "NodePort", "ports": [{"port": 80, "nodePort": port}]}));
    insta::assert_snapshot!(why(30123), @r#"422 Service "s2" is invalid: spec.ports[0].nodePort: Invalid value: 30123: provided port is already allocated"#);
    insta::assert_snapshot!(why(80), @r#"422 Service "s2" is invalid: spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767"#);
    let health = json!({"type": "LoadBalancer", "externalTrafficPolicy": "Local", "healthCheckNodePort": 30123,
        "ports": [{"port": 80}]});
    insta::assert_snapshot!(refused(&health), @"500 Internal error occurred: failed to allocate requested HealthCheck NodePort 30123: provided port is already allocated");
}

#[test]
fn a_service_gets_a_free_address_from_above_the_reserved_ones() {
    let spec = given(&cluster(), None, &json!({"ports": [{"port": 80}]})).unwrap();
    let address: std::net::Ipv4Addr = spec["clusterIP"].as_str().unwrap().parse().unwrap();
    assert!(address >= "10.96.1.0".parse::<std::net::Ipv4Addr>().unwrap(), "{address}");
    assert_eq!(spec["clusterIPs"], json!([address.to_string()]));
    assert_eq!((&spec["ipFamilies"], &spec["ipFamilyPolicy"]), (&json!(["IPv4"]), &json!("SingleStack")));
    assert_eq!(spec, given(&cluster(), None, &json!({"ports": [{"port": 80}]})).unwrap());
}

#[test]
fn headless_services_without_a_selector_have_both_families() {
    let free = given(&cluster(), None, &json!({"clusterIP": "None"})).unwrap();
    assert_eq!((&free["ipFamilies"], &free["ipFamilyPolicy"]), (&json!(["IPv4", "IPv6"]), &json!("RequireDualStack")));
    let selecting = given(&cluster(), None, &json!({"clusterIP": "None", "selector": {"a": "b"}})).unwrap();
    assert_eq!((&selecting["ipFamilies"], &selecting["ipFamilyPolicy"]), (&json!(["IPv4"]), &json!("SingleStack")));
    assert_eq!(free["clusterIPs"], json!(["None"]));
    let sixth = given(&cluster(), None, &json!({"clusterIP": "None", "ipFamilies": ["IPv6"]})).unwrap();
    assert_eq!(sixth["ipFamilies"], json!(["IPv6", "IPv4"]));
}

#[test]
fn ports_of_one_number_share_a_port_of_the_nodes() {
    let ports = json!([
        {"name": "t", "port": 80, "nodePort": 30124}, {"name": "u", "port": 80, "protocol": "UDP"},
        {"name": "w", "port": 81}
    ]);
    let spec = given(&cluster(), None, &json!({"type": "NodePort", "ports": ports})).unwrap();
    let chosen: Vec<i64> = items(&spec, &["ports"]).iter().filter_map(|port| number(port, &["nodePort"])).collect();
    assert_eq!(chosen[..2], [30124, 30124]);
    assert!((30086..=32767).contains(&chosen[2]), "{chosen:?}");
}

#[test]
fn a_change_keeps_what_was_given_and_gives_what_is_new() {
    let view = cluster();
    let mut live = service("s2", &json!({"type": "NodePort", "ports": [{"port": 80}]}));
    allocate(&view, &kind("v1", "Service"), None, &mut live, false, &mut letters).unwrap();
    let kept = given(&view, Some(&live), &json!({"type": "NodePort", "ports": [{"port": 80}]})).unwrap();
    assert_eq!(kept, live["spec"]);
    let plain = given(&view, Some(&live), &json!({"ports": [{"port": 80}]})).unwrap();
    assert_eq!((&plain["clusterIP"], plain["ports"][0].get("nodePort")), (&live["spec"]["clusterIP"], None));
    let taken = given(&view, Some(&live), &json!({"type": "NodePort", "ports": [{"port": 80, "nodePort": 30123}]}));
    assert!(taken.unwrap_err().ends_with("provided port is already allocated"));
    let external = service("s2", &json!({"type": "ExternalName", "externalName": "a.b"}));
    let asked = given(&view, Some(&external), &json!({"ports": [{"port": 80}], "clusterIP": "10.96.9.9"})).unwrap();
    assert_eq!((&asked["clusterIPs"], &asked["ipFamilies"]), (&json!(["10.96.9.9"]), &json!(["IPv4"])));
}

#[test]
fn a_dry_run_is_told_placeholders() {
    let mut object =
        service("s", &json!({"type": "LoadBalancer", "externalTrafficPolicy": "Local", "ports": [{"port": 80}]}));
    allocate(&cluster(), &kind("v1", "Service"), None, &mut object, true, &mut letters).unwrap();
    let spec = &object["spec"];
    assert_eq!((&spec["clusterIP"], &spec["ports"][0]["nodePort"]), (&json!("10.96.0.0"), &json!(32769)));
    assert_eq!(spec["healthCheckNodePort"], 32770);
}

#[test]
fn a_dry_run_takes_any_port_that_is_not_taken() {
    let ports = json!([{"name": "a", "port": 80, "nodePort": 5}, {"name": "b", "port": 81}]);
    let mut object = service("s", &json!({"type": "NodePort", "ports": ports}));
    allocate(&cluster(), &kind("v1", "Service"), None, &mut object, true, &mut letters).unwrap();
    assert_eq!(
        (&object["spec"]["ports"][0]["nodePort"], &object["spec"]["ports"][1]["nodePort"]),
        (&json!(5), &json!(6))
    );
}

#[test]
fn a_dry_run_takes_any_address_of_the_range() {
    let dry = |address: &str| {
        let mut object = service("s", &json!({"clusterIP": address, "ports": [{"port": 80}]}));
        let refused = allocate(&cluster(), &kind("v1", "Service"), None, &mut object, true, &mut letters);
        refused.map_err(|refusal| refusal.message)
    };
    assert_eq!(dry("10.96.200.200"), Ok(()));
    insta::assert_snapshot!(dry("1.2.3.4").unwrap_err(), @r#"Service "s" is invalid: spec.clusterIPs: Invalid value: ["1.2.3.4"]: failed to allocate IP 1.2.3.4: the provided IP (1.2.3.4) is not in the valid range. The range of valid IPs is 10.96.0.0/16"#);
}
