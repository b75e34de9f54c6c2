//! Claims to storage and the volumes that answer them.

use serde_json::Value;

use super::Problems;
use super::internal;
use super::meta;
use super::names::{self, NameRule};
use super::numbers;
use super::path::Path;
use super::pod;
use super::read::{Read, texts};
use super::resources;
use super::same::same_field;
use super::selector;

const ACCESS_MODES: [&str; 4] = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
const VOLUME_MODES: [&str; 2] = ["Block", "Filesystem"];
const MOST_DRIVER: usize = 63;
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

/// A claim.
pub(super) fn of(claim: &Value, problems: &mut Problems) {
    meta::of(claim, true, NameRule::Subdomain, problems);
    if let Some(spec) = claim.field("spec") {
        of_spec(spec, &Path::new("spec"), problems);
    }
}

/// A template of claims within a Pod.
pub(super) fn template(template: &Value, path: &Path, problems: &mut Problems) {
    let none = Value::Null;
    let metadata = template.field("metadata").unwrap_or(&none);
    let at = path.child("metadata");
    meta::annotations(metadata, &at, problems);
    meta::labels(metadata, "labels", &at, problems);
    for name in ["name", "generateName", "namespace", "uid", "resourceVersion", "ownerReferences", "finalizers"] {
        if metadata.field(name).is_some() {
            problems.push(at.child(name).forbidden("cannot be set"));
        }
    }
    of_spec(template.field("spec").unwrap_or(&none), &path.child("spec"), problems);
}

fn access_modes(spec: &Value, path: &Path, problems: &mut Problems) {
    let path = path.child("accessModes");
    let modes: Vec<&str> = texts(spec.list("accessModes")).collect();
    for mode in &modes {
        numbers::one_of_if_any(Some(mode), &ACCESS_MODES, &path, problems);
    }
    let is_for_one_pod = |mode: &&str| *mode == "ReadWriteOncePod";
    if modes.iter().any(is_for_one_pod) && modes.iter().any(|mode| !is_for_one_pod(mode) && ACCESS_MODES.contains(mode))
    {
        problems.push(path.forbidden("may not use ReadWriteOncePod with other access modes"));
    }
}

/// What is claimed.
pub(super) fn of_spec(spec: &Value, path: &Path, problems: &mut Problems) {
    if spec.list("accessModes").is_empty() {
        problems.push(path.child("accessModes").required("at least 1 access mode is required"));
    }
    if let Some(selector) = spec.field("selector") {
        selector::of(selector, &path.child("selector"), problems);
    }
    access_modes(spec, path, problems);
    let at = path.child("resources").key("storage");
    match spec.below(&["resources", "requests", "storage"]) {
        None => problems.push(at.required("")),
        Some(amount) => {
            resources::positive(amount, &at, problems);
        }
    }
    class(spec, "storageClassName", path, problems);
    numbers::one_of_if_any(spec.maybe_text("volumeMode"), &VOLUME_MODES, &path.child("volumeMode"), problems);
    for name in ["dataSource", "dataSourceRef"] {
        if let Some(source) = spec.field(name) {
            data_source(source, &path.child(name), problems);
        }
    }
    if let (Some(source), Some(reference)) = (spec.field("dataSource"), spec.field("dataSourceRef")) {
        let is_elsewhere = !reference.text("namespace").is_empty();
        let is_same = ["apiGroup", "kind", "name"].iter().all(|name| source.field(name) == reference.field(name));
        let detail = match (is_elsewhere, is_same) {
            (true, _) => "may not be specified when dataSourceRef.namespace is specified",
            (false, false) => "must match dataSourceRef",
            (false, true) => "",
        };
        if !detail.is_empty() {
            // A path is shown where the value is meant, and a path has nothing to show.
            problems.push(path.invalid(Value::Object(serde_json::Map::new()), detail));
        }
    }
    class(spec, "volumeAttributesClassName", path, problems);
}

fn class(spec: &Value, name: &str, path: &Path, problems: &mut Problems) {
    let class = spec.text(name);
    if !class.is_empty() {
        problems.extend(path.child(name).each(class, names::subdomain(class)));
    }
}

fn data_source(source: &Value, path: &Path, problems: &mut Problems) {
    for name in ["name", "kind"] {
        if source.text(name).is_empty() {
            problems.push(path.child(name).required(""));
        }
    }
    let group = source.text("apiGroup");
    let kind = source.text("kind");
    if group.is_empty() && kind != "PersistentVolumeClaim" {
        let detail = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
        problems.push(path.invalid(kind, detail));
    }
    if !group.is_empty() {
        problems.extend(path.child("apiGroup").each(group, names::subdomain(group)));
    }
    let namespace = source.text("namespace");
    if !namespace.is_empty() {
        problems.extend(path.child("namespace").each(namespace, names::label(namespace)));
    }
}

