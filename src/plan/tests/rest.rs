//! Kinds, consequences, counts, and that the same input gives the same bytes.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::World;
use super::world::{LATER, config_map, deployment, secret};
use crate::resource::GroupKind;

fn widget() -> Value {
    json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w", "namespace": "shop"}, "spec": {"size": 1}})
}

fn definition() -> Value {
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"}, "spec": {"group": "example.com", "scope": "Namespaced",
        "names": {"kind": "Widget", "plural": "widgets"}, "versions": []}})
}

#[test]
fn a_kind_that_nobody_defines_is_refused() {
    let mut world = World::of(&[widget()]);
    world.observation.unknown_kinds.insert(GroupKind::new("example.com", "Widget"));
    insta::assert_snapshot!(world.check(), @r#"
    Create namespace.Namespace/shop: Missing (AfterApply("defaults"))
      .metadata.labels: - -> {"app.kubernetes.io/managed-by":"mathison","mathison.dev/stack":"shop.shop"}
    Refuse manifest.Widget.example.com/w: UnknownKind
    "#);
}

#[test]
fn a_kind_that_the_stack_defines_is_created_after_its_definition() {
    let mut world = World::of(&[widget(), definition()]);
    world.observation.unknown_kinds.insert(GroupKind::new("example.com", "Widget"));
    insta::assert_snapshot!(world.check(), @r#"
    Create namespace.Namespace/shop: Missing (AfterApply("defaults"))
      .metadata.labels: - -> {"app.kubernetes.io/managed-by":"mathison","mathison.dev/stack":"shop.shop"}
    Create manifest.CustomResourceDefinition/widgets.example.com: Missing (AfterApply("defaults"))
      .metadata.labels: - -> {"app.kubernetes.io/managed-by":"mathison","mathison.dev/stack":"shop.shop"}
      .spec: - -> {"group":"example.com","names":{"kind":"Widget","plural":"widgets"},"scope":"Namespaced","versions":[]}
    Create manifest.Widget.example.com/w: Missing (AfterApply("its definition does not exist yet"))
      .metadata.labels: - -> {"app.kubernetes.io/managed-by":"mathison","mathison.dev/stack":"shop.shop"}
      .spec: - -> {"size":1}
    "#);
}

#[test]
fn a_custom_resource_is_compared_without_a_schema() {
    let mut world = World::of(&[widget()]);
    world.apply();
    assert!(!world.plan().has_changes());
    let mut other = widget();
    other["spec"]["size"] = json!(2);
    world.declare(&[other]);
    insta::assert_snapshot!(world.check(), @r"
    NoChange namespace.Namespace/shop: UpToDate
    Update manifest.Widget.example.com/w: DesiredChanged (SchemaOnly)
      .spec.size: 1 -> 2
    ");
}

#[test]
fn pods_restart_with_their_template_and_not_with_what_they_read() {
    let mut world = World::of(&[config_map("motd", json!({"a": "1"})), deployment("web:1")]);
    world.apply();
    world.declare(&[config_map("motd", json!({"a": "2"})), deployment("web:1")]);
    insta::assert_snapshot!(world.check(), @r#"
    NoChange namespace.Namespace/shop: UpToDate
    Update manifest.ConfigMap/motd: DesiredChanged (SchemaOnly)
      .data.a: "1" -> "2"
      * PodsDoNotRestart { workload: Address("manifest.Deployment/web") }
    NoChange manifest.Deployment/web: NotReady("its controller has not seen it yet")
    "#);
    world.declare(&[config_map("motd", json!({"a": "2"})), deployment("web:2")]);
    insta::assert_snapshot!(world.check(), @r#"
    NoChange namespace.Namespace/shop: UpToDate
    Update manifest.ConfigMap/motd: DesiredChanged (SchemaOnly)
      .data.a: "1" -> "2"
    Update manifest.Deployment/web: DesiredChanged (SchemaOnly)
      .spec.template.spec.containers[name="web"].image: "web:1" -> "web:2"
      * PodsRestart { replicas: 2 }
    "#);
}

#[test]
fn pods_that_nobody_replaces_are_not_said_to_restart() {
    let mut world = World::of(&[deployment("web:1")]);
    world.apply().declare(&[deployment("web:2")]);
    let mut consequences = |change: &dyn Fn(&mut Value)| {
        change(world.live("Deployment", "web"));
        format!("{:?}", world.change("Deployment").consequences)
    };
    assert_eq!(consequences(&|_| {}), "[PodsRestart { replicas: 2 }]");
    assert!(consequences(&|live| live["spec"]["paused"] = json!(true)).contains("rollout is resumed"));
    assert!(consequences(&|live| live["spec"]["updateStrategy"] = json!({"type": "OnDelete"})).contains("OnDelete"));
    assert_eq!(
        consequences(&|live| {
            let spec = live["spec"].as_object_mut().unwrap();
            spec.remove("paused");
            spec.remove("updateStrategy");
            spec.insert("replicas".to_owned(), json!(0));
        }),
        "[]"
    );
}

#[test]
fn every_action_is_counted_once() {
    let mut world = World::of(&[
        config_map("gone", json!({})),
        config_map("same", json!({})),
        config_map("edited", json!({"a": "1"})),
    ]);
    world.apply().write("kubectl", &config_map("taken", json!({"a": "1"})), LATER);
    world.declare(&[
        config_map("same", json!({})),
        config_map("edited", json!({"a": "2"})),
        config_map("new", json!({})),
        config_map("taken", json!({"a": "1"})),
    ]);
    let counts = world.plan().counts();
    assert_eq!(
        (counts.create, counts.update, counts.delete, counts.refuse, counts.unchanged),
        (1, 1, 1, 1, 2),
        "{}",
        world.check()
    );
}

#[test]
fn what_does_not_fit_its_schema_says_where_but_never_in_a_secret() {
    let mut world = World::of(&[config_map("motd", json!({"a": "1"})), secret("s", json!({"a": "Y2FuYXJ5"}))]);
    world.apply();
    for desired in world.stack.resources.values_mut() {
        if desired.manifest.kind() == "Namespace" {
            continue;
        }
        desired.manifest.object_mut()["data"]["a"] = json!(["canary"]);
    }
    insta::assert_snapshot!(world.check(), @r#"
    NoChange namespace.Namespace/shop: UpToDate
    Refuse manifest.ConfigMap/motd: Rejected("the object does not fit its schema: .data.a: expected string, got &value.valueUnstructured{Value:[]interface {}{\"canary\"}}")
    Refuse manifest.Secret/s: Rejected("the object does not fit its schema")
    "#);
}

/// A world of some objects, given in some order.
fn shuffled(order: &[usize]) -> World {
    let objects = |image: &str| {
        let all = [
            config_map("motd", json!({"a": image})),
            secret("s", json!({"a": "Y2FuYXJ5"})),
            deployment(image),
            config_map("other", json!({"z": "1", "a": "2"})),
        ];
        order.iter().map(|at| all[*at].clone()).collect::<Vec<_>>()
    };
    let mut world = World::of(&objects("web:1"));
    world.stack.digest = crate::resource::Digest::of_bytes(b"the same file");
    world.apply();
    // uids follow the order in which objects were made, which is the graph's.
    world.write("kubectl-edit", &config_map("other", json!({"z": "9"})), LATER);
    let mut next = World::of(&objects("web:2"));
    std::mem::swap(&mut world.stack, &mut next.stack);
    world.stack.digest = crate::resource::Digest::of_bytes(b"the next file");
    world
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn the_same_input_gives_the_same_bytes_in_whatever_order_it_was_written(
        order in Just(vec![0, 1, 2, 3]).prop_shuffle(),
    ) {
        let expected = crate::report::plan_json(&shuffled(&[0, 1, 2, 3]).plan());
        prop_assert_eq!(crate::report::plan_json(&shuffled(&order).plan()), expected);
    }
}
