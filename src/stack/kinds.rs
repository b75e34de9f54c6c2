//! Which kinds Kubernetes itself has, and whether their objects live in a namespace.

use std::collections::BTreeMap;

use super::nearest::did_you_mean;
use crate::resource::{GroupKind, Manifest, is_builtin_group};

/// Groups with their versions and kinds; a `*` marks kinds without a namespace.
const BUILTIN: &[(&str, &[&str], &[&str])] = &[
    (
        "",
        &["v1"],
        &[
            "Binding", "ConfigMap", "Endpoints", "Event", "LimitRange", "Namespace*", "Node*", "PersistentVolume*",
            "PersistentVolumeClaim", "Pod", "PodTemplate", "ReplicationController", "ResourceQuota", "Secret", "Service",
            "ServiceAccount",
        ],
    ),
    (
        "admissionregistration.k8s.io",
        &["v1", "v1beta1", "v1alpha1"],
        &[
            "MutatingAdmissionPolicy*", "MutatingAdmissionPolicyBinding*", "MutatingWebhookConfiguration*",
            "ValidatingAdmissionPolicy*", "ValidatingAdmissionPolicyBinding*", "ValidatingWebhookConfiguration*",
        ],
    ),
    ("apiextensions.k8s.io", &["v1"], &["CustomResourceDefinition*"]),
    ("apiregistration.k8s.io", &["v1"], &["APIService*"]),
    ("apps", &["v1"], &["ControllerRevision", "DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"]),
    ("autoscaling", &["v2", "v1"], &["HorizontalPodAutoscaler"]),
    ("batch", &["v1"], &["CronJob", "Job"]),
    ("certificates.k8s.io", &["v1", "v1beta1", "v1alpha1"], &["CertificateSigningRequest*", "ClusterTrustBundle*", "PodCertificateRequest"]),
    ("coordination.k8s.io", &["v1", "v1beta1", "v1alpha2"], &["Lease", "LeaseCandidate"]),
    ("discovery.k8s.io", &["v1"], &["EndpointSlice"]),
    ("events.k8s.io", &["v1"], &["Event"]),
    ("flowcontrol.apiserver.k8s.io", &["v1"], &["FlowSchema*", "PriorityLevelConfiguration*"]),
    ("networking.k8s.io", &["v1", "v1beta1"], &["IPAddress*", "Ingress", "IngressClass*", "NetworkPolicy", "ServiceCIDR*"]),
    ("node.k8s.io", &["v1"], &["RuntimeClass*"]),
    ("policy", &["v1"], &["PodDisruptionBudget"]),
    ("rbac.authorization.k8s.io", &["v1"], &["ClusterRole*", "ClusterRoleBinding*", "Role", "RoleBinding"]),
    ("resource.k8s.io", &["v1", "v1beta2", "v1beta1", "v1alpha3"], &["DeviceClass*", "DeviceTaintRule*", "ResourceClaim", "ResourceClaimTemplate", "ResourceSlice*"]),
    ("scheduling.k8s.io", &["v1", "v1alpha1"], &["PriorityClass*", "Workload"]),
    ("storage.k8s.io", &["v1", "v1beta1"], &["CSIDriver*", "CSINode*", "CSIStorageCapacity", "StorageClass*", "VolumeAttachment*", "VolumeAttributesClass*"]),
    ("storagemigration.k8s.io", &["v1beta1"], &["StorageVersionMigration*"]),
];

/// Groups below `k8s.io` whose kinds come with their own definitions: only the groups above are known whole.
fn group(name: &str) -> Option<&'static (&'static str, &'static [&'static str], &'static [&'static str])> {
    BUILTIN.iter().find(|(group, ..)| *group == name)
}

