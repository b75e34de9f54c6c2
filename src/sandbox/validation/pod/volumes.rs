//! Volumes of Pods: exactly one source each, and what the common sources ask for.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::environment;
use super::projected;
use super::security;
use super::storage::{long_portal, storage};
use crate::sandbox::validation::Problems;
use crate::sandbox::validation::claim;
use crate::sandbox::validation::drivers;
use crate::sandbox::validation::names;
use crate::sandbox::validation::numbers;
use crate::sandbox::validation::path::Path;
use crate::sandbox::validation::read::Read;
use crate::sandbox::validation::resources;

/// The sources in the server's order, each with the name under which a second one is refused.
const SOURCES: [(&str, &str); 30] = [
    ("emptyDir", "emptyDir"),
    ("hostPath", "hostPath"),
    ("gitRepo", "gitRepo"),
    ("gcePersistentDisk", "gcePersistentDisk"),
    ("awsElasticBlockStore", "awsElasticBlockStore"),
    ("secret", "secret"),
    ("nfs", "nfs"),
    ("iscsi", "iscsi"),
    ("glusterfs", "glusterfs"),
    ("flocker", "flocker"),
    ("persistentVolumeClaim", "persistentVolumeClaim"),
    ("rbd", "rbd"),
    ("cinder", "cinder"),
    ("cephfs", "cephFS"),
    ("quobyte", "quobyte"),
    ("downwardAPI", "downwarAPI"),
    ("fc", "fc"),
    ("flexVolume", "flexVolume"),
    ("configMap", "configMap"),
    ("azureFile", "azureFile"),
    ("vsphereVolume", "vsphereVolume"),
    ("photonPersistentDisk", "photonPersistentDisk"),
    ("portworxVolume", "portworxVolume"),
    ("azureDisk", "azureDisk"),
    ("storageos", "storageos"),
    ("projected", "projected"),
    ("scaleIO", "scaleIO"),
    ("csi", "csi"),
    ("ephemeral", "ephemeral"),
    ("image", "image"),
];
/// Volumes by their names.
pub(super) type Volumes<'a> = BTreeMap<&'a str, &'a Value>;

const HOST_PATH_TYPES: [&str; 8] =
    ["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"];

/// The volumes of a Pod. Returns those that are sound by their names: others cannot be mounted.
pub(super) fn of<'a>(spec: &'a Value, pod: Option<&str>, path: &Path, problems: &mut Problems) -> Volumes<'a> {
    let volumes = spec.list("volumes");
    let made: BTreeSet<String> = match pod {
        Some(pod) if !pod.is_empty() => volumes
            .iter()
            .filter(|volume| volume.field("ephemeral").is_some())
            .map(|volume| format!("{pod}-{}", volume.text("name")))
            .collect(),
        _ => BTreeSet::new(),
    };
    let mut sound = Volumes::new();
    for (index, volume) in volumes.iter().enumerate() {
        let at = path.index(index);
        let before = problems.len();
        source(volume, pod, &at, problems);
        let name = volume.text("name");
        let name_path = at.child("name");
        if name.is_empty() {
            problems.push(name_path.required(""));
        } else {
            problems.extend(name_path.each(name, names::label(name)));
        }
        if sound.contains_key(name) {
            problems.push(name_path.duplicate(name));
        }
        if problems.len() == before {
            sound.insert(name, volume);
        }
        let claim = volume.field("persistentVolumeClaim").map_or("", |source| source.text("claimName"));
        if made.contains(claim) {
            let detail = "must not reference a PVC that gets created for an ephemeral volume";
            problems.push(at.child("persistentVolumeClaim").child("claimName").invalid(claim, detail));
        }
    }
    sound
}

fn source(volume: &Value, pod: Option<&str>, path: &Path, problems: &mut Problems) {
    let mut is_first = true;
    for (sort, called) in SOURCES {
        let Some(source) = volume.field(sort) else { continue };
        if is_first {
            look_into(sort, source, volume.text("name"), pod, path, problems);
        } else {
            problems.push(path.child(called).forbidden("may not specify more than 1 volume type"));
        }
        is_first = false;
    }
    if is_first {
        problems.push(path.required("must specify a volume type"));
    }
}

