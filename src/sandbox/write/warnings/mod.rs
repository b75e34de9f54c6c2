//! What a client is warned of though its object is taken: the strategies' `WarningsOnCreate` and `WarningsOnUpdate`.

mod addresses;
mod classes;
mod nodes;
mod paths;
mod pods;
mod quotas;
mod services;

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::metadata;
use crate::sandbox::kind::Kind;
use crate::sandbox::strategy::fields::{at, items, number, same, text};

/// Returns what the writer of an object is warned of.
pub(super) fn of_write(kind: &Kind, subresource: Option<&str>, live: Option<&Value>, object: &Value) -> Vec<String> {
    // What is scaled is updated like the object itself.
    if subresource.is_some_and(|subresource| subresource != "scale") {
        return of_status(kind, subresource, object);
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
        ("networking.k8s.io", "Ingress", None) => warnings.extend(class_in_annotation(object)),
        ("networking.k8s.io", "NetworkPolicy", _) => warnings.extend(of_policy(object)),
        ("storage.k8s.io", "StorageClass", _) => warnings.extend(classes::of_storage(object)),
        ("storage.k8s.io", "CSIStorageCapacity", _) => warnings.extend(classes::of_capacity(object)),
        ("node.k8s.io", "RuntimeClass", _) => warnings.extend(classes::of_runtime(object)),
        ("", "ResourceQuota", None) => warnings.extend(quotas::of(object)),
        ("storage.k8s.io", "CSIDriver", _) => warnings.extend(unset_token_place(live, object)),
        ("", "Service", _) => warnings.extend(services::of(object)),
        ("", "Endpoints", _) => warnings.extend(services::of_endpoints(object)),
        ("discovery.k8s.io", "EndpointSlice", _) => warnings.extend(services::of_slice(live.is_none(), object)),
        ("", "PersistentVolume", _) => warnings.extend(of_volume(object)),
        ("", "PersistentVolumeClaim", _) => {
            if at(object, &["metadata", "annotations", "volume.beta.kubernetes.io/storage-class"]).is_some() {
                warnings.push(
                    "metadata.annotations[volume.beta.kubernetes.io/storage-class]: deprecated since v1.8; use \
                     \"storageClassName\" attribute instead"
                        .to_owned(),
                );
            }
            warnings.extend(at(object, &["spec"]).into_iter().flat_map(|spec| of_claim("spec", spec)));
        }
        ("", "Node", _) => warnings.extend(of_node(object)),
        _ => {}
    }
    if let Some((path, pods)) = pods_of(kind, live, object) {
        if path == "spec.jobTemplate.spec.template." || kind.is("batch", "Job") {
            warnings.extend(huge_job(path.trim_end_matches(".template."), object));
        }
        warnings.extend(pods::of(path, pods));
    }
    match (kind.group.as_str(), kind.kind.as_str(), live) {
        ("apps", "StatefulSet", _) => of_stateful_set(live.is_none(), object, &mut warnings),
        ("batch", "CronJob", Some(_)) if text(object, &["spec", "schedule"]).contains("TZ") => warnings.push(
            "spec.spec.schedule: CRON_TZ or TZ used in schedule is not officially supported, see \
             https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details"
                .to_owned(),
        ),
        _ => {}
    }
    let mut seen = BTreeSet::new();
    warnings.retain(|warning| seen.insert(warning.clone()));
    warnings
}

fn of_status(kind: &Kind, subresource: Option<&str>, object: &Value) -> Vec<String> {
    match (kind.group.as_str(), kind.kind.as_str(), subresource) {
        ("", "Pod", Some("status")) => {
            let of_list = |list: &'static str| {
                let of_one = move |(index, one)| {
                    addresses::of_address(&format!("status.{list}[{index}].ip"), text(one, &["ip"]))
                };
                items(object, &["status", list]).iter().enumerate().filter_map(of_one)
            };
            of_list("podIPs").chain(of_list("hostIPs")).collect()
        }
        ("", "Service", Some("status")) | ("networking.k8s.io", "Ingress", Some("status")) => {
            items(object, &["status", "loadBalancer", "ingress"])
                .iter()
                .enumerate()
                .filter_map(|(index, one)| {
                    addresses::of_address(&format!("status.loadBalancer.ingress[{index}]"), text(one, &["ip"]))
                })
                .collect()
        }
        _ => Vec::new(),
    }
}

