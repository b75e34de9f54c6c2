//! Drift as specifications: given what was applied and what somebody did since, then this report.

use serde_json::{Value, json};

use super::{DriftReport, Inputs, ResourceState, compare};
use crate::diff::Shown;
use crate::live::ClusterIdentity;
use crate::plan::Base;
use crate::plan::tests::World;
use crate::plan::tests::world::{LATER, TIME, config_map, deployment, keyed, manifests, schema, secret, show};
use crate::state::Serial;

fn report(world: &World, today: &str) -> DriftReport {
    let base = Base {
        stack: world.stack.name.clone(),
        namespace: world.stack.namespace.clone(),
        stack_digest: world.stack.digest,
        cluster: ClusterIdentity("cluster-1".to_owned()),
        lineage: None,
        serial: Serial(1),
    };
    let inputs = Inputs {
        stack: &world.stack,
        state: &world.state,
        observation: &world.observation,
        schema: &schema,
        keyed: &keyed,
        today,
    };
    compare(&inputs, base)
}

fn check_on(world: &World, today: &str) -> String {
    let report = report(world, today);
    let mut lines = Vec::new();
    for resource in report.resources.iter().filter(|resource| resource.state != ResourceState::Clean) {
        let ResourceState::Changed(fields) = &resource.state else {
            lines.push(format!("{}: {:?}", resource.address, resource.state));
            continue;
        };
        lines.push(resource.address.to_string());
        for field in fields {
            let desired = match &field.desired {
                Some(Shown::Plain(value)) => format!(", wanted {value}"),
                Some(other) => format!(", wanted {other:?}"),
                None => String::new(),
            };
            let muted = field.muted.as_ref().map(|(why, until)| format!(" (muted: {why}, until {until})"));
            lines.push(format!("  {:?} {}{desired}{}", field.kind, show(&field.change), muted.unwrap_or_default()));
        }
    }
    lines.push(format!("drift: {}", report.has_drift()));
    lines.join("\n")
}

fn check(world: &World) -> String {
    check_on(world, "2026-11-03")
}

fn motd(data: Value) -> World {
    let mut world = World::of(&[config_map("motd", data)]);
    world.apply();
    world
}

#[test]
fn after_an_apply_there_is_none() {
    let mut world =
        World::of(&[config_map("motd", json!({"a": "1"})), deployment("web:1"), secret("s", json!({"a": "YQ=="}))]);
    insta::assert_snapshot!(check(world.apply()), @"drift: false");
}

