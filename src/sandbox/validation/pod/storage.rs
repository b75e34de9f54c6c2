//! Sources of storage that are no longer mounted by Kubernetes itself, but still looked into.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::volumes::required;
use crate::sandbox::validation::Problems;
use crate::sandbox::validation::names;
use crate::sandbox::validation::numbers;
use crate::sandbox::validation::path::Path;
use crate::sandbox::validation::read::Read;

/// Bytes of a volume's name and its portal.
const MOST_PORTAL: usize = 64;

/// Names of initiators, by what they begin with.
static INITIATORS: LazyLock<[(&str, Option<Regex>); 3]> = LazyLock::new(|| {
    [
        ("iqn", Regex::new(r"iqn\.[0-9]{4}-[0-9]{2}\.([a-zA-Z0-9.-]+)(:[^,;*&$|\s]+)$").ok()),
        ("eui", Regex::new("^eui.[a-zA-Z0-9]{16}$").ok()),
        ("naa", Regex::new("^naa.[a-zA-Z0-9]{32}$").ok()),
    ]
});

/// A source of storage.
pub(super) fn storage(sort: &str, source: &Value, path: &Path, problems: &mut Problems) {
    match sort {
        "gcePersistentDisk" | "awsElasticBlockStore" => {
            let name = if sort == "gcePersistentDisk" { "pdName" } else { "volumeID" };
            required(source, &[name], path, problems);
            if let Some(partition) = source.number("partition").filter(|number| !(0..=255).contains(number)) {
                problems.push(path.child("partition").invalid(partition, "must be between 1 and 255, inclusive"));
            }
        }
        "iscsi" => iscsi(source, "must be valid format starting with iqn, eui, or naa", path, problems),
        "glusterfs" => required(source, &["endpoints", "path"], path, problems),
        "flocker" => flocker(source, path, problems),
        "rbd" => {
            listed(source, "monitors", path, problems);
            required(source, &["image"], path, problems);
        }
        "cinder" => {
            required(source, &["volumeID"], path, problems);
            named_secret(source, path, problems);
        }
        "cephfs" => listed(source, "monitors", path, problems),
        "quobyte" => quobyte(source, path, problems),
        "fc" => fibre_channel(source, path, problems),
        "flexVolume" => {
            required(source, &["driver"], path, problems);
            for (key, _) in source.entries("options").iter() {
                let namespace = format!(".{}", key.split('/').next().unwrap_or(key).to_lowercase());
                if namespace.ends_with(".kubernetes.io") || namespace.ends_with(".k8s.io") {
                    let detail = "kubernetes.io and k8s.io namespaces are reserved";
                    problems.push(path.child("options").key(key).invalid(key, detail));
                }
            }
        }
        "azureFile" => required(source, &["secretName", "shareName"], path, problems),
        "vsphereVolume" => required(source, &["volumePath"], path, problems),
        "photonPersistentDisk" => required(source, &["pdID"], path, problems),
        "portworxVolume" => required(source, &["volumeID"], path, problems),
        "azureDisk" => azure_disk(source, path, problems),
        "storageos" => {
            let name = source.text("volumeName");
            if name.is_empty() {
                problems.push(path.child("volumeName").required(""));
            } else {
                problems.extend(path.child("volumeName").each(name, names::label(name)));
            }
            let namespace = source.text("volumeNamespace");
            if !namespace.is_empty() {
                problems.extend(path.child("volumeNamespace").each(namespace, names::label(namespace)));
            }
            named_secret(source, path, problems);
        }
        "scaleIO" => required(source, &["gateway", "system", "volumeName"], path, problems),
        _ => {}
    }
}

