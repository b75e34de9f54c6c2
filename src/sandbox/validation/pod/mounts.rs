//! How containers use volumes: mounts and block devices.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::volumes::{self, Volumes};
use crate::sandbox::validation::Problems;
use crate::sandbox::validation::numbers;
use crate::sandbox::validation::path::Path;
use crate::sandbox::validation::read::Read;

/// The mounts of a container.
pub(super) fn mounts(container: &Value, known: &Volumes<'_>, path: &Path, problems: &mut Problems) {
    let path = path.child("volumeMounts");
    let devices = by_name(container.list("volumeDevices"), "devicePath");
    let device_paths: BTreeSet<&str> = devices.values().copied().collect();
    let mut seen = BTreeSet::new();
    for (index, mount) in container.list("volumeMounts").iter().enumerate() {
        let at = path.index(index);
        let name = mount.text("name");
        if name.is_empty() {
            problems.push(at.child("name").required(""));
        }
        if !known.contains_key(name) {
            problems.push(at.child("name").not_found(name));
        }
        let mount_path = mount.text("mountPath");
        if mount_path.is_empty() {
            problems.push(at.child("mountPath").required(""));
        }
        if !seen.insert(mount_path) {
            problems.push(at.child("mountPath").invalid(mount_path, "must be unique"));
        }
        if devices.contains_key(name) {
            problems.push(at.child("name").invalid(name, "must not already exist in volumeDevices"));
        }
        if device_paths.contains(mount_path) {
            let detail = "must not already exist as a path in volumeDevices";
            problems.push(at.child("mountPath").invalid(mount_path, detail));
        }
        let below = mount.text("subPath");
        if !below.is_empty() {
            volumes::descending_path(below, &path.child("subPath"), problems);
        }
        let expression = mount.text("subPathExpr");
        if !expression.is_empty() {
            if !below.is_empty() {
                let detail = "subPathExpr and subPath are mutually exclusive";
                problems.push(at.child("subPathExpr").invalid(expression, detail));
            }
            volumes::descending_path(expression, &path.child("subPathExpr"), problems);
        }
        propagation(mount, container, &path.child("mountPropagation"), problems);
        recursive_read_only(mount, &path.child("recursiveReadOnly"), problems);
    }
}

/// Paths by the names of their volumes: of several, the server remembers the last.
fn by_name<'u>(uses: &'u [Value], path: &str) -> BTreeMap<&'u str, &'u str> {
    uses.iter().map(|used| (used.text("name"), used.text(path))).collect()
}

fn propagation(mount: &Value, container: &Value, path: &Path, problems: &mut Problems) {
    let Some(propagation) = mount.maybe_text("mountPropagation") else { return };
    numbers::one_of_if_any(Some(propagation), &["Bidirectional", "HostToContainer", "None"], path, problems);
    let is_privileged = container.field("securityContext").is_some_and(|context| context.flag("privileged"));
    if propagation == "Bidirectional" && !is_privileged {
        problems.push(path.forbidden("Bidirectional mount propagation is available only to privileged containers"));
    }
}

fn recursive_read_only(mount: &Value, path: &Path, problems: &mut Problems) {
    match mount.maybe_text("recursiveReadOnly") {
        None | Some("Disabled") => {}
        Some("Enabled" | "IfPossible") => {
            if !mount.flag("readOnly") {
                problems.push(path.forbidden("may only be specified when readOnly is true"));
            }
            if mount.maybe_text("mountPropagation").is_some_and(|propagation| propagation != "None") {
                let detail = "may only be specified when mountPropagation is None or not specified";
                problems.push(path.forbidden(detail));
            }
        }
        Some(other) => problems.push(path.not_supported(other, &["Disabled", "Enabled", "IfPossible"])),
    }
}

/// The block devices of a container.
pub(super) fn devices(container: &Value, known: &Volumes<'_>, path: &Path, problems: &mut Problems) {
    let path = path.child("volumeDevices");
    let mounts = by_name(container.list("volumeMounts"), "mountPath");
    let mount_paths: BTreeSet<&str> = mounts.values().copied().collect();
    let (mut paths, mut names) = (BTreeSet::new(), BTreeSet::new());
    for (index, device) in container.list("volumeDevices").iter().enumerate() {
        let at = path.index(index);
        let (name, name_path) = (device.text("name"), at.child("name"));
        let (device_path, device_at) = (device.text("devicePath"), at.child("devicePath"));
        if name.is_empty() {
            problems.push(name_path.required(""));
        }
        if names.contains(name) {
            problems.push(name_path.invalid(name, "must be unique"));
        }
        match known.get(name) {
            None => problems.push(name_path.not_found(name)),
            Some(volume) if volume.field("persistentVolumeClaim").is_none() && volume.field("ephemeral").is_none() => {
                let detail = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode";
                problems.push(name_path.invalid(name, detail));
            }
            Some(_) => {}
        }
        if device_path.is_empty() {
            problems.push(device_at.required(""));
        }
        if paths.contains(device_path) {
            problems.push(device_at.invalid(device_path, "must be unique"));
        }
        if device_path.split('/').any(|part| part == "..") {
            problems.push(device_at.invalid(device_path, "can not contain backsteps ('..')"));
        } else {
            paths.insert(device_path);
        }
        if mounts.contains_key(name) {
            problems.push(name_path.invalid(name, "must not already exist in volumeMounts"));
        }
        if mount_paths.contains(device_path) {
            problems.push(device_at.invalid(device_path, "must not already exist as a path in volumeMounts"));
        }
        if !name.is_empty() {
            names.insert(name);
        }
    }
}