#[test]
fn one_field_can_be_drift_pending_or_both() {
    let mut world = motd(json!({"a": "1", "b": "1", "c": "1", "d": "1"}));
    world.write("kubectl-edit", &config_map("motd", json!({"a": "9", "b": "9"})), LATER);
    world.declare(&[config_map("motd", json!({"a": "1", "b": "2", "c": "2", "d": "1"}))]);
    insta::assert_snapshot!(check(&world), @r#"
    manifest.ConfigMap/motd
      Drift .data.a: "1" -> "9" by kubectl-edit at 2026-11-02T10:00:00Z
      Both .data.b: "1" -> "9" by kubectl-edit at 2026-11-02T10:00:00Z, wanted "2"
      Pending .data.c: "1" -> "2", wanted "2"
    drift: true
    "#);
}

#[test]
fn what_is_only_pending_is_no_drift() {
    let mut world = motd(json!({"a": "1"}));
    world.declare(&[config_map("motd", json!({"a": "2"})), config_map("new", json!({}))]);
    insta::assert_snapshot!(check(&world), @r#"
    manifest.ConfigMap/motd
      Pending .data.a: "1" -> "2", wanted "2"
    manifest.ConfigMap/new: NotApplied
    drift: false
    "#);
}

#[test]
fn what_others_add_is_told_and_counts_only_where_the_stack_is_exclusive() {
    let mut world = motd(json!({"a": "1"}));
    world.write("helm", &config_map("motd", json!({"b": "9"})), LATER);
    insta::assert_snapshot!(check(&world), @r#"
    manifest.ConfigMap/motd
      Added .data.b: - -> "9" by helm at 2026-11-02T10:00:00Z
    drift: false
    "#);
    let file = manifests(&[config_map("motd", json!({"a": "1"}))]);
    world.declare_file(&format!("{file}exclusive: [manifest.ConfigMap/motd]\n"));
    assert!(report(&world, "2026-11-03").has_drift());
}

#[test]
fn what_the_control_plane_adds_is_its_business() {
    let mut world = motd(json!({"a": "1"}));
    world.write("kube-controller-manager", &config_map("motd", json!({"b": "9"})), LATER);
    insta::assert_snapshot!(check(&world), @"drift: false");
}

#[test]
fn a_mute_covers_its_field_and_what_is_below_until_its_day_is_over() {
    let file = format!(
        "{}mute: [{{ address: manifest.ConfigMap/motd, field: .data.a, reason: known, until: 2026-12-31 }}]\n",
        manifests(&[config_map("motd", json!({"a": "1", "ab": "1"}))])
    );
    let mut world = World::new(&file);
    world.apply().write("kubectl-edit", &config_map("motd", json!({"a": "9"})), LATER);
    insta::assert_snapshot!(check_on(&world, "2026-12-31"), @r#"
    manifest.ConfigMap/motd
      Drift .data.a: "1" -> "9" by kubectl-edit at 2026-11-02T10:00:00Z (muted: known, until 2026-12-31)
    drift: false
    "#);
    assert!(check_on(&world, "2027-01-01").contains("drift: true"));
    world.write("kubectl-edit", &config_map("motd", json!({"a": "9", "ab": "9"})), LATER);
    insta::assert_snapshot!(check_on(&world, "2026-12-31"), @r#"
    manifest.ConfigMap/motd
      Drift .data.a: "1" -> "9" by kubectl-edit at 2026-11-02T10:00:00Z (muted: known, until 2026-12-31)
      Drift .data.ab: "1" -> "9" by kubectl-edit at 2026-11-02T10:00:00Z
    drift: true
    "#);
}

#[test]
fn what_is_gone_made_anew_or_on_its_way_out_is_drift() {
    let mut world = World::of(&[config_map("a", json!({})), config_map("b", json!({})), config_map("c", json!({}))]);
    world.apply().vanish("ConfigMap", "a");
    world.live("ConfigMap", "b")["metadata"]["uid"] = json!("other");
    world.live("ConfigMap", "c")["metadata"]["deletionTimestamp"] = json!(LATER);
    insta::assert_snapshot!(check(&world), @r"
    manifest.ConfigMap/a: Deleted
    manifest.ConfigMap/b: Recreated
    manifest.ConfigMap/c: Deleted
    drift: true
    ");
}

#[test]
fn a_namespace_that_is_only_used_and_what_left_the_file_are_no_drift() {
    let mut world = World::of(&[config_map("motd", json!({}))]);
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {"a": "b"}}});
    world.write("kubectl", &namespace, TIME);
    world.apply().declare(&[]);
    insta::assert_snapshot!(check(&world), @r"
    manifest.ConfigMap/motd: LeftTheFile
    drift: false
    ");
}

#[test]
fn of_a_secret_only_the_keys_are_told() {
    let mut world = World::of(&[secret("s", json!({"a": "Y2FuYXJ5LTE=", "b": "Y2FuYXJ5LTE="}))]);
    world.apply().write("kubectl-edit", &secret("s", json!({"a": "Y2FuYXJ5LTI=", "c": "Y2FuYXJ5LTI="})), LATER);
    insta::assert_snapshot!(check(&world), @r"
    manifest.Secret/s
      Drift .data.a: (sensitive) -> (sensitive) by kubectl-edit at 2026-11-02T10:00:00Z
      Added .data.c: - -> (sensitive) by kubectl-edit at 2026-11-02T10:00:00Z
    drift: true
    ");
    let report = report(&world, "2026-11-03");
    let all = format!("{report:?}{}", crate::report::drift_json(&report));
    assert!(!all.contains("Y2FuYXJ5") && !all.contains("hmac"), "{all}");
}

#[test]
fn items_of_lists_are_told_by_their_key() {
    let mut world = World::of(&[deployment("web:1")]);
    world.apply();
    let edit = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"template": {"spec": {"containers": [
            {"name": "web", "image": "web:evil"}, {"name": "side", "image": "side:1", "args": ["x"]}]}}}});
    world.write("kubectl-edit", &edit, LATER);
    insta::assert_snapshot!(check(&world), @r#"
    manifest.Deployment/web
      Added .spec.template.spec.containers[name="side"]: - -> {"args":["x"],"image":"side:1","imagePullPolicy":"IfNotPresent","name":"side","resources":{},"terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File"} by kubectl-edit at 2026-11-02T10:00:00Z
      Drift .spec.template.spec.containers[name="web"].image: "web:1" -> "web:evil" by kubectl-edit at 2026-11-02T10:00:00Z
    drift: true
    "#);
}

#[test]
fn a_subresource_is_told_with_its_manager() {
    let mut world = World::of(&[deployment("web:1")]);
    world.apply();
    let scaled = json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop"}, "spec": {"replicas": 7}});
    world.write("kubectl", &scaled, LATER);
    for entry in world.live("Deployment", "web")["metadata"]["managedFields"].as_array_mut().unwrap() {
        if entry["manager"] == "kubectl" {
            entry["subresource"] = json!("scale");
        }
    }
    insta::assert_snapshot!(check(&world), @r"
    manifest.Deployment/web
      Drift .spec.replicas: 2 -> 7 by kubectl/scale at 2026-11-02T10:00:00Z
    drift: true
    ");
}

#[test]
fn what_is_left_to_others_is_no_drift() {
    let file = |replicas: i64| {
        let mut web = deployment("web:1");
        web["spec"]["replicas"] = json!(replicas);
        format!("{}ignore: {{ manifest.Deployment/web: [.spec.replicas] }}\n", manifests(&[web]))
    };
    let mut world = World::new(&file(2));
    world.apply();
    let scaled = json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop"}, "spec": {"replicas": 7}});
    world.write("kubectl", &scaled, LATER).declare_file(&file(3));
    insta::assert_snapshot!(check(&world), @"drift: false");
}

#[test]
fn a_field_that_somebody_removed_is_told_of_whoever_wrote_after_us() {
    let mut world = motd(json!({"a": "1", "b": "1"}));
    world.write("before", &config_map("motd", json!({"x": "1"})), "2026-10-01T10:00:00Z");
    world.live("ConfigMap", "motd")["data"].as_object_mut().unwrap().remove("a");
    insta::assert_snapshot!(check(&world), @r#"
    manifest.ConfigMap/motd
      Drift .data.a: "1" -> -
      Added .data.x: - -> "1" by before at 2026-10-01T10:00:00Z
    drift: true
    "#);
    world.write("after", &config_map("motd", json!({"y": "1"})), LATER);
    assert!(check(&world).contains("Drift .data.a: \"1\" -> - by after at"), "{}", check(&world));
}

#[test]
fn another_run_of_mathison_is_named_too() {
    let mut world = motd(json!({"a": "1"}));
    let mut elsewhere =
        world.stack.resources.values().find(|desired| desired.manifest.kind() == "ConfigMap").unwrap().manifest.clone();
    elsewhere.object_mut()["data"]["a"] = json!("2");
    world.write("mathison", elsewhere.object(), LATER);
    insta::assert_snapshot!(check(&world), @r#"
    manifest.ConfigMap/motd
      Drift .data.a: "1" -> "2" by mathison at 2026-11-02T10:00:00Z
    drift: true
    "#);
}

#[test]
fn a_pending_change_of_one_field_of_a_port_brings_no_other() {
    let service = |port: i64| {
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"selector": {"app": "web"}, "ports": [{"name": "http", "port": 80, "targetPort": port}]}})
    };
    let mut world = World::of(&[service(8080)]);
    world.apply();
    world.live("Service", "web")["spec"]["ports"][0]["protocol"] = json!("TCP");
    // The server's answer, from which the record is made, has the protocol.
    world.state.entries.clear();
    world.apply().declare(&[service(9090)]);
    insta::assert_snapshot!(check(&world), @r#"
    manifest.Service/web
      Pending .spec.ports[port=80,protocol="TCP"].targetPort: 8080 -> 9090, wanted 9090
    drift: false
    "#);
}
