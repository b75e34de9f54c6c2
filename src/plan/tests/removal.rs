//! What is recorded and no longer desired.

use serde_json::json;

use super::World;
use super::world::{LATER, claim, config_map, deployment, manifests, secret};
use crate::resource::{Address, ObjectRef};

#[test]
fn what_left_the_file_goes_in_the_reverse_of_its_order() {
    let mut world =
        World::of(&[config_map("motd", json!({"a": "1"})), deployment("web:1"), config_map("stays", json!({}))]);
    world.apply().declare(&[config_map("stays", json!({}))]);
    insta::assert_snapshot!(world.check(), @r"
    NoChange namespace.Namespace/shop: UpToDate
    NoChange manifest.ConfigMap/stays: UpToDate
    Delete manifest.Deployment/web: LeftTheFile
    Delete manifest.ConfigMap/motd: LeftTheFile
    ");
    let plan = world.plan();
    let motd = plan.changes.iter().find(|change| change.object.name == "motd").unwrap();
    assert_eq!(motd.depends_on.iter().map(ToString::to_string).collect::<Vec<_>>(), ["manifest.Deployment/web"]);
}

#[test]
fn what_is_no_longer_used_goes_after_its_last_user_is_written() {
    let mut world = World::of(&[config_map("motd", json!({"a": "1"})), deployment("web:1")]);
    let mut other = deployment("web:2");
    other["spec"]["template"]["spec"]["containers"][0].as_object_mut().unwrap().remove("envFrom");
    world.apply().declare(&[other]);
    insta::assert_snapshot!(world.check(), @r#"
    NoChange namespace.Namespace/shop: UpToDate
    Update manifest.Deployment/web: DesiredChanged (SchemaOnly)
      .spec.template.spec.containers[name="web"].envFrom: [{"configMapRef":{"name":"motd"}}] -> -
      .spec.template.spec.containers[name="web"].image: "web:1" -> "web:2"
      * PodsRestart { replicas: 2 }
    Delete manifest.ConfigMap/motd: LeftTheFile
    "#);
    assert_eq!(
        world.change("ConfigMap").depends_on.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["manifest.Deployment/web"]
    );
}

#[test]
fn a_destroy_goes_backwards_and_keeps_what_holds_data() {
    let definition = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"}, "spec": {"group": "example.com", "scope": "Namespaced",
        "names": {"kind": "Widget", "plural": "widgets"}, "versions": []}});
    let volume = json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "pv"},
        "spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"]}});
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}});
    let mut world = World::of(&[namespace, definition, volume, claim("data"), config_map("motd", json!({}))]);
    world.apply().policy.destroy = true;
    insta::assert_snapshot!(world.check(), @r"
    Keep manifest.PersistentVolumeClaim/data: HoldsData
    Keep manifest.PersistentVolume/pv: HoldsData
    Keep manifest.CustomResourceDefinition/widgets.example.com: HoldsData
    Delete manifest.ConfigMap/motd: Destroy
    Keep manifest.Namespace/shop: HoldsData
    ");
    world.policy.data_loss.insert(Address::from_text("manifest.Namespace/shop"));
    assert!(world.check().contains("Refuse manifest.Namespace/shop: HoldsData\n  * Note("), "{}", world.check());
    world.policy.data_loss = [Address::from_text("manifest.PersistentVolumeClaim/data")].into();
    insta::assert_snapshot!(world.check(), @r"
    Delete manifest.PersistentVolumeClaim/data: Destroy
    Keep manifest.PersistentVolume/pv: HoldsData
    Keep manifest.CustomResourceDefinition/widgets.example.com: HoldsData
    Delete manifest.ConfigMap/motd: Destroy
    Keep manifest.Namespace/shop: HoldsData
    ");
    world.apply();
    assert!(!world.plan().has_changes(), "what is kept is no change");
}

#[test]
fn what_is_protected_is_refused_but_what_is_kept_anyway_is_kept() {
    let file = |protect: &str| {
        format!("{}protect: [{protect}]\n", manifests(&[claim("data"), config_map("motd", json!({"a": "1"}))]))
    };
    let both = "manifest.ConfigMap/motd, manifest.PersistentVolumeClaim/data";
    let mut world = World::new(&file(both));
    world.apply().declare(&[]);
    insta::assert_snapshot!(world.check(), @r"
    NoChange namespace.Namespace/shop: UpToDate
    Keep manifest.PersistentVolumeClaim/data: HoldsData
    Refuse manifest.ConfigMap/motd: Protected
    ");
    world.policy.all_data_loss = true;
    insta::assert_snapshot!(world.check(), @r"
    NoChange namespace.Namespace/shop: UpToDate
    Refuse manifest.PersistentVolumeClaim/data: Protected
    Refuse manifest.ConfigMap/motd: Protected
    ");
}

#[test]
fn a_protection_that_is_in_the_file_and_not_yet_recorded_counts_for_destroy() {
    let mut world = World::of(&[config_map("motd", json!({}))]);
    world
        .apply()
        .declare_file(&format!("{}protect: [manifest.ConfigMap/motd]\n", manifests(&[config_map("motd", json!({}))])));
    world.policy.destroy = true;
    insta::assert_snapshot!(world.check(), @r"
    Refuse manifest.ConfigMap/motd: Protected
    Keep namespace.Namespace/shop: HoldsData
    ");
}

#[test]
fn what_is_no_longer_ours_is_forgotten() {
    let mut world = World::of(&[config_map("a", json!({})), config_map("b", json!({})), config_map("c", json!({}))]);
    world.apply().declare(&[]).vanish("ConfigMap", "a");
    world.live("ConfigMap", "b")["metadata"]["uid"] = json!("other");
    world.live("ConfigMap", "c")["metadata"]["managedFields"] = json!([]);
    insta::assert_snapshot!(world.check(), @r"
    NoChange namespace.Namespace/shop: UpToDate
    Forget manifest.ConfigMap/c: NoLongerOurs
    Forget manifest.ConfigMap/b: NoLongerOurs
    Forget manifest.ConfigMap/a: Vanished
    ");
}

#[test]
fn another_address_of_the_same_object_is_no_delete_and_create() {
    let mut world = World::of(&[config_map("motd", json!({"a": "1"}))]);
    world.apply();
    for entry in world.state.entries.values_mut() {
        entry.address = Address::from_text("config.ConfigMap/motd");
    }
    insta::assert_snapshot!(world.check(), @r"
    NoChange namespace.Namespace/shop: RecordOnly
    NoChange manifest.ConfigMap/motd: RecordOnly
    ");
    assert!(!world.plan().has_changes());
    world.apply();
    insta::assert_snapshot!(world.check(), @r"
    NoChange namespace.Namespace/shop: UpToDate
    NoChange manifest.ConfigMap/motd: UpToDate
    ");
}

#[test]
fn a_cycle_that_dead_runs_left_in_the_records_is_walked_all_the_same() {
    let mut world = World::of(&[config_map("a", json!({})), secret("b", json!({}))]);
    world.apply().policy.destroy = true;
    let ids: Vec<ObjectRef> = world.state.entries.keys().filter(|id| id.kind != "Namespace").cloned().collect();
    for (id, other) in [(&ids[0], &ids[1]), (&ids[1], &ids[0])] {
        world.state.entries.get_mut(id).unwrap().depends_on = vec![other.clone()];
    }
    let plan = world.plan();
    let waits: Vec<usize> = plan.changes.iter().map(|change| change.depends_on.len()).collect();
    assert_eq!(waits, [0, 0, 1], "{}", world.check());
}

#[test]
fn what_becomes_of_the_claims_of_a_stateful_set_is_said() {
    let set = |policy: serde_json::Value| {
        json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db", "namespace": "shop"}, "spec": {
        "serviceName": "db", "selector": {"matchLabels": {"app": "db"}},
        "persistentVolumeClaimRetentionPolicy": policy,
        "template": {"metadata": {"labels": {"app": "db"}}, "spec": {"containers": [{"name": "db", "image": "db:1"}]}},
        "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}}}}]}})
    };
    for policy in ["Retain", "Delete"] {
        let mut world = World::of(&[set(json!({"whenDeleted": policy}))]);
        world.apply().declare(&[]);
        if policy == "Retain" {
            insta::assert_snapshot!(world.check(), @r#"
            NoChange namespace.Namespace/shop: UpToDate
            Delete manifest.StatefulSet/db: LeftTheFile
              * VolumeKept { claim: "data-db-N" }
            "#);
        } else {
            insta::assert_snapshot!(world.check(), @r#"
            NoChange namespace.Namespace/shop: UpToDate
            Refuse manifest.StatefulSet/db: HoldsData
              * Note("claims data-db-N are deleted with it (whenDeleted: Delete), and their data")
            "#);
            world.policy.data_loss.insert(Address::from_text("manifest.StatefulSet/db"));
            insta::assert_snapshot!(world.check(), @r#"
            NoChange namespace.Namespace/shop: UpToDate
            Delete manifest.StatefulSet/db: LeftTheFile
              * Note("claims data-db-N are deleted with it (whenDeleted: Delete), and their data")
            "#);
        }
    }
}

#[test]
fn what_cannot_be_read_is_neither_deleted_nor_taken_for_absent() {
    let mut world = World::of(&[config_map("a", json!({})), config_map("b", json!({}))]);
    world.apply().declare(&[config_map("a", json!({}))]);
    world.write("kubectl", &config_map("b", json!({"x": "y"})), LATER);
    for id in world.state.entries.keys() {
        world.observation.unreadable.insert(id.clone(), "forbidden".to_owned());
    }
    world.observation.objects.clear();
    insta::assert_snapshot!(world.check(), @r#"
    Refuse namespace.Namespace/shop: Unreadable("forbidden")
    Refuse manifest.ConfigMap/a: Unreadable("forbidden")
    Refuse manifest.ConfigMap/b: Unreadable("forbidden")
    "#);
}

#[test]
fn what_is_served_at_another_version_than_was_recorded_is_deleted_at_that_one() {
    let mut world = World::of(&[deployment("web:1"), config_map("stays", json!({}))]);
    world.apply().declare(&[config_map("stays", json!({}))]);
    for entry in world.state.entries.values_mut().filter(|entry| entry.api_version == "apps/v1") {
        entry.api_version = "apps/v1beta2".to_owned();
    }
    assert_eq!(world.change("Deployment").api_version, "apps/v1");
}