/// A source of storage of a volume of its own, which may say in which namespace something is.
pub(in crate::sandbox::validation) fn persistent(
    sort: &str,
    source: &Value,
    volume: &str,
    path: &Path,
    problems: &mut Problems,
) {
    if sort == "iscsi" {
        let portal = source.text("targetPortal");
        if source.field("initiatorName").is_some() {
            let at = path.child("targetportal");
            problems.extend(long_portal(volume, portal).map(|detail| at.invalid(portal, detail)));
        }
        iscsi(source, "must be valid format", path, problems);
        named_secret(source, path, problems);
        return;
    }
    storage(sort, source, path, problems);
    match sort {
        "glusterfs" => {
            let at = path.child("endpointsNamespace");
            match source.maybe_text("endpointsNamespace") {
                Some("") => {
                    let detail = "if the endpointnamespace is set, it must be a valid namespace name";
                    problems.push(at.invalid("", detail));
                }
                Some(namespace) => problems.extend(at.each(namespace, names::label(namespace))),
                None => {}
            }
        }
        "azureFile" if source.maybe_text("secretNamespace") == Some("") => {
            problems.push(path.child("secretNamespace").required(""));
        }
        "cinder" | "storageos"
            if source.field("secretRef").is_some_and(|secret| secret.text("namespace").is_empty()) =>
        {
            problems.push(path.child("secretRef").child("namespace").required(""));
        }
        _ => {}
    }
}

/// Tells of a portal that is too long together with the name of its volume.
pub(super) fn long_portal(volume: &str, portal: &str) -> Option<&'static str> {
    (volume.len() + 1 + portal.len() > MOST_PORTAL).then_some(
        "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.",
    )
}

fn listed(source: &Value, name: &str, path: &Path, problems: &mut Problems) {
    if source.list(name).is_empty() {
        problems.push(path.child(name).required(""));
    }
}

fn named_secret(source: &Value, path: &Path, problems: &mut Problems) {
    if source.field("secretRef").is_some_and(|secret| secret.text("name").is_empty()) {
        problems.push(path.child("secretRef").child("name").required(""));
    }
}

fn iscsi(source: &Value, unknown: &str, path: &Path, problems: &mut Problems) {
    required(source, &["targetPortal", "iqn"], path, problems);
    if !source.text("iqn").is_empty() {
        initiator(source.text("iqn"), unknown, &path.child("iqn"), problems);
    }
    if let Some(unit) = source.number("lun").filter(|number| !(0..=255).contains(number)) {
        problems.push(path.child("lun").invalid(unit, "must be between 0 and 255, inclusive"));
    }
    let asks = source.flag("chapAuthDiscovery") || source.flag("chapAuthSession");
    if asks && source.field("secretRef").is_none() {
        problems.push(path.child("secretRef").required(""));
    }
    if let Some(name) = source.maybe_text("initiatorName") {
        initiator(name, unknown, &path.child("initiatorname"), problems);
    }
}

fn initiator(name: &str, unknown: &str, path: &Path, problems: &mut Problems) {
    match INITIATORS.iter().find(|(prefix, _)| name.starts_with(prefix)) {
        None => problems.push(path.invalid(name, unknown)),
        Some((_, Some(form))) if !form.is_match(name) => problems.push(path.invalid(name, "must be valid format")),
        Some(_) => {}
    }
}

fn flocker(source: &Value, path: &Path, problems: &mut Problems) {
    let (name, uuid) = (source.text("datasetName"), source.text("datasetUUID"));
    match (name.is_empty(), uuid.is_empty()) {
        (true, true) => problems.push(path.required("one of datasetName and datasetUUID is required")),
        (false, false) => {
            problems.push(path.invalid("resource", "datasetName and datasetUUID can not be specified simultaneously"));
        }
        _ => {}
    }
    if name.contains('/') {
        problems.push(path.child("datasetName").invalid(name, "must not contain '/'"));
    }
}

fn quobyte(source: &Value, path: &Path, problems: &mut Problems) {
    const PAIRS: &str = "must be a host:port pair or multiple pairs separated by commas";
    let registry = source.text("registry");
    let at = path.child("registry");
    if registry.is_empty() {
        problems.push(at.required(PAIRS));
    } else if source.text("tenant").len() >= 65 {
        let detail = "must be a UUID and may not exceed a length of 64 characters";
        problems.push(path.child("tenant").required(detail));
    } else {
        let is_pair = |pair: &str| match pair.strip_prefix('[') {
            Some(rest) => rest.split_once("]:").is_some_and(|(_, port)| !port.contains([':', '[', ']'])),
            None => pair.matches(':').count() == 1 && !pair.contains(['[', ']']),
        };
        for _ in registry.split(',').filter(|pair| !is_pair(pair)) {
            problems.push(at.invalid(registry, PAIRS));
        }
    }
    required(source, &["volume"], path, problems);
}