fn look_into(sort: &str, source: &Value, volume: &str, pod: Option<&str>, path: &Path, problems: &mut Problems) {
    // This is the one that the server calls otherwise.
    let at = path.child(if sort == "gcePersistentDisk" { "persistentDisk" } else { sort });
    match sort {
        "emptyDir" => {
            let limit = source.field("sizeLimit").and_then(resources::quantity);
            if limit.is_some_and(|limit| limit.nano() < 0) {
                let detail = "SizeLimit field must be a valid resource quantity";
                problems.push(at.child("sizeLimit").forbidden(detail));
            }
        }
        "hostPath" => host_path(source, &at, problems),
        "gitRepo" => {
            required(source, &["repository"], &at, problems);
            descending_path(source.text("directory"), &at.child("directory"), problems);
        }
        "secret" => {
            required(source, &["secretName"], &at, problems);
            keyed(source, &at, problems);
        }
        "configMap" => {
            required(source, &["name"], &at, problems);
            keyed(source, &at, problems);
        }
        "nfs" => {
            required(source, &["server", "path"], &at, problems);
            if !source.text("path").starts_with('/') {
                problems.push(at.child("path").invalid(source.text("path"), "must be an absolute path"));
            }
        }
        "persistentVolumeClaim" => required(source, &["claimName"], &at, problems),
        "downwardAPI" => {
            numbers::file_mode(source.number("defaultMode"), &at.child("defaultMode"), problems);
            for file in source.list("items") {
                downward_file(file, &at, problems);
            }
        }
        "projected" => projected::of(source, &at, problems),
        "csi" => csi(source, &at, problems),
        "ephemeral" => {
            match source.field("volumeClaimTemplate") {
                Some(template) => claim::template(template, &at.child("volumeClaimTemplate"), problems),
                None => problems.push(at.child("volumeClaimTemplate").required("")),
            }
            if let Some(pod) = pod.filter(|pod| !pod.is_empty() && !volume.is_empty()) {
                let claim = format!("{pod}-{volume}");
                for message in names::subdomain(&claim) {
                    let detail = format!("PVC name {claim:?}: {message}");
                    problems.push(path.child("name").invalid(volume, &detail));
                }
            }
        }
        "image" => {
            if pod.is_some() {
                required(source, &["reference"], &at, problems);
            }
            security::pull_policy(source.text("pullPolicy"), &at.child("pullPolicy"), problems);
        }
        _ => {
            storage(sort, source, &at, problems);
            let portal = source.text("targetPortal");
            if sort == "iscsi" && source.field("initiatorName").is_some() {
                problems.extend(long_portal(volume, portal).map(|detail| path.child("name").invalid(volume, detail)));
            }
        }
    }
}

/// Texts that must be there.
pub(super) fn required(source: &Value, names: &[&str], path: &Path, problems: &mut Problems) {
    for name in names.iter().filter(|name| source.text(name).is_empty()) {
        problems.push(path.child(name).required(""));
    }
}

/// A path on the node.
pub(in crate::sandbox::validation) fn host_path(source: &Value, path: &Path, problems: &mut Problems) {
    let text = source.text("path");
    if text.is_empty() {
        problems.push(path.child("path").required(""));
        return;
    }
    no_backsteps(text, &path.child("path"), problems);
    numbers::one_of_if_any(source.maybe_text("type"), &HOST_PATH_TYPES, &path.child("type"), problems);
}

fn keyed(source: &Value, path: &Path, problems: &mut Problems) {
    numbers::file_mode(source.number("defaultMode"), &path.child("defaultMode"), problems);
    for (index, item) in source.list("items").iter().enumerate() {
        key_to_path(item, &path.child("items").index(index), problems);
    }
}

/// A key and the file that it becomes.
pub(super) fn key_to_path(item: &Value, path: &Path, problems: &mut Problems) {
    required(item, &["key", "path"], path, problems);
    local_path(item.text("path"), &path.child("path"), problems);
    numbers::file_mode(item.number("mode"), &path.child("mode"), problems);
}

/// A file with something that is known about the Pod.
pub(super) fn downward_file(file: &Value, path: &Path, problems: &mut Problems) {
    required(file, &["path"], path, problems);
    local_path(file.text("path"), &path.child("path"), problems);
    match (file.field("fieldRef"), file.field("resourceFieldRef")) {
        (Some(field), amount) => {
            environment::field_in_volume(field, &path.child("fieldRef"), problems);
            if amount.is_some() {
                let detail = "fieldRef and resourceFieldRef can not be specified simultaneously";
                problems.push(path.invalid("resource", detail));
            }
        }
        (None, Some(amount)) => environment::amount_in_volume(amount, &path.child("resourceFieldRef"), problems),
        (None, None) => problems.push(path.required("one of fieldRef and resourceFieldRef is required")),
    }
    numbers::file_mode(file.number("mode"), &path.child("mode"), problems);
}

fn csi(source: &Value, path: &Path, problems: &mut Problems) {
    drivers::driver_name(source.text("driver"), &path.child("driver"), problems);
    if let Some(secret) = source.field("nodePublishSecretRef") {
        let name = secret.text("name");
        if name.is_empty() {
            problems.push(path.child("nodePublishSecretRef").child("name").required(""));
        } else {
            problems.extend(path.child("name").each(name, names::subdomain(name)));
        }
    }
}

/// A path that does not lead upwards.
pub(in crate::sandbox::validation) fn no_backsteps(text: &str, path: &Path, problems: &mut Problems) {
    if text.split('/').any(|part| part == "..") {
        problems.push(path.invalid(text, "must not contain '..'"));
    }
}

/// A path below something.
pub(super) fn descending_path(text: &str, path: &Path, problems: &mut Problems) {
    if text.starts_with('/') {
        problems.push(path.invalid(text, "must be a relative path"));
    }
    no_backsteps(text, path, problems);
}

/// A path below something, in a name that nothing else uses.
pub(super) fn local_path(text: &str, path: &Path, problems: &mut Problems) {
    descending_path(text, path, problems);
    if text.starts_with("..") && !text.starts_with("../") {
        problems.push(path.invalid(text, "must not start with '..'"));
    }
}
