//! Claims: which volume they get, and when they may go.

use std::sync::Arc;

use serde_json::{Value, json};

use super::deed::Outcome;
use super::event;
use super::fields::{
    annotation, at, has_finalizer, is_leaving, items, name, namespace, set, stamp, text, time, uid, without_finalizer,
};
use super::offspring::MANAGER;
use super::pod::{is_over, names as pod_names};
use super::selector;
use super::trouble;
use crate::resource::quantity::Quantity;
use crate::sandbox::view::View;

const PROTECTION: &str = "kubernetes.io/pvc-protection";
const BIND_COMPLETED: &str = "pv.kubernetes.io/bind-completed";
const BOUND_BY: &str = "pv.kubernetes.io/bound-by-controller";
const PROVISIONERS: [&str; 2] =
    ["volume.beta.kubernetes.io/storage-provisioner", "volume.kubernetes.io/storage-provisioner"];
/// With which a volume says that it was made for a claim.
pub(super) const PROVISIONED_BY: &str = "pv.kubernetes.io/provisioned-by";
const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";
const COMPONENT: &str = "persistentvolume-controller";
/// Classes with this provisioner only order volumes that somebody else makes.
const NO_PROVISIONER: &str = "kubernetes.io/no-provisioner";

/// Returns the claims that a pod names, those of its ephemeral volumes too.
pub(super) fn names(pod: &Value) -> Vec<String> {
    let of = |volume: &Value| {
        if volume.get("ephemeral").is_some_and(Value::is_object) {
            return Some(format!("{}-{}", name(pod), text(volume, "/name")));
        }
        at(volume, "/persistentVolumeClaim/claimName").and_then(Value::as_str).map(str::to_owned)
    };
    items(pod, "/spec/volumes").iter().filter_map(of).collect()
}

/// Tells whether a claim has its volume.
pub(super) fn is_bound(claim: &Value) -> bool {
    !text(claim, "/spec/volumeName").is_empty() && annotation(claim, BIND_COMPLETED).is_some()
}

/// Tells whether the class of a claim waits for a pod.
pub(super) fn waits_for_consumer(view: &dyn View, claim: &Value) -> bool {
    class(view, claim).is_some_and(|class| crate::ready::waits_for_consumer(&class))
}

fn class(view: &dyn View, claim: &Value) -> Option<Arc<Value>> {
    view.get("storage.k8s.io", "StorageClass", "", class_name(claim))
}

/// Returns the class of a claim or volume, by its field or the annotation of old.
pub(super) fn class_name(object: &Value) -> &str {
    annotation(object, "volume.beta.kubernetes.io/storage-class")
        .unwrap_or_else(|| text(object, "/spec/storageClassName"))
}

pub(super) fn reconcile(view: &dyn View, claim: &Value) -> Outcome {
    let mut outcome = Outcome::default();
    if is_leaving(claim) {
        if has_finalizer(claim, PROTECTION) && !is_used(view, claim) {
            outcome.update(without_finalizer(claim, PROTECTION), MANAGER);
        }
        return outcome;
    }
    let volume_name = text(claim, "/spec/volumeName");
    if !volume_name.is_empty() {
        with_volume(view, claim, volume_name, &mut outcome);
        return outcome;
    }
    let class_name = class_name(claim);
    let class = class(view, claim);
    let waits =
        class.as_deref().is_some_and(crate::ready::waits_for_consumer) && annotation(claim, SELECTED_NODE).is_none();
    if waits {
        pending(claim, &mut outcome);
        let message = "waiting for first consumer to be created before binding";
        event::once(view, &mut outcome, claim, "Normal", COMPONENT, "WaitForFirstConsumer", message);
        return outcome;
    }
    if let Some(volume) = matching(view, claim) {
        bind(claim, &volume, &mut outcome);
        return outcome;
    }
    pending(claim, &mut outcome);
    let Some(class) = class else {
        if class_name.is_empty() {
            let message = "no persistent volumes available for this claim and no storage class is set";
            event::once(view, &mut outcome, claim, "Normal", COMPONENT, "FailedBinding", message);
        } else {
            let message = format!("storageclass.storage.k8s.io {class_name:?} not found");
            event::once(view, &mut outcome, claim, "Warning", COMPONENT, "ProvisioningFailed", &message);
        }
        return outcome;
    };
    if text(&class, "/provisioner") != NO_PROVISIONER && outcome.is_idle() {
        provision(view, claim, &class, &mut outcome);
    }
    outcome
}