fn fibre_channel(source: &Value, path: &Path, problems: &mut Problems) {
    let targets = source.list("targetWWNs");
    let at = path.child("targetWWNs");
    match (targets.is_empty(), source.list("wwids").is_empty()) {
        (true, true) => problems.push(at.required("must specify either targetWWNs or wwids, but not both")),
        (false, false) => {
            let detail = "targetWWNs and wwids can not be specified simultaneously";
            problems.push(at.invalid(Value::from(targets), detail));
        }
        _ => {}
    }
    if targets.is_empty() {
        return;
    }
    match source.number("lun") {
        None => problems.push(path.child("lun").required("lun is required if targetWWNs is specified")),
        Some(unit) if !(0..=255).contains(&unit) => {
            problems.push(path.child("lun").invalid(unit, "must be between 0 and 255, inclusive"));
        }
        Some(_) => {}
    }
}

fn azure_disk(source: &Value, path: &Path, problems: &mut Problems) {
    required(source, &["diskName", "diskURI"], path, problems);
    let modes = ["None", "ReadOnly", "ReadWrite"];
    numbers::one_of_if_any(source.maybe_text("cachingMode"), &modes, &path.child("cachingMode"), problems);
    let Some(kind) = source.maybe_text("kind") else { return };
    numbers::one_of_if_any(Some(kind), &["Dedicated", "Managed", "Shared"], &path.child("kind"), problems);
    let (begins, form) = match kind {
        "Managed" => (
            "/subscriptions/",
            "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}",
        ),
        _ => ("https://", "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"),
    };
    let address = source.text("diskURI");
    if !address.starts_with(begins) {
        problems.push(path.child("diskURI").not_supported(address, &[form]));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(sort: &str, source: &Value) -> Vec<String> {
        let mut problems = Vec::new();
        storage(sort, source, &Path::new(sort), &mut problems);
        problems.iter().map(|problem| format!("{}: {}", problem.field, problem.detail)).collect()
    }

    #[test]
    fn sources_of_storage_are_looked_into() {
        let sound = json!({"targetPortal": "p", "iqn": "iqn.2001-04.com.example:disk", "lun": 0});
        assert!(told("iscsi", &sound).is_empty());
        let iqn = json!({"targetPortal": "p", "iqn": "1", "lun": 0});
        assert_eq!(told("iscsi", &iqn), ["iscsi.iqn: must be valid format starting with iqn, eui, or naa"]);
        assert_eq!(told("rbd", &json!({"image": "i"})), ["rbd.monitors: "]);
        let neither = ["fc.targetWWNs: must specify either targetWWNs or wwids, but not both"];
        assert_eq!(told("fc", &json!({"lun": 1})), neither);
    }

    #[test]
    fn volumes_of_their_own_say_in_which_namespace_something_is() {
        let told = |sort: &str, source: Value| -> Vec<String> {
            let mut problems = Vec::new();
            persistent(sort, &source, &"v".repeat(60), &Path::new(sort), &mut problems);
            problems.iter().map(|problem| format!("{}: {}", problem.field, problem.detail)).collect()
        };
        assert_eq!(
            told(
                "iscsi",
                json!({"targetPortal": "portal", "iqn": "x", "initiatorName": "iqn.2001-04.com.example:disk"})
            ),
            [
                "iscsi.targetportal: Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if \
                 iscsi.initiatorName is specified.",
                "iscsi.iqn: must be valid format",
            ]
        );
        assert_eq!(
            told("cinder", json!({"volumeID": "v", "secretRef": {"name": "s"}})),
            ["cinder.secretRef.namespace: "]
        );
        assert_eq!(
            told("glusterfs", json!({"endpoints": "e", "path": "p", "endpointsNamespace": "a.b"})),
            ["glusterfs.endpointsNamespace: must not contain dots"]
        );
    }
}
