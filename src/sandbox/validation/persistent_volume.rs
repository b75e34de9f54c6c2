//! Volumes that answer claims.

use serde_json::Value;

use super::Problems;
use super::claim::{VOLUME_MODES, access_modes, class};
use super::drivers;
use super::internal;
use super::meta;
use super::names::{self, NameRule};
use super::numbers;
use super::path::Path;
use super::pod;
use super::read::Read;
use super::resources;
use super::same::same_field;

/// The sources of a volume, in the server's order.
const SOURCES: [&str; 22] = [
    "hostPath",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "glusterfs",
    "flocker",
    "nfs",
    "rbd",
    "quobyte",
    "cephfs",
    "iscsi",
    "cinder",
    "fc",
    "flexVolume",
    "azureFile",
    "vsphereVolume",
    "photonPersistentDisk",
    "portworxVolume",
    "azureDisk",
    "scaleIO",
    "local",
    "storageos",
    "csi",
];

/// A volume.
pub(super) fn of(volume: &Value, problems: &mut Problems) {
    meta::of(volume, false, NameRule::Subdomain, problems);
    let none = Value::Null;
    let spec = volume.field("spec").unwrap_or(&none);
    let path = Path::new("spec");
    access(spec, &path, problems);
    capacity(spec, &path.child("capacity"), problems);
    let policy = spec.text("persistentVolumeReclaimPolicy");
    if !policy.is_empty() {
        let at = path.child("persistentVolumeReclaimPolicy");
        numbers::one_of_if_any(Some(policy), &["Delete", "Recycle", "Retain"], &at, problems);
    }
    if let Some(affinity) = spec.field("nodeAffinity") {
        let at = path.child("nodeAffinity").child("required");
        match affinity.field("required") {
            Some(required) => pod::node_selector(required, &at, problems),
            None => problems.push(at.required("must specify required node constraints")),
        }
    }
    let name = volume.field("metadata").map_or("", |metadata| metadata.text("name"));
    source(name, spec, spec.field("nodeAffinity").is_some(), &path, problems);
    recycled(spec, &path, problems);
    class(spec, "storageClassName", &path, problems);
    numbers::one_of_if_any(spec.maybe_text("volumeMode"), &VOLUME_MODES, &path.child("volumeMode"), problems);
    if let Some(class) = spec.maybe_text("volumeAttributesClassName") {
        let at = path.child("volumeAttributesClassName");
        if class.is_empty() {
            problems.push(at.required("an empty string is disallowed"));
        } else {
            problems.extend(at.each(class, names::subdomain(class)));
        }
        if spec.field("csi").is_none() {
            problems.push(path.child("csi").required("has to be specified when using volumeAttributesClassName"));
        }
    }
}

/// A volume that is written out where it is attached: it has a driver, and little else.
pub(super) fn inline(spec: &Value, path: &Path, problems: &mut Problems) {
    const INLINE: &str = "in the context of inline volumes";
    let absent = |name: &str, problems: &mut Problems| {
        let is_empty =
            |value: &Value| value == "" || value.as_object().is_some_and(|map| map.is_empty() && name == "capacity");
        if spec.field(name).is_some_and(|value| !is_empty(value)) {
            problems.push(path.child(name).forbidden(&format!("may not be specified {INLINE}")));
        }
    };
    absent("claimRef", problems);
    absent("capacity", problems);
    if spec.field("csi").is_none() {
        problems.push(path.child("csi").required(&format!("has to be specified {INLINE}")));
    }
    access(spec, path, problems);
    if !matches!(spec.text("persistentVolumeReclaimPolicy"), "" | "Retain") {
        let at = path.child("persistentVolumeReclaimPolicy");
        problems.push(at.forbidden(&format!("may only be Retain {INLINE}")));
    }
    absent("nodeAffinity", problems);
    source("", spec, false, path, problems);
    recycled(spec, path, problems);
    absent("storageClassName", problems);
    if spec.maybe_text("volumeMode").is_some_and(|mode| mode != "Filesystem") {
        let detail = format!("may not specify volumeMode other than Filesystem {INLINE}");
        problems.push(path.child("volumeMode").forbidden(&detail));
    }
}