fn pending(claim: &Value, outcome: &mut Outcome) {
    if text(claim, "/status/phase").is_empty() {
        outcome.status(claim, json!({"phase": "Pending"}), MANAGER);
    }
}

/// Tells whether a pod that may run names the claim.
fn is_used(view: &dyn View, claim: &Value) -> bool {
    let pods = view.list("", "Pod", Some(namespace(claim)));
    pods.iter().any(|pod| !is_over(pod) && pod_names(pod, "PersistentVolumeClaim", name(claim)))
}

fn amount(object: &Value, pointer: &str) -> i128 {
    Quantity::parse(text(object, pointer)).map_or(0, |quantity| quantity.nano())
}

/// Finds the smallest volume that is free and has all that the claim asks for.
fn matching(view: &dyn View, claim: &Value) -> Option<Arc<Value>> {
    let asked = amount(claim, "/spec/resources/requests/storage");
    let mode = |object: &Value| match text(object, "/spec/volumeMode") {
        "Block" => "Block",
        _ => "Filesystem",
    };
    let is_fit = |volume: &Value| {
        let modes = items(volume, "/spec/accessModes");
        let is_selected = match at(claim, "/spec/selector").filter(|selector| !selector.is_null()) {
            None => true,
            selector => selector::matches(selector, volume),
        };
        !is_leaving(volume)
            && class_name(volume) == class_name(claim)
            && mode(volume) == mode(claim)
            && amount(volume, "/spec/capacity/storage") >= asked
            && items(claim, "/spec/accessModes").iter().all(|wanted| modes.contains(wanted))
            && is_selected
    };
    let volumes = view.list("", "PersistentVolume", None);
    let reserved = volumes.iter().find(|volume| is_reserved(volume, claim) && !is_leaving(volume));
    if let Some(reserved) = reserved {
        return Some(reserved.clone());
    }
    let free = volumes.iter().filter(|volume| {
        let is_free = at(volume, "/spec/claimRef").is_none_or(Value::is_null);
        is_free && text(volume, "/status/phase") == "Available" && is_fit(volume)
    });
    free.min_by_key(|volume| amount(volume, "/spec/capacity/storage")).cloned()
}

/// Tells whether a volume names this claim.
fn is_reserved(volume: &Value, claim: &Value) -> bool {
    let reserved = text(volume, "/spec/claimRef/uid");
    text(volume, "/spec/claimRef/name") == name(claim)
        && text(volume, "/spec/claimRef/namespace") == namespace(claim)
        && (reserved.is_empty() || reserved == uid(claim))
}

fn bind(claim: &Value, volume: &Value, outcome: &mut Outcome) {
    if text(volume, "/spec/claimRef/uid") != uid(claim) {
        let mut volume = volume.clone();
        let is_reserved = at(&volume, "/spec/claimRef").is_some_and(Value::is_object);
        set(&mut volume, &["spec", "claimRef"], claim_reference(claim));
        if !is_reserved {
            set(&mut volume, &["metadata", "annotations", BOUND_BY], Value::from("yes"));
        }
        outcome.update(volume, MANAGER);
    }
    if text(claim, "/spec/volumeName").is_empty() || annotation(claim, BIND_COMPLETED).is_none() {
        let mut bound = claim.clone();
        if text(claim, "/spec/volumeName").is_empty() {
            set(&mut bound, &["spec", "volumeName"], Value::from(name(volume)));
            set(&mut bound, &["metadata", "annotations", BOUND_BY], Value::from("yes"));
        }
        set(&mut bound, &["metadata", "annotations", BIND_COMPLETED], Value::from("yes"));
        outcome.update(bound, MANAGER);
    }
}

