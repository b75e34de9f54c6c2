//! Claims and volumes: `DefaultStorageClass`, `StorageObjectInUseProtection`, `PersistentVolumeClaimResize`.

use std::cmp::Reverse;
use std::sync::Arc;

use serde_json::Value;

use super::{Operation, Request};
use crate::sandbox::refusal::Refusal;
use crate::sandbox::strategy::fields::{amount, at, list_mut, put, text};

const CLASS_ANNOTATION: [&str; 3] = ["metadata", "annotations", "volume.beta.kubernetes.io/storage-class"];
const CLASS: [&str; 2] = ["spec", "storageClassName"];

/// The name of the default class: of several the newest, and of those the first by name.
pub(super) fn newest_default(classes: &[Arc<Value>], annotations: &[&str]) -> Option<String> {
    let is_default = |class: &&Arc<Value>| {
        annotations.iter().any(|annotation| text(class, &["metadata", "annotations", annotation]) == "true")
    };
    let age = |class: &&Arc<Value>| {
        let created = text(class, &["metadata", "creationTimestamp"]).to_owned();
        (Reverse(created), text(class, &["metadata", "name"]).to_owned())
    };
    let newest = classes.iter().filter(is_default).min_by_key(age)?;
    Some(text(newest, &["metadata", "name"]).to_owned())
}

pub(super) fn choose_class(request: &Request<'_>, claim: &mut Value) {
    let is_chosen = at(claim, &CLASS).is_some() || at(claim, &CLASS_ANNOTATION).is_some();
    if request.is_for("", "PersistentVolumeClaim") && !is_chosen {
        let classes = request.view.list("storage.k8s.io", "StorageClass", None);
        let annotations =
            ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"];
        if let Some(name) = newest_default(&classes, &annotations) {
            put(claim, &CLASS, name);
        }
    }
}

/// What is in use is not to go: a finalizer says so.
pub(super) fn protect(request: &Request<'_>, object: &mut Value) {
    let finalizer = if request.is_for("", "PersistentVolumeClaim") {
        "kubernetes.io/pvc-protection"
    } else if request.is_for("", "PersistentVolume") {
        "kubernetes.io/pv-protection"
    } else if request.is_for("storage.k8s.io", "VolumeAttributesClass") {
        "kubernetes.io/vac-protection"
    } else {
        return;
    };
    if let Some(finalizers) = list_mut(object, &["metadata", "finalizers"])
        && !finalizers.iter().any(|present| present == finalizer)
    {
        finalizers.push(finalizer.into());
    }
}

/// The class that a claim names, in either spelling.
pub(super) fn class_of(claim: &Value) -> &str {
    match at(claim, &CLASS_ANNOTATION) {
        Some(class) => class.as_str().unwrap_or_default(),
        None => text(claim, &CLASS),
    }
}

/// A claim grows only where its class allows it.
pub(super) fn review_resize(request: &Request<'_>, claim: &Value) -> Result<(), Refusal> {
    let Operation::Update(live) = request.operation else { return Ok(()) };
    let size = |claim| at(claim, &["spec", "resources", "requests", "storage"]).and_then(amount).unwrap_or_default();
    if !request.is_for("", "PersistentVolumeClaim") || size(claim) <= size(live) {
        return Ok(());
    }
    if text(live, &["status", "phase"]) != "Bound" {
        return Err(request.forbid(claim, "Only bound persistent volume claims can be expanded"));
    }
    let name = class_of(claim);
    let class = (!name.is_empty() && name == class_of(live))
        .then(|| request.view.get("storage.k8s.io", "StorageClass", "", name));
    let allows = class.flatten().is_some_and(|class| at(&class, &["allowVolumeExpansion"]) == Some(&Value::Bool(true)));
    if allows {
        return Ok(());
    }
    let why = "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize";
    Err(request.forbid(claim, why))
}
