//! Volumes, claims and what provides them.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::sandbox::table::Row;
use crate::sandbox::table::fields::Fields;

const CLASS_ANNOTATION: &str = "/metadata/annotations/volume.beta.kubernetes.io~1storage-class";

pub(super) fn persistent_volume(volume: Fields<'_>, now: Timestamp) -> Row {
    let claim = volume.at("/spec/claimRef").map(Fields);
    let claim = claim.map(|claim| format!("{}/{}", claim.text("/namespace"), claim.text("/name")));
    vec![
        json!(volume.name()),
        json!(amount(volume, "/spec/capacity/storage")),
        json!(access_modes(volume, "/spec/accessModes")),
        json!(volume.text("/spec/persistentVolumeReclaimPolicy")),
        phase(volume),
        json!(claim.unwrap_or_default()),
        class(volume),
        or_unset(volume, "/spec/volumeAttributesClassName"),
        json!(volume.text("/status/reason")),
        volume.age(now),
        or_unset(volume, "/spec/volumeMode"),
    ]
    .into()
}

pub(super) fn persistent_volume_claim(claim: Fields<'_>, now: Timestamp) -> Row {
    let volume = claim.text("/spec/volumeName");
    // Before there is a volume, what is asked for is not shown as if it were there.
    let (capacity, modes) = match volume {
        "" => (String::new(), String::new()),
        _ => (amount(claim, "/status/capacity/storage"), access_modes(claim, "/status/accessModes")),
    };
    vec![
        json!(claim.name()),
        phase(claim),
        json!(volume),
        json!(capacity),
        json!(modes),
        class(claim),
        or_unset(claim, "/spec/volumeAttributesClassName"),
        claim.age(now),
        or_unset(claim, "/spec/volumeMode"),
    ]
    .into()
}

fn phase(object: Fields<'_>) -> Value {
    json!(if object.is_being_deleted() { "Terminating" } else { object.text("/status/phase") })
}

fn class(object: Fields<'_>) -> Value {
    json!(object.at(CLASS_ANNOTATION).and_then(Value::as_str).unwrap_or_else(|| object.text("/spec/storageClassName")))
}

fn or_unset(object: Fields<'_>, path: &str) -> Value {
    json!(object.scalar(path).unwrap_or_else(|| "<unset>".to_owned()))
}

fn amount(object: Fields<'_>, path: &str) -> String {
    object.scalar(path).unwrap_or_else(|| "0".to_owned())
}

fn access_modes(object: Fields<'_>, path: &str) -> String {
    let modes = object.texts(path);
    let short =
        [("ReadWriteOnce", "RWO"), ("ReadOnlyMany", "ROX"), ("ReadWriteMany", "RWX"), ("ReadWriteOncePod", "RWOP")];
    let present = short.iter().filter(|(mode, _)| modes.contains(mode)).map(|(_, short)| *short);
    present.collect::<Vec<_>>().join(",")
}

pub(super) fn storage_class(class: Fields<'_>, now: Timestamp) -> Row {
    let is_default = ["storageclass.kubernetes.io", "storageclass.beta.kubernetes.io"]
        .iter()
        .any(|prefix| class.text(&format!("/metadata/annotations/{prefix}~1is-default-class")) == "true");
    let name = if is_default { format!("{} (default)", class.name()) } else { class.name().to_owned() };
    vec![
        json!(name),
        json!(class.text("/provisioner")),
        json!(class.text_or("/reclaimPolicy", "Delete")),
        json!(class.text_or("/volumeBindingMode", "Immediate")),
        json!(class.is_true("/allowVolumeExpansion")),
        class.age(now),
    ]
    .into()
}

pub(super) fn volume_attachment(attachment: Fields<'_>, now: Timestamp) -> Row {
    vec![
        json!(attachment.name()),
        json!(attachment.text("/spec/attacher")),
        json!(attachment.text("/spec/source/persistentVolumeName")),
        json!(attachment.text("/spec/nodeName")),
        json!(attachment.is_true("/status/attached")),
        attachment.age(now),
    ]
    .into()
}

pub(super) fn volume_attributes_class(class: Fields<'_>, now: Timestamp) -> Row {
    vec![json!(class.name()), json!(class.text("/driverName")), class.age(now)].into()
}

pub(super) fn csi_driver(driver: Fields<'_>, now: Timestamp) -> Row {
    let requests = driver.at("/spec/tokenRequests").map(|_| {
        let audiences = driver.items("/spec/tokenRequests").map(|request| request.text("/audience"));
        audiences.collect::<Vec<_>>().join(",")
    });
    let modes = match driver.texts("/spec/volumeLifecycleModes") {
        modes if modes.is_empty() => "<none>".to_owned(),
        modes => modes.join(","),
    };
    vec![
        json!(driver.name()),
        json!(driver.at("/spec/attachRequired").and_then(Value::as_bool).unwrap_or(true)),
        json!(driver.is_true("/spec/podInfoOnMount")),
        json!(driver.is_true("/spec/storageCapacity")),
        json!(requests.unwrap_or_else(|| "<unset>".to_owned())),
        json!(driver.is_true("/spec/requiresRepublish")),
        json!(modes),
        driver.age(now),
    ]
    .into()
}

pub(super) fn csi_node(node: Fields<'_>, now: Timestamp) -> Row {
    vec![json!(node.name()), json!(node.count("/spec/drivers")), node.age(now)].into()
}