/// A change of a claim: once it is bound it may only grow.
pub(super) fn of_update(live: &Value, claim: &Value, problems: &mut Problems) {
    meta::of_update(live, claim, problems);
    of(claim, problems);
    let none = Value::Null;
    let before = live.field("spec").unwrap_or(&none);
    let after = claim.field("spec").unwrap_or(&none);
    let mut compared = after.clone();
    let mut old = before.clone();
    let is_bound = claim.below(&["status", "phase"]).and_then(Value::as_str) == Some("Bound");
    if let (Some(compared), Some(old)) = (compared.as_object_mut(), old.as_object_mut()) {
        // A volume may be found, and a class be given where none was.
        if before.text("volumeName").is_empty() {
            old.insert("volumeName".to_owned(), compared.get("volumeName").cloned().unwrap_or_default());
        }
        if before.field("storageClassName").is_none() && after.field("storageClassName").is_some() {
            compared.remove("storageClassName");
        }
        if is_bound {
            let class = old.get("volumeAttributesClassName").cloned().unwrap_or_default();
            compared.insert("volumeAttributesClassName".to_owned(), class);
        }
    }
    if is_bound
        && let Some(requests) = compared.pointer_mut("/resources/requests").and_then(Value::as_object_mut)
        && let Some(amount) = before.below(&["resources", "requests", "storage"])
    {
        requests.insert("storage".to_owned(), amount.clone());
    }
    let path = Path::new("spec");
    if !internal::equal(internal::CLAIM_SPEC, &old, &compared) {
        let detail =
            "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
        let changes = internal::changes(internal::CLAIM_SPEC, &old, &compared);
        problems.push(path.forbidden(&format!("{detail}\n{changes}")));
    }
    // What is missing is none.
    let amount = |value: Option<&Value>| value.and_then(resources::quantity).map_or(0, |amount| amount.nano());
    let requested = |spec: &Value| amount(spec.below(&["resources", "requests", "storage"]));
    let capacity = amount(live.below(&["status", "capacity", "storage"]));
    if requested(after) < requested(before) && requested(after) <= capacity {
        let at = path.child("resources").child("requests").child("storage");
        problems.push(at.forbidden("field can not be less than status.capacity"));
    }
    if !same_field("volumeMode", before, after) {
        let mode = after.field("volumeMode").cloned().unwrap_or_default();
        problems.push(Path::new("volumeMode").invalid(mode, "field is immutable"));
    }
}

/// The name of a CSI driver.
pub(super) fn driver(name: &str, path: &Path, problems: &mut Problems) {
    if name.is_empty() {
        problems.push(path.required(""));
        return;
    }
    if name.len() > MOST_DRIVER {
        problems.push(path.too_long(MOST_DRIVER));
    }
    problems.extend(path.each(name, names::subdomain(&name.to_lowercase())));
}

/// A volume.
pub(super) fn of_volume(volume: &Value, problems: &mut Problems) {
    meta::of(volume, false, NameRule::Subdomain, problems);
    let none = Value::Null;
    let spec = volume.field("spec").unwrap_or(&none);
    let path = Path::new("spec");
    if spec.list("accessModes").is_empty() {
        problems.push(path.child("accessModes").required(""));
    }
    access_modes(spec, &path, problems);
    let capacity = spec.entries("capacity");
    let at = path.child("capacity");
    if capacity.is_empty() {
        problems.push(at.required(""));
    }
    if !capacity.has("storage") || capacity.len() > 1 {
        let shown = spec.field("capacity").cloned().unwrap_or_default();
        problems.push(at.not_supported(shown, &["storage"]));
    }
    for (name, value) in capacity.iter() {
        let at = at.key(name);
        let whole = resources::quantity(value).map_or(0, |quantity| quantity.value());
        if whole < 0 {
            problems.push(at.invalid(i64::try_from(whole).unwrap_or(i64::MIN), "must be a valid resource quantity"));
        }
        resources::positive(value, &at, problems);
    }
    let policy = spec.text("persistentVolumeReclaimPolicy");
    let at = path.child("persistentVolumeReclaimPolicy");
    if !policy.is_empty() {
        numbers::one_of_if_any(Some(policy), &["Delete", "Recycle", "Retain"], &at, problems);
    }
    if let Some(affinity) = spec.field("nodeAffinity") {
        let at = path.child("nodeAffinity").child("required");
        match affinity.field("required") {
            Some(required) => pod::node_selector(required, &at, problems),
            None => problems.push(at.required("must specify required node constraints")),
        }
    }
    source(spec, &path, problems);
    let is_root = spec.field("hostPath").is_some_and(|source| {
        let path = source.text("path");
        path.starts_with('/') && path.split('/').all(|part| matches!(part, "" | "." | ".."))
    });
    if is_root && policy == "Recycle" {
        problems.push(at.forbidden("may not be 'recycle' for a hostPath mount of '/'"));
    }
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

fn source(spec: &Value, path: &Path, problems: &mut Problems) {
    let mut is_first = true;
    for sort in SOURCES {
        let Some(source) = spec.field(sort) else { continue };
        let at = path.child(sort);
        if !is_first {
            problems.push(at.forbidden("may not specify more than 1 volume type"));
            continue;
        }
        is_first = false;
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
                if spec.field("nodeAffinity").is_none() {
                    problems.push(path.child("nodeAffinity").required("Local volume requires node affinity"));
                }
            }
            "csi" => csi(source, &at, problems),
            _ => pod::storage(sort, source, &at, problems),
        }
    }
    if is_first {
        problems.push(path.required("must specify a volume type"));
    }
}

fn csi(source: &Value, path: &Path, problems: &mut Problems) {
    driver(source.text("driver"), &path.child("driver"), problems);
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
pub(super) fn of_volume_update(live: &Value, volume: &Value, problems: &mut Problems) {
    of_volume(volume, problems);
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