fn claim_reference(claim: &Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": name(claim), "namespace": namespace(claim),
        "uid": uid(claim), "resourceVersion": text(claim, "/metadata/resourceVersion")
    })
}

/// A claim that names its volume: it is bound to it, waits for it, or has lost it.
fn with_volume(view: &dyn View, claim: &Value, volume_name: &str, outcome: &mut Outcome) {
    let volume = view.get("", "PersistentVolume", "", volume_name);
    let is_bound = is_bound(claim);
    let Some(volume) = volume.filter(|volume| !is_bound || text(volume, "/spec/claimRef/uid") == uid(claim)) else {
        if is_bound {
            let mut status = claim.get("status").cloned().unwrap_or_default();
            set(&mut status, &["phase"], Value::from("Lost"));
            for field in ["accessModes", "capacity"] {
                super::fields::unset(&mut status, "", field);
            }
            if outcome.status(claim, status, MANAGER) {
                let message = "Bound claim has lost its PersistentVolume. Data on the volume is lost!";
                outcome.warning(claim, COMPONENT, "ClaimLost", message);
            }
        } else {
            pending(claim, outcome);
        }
        return;
    };
    let is_free = at(&volume, "/spec/claimRef").is_none_or(Value::is_null) || is_reserved(&volume, claim);
    if !is_bound {
        if is_free {
            bind(claim, &volume, outcome);
        } else {
            pending(claim, outcome);
            let message = format!("volume {volume_name:?} already bound to a different claim.");
            event::once(view, outcome, claim, "Warning", COMPONENT, "FailedBinding", &message);
        }
        return;
    }
    let asked = amount(claim, "/spec/resources/requests/storage");
    let has_room = amount(&volume, "/spec/capacity/storage") >= asked;
    if !has_room && text(claim, "/status/phase") == "Bound" {
        // The claim was given a larger size: the volume grows, then the claim says so.
        let mut volume = (*volume).clone();
        let size = at(claim, "/spec/resources/requests/storage").cloned().unwrap_or_default();
        set(&mut volume, &["spec", "capacity", "storage"], size);
        outcome.update(volume, MANAGER);
        outcome.normal(
            claim,
            "volume_expand",
            "FileSystemResizeSuccessful",
            "MountVolume.NodeExpandVolume succeeded for volume",
        );
        return;
    }
    let mut status = claim.get("status").cloned().unwrap_or_default();
    set(&mut status, &["phase"], Value::from("Bound"));
    set(&mut status, &["accessModes"], at(&volume, "/spec/accessModes").cloned().unwrap_or_default());
    set(&mut status, &["capacity"], at(&volume, "/spec/capacity").cloned().unwrap_or_default());
    outcome.status(claim, status, MANAGER);
}

