//! The fields that an endpoint does not let its writers change, and that nobody comes to own by writing there.

use crate::ssa::field_set::FieldSet;
use crate::ssa::path::Path;
use crate::ssa::schema::builtin;

/// Returns what a write of a kind, or of one of its subresources, leaves alone: it does not count in what a writer owns.
///
/// `custom_has_status` tells of a custom resource whether it has a status subresource; it is `None` for Kubernetes' own kinds.
#[must_use]
pub fn reset_fields(
    group: &str,
    version: &str,
    kind: &str,
    subresource: Option<&str>,
    custom_has_status: Option<bool>,
) -> FieldSet {
    let subresource = subresource.filter(|subresource| !subresource.is_empty());
    if let Some(has_status) = custom_has_status {
        return match subresource {
            None if has_status => set(&[".status"]),
            Some("status") => set(&[".spec"]),
            _ => FieldSet::new(),
        };
    }
    if (group, kind) == ("certificates.k8s.io", "CertificateSigningRequest") {
        return match subresource {
            None => set(&[".spec", ".status"]),
            Some("status") => set(&[".spec", ".status.conditions"]),
            Some("approval") => set(&[".spec", ".status.certificate"]),
            Some(_) => FieldSet::new(),
        };
    }
    match (group, kind, subresource) {
        ("", "Namespace", Some("finalize")) => return set(&[".status"]),
        ("", "Pod", Some("ephemeralcontainers")) => return all_of_pod_but(version, &["ephemeralContainers"]),
        ("", "Pod", Some("resize")) => return all_of_pod_but(version, &["containers", "initContainers"]),
        _ => {}
    }
    let Some(status) = of_status(group, kind) else { return FieldSet::new() };
    match subresource {
        None => set(&[".status"]),
        Some("status") => set(status),
        _ => FieldSet::new(),
    }
}

/// Returns what a write of the status leaves alone; `None` for kinds that bound nothing.
fn of_status(group: &str, kind: &str) -> Option<&'static [&'static str]> {
    const SPEC: &[&str] = &[".spec"];
    const SPEC_AND_METADATA: &[&str] = &[".spec", ".metadata"];
    Some(match (group, kind) {
        ("apps", "Deployment") => &[".spec", ".metadata.labels"],
        ("", "Pod") => &[".spec", ".metadata.deletionTimestamp", ".metadata.ownerReferences"],
        ("apps", "DaemonSet" | "ReplicaSet" | "StatefulSet")
        | ("autoscaling", "HorizontalPodAutoscaler")
        | ("batch", "CronJob" | "Job")
        | ("networking.k8s.io", "Ingress")
        | ("policy", "PodDisruptionBudget")
        | (
            "",
            "Namespace"
            | "Node"
            | "PersistentVolume"
            | "PersistentVolumeClaim"
            | "ReplicationController"
            | "ResourceQuota"
            | "Service",
        ) => SPEC,
        ("flowcontrol.apiserver.k8s.io", "FlowSchema" | "PriorityLevelConfiguration")
        | ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy")
        | ("apiextensions.k8s.io", "CustomResourceDefinition")
        | ("apiregistration.k8s.io", "APIService")
        | ("resource.k8s.io", "ResourceClaim" | "DeviceTaintRule")
        | ("storage.k8s.io", "VolumeAttachment")
        | ("internal.apiserver.k8s.io", "StorageVersion")
        | ("storagemigration.k8s.io", "StorageVersionMigration") => SPEC_AND_METADATA,
        _ => return None,
    })
}

/// These endpoints name what may change; here that is all the rest.
fn all_of_pod_but(version: &str, kept: &[&str]) -> FieldSet {
    let mut fields = set(&[".metadata", ".status"]);
    let spec = builtin("", version, "Pod").and_then(|schema| schema.field("spec"));
    for name in spec.iter().flat_map(|spec| spec.field_names()).filter(|name| !kept.contains(name)) {
        fields.insert(&Path::of_fields(&["spec", name]));
    }
    fields
}

fn set(paths: &[&str]) -> FieldSet {
    paths.iter().map(|path| Path::of_fields(&path.trim_start_matches('.').split('.').collect::<Vec<_>>())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(group: &str, kind: &str, subresource: Option<&str>, custom: Option<bool>) -> Vec<String> {
        reset_fields(group, "v1", kind, subresource, custom).iter().map(|path| path.to_string()).collect()
    }

    #[test]
    fn each_endpoint_leaves_the_others_part_alone() {
        assert_eq!(of("apps", "StatefulSet", None, None), [".status"]);
        assert_eq!(of("apps", "StatefulSet", Some("status"), None), [".spec"]);
        assert_eq!(of("apps", "Deployment", Some("status"), None), [".spec", ".metadata.labels"]);
        assert_eq!(of("apps", "Deployment", Some("scale"), None), [] as [&str; 0]);
        assert_eq!(of("", "ConfigMap", None, None), [] as [&str; 0]);
        assert_eq!(of("networking.k8s.io", "ServiceCIDR", None, None), [] as [&str; 0]);
        assert_eq!(of("", "Namespace", Some("finalize"), None), [".status"]);
        assert_eq!(of("example.com", "Widget", None, Some(true)), [".status"]);
        assert_eq!(of("example.com", "Widget", None, Some(false)), [] as [&str; 0]);
        assert_eq!(of("example.com", "Widget", Some("status"), Some(true)), [".spec"]);
        let ephemeral = of("", "Pod", Some("ephemeralcontainers"), None);
        assert!(ephemeral.contains(&".spec.containers".to_owned()));
        assert!(!ephemeral.contains(&".spec.ephemeralContainers".to_owned()));
    }
}
