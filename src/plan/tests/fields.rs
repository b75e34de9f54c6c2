//! What an apply would change in objects that exist and are ours, and whose fields that takes.

use serde_json::json;

use super::World;
use super::world::{LATER, config_map, deployment, secret};
use crate::live::Prediction;
use crate::plan::concerned_digest;
use crate::resource::ObjectRef;

fn motd(data: serde_json::Value) -> World {
    let mut world = World::of(&[config_map("motd", data)]);
    world.apply();
    world
}

#[test]
fn what_does_not_exist_is_created() {
    insta::assert_snapshot!(World::of(&[config_map("motd", json!({"a": "1"}))]).check(), @r#"
    Create namespace.Namespace/shop: Missing (AfterApply("defaults"))
      .metadata.labels: - -> {"app.kubernetes.io/managed-by":"mathison","mathison.dev/stack":"shop.shop"}
    Create manifest.ConfigMap/motd: Missing (AfterApply("defaults"))
      .metadata.labels: - -> {"app.kubernetes.io/managed-by":"mathison","mathison.dev/stack":"shop.shop"}
      .data: - -> {"a":"1"}
    "#);
}

#[test]
fn after_an_apply_nothing_changes_and_that_is_proved() {
    let world = motd(json!({"a": "1"}));
    insta::assert_snapshot!(world.check(), @r"
    NoChange namespace.Namespace/shop: UpToDate
    NoChange manifest.ConfigMap/motd: UpToDate
    ");
    assert!(!world.plan().has_changes());
}

#[test]
fn one_edited_field_is_one_update() {
    let mut world = motd(json!({"a": "1", "b": "1"}));
    world.declare(&[config_map("motd", json!({"a": "2", "b": "1"}))]);
    insta::assert_snapshot!(world.check(), @r#"
    NoChange namespace.Namespace/shop: UpToDate
    Update manifest.ConfigMap/motd: DesiredChanged (SchemaOnly)
      .data.a: "1" -> "2"
    "#);
    assert!(!world.apply().plan().has_changes());
}

#[test]
fn items_in_another_order_are_an_update() {
    let held = |finalizers: [&str; 2]| {
        let mut object = config_map("motd", json!({"a": "1"}));
        object["metadata"]["finalizers"] = json!(finalizers);
        object
    };
    let mut world = World::of(&[held(["a.b/x", "a.b/y"])]);
    world.apply();
    world.declare(&[held(["a.b/y", "a.b/x"])]);
    insta::assert_snapshot!(world.check(), @r#"
    NoChange namespace.Namespace/shop: UpToDate
    Update manifest.ConfigMap/motd: DesiredChanged (SchemaOnly)
      .metadata.finalizers: ["a.b/x","a.b/y"] -> ["a.b/y","a.b/x"]
    "#);
    assert!(!world.apply().plan().has_changes());
}

#[test]
fn a_field_of_ours_that_somebody_changed_is_taken_back_with_who_and_when() {
    let mut world = motd(json!({"a": "1", "ab": "1"}));
    world.write("kubectl-edit", &config_map("motd", json!({"a": "9"})), LATER);
    insta::assert_snapshot!(world.check(), @r#"
    NoChange namespace.Namespace/shop: UpToDate
    Update manifest.ConfigMap/motd: TakeBack (SchemaOnly)
      .data.a: "9" -> "1" by kubectl-edit at 2026-11-02T10:00:00Z
      takes .data.a from kubectl-edit
    "#);
    assert!(!world.apply().plan().has_changes());
}

#[test]
fn who_changed_a_field_is_told_of_no_other_field_whose_name_begins_alike() {
    let mut world = motd(json!({"a": "1", "ab": "1"}));
    world.write("kubectl-edit", &config_map("motd", json!({"a": "9"})), LATER);
    world.declare(&[config_map("motd", json!({"a": "1", "ab": "2"}))]);
    insta::assert_snapshot!(world.check(), @r#"
    NoChange namespace.Namespace/shop: UpToDate
    Update manifest.ConfigMap/motd: DesiredChangedAndTakeBack (SchemaOnly)
      .data.a: "9" -> "1" by kubectl-edit at 2026-11-02T10:00:00Z
      .data.ab: "1" -> "2"
      takes .data.a from kubectl-edit
    "#);
}

#[test]
fn a_field_that_others_have_and_we_never_applied_is_a_conflict() {
    let mut world = motd(json!({"a": "1"}));
    world.write("helm", &config_map("motd", json!({"b": "9"})), LATER);
    world.declare(&[config_map("motd", json!({"a": "1", "b": "2"}))]);
    insta::assert_snapshot!(world.check(), @r#"
    NoChange namespace.Namespace/shop: UpToDate
    Refuse manifest.ConfigMap/motd: Conflict([Conflict { field: ".data.b", by: Attribution { manager: "helm", operation: "Apply", subresource: None, time: Some("2026-11-02T10:00:00Z") } }])
      .data.b: "9" -> "2"
    "#);
}

#[test]
fn a_conflict_is_forced_where_manager_and_field_are_granted() {
    for (manager, field, granted) in [
        (Some("helm"), None, true),
        (Some("helm"), Some(".data.bc"), true),
        (Some("helm"), Some("data"), true),
        (None, Some(".data"), true),
        (Some("other"), None, false),
        (Some("helm"), Some(".data.b"), false),
        (Some("helm"), Some(".metadata"), false),
    ] {
        let mut world = motd(json!({"a": "1"}));
        world.write("helm", &config_map("motd", json!({"bc": "9"})), LATER);
        world.declare(&[config_map("motd", json!({"a": "1", "bc": "2"}))]).granting(manager, field);
        let forced = world.check().contains("takes .data.bc from helm");
        assert_eq!(forced, granted, "{manager:?} {field:?}: {}", world.check());
    }
}

#[test]
fn the_stack_grants_as_the_command_line_does() {
    let mut world = motd(json!({"a": "1"}));
    world.write("helm", &config_map("motd", json!({"b": "9"})), LATER);
    world.declare_file(&format!(
        "{}grant: {{ manifest.ConfigMap/motd: [{{ manager: helm, field: .data.b }}] }}\n",
        super::world::manifests(&[config_map("motd", json!({"a": "1", "b": "2"}))])
    ));
    insta::assert_snapshot!(world.check(), @r#"
    NoChange namespace.Namespace/shop: UpToDate
    Update manifest.ConfigMap/motd: DesiredChanged (SchemaOnly)
      .data.b: "9" -> "2" by helm at 2026-11-02T10:00:00Z
      takes .data.b from helm
    "#);
}

#[test]
fn an_equal_value_that_somebody_took_over_is_an_update_of_ownership_only() {
    let mut world = motd(json!({"a": "1"}));
    world.write("kubectl-edit", &config_map("motd", json!({"a": "9"})), LATER);
    world.write("kubectl-edit", &config_map("motd", json!({"a": "1"})), LATER);
    insta::assert_snapshot!(world.check(), @r#"
    NoChange namespace.Namespace/shop: UpToDate
    Update manifest.ConfigMap/motd: TakeBack (SchemaOnly)
      * Note("only the ownership of fields is restored; no value changes")
    "#);
    assert!(!world.apply().plan().has_changes());
}

#[test]
fn a_field_left_to_others_keeps_its_live_value_until_another_owns_it() {
    let labels = |image: &str| {
        let mut object = deployment(image);
        object["metadata"]["annotations"] = json!({"team": "a"});
        object
    };
    let file = |image: &str| {
        let all = super::world::manifests(&[labels(image)]);
        format!("{all}ignore: {{ manifest.Deployment/web: [.spec.replicas, .metadata.annotations] }}\n")
    };
    let mut world = World::new(&file("web:1"));
    world.apply();
    assert!(!world.plan().has_changes(), "{}", world.check());
    let sent = |world: &World| {
        let change = world.change("Deployment");
        let sent = change.manifest.as_ref().unwrap().object();
        (sent.pointer("/spec/replicas").cloned(), sent.pointer("/metadata/annotations/team").cloned())
    };
    world.declare_file(&file("web:2"));
    assert_eq!(sent(&world), (Some(json!(2)), Some(json!("a"))), "dropping them would remove them");

    let mut others = json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop"}, "spec": {"replicas": 5}});
    world.write("scaler", &others, LATER);
    assert_eq!(sent(&world), (None, Some(json!("a"))));
    others["metadata"]["annotations"] = json!({"team": "b"});
    world.write("scaler", &others, LATER);
    assert_eq!(sent(&world), (None, None));
    insta::assert_snapshot!(world.check(), @r#"
    NoChange namespace.Namespace/shop: UpToDate
    Update manifest.Deployment/web: DesiredChanged (SchemaOnly)
      .spec.template.spec.containers[name="web"].image: "web:1" -> "web:2"
      * PodsRestart { replicas: 5 }
    "#);
    assert!(!world.apply().plan().has_changes());
}

#[test]
fn replicas_are_left_to_an_autoscaler_of_the_stack() {
    let scaler = json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"minReplicas": 1, "maxReplicas": 9, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}}});
    let mut world = World::of(&[deployment("web:1"), scaler]);
    world.apply();
    let scaled = json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop"}, "spec": {"replicas": 7}});
    world.write("kube-controller-manager", &scaled, LATER);
    insta::assert_snapshot!(world.check(), @r"
    NoChange namespace.Namespace/shop: UpToDate
    NoChange manifest.Deployment/web: RecordOnly
    NoChange manifest.HorizontalPodAutoscaler/web: UpToDate
    ");
    assert!(!world.plan().has_changes());
}

#[test]
fn a_field_that_is_no_longer_left_to_others_is_asked_for_again() {
    let all = super::world::manifests(&[deployment("web:1")]);
    let mut world = World::new(&format!("{all}ignore: {{ manifest.Deployment/web: [.spec.replicas] }}\n"));
    let scaled = json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop"}, "spec": {"replicas": 7}});
    world.apply().write("scaler", &scaled, LATER).apply();
    assert!(!world.plan().has_changes(), "{}", world.check());
    world.declare_file(&all).granting(Some("scaler"), None);
    insta::assert_snapshot!(world.check(), @r"
    NoChange namespace.Namespace/shop: UpToDate
    Update manifest.Deployment/web: DesiredChanged (SchemaOnly)
      .spec.replicas: 7 -> 2 by scaler at 2026-11-02T10:00:00Z
      takes .spec.replicas from scaler
    ");
    assert!(!world.apply().plan().has_changes(), "{}", world.check());
}

#[test]
fn the_servers_answer_to_a_dry_run_replaces_the_prediction() {
    let mut world = motd(json!({"a": "1"}));
    world.declare(&[config_map("motd", json!({"a": "2"}))]);
    let id = ObjectRef::new("", "ConfigMap", Some("shop"), "motd");
    let mut answer = world.observation.objects[&id].live().object.clone();
    answer["data"] = json!({"a": "2", "defaulted": "x"});
    for prediction in [
        Prediction::Server(answer),
        Prediction::AfterApply("no right to ask the server for a dry run".to_owned()),
        Prediction::Rejected("quota".to_owned()),
    ] {
        let name = format!("{prediction:?}");
        world.predictions.insert(id.clone(), prediction);
        match name.as_str() {
            "Server" => insta::assert_snapshot!(world.check(), @r#"
            NoChange namespace.Namespace/shop: UpToDate
            Update manifest.ConfigMap/motd: DesiredChanged (Server)
              .data.a: "1" -> "2"
              .data.defaulted: - -> "x"
            "#),
            "Rejected(quota)" => insta::assert_snapshot!(world.check(), @r#"
            NoChange namespace.Namespace/shop: UpToDate
            Refuse manifest.ConfigMap/motd: Rejected("quota")
            "#),
            _ => insta::assert_snapshot!(world.check(), @r#"
            NoChange namespace.Namespace/shop: UpToDate
            Update manifest.ConfigMap/motd: DesiredChanged (AfterApply("no right to ask the server for a dry run"))
              .data.a: "1" -> "2"
            "#),
        }
    }
}

#[test]
fn no_form_of_a_plan_holds_a_value_of_a_secret() {
    let mut world = World::of(&[secret("s", json!({"a": "Y2FuYXJ5LTE="})), secret("t", json!({"a": "Y2FuYXJ5LTE="}))]);
    world.apply();
    world.write("kubectl-edit", &secret("t", json!({"a": "Y2FuYXJ5LTM="})), LATER);
    world.declare(&[
        secret("s", json!({"a": "Y2FuYXJ5LTI="})),
        secret("t", json!({"a": "Y2FuYXJ5LTI="})),
        secret("u", json!({"a": "Y2FuYXJ5LTI="})),
    ]);
    insta::assert_snapshot!(world.check(), @r#"
    NoChange namespace.Namespace/shop: UpToDate
    Update manifest.Secret/s: DesiredChanged (SchemaOnly)
      .data.a: (sensitive) -> (sensitive)
    Update manifest.Secret/t: DesiredChangedAndTakeBack (SchemaOnly)
      .data.a: (sensitive) -> (sensitive) by kubectl-edit at 2026-11-02T10:00:00Z
      takes .data.a from kubectl-edit
    Create manifest.Secret/u: Missing (AfterApply("defaults"))
      .metadata.labels: - -> {"app.kubernetes.io/managed-by":"mathison","mathison.dev/stack":"shop.shop"}
      .data: - -> (sensitive)
    "#);
    let plan = world.plan();
    let all = format!("{plan:?}{plan:#?}{}", crate::report::plan_json(&plan));
    assert!(!all.contains("Y2FuYXJ5") && !all.contains("canary"), "{all}");
    // Nor the digest of a value without the key: a guess could be tested against it.
    for change in plan.changes.iter().filter(|change| change.object.kind == "Secret") {
        let Some(concerned) = change.precondition.concerned else { continue };
        let live = world.observation.objects[&change.object].live();
        assert_ne!(
            concerned,
            concerned_digest(&live.object, &change.precondition.concerned_fields, None),
            "{}",
            change.address
        );
    }
}

#[test]
fn a_lost_key_makes_records_of_secrets_stale_and_nothing_else() {
    let mut world = World::of(&[secret("s", json!({"a": "Y2FuYXJ5"}))]);
    world.apply();
    let entry = world.state.entries.values_mut().find(|entry| entry.address.as_str().contains("Secret")).unwrap();
    (entry.desired, entry.owned) = (crate::resource::Digest::of(&json!(1)), crate::resource::Digest::of(&json!(2)));
    insta::assert_snapshot!(world.check(), @r"
    NoChange namespace.Namespace/shop: UpToDate
    NoChange manifest.Secret/s: RecordOnly
    ");
}
