//! What a client is warned of though its object is taken: the strategies' `WarningsOnCreate` and `WarningsOnUpdate`.
//!
//! Of the warnings about pods those that need no more than a look at the template are here: names of pods, plugins of
//! volumes that are gone, constraints that match nothing.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::metadata;
use crate::sandbox::kind::Kind;

/// Plugins of volumes that are deprecated, in the order in which the server looks for them.
const OLD_VOLUMES: [(&str, &str); 9] = [
    ("photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"),
    ("gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"),
    ("scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
    ("flocker", "deprecated in v1.22, non-functional in v1.25+"),
    ("storageos", "deprecated in v1.22, non-functional in v1.25+"),
    ("quobyte", "deprecated in v1.22, non-functional in v1.25+"),
    ("glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
    ("cephfs", "deprecated in v1.28, non-functional in v1.31+"),
    ("rbd", "deprecated in v1.28, non-functional in v1.31+"),
];

/// Returns what the writer of an object is warned of.
pub(super) fn of_write(kind: &Kind, subresource: Option<&str>, live: Option<&Value>, object: &Value) -> Vec<String> {
    if subresource.is_some() {
        return Vec::new();
    }
    if kind.custom.is_some() {
        return unqualified_finalizers(live, object);
    }
    let mut warnings = Vec::new();
    match (kind.group.as_str(), kind.kind.as_str(), live) {
        ("apps", "Deployment" | "ReplicaSet", None)
        | ("batch", "Job" | "CronJob", None)
        | ("", "ReplicationController", None) => warnings.extend(unfit_name(object, "Pod names and hostnames")),
        ("", "Pod", None) => warnings.extend(unfit_name(object, "the Pod's hostname")),
        ("", "Secret", _) => warnings.extend(unreadable_certificate(object)),
        ("storage.k8s.io", "CSIDriver", _) => warnings.extend(unset_token_place(live, object)),
        _ => {}
    }
    if let Some((path, template)) = template_of(kind, object)
        && live.is_none_or(|live| template_of(kind, live).map(|(_, before)| before) != Some(template))
    {
        warnings.extend(old_parts(path, template));
    }
    warnings
}

/// Names of pods begin with this one, and are names of hosts as well.
fn unfit_name(object: &Value, whose: &str) -> Option<String> {
    let name = metadata::text(object, "name");
    let mut problems = Vec::new();
    if name.len() > 63 {
        problems.push("must be no more than 63 characters");
    }
    if name.contains('.') {
        problems.push("must not contain dots");
    }
    (!problems.is_empty()).then(|| {
        format!(
            "metadata.name: this is used in {whose}, which can result in surprising behavior; a DNS label is recommended: [{}]",
            problems.join(" ")
        )
    })
}

fn unqualified_finalizers(live: Option<&Value>, object: &Value) -> Vec<String> {
    let finalizers = |object: &Value| -> BTreeSet<String> {
        let listed = object.pointer("/metadata/finalizers").and_then(Value::as_array);
        listed.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let before = live.map(finalizers).unwrap_or_default();
    let added = finalizers(object);
    let standing = ["foregroundDeletion", "orphan", "kubernetes"];
    added
        .difference(&before)
        .filter(|finalizer| !finalizer.contains('/') && !standing.contains(&finalizer.as_str()))
        .map(|finalizer| {
            format!(
                "metadata.finalizers: {finalizer:?}: prefer a domain-qualified finalizer name to avoid accidental conflicts \
                 with other finalizer writers"
            )
        })
        .collect()
}

/// Only what is no PEM at all is told: the rest needs a reader of certificates.
fn unreadable_certificate(object: &Value) -> Option<String> {
    if object.get("type").and_then(Value::as_str) != Some("kubernetes.io/tls") {
        return None;
    }
    let encoded = object.pointer("/data/tls.crt").and_then(Value::as_str).unwrap_or_default();
    let bytes = STANDARD.decode(encoded).unwrap_or_default();
    let has_block = String::from_utf8_lossy(&bytes).contains("-----BEGIN");
    (!has_block).then(|| "tls: failed to find any PEM data in certificate input".to_owned())
}

/// Tokens that a driver asks for from now on, and may get where they are logged.
fn unset_token_place(live: Option<&Value>, object: &Value) -> Option<String> {
    let asked = |object: &Value| {
        let asked = object.pointer("/spec/tokenRequests").and_then(Value::as_array).cloned();
        asked.filter(|asked| !asked.is_empty())
    };
    let asks = asked(object).is_some() && live.is_none_or(|live| asked(live) != asked(object));
    let is_unset = object.pointer("/spec/serviceAccountTokenInSecrets").is_none_or(Value::is_null);
    (asks && is_unset).then(|| {
        "spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible \
         logging of tokens in volume attributes"
            .to_owned()
    })
}

/// Where an object has its pods, and what it says of them.
fn template_of<'a>(kind: &Kind, object: &'a Value) -> Option<(&'static str, &'a Value)> {
    let (path, pointer) = match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Pod") => ("", ""),
        ("", "PodTemplate") => ("template.", "/template"),
        ("apps", "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet")
        | ("batch", "Job")
        | ("", "ReplicationController") => ("spec.template.", "/spec/template"),
        ("batch", "CronJob") => ("spec.jobTemplate.spec.template.", "/spec/jobTemplate/spec/template"),
        _ => return None,
    };
    Some((path, object.pointer(pointer)?.get("spec")?))
}

fn old_parts(path: &str, pods: &Value) -> Vec<String> {
    let list = |pointer: &str| pods.pointer(pointer).and_then(Value::as_array).into_iter().flatten().enumerate();
    let unselecting = |constraint: &Value| constraint.get("labelSelector").is_none_or(Value::is_null);
    let nothing = "a null labelSelector results in matching no pod";
    let mut warnings = Vec::new();
    for (index, constraint) in list("/topologySpreadConstraints") {
        if unselecting(constraint) {
            warnings.push(format!("{path}spec.topologySpreadConstraints[{index}].labelSelector: {nothing}"));
        }
    }
    for (index, volume) in list("/volumes") {
        for (plugin, what) in OLD_VOLUMES {
            if volume.get(plugin).is_some_and(|plugin| !plugin.is_null()) {
                warnings.push(format!("{path}spec.volumes[{index}].{plugin}: {what}"));
            }
        }
    }
    for (_, volume) in list("/volumes") {
        let sources = volume.pointer("/projected/sources").and_then(Value::as_array);
        if volume.get("projected").is_some() && sources.is_none_or(Vec::is_empty) {
            let name = volume.get("name").and_then(Value::as_str).unwrap_or_default();
            warnings.push(format!("volume {name:?} (Projected) has no sources provided"));
        }
    }
    for affinity in ["podAffinity", "podAntiAffinity"] {
        let required = "requiredDuringSchedulingIgnoredDuringExecution";
        for (index, term) in list(&format!("/affinity/{affinity}/{required}")) {
            if unselecting(term) {
                warnings.push(format!("{path}spec.affinity.{affinity}.{required}[{index}].labelSelector: {nothing}"));
            }
        }
        let preferred = "preferredDuringSchedulingIgnoredDuringExecution";
        for (index, term) in list(&format!("/affinity/{affinity}/{preferred}")) {
            if term.get("podAffinityTerm").is_none_or(unselecting) {
                warnings.push(format!(
                    "{path}spec.affinity.{affinity}.{preferred}[{index}].podAffinityTerm.labelSelector: {nothing}"
                ));
            }
        }
    }
    warnings
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sandbox::kinds;

    fn told(kind: &str, live: Option<&Value>, object: &Value) -> Vec<String> {
        let kind = kinds::builtin().into_iter().find(|known| known.kind == kind).unwrap();
        of_write(&kind, None, live, object)
    }

    #[test]
    fn a_name_that_pods_cannot_have_is_warned_of_once() {
        let job = json!({"metadata": {"name": "a.b"}});
        assert_eq!(
            told("Job", None, &job),
            [
                "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label \
              is recommended: [must not contain dots]"
            ]
        );
        assert!(told("Job", Some(&job), &job).is_empty());
        assert!(told("Job", None, &json!({"metadata": {"name": "a"}})).is_empty());
    }

    #[test]
    fn volumes_that_no_node_mounts_any_more_are_warned_of() {
        let template =
            json!({"template": {"spec": {"volumes": [{"name": "a"}, {"name": "b", "rbd": {"image": "i"}}]}}});
        assert_eq!(
            told("PodTemplate", None, &template),
            ["template.spec.volumes[1].rbd: deprecated in v1.28, non-functional in v1.31+"]
        );
        assert!(told("PodTemplate", Some(&template), &template).is_empty());
    }

    #[test]
    fn a_certificate_without_pem_is_warned_of() {
        let secret = json!({"type": "kubernetes.io/tls", "data": {"tls.crt": "YQ=="}});
        assert_eq!(told("Secret", None, &secret), ["tls: failed to find any PEM data in certificate input"]);
    }
}