fn access(spec: &Value, path: &Path, problems: &mut Problems) {
    if spec.list("accessModes").is_empty() {
        problems.push(path.child("accessModes").required(""));
    }
    access_modes(spec, path, problems);
}

fn capacity(spec: &Value, path: &Path, problems: &mut Problems) {
    let capacity = spec.entries("capacity");
    if capacity.is_empty() {
        problems.push(path.required(""));
    }
    if !capacity.has("storage") || capacity.len() > 1 {
        let shown = spec.field("capacity").cloned().unwrap_or_default();
        problems.push(path.not_supported(shown, &["storage"]));
    }
    for (name, value) in capacity.iter() {
        let at = path.key(name);
        resources::whole_amount(value, &at, problems);
        resources::positive(value, &at, problems);
    }
}

/// The root of a node is not for recycling.
fn recycled(spec: &Value, path: &Path, problems: &mut Problems) {
    let is_root = spec.field("hostPath").is_some_and(|source| {
        let path = source.text("path");
        path.starts_with('/') && path.split('/').all(|part| matches!(part, "" | "." | ".."))
    });
    if is_root && spec.text("persistentVolumeReclaimPolicy") == "Recycle" {
        let at = path.child("persistentVolumeReclaimPolicy");
        problems.push(at.forbidden("may not be 'recycle' for a hostPath mount of '/'"));
    }
}

fn source(name: &str, spec: &Value, has_nodes: bool, path: &Path, problems: &mut Problems) {
    let mut is_first = true;
    for sort in SOURCES {
        let Some(source) = spec.field(sort) else { continue };
        // The server calls some of them otherwise, and takes this one beside others.
        if !is_first && sort != "flexVolume" {
            let at = path.child(if sort == "cephfs" { "cephFS" } else { sort });
            problems.push(at.forbidden("may not specify more than 1 volume type"));
            continue;
        }
        is_first = false;
        let at = path.child(if sort == "gcePersistentDisk" { "persistentDisk" } else { sort });
        match sort {
            "hostPath" => pod::host_path(source, &at, problems),
            "nfs" => {
                for name in ["server", "path"] {
                    if source.text(name).is_empty() {
                        problems.push(at.child(name).required(""));
                    }
                }
                if !source.text("path").starts_with('/') {
                    problems.push(at.child("path").invalid(source.text("path"), "must be an absolute path"));
                }
            }
            "local" => {
                match source.text("path") {
                    "" => problems.push(at.child("path").required("")),
                    text => pod::no_backsteps(text, &at.child("path"), problems),
                }
                if !has_nodes {
                    problems.push(path.child("nodeAffinity").required("Local volume requires node affinity"));
                }
            }
            "csi" => csi(source, &at, problems),
            _ => pod::persistent_storage(sort, source, name, &at, problems),
        }
    }
    if is_first {
        problems.push(path.required("must specify a volume type"));
    }
}

fn csi(source: &Value, path: &Path, problems: &mut Problems) {
    drivers::driver_name(source.text("driver"), &path.child("driver"), problems);
    if source.text("volumeHandle").is_empty() {
        problems.push(path.child("volumeHandle").required(""));
    }
    let secrets =
        ["controllerPublishSecretRef", "controllerExpandSecretRef", "nodePublishSecretRef", "nodeExpandSecretRef"];
    let rules: [(&str, names::Rule); 2] = [("name", names::subdomain), ("namespace", names::label)];
    for secret in secrets {
        let Some(reference) = source.field(secret) else { continue };
        for (name, rule) in rules {
            let at = path.child(secret).child(name);
            match reference.text(name) {
                "" => problems.push(at.required("")),
                text => problems.extend(at.each(text, rule(text))),
            }
        }
    }
}

/// Labels of nodes that may be exchanged for those that replaced them.
const NEWER_LABELS: [(&str, &str); 5] = [
    ("beta.kubernetes.io/arch", "kubernetes.io/arch"),
    ("beta.kubernetes.io/instance-type", "node.kubernetes.io/instance-type"),
    ("beta.kubernetes.io/os", "kubernetes.io/os"),
    ("failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region"),
    ("failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone"),
];

