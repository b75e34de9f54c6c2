use serde_json::json;

use super::*;
use crate::sandbox::controllers::fields::{label, name, number, set, text};
use crate::sandbox::controllers::trouble::{READY_AFTER, TROUBLE};
use crate::sandbox::controllers::world::World;
use crate::sandbox::controllers::{Deed, Key, reconcile};

pub(super) fn stateful(replicas: i64) -> Value {
    let mut template = template("db");
    set(&mut template, &["spec", "containers"], json!([{"name": "c", "image": "postgres"}]));
    json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"},
        "spec": {
            "replicas": replicas, "serviceName": "db", "selector": {"matchLabels": {"app": "db"}}, "template": template,
            "podManagementPolicy": "OrderedReady",
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
            "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
            "volumeClaimTemplates": [{
                "metadata": {"name": "data"},
                "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
            }]
        }
    })
}

fn images(world: &World) -> Vec<String> {
    world.all("", "Pod").iter().map(|pod| format!("{} {}", name(pod), text(pod, "/spec/containers/0/image"))).collect()
}

fn set_image(world: &mut World, image: &str) {
    world.change("apps", "StatefulSet", "db", |db| {
        set(db, &["spec", "template", "spec", "containers"], json!([{"name": "c", "image": image}]));
    });
}