/// Where an object has its pods, if anything is to be said of them: of pods themselves only when they are made, of others
/// whenever their generation changes.
fn pods_of<'a>(kind: &Kind, live: Option<&'a Value>, object: &'a Value) -> Option<(&'static str, &'a Value)> {
    let (path, pointer) = match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Pod") => ("", ""),
        ("", "PodTemplate") => ("template.", "/template"),
        ("apps", "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet")
        | ("batch", "Job")
        | ("", "ReplicationController") => ("spec.template.", "/spec/template"),
        ("batch", "CronJob") => ("spec.jobTemplate.spec.template.", "/spec/jobTemplate/spec/template"),
        _ => return None,
    };
    let generation = |object: &Value| number(object, &["metadata", "generation"]).unwrap_or_default();
    // Daemons count the changes of their template alone.
    let is_changed = |live: &Value| match kind.kind.as_str() {
        "DaemonSet" => !same(live.pointer(pointer), object.pointer(pointer)),
        _ => generation(live) != generation(object),
    };
    let is_said = live.is_none_or(|live| !path.is_empty() && is_changed(live));
    // Of replication controllers the server looks at the former template.
    let looked_at = live.filter(|_| kind.is("", "ReplicationController")).unwrap_or(object);
    is_said.then(|| looked_at.pointer(pointer)).flatten().map(|pods| (path, pods))
}

fn huge_job(path: &str, object: &Value) -> Option<String> {
    let spec: &[&str] = if path == "spec" { &["spec"] } else { &["spec", "jobTemplate", "spec"] };
    let spec = at(object, spec)?;
    let is_huge = text(spec, &["completionMode"]) == "Indexed"
        && number(spec, &["completions"]).unwrap_or_default() > 100_000
        && number(spec, &["parallelism"]).unwrap_or_default() > 10_000;
    is_huge.then(|| {
        format!(
            "{path}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, \
             Kubernetes might not be able to track completedIndexes when a big number of indexes fail"
        )
    })
}

fn of_stateful_set(is_new: bool, object: &Value, warnings: &mut Vec<String>) {
    for (index, claim) in items(object, &["spec", "volumeClaimTemplates"]).iter().enumerate() {
        // The two have different words in Go, too.
        let path = format!("spec.volumeClaimTemplates[{index}]{}", if is_new { "" } else { ".Spec" });
        warnings.extend(at(claim, &["spec"]).into_iter().flat_map(|spec| of_claim(&path, spec)));
    }
    if number(object, &["spec", "revisionHistoryLimit"]).is_some_and(|limit| limit < 0) {
        warnings.push(
            "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended"
                .to_owned(),
        );
    }
}

/// What is to be said of the specification of a claim.
fn of_claim(path: &str, spec: &Value) -> Vec<String> {
    let mut warnings = Vec::new();
    for list in ["requests", "limits"] {
        let value = at(spec, &["resources", list, "storage"]);
        pods::fractional(&format!("{path}.resources.{list}"), value, "storage", &mut warnings);
    }
    warnings
}