/// Makes a volume for a claim.
fn provision(view: &dyn View, claim: &Value, class: &Value, outcome: &mut Outcome) {
    let provisioner = text(class, "/provisioner");
    if PROVISIONERS.iter().any(|key| annotation(claim, key) != Some(provisioner)) {
        let mut claim = claim.clone();
        for key in PROVISIONERS {
            set(&mut claim, &["metadata", "annotations", key], Value::from(provisioner));
        }
        outcome.update(claim, MANAGER);
        return;
    }
    let component = "sandbox-provisioner";
    let message = format!(
        "Waiting for a volume to be created either by the external provisioner '{provisioner}' or manually by the system \
         administrator. If volume creation is delayed, please verify that the provisioner is running and correctly \
         registered."
    );
    event::once(view, outcome, claim, "Normal", COMPONENT, "ExternalProvisioning", &message);
    let message =
        format!("External provisioner is provisioning volume for claim \"{}/{}\"", namespace(claim), name(claim));
    event::once(view, outcome, claim, "Normal", component, "Provisioning", &message);
    if trouble::is_provisioning_failing(claim) {
        let message = format!(
            "failed to provision volume with StorageClass {:?}: rpc error: code = ResourceExhausted desc = not enough free \
             capacity",
            name(class)
        );
        event::once(view, outcome, claim, "Warning", component, "ProvisioningFailed", &message);
        return;
    }
    let made = time(claim, "/metadata/creationTimestamp").unwrap_or_else(|| view.now());
    if let Some(due) = made.checked_add(trouble::ready_after(claim)).ok().filter(|due| *due > view.now()) {
        outcome.again(due);
        return;
    }
    let volume_name = format!("pvc-{}", uid(claim));
    if view.get("", "PersistentVolume", "", &volume_name).is_some() {
        // It is on its way out, or somebody else's.
        return;
    }
    let mut spec = json!({
        "accessModes": at(claim, "/spec/accessModes").cloned().unwrap_or_default(),
        "capacity": {"storage": at(claim, "/spec/resources/requests/storage").cloned().unwrap_or_default()},
        "claimRef": claim_reference(claim),
        "hostPath": {"path": format!("/var/local/volumes/{volume_name}"), "type": "DirectoryOrCreate"},
        "persistentVolumeReclaimPolicy": match text(class, "/reclaimPolicy") { "" => "Delete", policy => policy },
        "storageClassName": name(class),
        "volumeMode": match text(claim, "/spec/volumeMode") { "" => "Filesystem", mode => mode }
    });
    if let Some(options) = class.get("mountOptions").filter(|options| options.is_array()) {
        set(&mut spec, &["mountOptions"], options.clone());
    }
    let volume = json!({
        "apiVersion": "v1", "kind": "PersistentVolume",
        "metadata": {"name": volume_name, "annotations": {PROVISIONED_BY: provisioner}},
        "spec": spec
    });
    outcome.create(volume, component);
    outcome.normal(claim, component, "ProvisioningSucceeded", format!("Successfully provisioned volume {volume_name}"));
}

/// Looks at one volume.
pub(super) fn reconcile_volume(view: &dyn View, volume: &Value) -> Outcome {
    const VOLUME_PROTECTION: &str = "kubernetes.io/pv-protection";
    let mut outcome = Outcome::default();
    let reference = at(volume, "/spec/claimRef").filter(|reference| reference.is_object());
    let claim = reference.and_then(|reference| {
        view.get("", "PersistentVolumeClaim", text(reference, "/namespace"), text(reference, "/name"))
    });
    let wanted = text(volume, "/spec/claimRef/uid");
    let claim = claim.filter(|claim| wanted.is_empty() || uid(claim) == wanted);
    let phase = match (&claim, reference) {
        (_, None) => "Available",
        (None, Some(_)) if wanted.is_empty() => "Available",
        (None, Some(_)) => "Released",
        (Some(claim), _) if text(claim, "/spec/volumeName") == name(volume) => "Bound",
        (Some(_), _) => "Available",
    };
    if is_leaving(volume) {
        if phase != "Bound" && has_finalizer(volume, VOLUME_PROTECTION) {
            outcome.update(without_finalizer(volume, VOLUME_PROTECTION), MANAGER);
        }
        return outcome;
    }
    let is_deleted = phase == "Released" && text(volume, "/spec/persistentVolumeReclaimPolicy") == "Delete";
    if is_deleted && annotation(volume, PROVISIONED_BY).is_some() {
        outcome.delete(volume);
        return outcome;
    }
    let (phase, message) = if is_deleted {
        let message = format!(
            "error getting deleter volume plugin for volume {:?}: no deletable volume plugin matched",
            name(volume)
        );
        ("Failed", message)
    } else {
        (phase, String::new())
    };
    let mut status = volume.get("status").cloned().unwrap_or_default();
    if text(&status, "/phase") != phase {
        status = json!({"phase": phase, "lastPhaseTransitionTime": stamp(view.now())});
        if !message.is_empty() {
            set(&mut status, &["message"], Value::from(message.as_str()));
        }
        if outcome.status(volume, status, MANAGER) && !message.is_empty() {
            outcome.warning(volume, COMPONENT, "VolumeFailedDelete", message);
        }
    }
    outcome
}
