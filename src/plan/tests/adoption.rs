//! Whose is it: objects that exist and are not recorded.

use serde_json::{Value, json};

use super::World;
use super::world::{LATER, TIME, config_map};
use crate::resource::STACK_LABEL;

fn foreign(data: Value) -> World {
    let mut world = World::of(&[config_map("motd", json!({"a": "1"}))]);
    world.write("helm", &config_map("motd", data), TIME);
    world
}

fn labelled(stack: &str) -> Value {
    let mut object = config_map("motd", json!({"a": "1"}));
    object["metadata"]["labels"] = json!({STACK_LABEL: stack});
    object
}

fn namespace() -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
}

#[test]
fn what_others_made_is_taken_and_they_are_named() {
    insta::assert_snapshot!(foreign(json!({"a": "1"})).check(), @r#"
    Create namespace.Namespace/shop: Missing (AfterApply("defaults"))
      .metadata.labels: - -> {"app.kubernetes.io/managed-by":"mathison","mathison.dev/stack":"shop.shop"}
    Refuse manifest.ConfigMap/motd: TakenByOthers { owner: "field manager `helm`" }
    "#);
    assert!(foreign(json!({"a": "1"})).plan().has_changes());
}

#[test]
fn what_the_operator_names_is_adopted() {
    let mut world = foreign(json!({"a": "9"}));
    world.adopting("manifest.ConfigMap/motd").adopting("manifest.ConfigMap/nothing");
    insta::assert_snapshot!(world.check(), @r#"
    Create namespace.Namespace/shop: Missing (AfterApply("defaults"))
      .metadata.labels: - -> {"app.kubernetes.io/managed-by":"mathison","mathison.dev/stack":"shop.shop"}
    Adopt manifest.ConfigMap/motd: AdoptionAsked (SchemaOnly)
      .data.a: "9" -> "1" by helm at 2026-11-01T10:00:00Z
      .metadata.labels: - -> {"app.kubernetes.io/managed-by":"mathison","mathison.dev/stack":"shop.shop"}
      takes .data.a from helm
    warning: `--adopt manifest.ConfigMap/nothing` names nothing in the stack
    "#);
    world.policy = crate::plan::Policy::default();
    assert!(!world.apply_adopted().plan().has_changes());
}

impl World {
    fn apply_adopted(&mut self) -> &mut Self {
        self.adopting("manifest.ConfigMap/motd").apply();
        self.policy = crate::plan::Policy::default();
        self
    }
}

#[test]
fn what_is_ours_by_label_and_manager_is_adopted_unasked() {
    let mut world = World::of(&[config_map("motd", json!({"a": "1"}))]);
    world.apply();
    world.state.entries.clear();
    insta::assert_snapshot!(world.check(), @r"
    Adopt namespace.Namespace/shop: OursByLabel (Proved)
    Adopt manifest.ConfigMap/motd: OursByLabel (Proved)
    ");
}

#[test]
fn the_label_alone_proves_nothing() {
    let mut world = World::of(&[config_map("motd", json!({"a": "1"}))]);
    world.write("helm", &labelled("shop.shop"), TIME);
    insta::assert_snapshot!(world.check(), @r#"
    Create namespace.Namespace/shop: Missing (AfterApply("defaults"))
      .metadata.labels: - -> {"app.kubernetes.io/managed-by":"mathison","mathison.dev/stack":"shop.shop"}
    Refuse manifest.ConfigMap/motd: TakenByOthers { owner: "field manager `helm`" }
    "#);
}

#[test]
fn what_another_stack_made_is_taken() {
    let mut world = World::of(&[config_map("motd", json!({"a": "1"}))]);
    world.write("mathison", &labelled("other.shop"), TIME);
    insta::assert_snapshot!(world.check(), @r#"
    Create namespace.Namespace/shop: Missing (AfterApply("defaults"))
      .metadata.labels: - -> {"app.kubernetes.io/managed-by":"mathison","mathison.dev/stack":"shop.shop"}
    Refuse manifest.ConfigMap/motd: TakenByOthers { owner: "stack `other.shop` (label mathison.dev/stack)" }
    "#);
}

#[test]
fn what_another_stack_took_from_us_is_refused_and_forgotten_but_never_deleted() {
    let mut world = World::of(&[config_map("motd", json!({"a": "1"}))]);
    world.apply();
    world.write("mathison", &labelled("other.shop"), LATER);
    insta::assert_snapshot!(world.check(), @r#"
    NoChange namespace.Namespace/shop: UpToDate
    Refuse manifest.ConfigMap/motd: TakenByOthers { owner: "stack `other.shop` (label mathison.dev/stack)" }
    "#);
    world.declare(&[]);
    insta::assert_snapshot!(world.check(), @r"
    NoChange namespace.Namespace/shop: UpToDate
    Forget manifest.ConfigMap/motd: NoLongerOurs
    ");
}

#[test]
fn a_label_that_somebody_overwrote_is_drift() {
    let mut world = World::of(&[config_map("motd", json!({"a": "1"}))]);
    world.apply();
    world.write("kubectl-label", &labelled("other.shop"), LATER);
    world.live("ConfigMap", "motd")["data"] = json!({"a": "1"});
    insta::assert_snapshot!(world.check(), @r#"
    NoChange namespace.Namespace/shop: UpToDate
    Update manifest.ConfigMap/motd: TakeBack (SchemaOnly)
      .metadata.labels.mathison.dev/stack: "other.shop" -> "shop.shop" by kubectl-label at 2026-11-02T10:00:00Z
      takes .metadata.labels.mathison.dev/stack from kubectl-label
    "#);
}

#[test]
fn a_namespace_that_exists_is_used_and_never_recorded() {
    let mut world = World::of(&[namespace(), config_map("motd", json!({"a": "1"}))]);
    world.write("kubectl", &namespace(), TIME).write(
        "kubectl-label",
        &{
            let mut labelled = namespace();
            labelled["metadata"]["labels"] = json!({"a": "b"});
            labelled
        },
        TIME,
    );
    world.adopting("manifest.Namespace/shop");
    insta::assert_snapshot!(world.check(), @r#"
    NoChange manifest.Namespace/shop: UsedNamespace
    Create manifest.ConfigMap/motd: Missing (AfterApply("defaults"))
      .metadata.labels: - -> {"app.kubernetes.io/managed-by":"mathison","mathison.dev/stack":"shop.shop"}
      .data: - -> {"a":"1"}
    "#);
    assert!(world.apply().state.entries.keys().all(|id| id.kind != "Namespace"));
}

#[test]
fn a_namespace_of_ours_that_somebody_made_anew_is_forgotten() {
    let mut world = World::of(&[namespace()]);
    world.apply().vanish("Namespace", "shop").write("kubectl", &labelled_namespace(), LATER);
    insta::assert_snapshot!(world.check(), @"Forget manifest.Namespace/shop: NoLongerOurs");
    assert!(!world.apply().plan().has_changes());
}

fn labelled_namespace() -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {"a": "b"}}})
}

#[test]
fn a_recorded_object_that_somebody_made_anew_is_theirs_unless_it_is_ours_by_label() {
    let mut world = World::of(&[config_map("motd", json!({"a": "1"}))]);
    world.apply();
    world.live("ConfigMap", "motd")["metadata"]["uid"] = json!("other");
    insta::assert_snapshot!(world.check(), @r"
    NoChange namespace.Namespace/shop: UpToDate
    Adopt manifest.ConfigMap/motd: Recreated (Proved)
    ");
    world.vanish("ConfigMap", "motd").write("kubectl", &config_map("motd", json!({"a": "1"})), LATER);
    insta::assert_snapshot!(world.check(), @r#"
    NoChange namespace.Namespace/shop: UpToDate
    Refuse manifest.ConfigMap/motd: TakenByOthers { owner: "field manager `kubectl`" }
    "#);
}

#[test]
fn what_vanished_is_created_again() {
    let mut world = World::of(&[config_map("motd", json!({"a": "1"}))]);
    world.apply().vanish("ConfigMap", "motd");
    insta::assert_snapshot!(world.check(), @r#"
    NoChange namespace.Namespace/shop: UpToDate
    Create manifest.ConfigMap/motd: Vanished (AfterApply("defaults"))
      .metadata.labels: - -> {"app.kubernetes.io/managed-by":"mathison","mathison.dev/stack":"shop.shop"}
      .data: - -> {"a":"1"}
    "#);
}

#[test]
fn what_is_being_deleted_is_refused() {
    let mut world = World::of(&[config_map("motd", json!({"a": "1"}))]);
    world.apply().live("ConfigMap", "motd")["metadata"]["deletionTimestamp"] = json!(LATER);
    insta::assert_snapshot!(world.check(), @r"
    NoChange namespace.Namespace/shop: UpToDate
    Refuse manifest.ConfigMap/motd: BeingDeleted
    ");
}