fn of_volume(object: &Value) -> Vec<String> {
    let mut warnings = Vec::new();
    for (name, what) in [
        (
            "volume.beta.kubernetes.io/storage-class",
            r#"deprecated since v1.8; use "storageClassName" attribute instead"#,
        ),
        ("volume.beta.kubernetes.io/mount-options", r#"deprecated since v1.31; use "mountOptions" attribute instead"#),
    ] {
        if at(object, &["metadata", "annotations", name]).is_some() {
            warnings.push(format!("metadata.annotations[{name}]: {what}"));
        }
    }
    if text(object, &["spec", "persistentVolumeReclaimPolicy"]) == "Recycle" {
        warnings.push(
            "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach \
             is to use dynamic provisioning."
                .to_owned(),
        );
    }
    for (index, term) in items(object, &["spec", "nodeAffinity", "required", "nodeSelectorTerms"]).iter().enumerate() {
        warnings.extend(nodes::of_term(&format!("spec.nodeAffinity.required.nodeSelectorTerms[{index}]"), term, false));
    }
    for (plugin, called, what) in [
        ("cephfs", "cephfs", "deprecated in v1.28, non-functional in v1.31+"),
        ("photonPersistentDisk", "photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"),
        ("scaleIO", "scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
        ("storageos", "storageOS", "deprecated in v1.22, non-functional in v1.25+"),
        ("glusterfs", "glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
        ("rbd", "rbd", "deprecated in v1.28, non-functional in v1.31+"),
    ] {
        if at(object, &["spec", plugin]).is_some() {
            warnings.push(format!("spec.{called}: {what}"));
        }
    }
    warnings
}

fn of_policy(policy: &Value) -> Vec<String> {
    let mut warnings = Vec::new();
    for (rules, peers) in [("ingress", "from"), ("egress", "to")] {
        for (i, rule) in items(policy, &["spec", rules]).iter().enumerate() {
            for (j, peer) in items(rule, &[peers]).iter().enumerate() {
                let path = format!("spec.{rules}[{i}].{peers}[{j}].ipBlock");
                warnings.extend(addresses::of_block(&format!("{path}.cidr"), text(peer, &["ipBlock", "cidr"])));
                for (k, except) in items(peer, &["ipBlock", "except"]).iter().enumerate() {
                    let except = except.as_str().unwrap_or_default();
                    warnings.extend(addresses::of_block(&format!("{path}.except[{k}]"), except));
                }
            }
        }
    }
    warnings
}

fn of_node(object: &Value) -> Vec<String> {
    let mut warnings = Vec::new();
    if at(object, &["spec", "configSource"]).is_some() {
        warnings.push("spec.configSource: the feature is removed".to_owned());
    }
    if !text(object, &["spec", "externalID"]).is_empty() {
        warnings.push("spec.externalID: this field is deprecated, and is unused by Kubernetes".to_owned());
    }
    for (index, block) in items(object, &["spec", "podCIDRs"]).iter().enumerate() {
        warnings.extend(addresses::of_block(&format!("spec.podCIDRs[{index}]"), block.as_str().unwrap_or_default()));
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
    let has_block =
        String::from_utf8_lossy(&bytes).split_once("-----BEGIN ").is_some_and(|(_, rest)| rest.contains("-----END "));
    (!has_block).then(|| "tls: failed to find any PEM data in certificate input".to_owned())
}

fn class_in_annotation(object: &Value) -> Option<String> {
    const CLASS: &str = "kubernetes.io/ingress.class";
    let is_said = object.pointer("/metadata/annotations").and_then(|annotations| annotations.get(CLASS)).is_some();
    let is_set = object.pointer("/spec/ingressClassName").is_some_and(|class| !class.is_null());
    (is_said && !is_set)
        .then(|| format!("annotation {CLASS:?} is deprecated, please use 'spec.ingressClassName' instead"))
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
        let sources = json!({"template": {"spec": {"volumes": [{"name": "a", "projected": {"sources": [{}]}}]}}});
        assert_eq!(told("PodTemplate", None, &sources), ["volume \"a\" (Projected) has no sources provided"]);
    }

    #[test]
    fn a_certificate_without_pem_is_warned_of() {
        let secret = json!({"type": "kubernetes.io/tls", "data": {"tls.crt": "YQ=="}});
        assert_eq!(told("Secret", None, &secret), ["tls: failed to find any PEM data in certificate input"]);
    }

    #[test]
    fn addresses_of_balancers_are_looked_at_and_sorts_of_slices_only_when_they_are_made() {
        let status = json!({"status": {"loadBalancer": {"ingress": [{"ip": "01.2.3.4"}]}}});
        let ingress = kinds::builtin().into_iter().find(|known| known.kind == "Ingress").unwrap();
        assert_eq!(
            of_write(&ingress, Some("status"), Some(&status), &status),
            ["status.loadBalancer.ingress[0]: non-standard IP address \"01.2.3.4\" will be considered invalid in a \
              future Kubernetes release: use \"1.2.3.4\""]
        );
        let slice = json!({"addressType": "FQDN"});
        assert_eq!(told("EndpointSlice", None, &slice), ["spec.addressType: FQDN endpoints are deprecated"]);
        assert!(told("EndpointSlice", Some(&slice), &slice).is_empty());
    }
}