fn plain(kind: &'static str) -> &'static str {
    kind.trim_end_matches('*')
}

/// The scopes of all kinds that a stack speaks of.
#[derive(Debug, Default)]
pub(super) struct Kinds {
    defined: BTreeMap<GroupKind, bool>,
}

impl Kinds {
    /// Takes in what a CustomResourceDefinition says.
    pub(super) fn learn(&mut self, manifest: &Manifest) {
        let text = |pointer: &str| manifest.object().pointer(pointer).and_then(serde_json::Value::as_str);
        if manifest.kind() == "CustomResourceDefinition"
            && let (Some(group), Some(kind)) = (text("/spec/group"), text("/spec/names/kind"))
        {
            self.defined.insert(GroupKind::new(group, kind), text("/spec/scope") != Some("Cluster"));
        }
    }

    /// Tells whether the objects of a kind live in a namespace. A kind that nobody knows does.
    pub(super) fn is_namespaced(&self, kind: &GroupKind) -> bool {
        if let Some(namespaced) = self.defined.get(kind) {
            return *namespaced;
        }
        let cluster = |name: &&str| name.strip_suffix('*') == Some(kind.kind.as_str());
        !group(&kind.group).is_some_and(|(_, _, kinds)| kinds.iter().any(|name| cluster(name)))
    }
}

/// Returns what is wrong with an object's `apiVersion` and `kind` (the pointer of the field, the message, a hint), if they
/// claim to be Kubernetes' own and are not.
pub(super) fn mistaken_kind(manifest: &Manifest) -> Option<(&'static str, String, Option<String>)> {
    let (api_version, kind) = (manifest.api_version(), manifest.kind());
    let versions_of = |group: &str, versions: &[&str]| -> Vec<String> {
        versions.iter().map(|version| if group.is_empty() { (*version).to_owned() } else { format!("{group}/{version}") }).collect()
    };
    let home = BUILTIN.iter().find(|(_, _, kinds)| kinds.iter().any(|name| plain(name) == kind));
    let home_hint = home.map(|(group, versions, _)| format!("`{kind}` is in `{}`", versions_of(group, versions).first().cloned().unwrap_or_default()));
    match group(manifest.group()) {
        Some((_, versions, kinds)) => {
            if !kinds.iter().any(|name| plain(name) == kind) {
                let hint = home_hint.or_else(|| did_you_mean(kind, kinds.iter().map(|name| plain(name))));
                return Some(("/kind", format!("there is no kind `{kind}` in `{api_version}`"), hint));
            }
            if !versions.contains(&manifest.version()) {
                let hint = versions_of(manifest.group(), versions).join("`, `");
                return Some(("/apiVersion", format!("`{kind}` has no version `{api_version}`"), Some(format!("Kubernetes has `{hint}`"))));
            }
            None
        }
        // Groups without a dot are all Kubernetes' own; those below k8s.io may come with definitions.
        None if !manifest.group().contains('.') || (is_builtin_group(manifest.group()) && home.is_some()) => {
            let hint = home_hint.or_else(|| {
                did_you_mean(manifest.group(), BUILTIN.iter().map(|(group, ..)| *group).filter(|group| !group.is_empty()))
            });
            Some(("/apiVersion", format!("there is no API group `{}`", manifest.group()), hint))
        }
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn manifest(api_version: &str, kind: &str) -> Manifest {
        Manifest::new(json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}})).unwrap()
    }

    #[test]
    fn a_definition_decides_the_scope_of_its_kind() {
        let mut kinds = Kinds::default();
        let widget = GroupKind::new("example.com", "Widget");
        assert!(kinds.is_namespaced(&widget));
        kinds.learn(&Manifest::new(json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "widgets.example.com"},
            "spec": {"group": "example.com", "scope": "Cluster", "names": {"kind": "Widget"}}
        })).unwrap());
        assert!(!kinds.is_namespaced(&widget));
        assert!(!kinds.is_namespaced(&GroupKind::new("", "Namespace")));
        assert!(kinds.is_namespaced(&GroupKind::new("apps", "Deployment")));
    }

    #[test]
    fn only_what_claims_to_be_builtin_is_judged() {
        for right in [("apps/v1", "Deployment"), ("example.com/v1", "Deployment"), ("gateway.networking.k8s.io/v1", "Gateway"), ("v1", "Secret")] {
            assert_eq!(mistaken_kind(&manifest(right.0, right.1)), None);
        }
        for wrong in [("v1", "Deployment"), ("apps/v1beta1", "Deployment"), ("extensions/v1beta1", "Ingress"), ("v1", "Secrte"), ("app/v1", "Deployment")] {
            assert!(mistaken_kind(&manifest(wrong.0, wrong.1)).is_some(), "{wrong:?}");
        }
    }
}
