//! The kinds that every Kubernetes 1.35 serves, so that a stack of them needs no discovery.

use super::kind::ResourceKind;

/// What all of them can: kinds that are asked only (reviews, bindings, scales) are not in the table.
const VERBS: [&str; 7] = ["create", "delete", "get", "list", "patch", "update", "watch"];

/// Group, version, and of each kind there: kind, plural, whether namespaced. The preferred version of a group first.
type Group = (&'static str, &'static str, &'static [(&'static str, &'static str, bool)]);

const TABLE: &[Group] = &[
    (
        "",
        "v1",
        &[
            ("ConfigMap", "configmaps", true),
            ("Endpoints", "endpoints", true),
            ("Event", "events", true),
            ("LimitRange", "limitranges", true),
            ("Namespace", "namespaces", false),
            ("Node", "nodes", false),
            ("PersistentVolume", "persistentvolumes", false),
            ("PersistentVolumeClaim", "persistentvolumeclaims", true),
            ("Pod", "pods", true),
            ("PodTemplate", "podtemplates", true),
            ("ReplicationController", "replicationcontrollers", true),
            ("ResourceQuota", "resourcequotas", true),
            ("Secret", "secrets", true),
            ("Service", "services", true),
            ("ServiceAccount", "serviceaccounts", true),
        ],
    ),
    (
        "admissionregistration.k8s.io",
        "v1",
        &[
            ("MutatingWebhookConfiguration", "mutatingwebhookconfigurations", false),
            ("ValidatingAdmissionPolicy", "validatingadmissionpolicies", false),
            ("ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings", false),
            ("ValidatingWebhookConfiguration", "validatingwebhookconfigurations", false),
        ],
    ),
    ("apiextensions.k8s.io", "v1", &[("CustomResourceDefinition", "customresourcedefinitions", false)]),
    ("apiregistration.k8s.io", "v1", &[("APIService", "apiservices", false)]),
    (
        "apps",
        "v1",
        &[
            ("ControllerRevision", "controllerrevisions", true),
            ("DaemonSet", "daemonsets", true),
            ("Deployment", "deployments", true),
            ("ReplicaSet", "replicasets", true),
            ("StatefulSet", "statefulsets", true),
        ],
    ),
    ("autoscaling", "v2", &[("HorizontalPodAutoscaler", "horizontalpodautoscalers", true)]),
    ("autoscaling", "v1", &[("HorizontalPodAutoscaler", "horizontalpodautoscalers", true)]),
    ("batch", "v1", &[("CronJob", "cronjobs", true), ("Job", "jobs", true)]),
    ("certificates.k8s.io", "v1", &[("CertificateSigningRequest", "certificatesigningrequests", false)]),
    ("coordination.k8s.io", "v1", &[("Lease", "leases", true)]),
    ("discovery.k8s.io", "v1", &[("EndpointSlice", "endpointslices", true)]),
    ("events.k8s.io", "v1", &[("Event", "events", true)]),
    (
        "flowcontrol.apiserver.k8s.io",
        "v1",
        &[("FlowSchema", "flowschemas", false), ("PriorityLevelConfiguration", "prioritylevelconfigurations", false)],
    ),
    (
        "networking.k8s.io",
        "v1",
        &[
            ("IPAddress", "ipaddresses", false),
            ("Ingress", "ingresses", true),
            ("IngressClass", "ingressclasses", false),
            ("NetworkPolicy", "networkpolicies", true),
            ("ServiceCIDR", "servicecidrs", false),
        ],
    ),
    ("node.k8s.io", "v1", &[("RuntimeClass", "runtimeclasses", false)]),
    ("policy", "v1", &[("PodDisruptionBudget", "poddisruptionbudgets", true)]),
    (
        "rbac.authorization.k8s.io",
        "v1",
        &[
            ("ClusterRole", "clusterroles", false),
            ("ClusterRoleBinding", "clusterrolebindings", false),
            ("Role", "roles", true),
            ("RoleBinding", "rolebindings", true),
        ],
    ),
    (
        "resource.k8s.io",
        "v1",
        &[
            ("DeviceClass", "deviceclasses", false),
            ("ResourceClaim", "resourceclaims", true),
            ("ResourceClaimTemplate", "resourceclaimtemplates", true),
            ("ResourceSlice", "resourceslices", false),
        ],
    ),
    ("scheduling.k8s.io", "v1", &[("PriorityClass", "priorityclasses", false)]),
    (
        "storage.k8s.io",
        "v1",
        &[
            ("CSIDriver", "csidrivers", false),
            ("CSINode", "csinodes", false),
            ("CSIStorageCapacity", "csistoragecapacities", true),
            ("StorageClass", "storageclasses", false),
            ("VolumeAttachment", "volumeattachments", false),
            ("VolumeAttributesClass", "volumeattributesclasses", false),
        ],
    ),
];

/// Returns a built-in kind; without a version, at the preferred one.
pub(super) fn find(group: &str, version: Option<&str>, kind: &str) -> Option<ResourceKind> {
    let (version, (_, plural, namespaced)) = TABLE
        .iter()
        .filter(|(of_group, of_version, _)| *of_group == group && version.is_none_or(|version| version == *of_version))
        .find_map(|(_, version, kinds)| Some((*version, kinds.iter().find(|(name, ..)| *name == kind)?)))?;
    Some(ResourceKind {
        group: group.to_owned(),
        version: version.to_owned(),
        kind: kind.to_owned(),
        plural: (*plural).to_owned(),
        namespaced: *namespaced,
        verbs: VERBS.map(str::to_owned).to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preferred_version_is_taken_where_none_is_named() {
        let version = |version| find("autoscaling", version, "HorizontalPodAutoscaler").map(|kind| kind.version);
        assert_eq!(version(None).as_deref(), Some("v2"));
        assert_eq!(version(Some("v1")).as_deref(), Some("v1"));
        assert_eq!(version(Some("v2beta2")), None);
    }

    #[test]
    fn no_kind_stands_twice() {
        let mut seen = std::collections::BTreeSet::new();
        for (group, version, kinds) in TABLE {
            for (kind, plural, _) in *kinds {
                assert!(seen.insert((group, version, kind)), "{group} {version} {kind}");
                assert_eq!(plural.to_lowercase(), **plural);
            }
        }
    }
}
