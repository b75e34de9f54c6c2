use serde_json::json;

use super::*;
use crate::sandbox::controllers::fields::{set, text};
use crate::sandbox::controllers::trouble::{READY_AFTER, TROUBLE};
use crate::sandbox::controllers::world::World;

fn claim(name: &str, class: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name},
        "spec": {
            "storageClassName": class, "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}
        }
    })
}

fn volume(name: &str, size: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name},
        "spec": {
            "storageClassName": "manual", "accessModes": ["ReadWriteOnce"], "capacity": {"storage": size},
            "persistentVolumeReclaimPolicy": "Retain", "hostPath": {"path": "/x"}
        }
    })
}

fn user(claim: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "user"},
        "spec": {
            "containers": [{"name": "c", "image": "x"}],
            "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": claim}}]
        }
    })
}

#[test]
fn a_claim_gets_a_volume_of_its_class() {
    let mut world = World::new();
    world.create(claim("c", "standard"));
    world.settle();
    let bound = world.read("", "PersistentVolumeClaim", "c");
    assert_ready(&bound);
    assert_eq!(
        bound["metadata"]["annotations"],
        json!({
            "pv.kubernetes.io/bind-completed": "yes", "pv.kubernetes.io/bound-by-controller": "yes",
            "volume.beta.kubernetes.io/storage-provisioner": "sandbox.mathison.dev/volumes",
            "volume.kubernetes.io/storage-provisioner": "sandbox.mathison.dev/volumes"
        })
    );
    let volume = world.read("", "PersistentVolume", text(&bound, "/spec/volumeName"));
    assert_ready(&volume);
    assert_eq!(volume["status"]["phase"], "Bound");
    assert_eq!(
        volume["metadata"]["annotations"],
        json!({"pv.kubernetes.io/provisioned-by": "sandbox.mathison.dev/volumes"})
    );
    world.assert_settled();
    // It goes with its claim.
    world.delete("", "PersistentVolumeClaim", "c");
    world.settle();
    assert!(world.read("", "PersistentVolume", text(&bound, "/spec/volumeName")).is_null());
}

#[test]
fn a_lazy_claim_waits_for_a_pod_and_is_kept_while_the_pod_is_there() {
    let mut world = World::new();
    world.create(claim("c", "wait"));
    world.settle();
    let waiting = world.read("", "PersistentVolumeClaim", "c");
    assert_eq!(waiting["status"]["phase"], "Pending");
    assert_eq!(crate::ready::claim_readiness(&waiting, None, true), Readiness::Ready);
    let expected =
        "Normal PersistentVolumeClaim WaitForFirstConsumer: waiting for first consumer to be created before binding";
    assert_eq!(world.told(), [expected]);
    world.assert_settled();
    world.create(user("c"));
    world.settle();
    assert_ready(&world.read("", "PersistentVolumeClaim", "c"));
    assert_ready(&world.read("", "Pod", "user"));
    world.assert_settled();
    world.delete("", "PersistentVolumeClaim", "c");
    world.settle();
    assert!(!world.read("", "PersistentVolumeClaim", "c").is_null());
    world.assert_settled();
    world.delete("", "Pod", "user");
    world.settle();
    assert!(world.read("", "PersistentVolumeClaim", "c").is_null());
}

#[test]
fn the_smallest_volume_that_fits_is_taken_and_stays_when_it_is_released() {
    let mut world = World::new();
    world.create(volume("large", "5Gi"));
    world.create(volume("fits", "2Gi"));
    world.create(volume("small", "500Mi"));
    world.settle();
    assert_ready(&world.read("", "PersistentVolume", "fits"));
    world.create(claim("c", "manual"));
    world.settle();
    let bound = world.read("", "PersistentVolumeClaim", "c");
    assert_ready(&bound);
    assert_eq!(
        (&bound["spec"]["volumeName"], &bound["status"]["capacity"]["storage"]),
        (&json!("fits"), &json!("2Gi"))
    );
    world.delete("", "PersistentVolumeClaim", "c");
    world.settle();
    assert_eq!(world.read("", "PersistentVolume", "fits")["status"]["phase"], "Released");
    world.assert_settled();
}

#[test]
fn what_keeps_a_claim_pending_is_said_once() {
    let mut world = World::new();
    world.create(claim("unknown", "nope"));
    world.create(claim("none", ""));
    let mut failing = claim("failing", "standard");
    ask(&mut failing, &[], TROUBLE, "provisioning-failed");
    world.create(failing);
    world.settle();
    let told = world.told();
    assert!(told.contains(
        &"Warning PersistentVolumeClaim ProvisioningFailed: storageclass.storage.k8s.io \"nope\" not found".to_owned()
    ));
    let expected = "Normal PersistentVolumeClaim FailedBinding: no persistent volumes available for this claim and no storage class is set";
    assert!(told.contains(&expected.to_owned()), "{told:#?}");
    assert!(
        told.iter().any(
            |line| line.starts_with("Warning PersistentVolumeClaim ProvisioningFailed: failed to provision volume")
        )
    );
    world.assert_settled();
    // The class comes, and the trouble goes.
    world.create(json!({
        "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "nope"}, "provisioner": "p"
    }));
    world.change("", "PersistentVolumeClaim", "failing", |claim| {
        set(claim, &["metadata", "annotations", TROUBLE], json!(""))
    });
    world.settle();
    assert_ready(&world.read("", "PersistentVolumeClaim", "unknown"));
    assert_ready(&world.read("", "PersistentVolumeClaim", "failing"));
}

#[test]
fn a_claim_grows_and_may_be_slow_or_lose_its_volume() {
    let mut world = World::new();
    let mut slow = claim("c", "standard");
    ask(&mut slow, &[], READY_AFTER, "3s");
    world.create(slow);
    world.settle();
    assert_eq!(world.read("", "PersistentVolumeClaim", "c")["status"]["phase"], "Pending");
    world.pass(3);
    assert_ready(&world.read("", "PersistentVolumeClaim", "c"));
    world.change("", "PersistentVolumeClaim", "c", |claim| {
        set(claim, &["spec", "resources", "requests", "storage"], json!("2Gi"))
    });
    world.settle();
    let grown = world.read("", "PersistentVolumeClaim", "c");
    assert_eq!(grown["status"]["capacity"]["storage"], "2Gi");
    world.assert_settled();
    let volume = text(&grown, "/spec/volumeName").to_owned();
    world.change("", "PersistentVolume", &volume, |volume| set(volume, &["metadata", "finalizers"], json!([])));
    world.delete("", "PersistentVolume", &volume);
    world.settle();
    assert_eq!(world.read("", "PersistentVolumeClaim", "c")["status"]["phase"], "Lost");
    world.assert_settled();
}