/// The nodes of a volume, with the labels of a change where these may be exchanged. A label that nothing replaced may be
/// exchanged for none, which the server refuses for other reasons.
fn with_newer_labels(old: &Value, new: &Value) -> Value {
    let mut affinity = old.clone();
    let terms = affinity.pointer_mut("/required/nodeSelectorTerms").and_then(Value::as_array_mut);
    for (index, term) in terms.into_iter().flatten().enumerate() {
        for list in ["matchExpressions", "matchFields"] {
            let Some(Value::Array(requirements)) = term.get_mut(list) else { continue };
            for (at, requirement) in requirements.iter_mut().enumerate() {
                let place = format!("/required/nodeSelectorTerms/{index}/{list}/{at}");
                let Some(changed) = new.pointer(&place).map(|changed| changed.text("key")) else { continue };
                let newer = NEWER_LABELS.iter().find(|(older, _)| *older == requirement.text("key"));
                if newer.map_or("", |(_, newer)| newer) == changed
                    && let Some(requirement) = requirement.as_object_mut()
                {
                    requirement.insert("key".to_owned(), Value::from(changed));
                }
            }
        }
    }
    affinity
}

/// Options are for volumes that a node mounts over a network.
pub(super) fn mount_options(volume: &Value, problems: &mut Problems) {
    const OPTIONS: &str = "volume.beta.kubernetes.io/mount-options";
    const WITH_OPTIONS: [&str; 13] = [
        "gcePersistentDisk",
        "awsElasticBlockStore",
        "glusterfs",
        "nfs",
        "rbd",
        "quobyte",
        "iscsi",
        "cinder",
        "cephfs",
        "azureFile",
        "vsphereVolume",
        "azureDisk",
        "photonPersistentDisk",
    ];
    let spec = volume.field("spec").unwrap_or(&Value::Null);
    let has = volume.field("metadata").is_some_and(|metadata| metadata.entries("annotations").has(OPTIONS));
    if has && !WITH_OPTIONS.iter().any(|source| spec.field(source).is_some()) {
        let at = Path::new("metadata").child("annotations").child(OPTIONS);
        problems.push(at.forbidden("may not specify mount options for this volume type"));
    }
}

/// A change of a volume: where it lies stays.
pub(super) fn of_update(live: &Value, volume: &Value, problems: &mut Problems) {
    of(volume, problems);
    let none = Value::Null;
    let before = live.field("spec").unwrap_or(&none);
    let after = volume.field("spec").unwrap_or(&none);
    let sources = |spec: &Value| {
        let mut sources = spec.clone();
        if let Some(map) = sources.as_object_mut() {
            map.retain(|name, _| SOURCES.contains(&name.as_str()));
        }
        sources
    };
    let (old, mut new) = (sources(before), sources(after));
    // A secret for growing may be added later.
    if before.field("csi").is_some_and(|csi| csi.field("controllerExpandSecretRef").is_none())
        && let Some(csi) = new.get_mut("csi").and_then(Value::as_object_mut)
    {
        csi.remove("controllerExpandSecretRef");
    }
    if !internal::equal(internal::VOLUME_SOURCE, &old, &new) {
        let changes = internal::changes(internal::VOLUME_SOURCE, &old, &new);
        let detail = format!("spec.persistentvolumesource is immutable after creation\n{changes}");
        problems.push(Path::new("spec.persistentvolumesource").forbidden(&detail));
    }
    if !same_field("volumeMode", before, after) {
        let mode = after.field("volumeMode").cloned().unwrap_or_default();
        problems.push(Path::new("volumeMode").invalid(mode, "field is immutable"));
    }
    if let Some(old) = before.field("nodeAffinity")
        && !after
            .field("nodeAffinity")
            .is_some_and(|new| internal::equal(internal::VOLUME_AFFINITY, &with_newer_labels(old, new), new))
    {
        let mut problem = Path::new("nodeAffinity")
            .invalid(Value::Null, "field is immutable, except for updating from beta label to GA");
        if let Some(new) = after.field("nodeAffinity") {
            problem.value = Some(internal::shown(internal::VOLUME_AFFINITY, new));
        }
        problems.push(problem);
    }
    if before.field("volumeAttributesClassName").is_some() && after.field("volumeAttributesClassName").is_none() {
        let at = Path::new("spec").child("volumeAttributesClassName");
        problems.push(at.forbidden("update from non-nil value to nil is forbidden"));
    }
}