#[test]
fn a_stateful_set_makes_its_pods_and_claims_in_order() {
    let mut world = World::new();
    world.create(stateful(2));
    world.settle();
    let db = world.read("apps", "StatefulSet", "db");
    assert_ready(&db);
    let revision = name(&world.all("apps", "ControllerRevision")[0]).to_owned();
    assert_eq!(
        db["status"],
        json!({
            "availableReplicas": 2, "collisionCount": 0, "currentReplicas": 2, "currentRevision": revision,
            "observedGeneration": 1, "readyReplicas": 2, "replicas": 2, "updateRevision": revision, "updatedReplicas": 2
        })
    );
    let pod = world.read("", "Pod", "db-1");
    assert_eq!(
        pod["metadata"]["labels"],
        json!({
            "app": "db", "apps.kubernetes.io/pod-index": "1", "controller-revision-hash": revision,
            "statefulset.kubernetes.io/pod-name": "db-1"
        })
    );
    assert_eq!(pod["spec"]["volumes"], json!([{"name": "data", "persistentVolumeClaim": {"claimName": "data-db-1"}}]));
    let claim = world.read("", "PersistentVolumeClaim", "data-db-0");
    assert_ready(&claim);
    assert_eq!(claim["metadata"]["labels"], json!({"app": "db"}));
    assert_eq!(
        claim["status"],
        json!({"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, "phase": "Bound"})
    );
    let told: Vec<String> = world.told().into_iter().filter(|line| line.contains("StatefulSet")).collect();
    assert_eq!(
        told,
        [
            "Normal StatefulSet SuccessfulCreate: Create Claim data-db-0 Pod db-0 in StatefulSet db success",
            "Normal StatefulSet SuccessfulCreate: Create Pod db-0 in StatefulSet db successful",
            "Normal StatefulSet SuccessfulCreate: Create Claim data-db-1 Pod db-1 in StatefulSet db success",
            "Normal StatefulSet SuccessfulCreate: Create Pod db-1 in StatefulSet db successful"
        ]
    );
    world.assert_settled();
}

#[test]
fn an_update_goes_from_the_last_to_the_first_and_stops_at_the_partition() {
    let mut world = World::new();
    world.create(stateful(3));
    world.settle();
    world.told();
    world.change("apps", "StatefulSet", "db", |db| {
        set(db, &["spec", "updateStrategy", "rollingUpdate", "partition"], json!(1))
    });
    set_image(&mut world, "postgres:2");
    world.settle();
    assert_eq!(images(&world), ["db-0 postgres", "db-1 postgres:2", "db-2 postgres:2"]);
    let deleted: Vec<String> = world.told().into_iter().filter(|line| line.contains("SuccessfulDelete")).collect();
    assert!(deleted[0].contains("db-2") && deleted[1].contains("db-1"), "{deleted:?}");
    assert_ready(&world.read("apps", "StatefulSet", "db"));
    world.assert_settled();
    // A pod below the partition comes back with the former template.
    world.delete("", "Pod", "db-0");
    world.settle();
    assert_eq!(images(&world)[0], "db-0 postgres");
    world.change("apps", "StatefulSet", "db", |db| {
        set(db, &["spec", "updateStrategy", "rollingUpdate", "partition"], json!(0))
    });
    world.settle();
    assert_eq!(images(&world)[0], "db-0 postgres:2");
    let db = world.read("apps", "StatefulSet", "db");
    assert_eq!(db["status"]["currentRevision"], db["status"]["updateRevision"]);
    world.assert_settled();
}

#[test]
fn on_delete_leaves_the_pods_alone() {
    let mut world = World::new();
    let mut db = stateful(2);
    set(&mut db, &["spec", "updateStrategy"], json!({"type": "OnDelete"}));
    world.create(db);
    world.settle();
    set_image(&mut world, "postgres:2");
    world.settle();
    assert_eq!(images(&world), ["db-0 postgres", "db-1 postgres"]);
    world.delete("", "Pod", "db-1");
    world.settle();
    assert_eq!(images(&world), ["db-0 postgres", "db-1 postgres:2"]);
    world.assert_settled();
}

#[test]
fn a_broken_pod_holds_up_those_after_it_but_not_in_parallel() {
    for (policy, count) in [("OrderedReady", 1), ("Parallel", 3)] {
        let mut world = World::new();
        let mut db = stateful(3);
        set(&mut db, &["spec", "podManagementPolicy"], json!(policy));
        ask(&mut db, &["spec", "template"], TROUBLE, "crash-loop");
        world.create(db);
        world.settle();
        assert_eq!(world.all("", "Pod").len(), count, "{policy}");
        world.assert_settled();
    }
}

#[test]
fn slow_pods_come_one_after_the_other() {
    let mut world = World::new();
    let mut db = stateful(3);
    ask(&mut db, &[], READY_AFTER, "2s");
    world.create(db);
    world.settle();
    assert_eq!(world.all("", "Pod").len(), 1);
    world.pass(2);
    assert_eq!(world.all("", "Pod").len(), 2);
    world.pass(4);
    assert_ready(&world.read("apps", "StatefulSet", "db"));
}

#[test]
fn claims_stay_or_go_as_the_retention_policy_says() {
    for (scaled, deleted, after_scaling, after_deleting) in
        [("Retain", "Retain", 2, 2), ("Delete", "Retain", 1, 1), ("Retain", "Delete", 2, 1), ("Delete", "Delete", 1, 0)]
    {
        let mut world = World::new();
        let mut db = stateful(2);
        let policy = json!({"whenScaled": scaled, "whenDeleted": deleted});
        set(&mut db, &["spec", "persistentVolumeClaimRetentionPolicy"], policy);
        world.create(db);
        world.settle();
        world.change("apps", "StatefulSet", "db", |db| set(db, &["spec", "replicas"], json!(1)));
        world.settle();
        assert_eq!(world.all("", "Pod").len(), 1);
        assert_eq!(world.all("", "PersistentVolumeClaim").len(), after_scaling, "{scaled} {deleted}");
        world.assert_settled();
        world.delete("apps", "StatefulSet", "db");
        world.settle();
        assert!(world.all("", "Pod").is_empty());
        let left = world.all("", "PersistentVolumeClaim").len();
        // A claim that was kept when its pod was scaled away still belongs to the set, where the set takes its claims along.
        let expected = if (scaled, deleted) == ("Retain", "Delete") { 0 } else { after_deleting };
        assert_eq!(left, expected, "{scaled} {deleted}");
    }
}

#[test]
fn a_rollback_takes_the_old_revision_again() {
    let mut world = World::new();
    world.create(stateful(1));
    world.settle();
    let first = label(&world.read("", "Pod", "db-0"), "controller-revision-hash").to_owned();
    set_image(&mut world, "postgres:2");
    world.settle();
    set_image(&mut world, "postgres");
    world.settle();
    assert_eq!(label(&world.read("", "Pod", "db-0"), "controller-revision-hash"), first);
    let newest =
        world.all("apps", "ControllerRevision").into_iter().max_by_key(|revision| number(revision, "/revision"));
    assert_eq!(newest.map(|newest| name(&newest).to_owned()), Some(first));
    world.assert_settled();
}

#[test]
fn a_huge_parallel_set_starts_some_pods_at_a_time() {
    let mut world = World::new();
    let mut db = stateful(2_000_000_000);
    set(&mut db, &["spec", "podManagementPolicy"], json!("Parallel"));
    world.create(db);
    let key = Key::new("apps", "StatefulSet", "d", "db");
    let revision = reconcile(&world, &key);
    let [Deed::Create { object, .. }] = revision.deeds.as_slice() else { panic!("{revision:?}") };
    world.create(object.clone());
    let made = reconcile(&world, &key);
    let is_pod = |deed: &&Deed| matches!(deed, Deed::Create { object, .. } if object["kind"] == "Pod");
    assert_eq!(made.deeds.iter().filter(is_pod).count(), 500);
}

#[test]
fn a_pod_of_another_name_is_nobodys_member() {
    let mut world = World::new();
    for stranger in ["web-0", "db-x", "db-+1", "db"] {
        let mut pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": stranger}});
        set(&mut pod, &["metadata", "labels"], json!({"app": "db"}));
        set(&mut pod, &["spec"], template("db")["spec"].clone());
        world.create(pod);
    }
    world.create(stateful(1));
    world.settle();
    let owned: Vec<String> = world
        .all("", "Pod")
        .iter()
        .filter(|pod| pod["metadata"]["ownerReferences"].is_array())
        .map(|pod| name(pod).to_owned())
        .collect();
    assert_eq!(owned, ["db-0"]);
    world.assert_settled();
}
