//! What the server refuses in objects of its own kinds, in its own words and order.
//!
//! [`create`] and [`update`] look at objects that are decoded, defaulted and prepared. The rules are those of
//! `pkg/apis/*/validation` in Kubernetes; each subject has a file here. Maps are looked at in the order of their keys,
//! where the server's order is random.

mod addresses;
mod attachment;
mod autoscaling;
mod balancer;
mod bindings;
mod certificates;
mod claim;
mod cluster;
mod conditions;
mod config;
mod counts;
mod cron;
mod drivers;
mod endpoints;
mod events;
mod expressions;
mod ingress;
mod internal;
mod job_policies;
mod job_status;
mod jobs;
mod meta;
mod names;
mod numbers;
mod path;
mod persistent_volume;
mod pod;
mod policies;
mod policy;
mod quotas;
mod rbac;
mod read;
mod replication;
mod resources;
mod same;
mod schedule;
mod selector;
mod service;
mod unified;
mod url;
mod webhooks;
mod workloads;

pub(super) use self::expressions::{RESERVED_WORDS, beyond_limits};
pub(super) use self::names::{label_1035, label_value, qualified, segment, subdomain};
pub(super) use self::numbers::{address, block};
pub(super) use self::webhooks::conversion;

use serde_json::Value;

use self::names::NameRule;
use super::kind::Kind;
use super::refusal::FieldProblem;

type Problems = Vec<FieldProblem>;

const RBAC: &str = "rbac.authorization.k8s.io";
const NETWORKING: &str = "networking.k8s.io";
const ADMISSION: &str = "admissionregistration.k8s.io";

/// What is wrong with a new object.
#[must_use]
pub fn create(kind: &Kind, object: &Value) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    of_kind(kind, object, &mut problems);
    if problems.is_empty() {
        meta::generic(object, kind.namespaced, NameRule::Segment, &mut problems);
    }
    problems
}

fn of_kind(kind: &Kind, object: &Value, problems: &mut Problems) {
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Pod") => pod::of(object, problems),
        ("", "PodTemplate") => replication::pod_template(object, problems),
        ("", "ReplicationController") => replication::replication_controller(object, problems),
        ("", "ConfigMap") => config::config_map(object, problems),
        ("", "Secret") => config::secret(object, problems),
        ("", "PersistentVolumeClaim") => claim::of(object, problems),
        ("", "PersistentVolume") => {
            persistent_volume::of(object, problems);
            persistent_volume::mount_options(object, problems);
        }
        ("apps", "Deployment") => workloads::deployment(object, problems),
        ("apps", "ReplicaSet") => workloads::replica_set(object, problems),
        ("apps", "StatefulSet") => workloads::stateful_set(object, problems),
        ("apps", "DaemonSet") => workloads::daemon_set(object, problems),
        ("apps", "ControllerRevision") => replication::controller_revision(object, problems),
        ("batch", "Job") => jobs::job(object, problems),
        ("batch", "CronJob") => cron::cron_job(object, problems),
        ("", "Service") => service::of(object, problems),
        ("", "ServiceAccount") => meta::of(object, true, NameRule::Subdomain, problems),
        ("", "ResourceQuota") => quotas::quota(object, problems),
        ("", "LimitRange") => quotas::limit_range(object, problems),
        ("", "Endpoints") => endpoints::of(object, None, problems),
        ("", "Namespace") => cluster::namespace(object, problems),
        ("", "Node") => cluster::node(object, problems),
        ("" | "events.k8s.io", "Event") => events::of(object, !kind.group.is_empty(), problems),
        ("discovery.k8s.io", "EndpointSlice") => endpoints::slice(object, None, problems),
        (RBAC, "Role" | "ClusterRole") => rbac::role(object, kind.namespaced, problems),
        (RBAC, "RoleBinding" | "ClusterRoleBinding") => rbac::binding(object, kind.namespaced, problems),
        (NETWORKING, "Ingress") => ingress::of(object, problems),
        (NETWORKING, "IngressClass") => ingress::class(object, problems),
        (NETWORKING, "NetworkPolicy") => policy::network(object, problems),
        (NETWORKING, "IPAddress") => addresses::address(object, problems),
        (NETWORKING, "ServiceCIDR") => addresses::service_block(object, problems),
        ("policy", "PodDisruptionBudget") => policy::disruption_budget(object, problems),
        ("autoscaling", "HorizontalPodAutoscaler") => autoscaling::of(object, problems),
        ("coordination.k8s.io", "Lease") => cluster::lease(object, problems),
        ("scheduling.k8s.io", "PriorityClass") => cluster::priority_class(object, problems),
        ("node.k8s.io", "RuntimeClass") => cluster::runtime_class(object, problems),
        ("storage.k8s.io", "StorageClass") => cluster::storage_class(object, problems),
        ("storage.k8s.io", "VolumeAttachment") => attachment::of(object, problems),
        ("certificates.k8s.io", "CertificateSigningRequest") => certificates::of(object, problems),
        ("storage.k8s.io", "CSIDriver") => drivers::driver(object, problems),
        ("storage.k8s.io", "CSINode") => drivers::node(object, problems),
        ("storage.k8s.io", "CSIStorageCapacity") => drivers::capacity(object, problems),
        ("storage.k8s.io", "VolumeAttributesClass") => drivers::attributes_class(object, problems),
        (ADMISSION, "ValidatingAdmissionPolicyBinding") => bindings::of(object, problems),
        (ADMISSION, "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration") => {
            webhooks::of(None, object, problems);
        }
        (ADMISSION, "ValidatingAdmissionPolicy") => policies::of(None, object, problems),
        ("apiregistration.k8s.io", "APIService") => webhooks::api_service(object, problems),
        _ => {}
    }
}

/// What is wrong with a change of an object, or of one of its subresources.
#[must_use]
pub fn update(kind: &Kind, subresource: Option<&str>, live: &Value, object: &Value) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    meta::generic(object, kind.namespaced, NameRule::Segment, &mut problems);
    meta::generic_update(live, object, &mut problems);
    if kind.custom.is_some() {
        meta::generic_update(live, object, &mut problems);
    }
    if kind.is("certificates.k8s.io", "CertificateSigningRequest") {
        certificates::of_update(subresource, live, object, &mut problems);
        return problems;
    }
    match subresource {
        None => of_update(kind, live, object, &mut problems),
        Some("ephemeralcontainers") => pod::ephemeral_containers(live, object, &mut problems),
        Some("finalize") => cluster::namespace_finalize(live, object, &mut problems),
        Some("status") => of_status(kind, live, object, &mut problems),
        Some(_) => {}
    }
    problems
}

fn of_status(kind: &Kind, live: &Value, object: &Value, problems: &mut Problems) {
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Namespace") => cluster::namespace_status(live, object, problems),
        ("", "Pod") => pod::of_status(live, object, problems),
        ("", "PersistentVolume") => meta::of_update(live, object, problems),
        ("", "PersistentVolumeClaim") => claim::of_status(live, object, problems),
        ("batch", "Job") => job_status::of(live, object, problems),
        ("", "Node") => cluster::node_update(live, object, problems),
        ("", "ResourceQuota") => quotas::quota_status(live, object, problems),
        (ADMISSION, "ValidatingAdmissionPolicy") => policies::of_status(object, problems),
        (NETWORKING, "Ingress") => ingress::of_status(live, object, problems),
        ("storage.k8s.io", "VolumeAttachment") => attachment::of_update(live, object, problems),
        ("autoscaling", "HorizontalPodAutoscaler") => {
            meta::of_update(live, object, problems);
            counts::of(&kind.kind, live, object, problems);
        }
        ("", "Service") => {
            meta::of_update(live, object, problems);
            balancer::service_status(object, problems);
        }
        ("apps", "StatefulSet") => {
            counts::of(&kind.kind, live, object, problems);
            meta::of_update(live, object, problems);
        }
        ("apps", "ReplicaSet" | "DaemonSet" | "Deployment") | ("", "ReplicationController") => {
            meta::of_update(live, object, problems);
            counts::of(&kind.kind, live, object, problems);
        }
        ("" | "apps" | "autoscaling" | "policy", kind) => counts::of(kind, live, object, problems),
        _ => {}
    }
}

fn of_update(kind: &Kind, live: &Value, object: &Value, problems: &mut Problems) {
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Pod") => pod::of_update(live, object, problems),
        ("", "PodTemplate") => replication::pod_template_update(live, object, problems),
        ("", "ReplicationController") => replication::replication_controller_update(live, object, problems),
        ("", "ConfigMap") => config::config_map_update(live, object, problems),
        ("", "Secret") => config::secret_update(live, object, problems),
        ("", "PersistentVolumeClaim") => claim::of_update(live, object, problems),
        ("", "PersistentVolume") => {
            persistent_volume::of(object, problems);
            persistent_volume::mount_options(object, problems);
            persistent_volume::of_update(live, object, problems);
        }
        ("apps", "Deployment") => workloads::deployment_update(live, object, problems),
        ("apps", "ReplicaSet") => workloads::replica_set_update(live, object, problems),
        ("apps", "StatefulSet") => workloads::stateful_set_update(live, object, problems),
        ("apps", "DaemonSet") => workloads::daemon_set_update(live, object, problems),
        ("apps", "ControllerRevision") => replication::controller_revision_update(live, object, problems),
        ("batch", "Job") => {
            jobs::job(object, problems);
            jobs::job_update(live, object, problems);
        }
        ("batch", "CronJob") => cron::cron_job_update(live, object, problems),
        ("", "Service") => service::of_update(live, object, problems),
        ("", "ServiceAccount") => {
            meta::of_update(live, object, problems);
            meta::of(object, true, NameRule::Subdomain, problems);
        }
        ("", "ResourceQuota") => quotas::quota_update(live, object, problems),
        ("", "LimitRange") => quotas::limit_range(object, problems),
        ("", "Endpoints") => {
            meta::of_update(live, object, problems);
            endpoints::of(object, Some(live), problems);
        }
        ("", "Namespace") => {
            cluster::namespace(object, problems);
            meta::of_update(live, object, problems);
        }
        ("", "Node") => {
            cluster::node(object, problems);
            cluster::node_update(live, object, problems);
        }
        ("", "Event") => events::common(object, false, problems),
        ("events.k8s.io", "Event") => events::newer_update(live, object, problems),
        ("discovery.k8s.io", "EndpointSlice") => endpoints::slice(object, Some(live), problems),
        (RBAC, "Role" | "ClusterRole") => rbac::role_update(live, object, kind.namespaced, problems),
        (RBAC, "RoleBinding" | "ClusterRoleBinding") => {
            rbac::binding_update(live, object, kind.namespaced, problems);
        }
        (NETWORKING, "Ingress") => ingress::of_update(live, object, problems),
        (NETWORKING, "IngressClass") => ingress::class_update(live, object, problems),
        (NETWORKING, "NetworkPolicy") => policy::network_update(live, object, problems),
        (NETWORKING, "IPAddress") => addresses::address_update(live, object, problems),
        (NETWORKING, "ServiceCIDR") => addresses::service_block_update(live, object, problems),
        ("policy", "PodDisruptionBudget") => policy::disruption_budget(object, problems),
        ("autoscaling", "HorizontalPodAutoscaler") => autoscaling::of_update(live, object, problems),
        ("coordination.k8s.io", "Lease") => cluster::lease_update(live, object, problems),
        ("scheduling.k8s.io", "PriorityClass") => cluster::priority_class_update(live, object, problems),
        ("node.k8s.io", "RuntimeClass") => {
            cluster::runtime_class(object, problems);
            cluster::runtime_class_update(live, object, problems);
        }
        ("storage.k8s.io", "StorageClass") => {
            cluster::storage_class(object, problems);
            cluster::storage_class_update(live, object, problems);
        }
        (ADMISSION, "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration") => {
            webhooks::of(Some(live), object, problems);
        }
        (ADMISSION, "ValidatingAdmissionPolicy") => policies::of(Some(live), object, problems),
        ("storage.k8s.io", "VolumeAttachment") => attachment::of_update(live, object, problems),
        ("storage.k8s.io", "CSIDriver") => drivers::driver_update(live, object, problems),
        ("storage.k8s.io", "CSINode") => drivers::node_update(live, object, problems),
        ("storage.k8s.io", "CSIStorageCapacity") => drivers::capacity_update(live, object, problems),
        ("storage.k8s.io", "VolumeAttributesClass") => drivers::attributes_class_update(live, object, problems),
        (ADMISSION, "ValidatingAdmissionPolicyBinding") => bindings::of(object, problems),
        ("apiregistration.k8s.io", "APIService") => {
            meta::generic_update(live, object, problems);
            webhooks::api_service(object, problems);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ssa::{Schema, builtin, with_defaults};

    /// The problems, a line each.
    pub(super) fn lines(problems: &[FieldProblem]) -> String {
        problems.iter().map(|problem| format!("{}\n", problem.text())).collect()
    }

    fn kind(group: &str, name: &str, namespaced: bool) -> Kind {
        Kind {
            group: group.to_owned(),
            version: "v1".to_owned(),
            kind: name.to_owned(),
            plural: String::new(),
            singular: String::new(),
            list_kind: String::new(),
            short_names: Vec::new(),
            categories: Vec::new(),
            namespaced,
            verbs: Vec::new(),
            subresources: Vec::new(),
            schema: Schema::deduced(),
            custom: None,
        }
    }

    fn told(group: &str, name: &str, namespaced: bool, mut object: Value) -> String {
        if let Some(schema) = builtin(group, "v1", name) {
            with_defaults(&schema, &mut object);
        }
        lines(&create(&kind(group, name, namespaced), &object))
    }

    #[test]
    fn a_deployment_is_refused_in_the_order_of_the_server() {
        let object = json!({"metadata": {"name": "d", "namespace": "n"}, "spec": {
            "replicas": -1, "selector": {"matchLabels": {"app": "y"}}, "minReadySeconds": 5, "progressDeadlineSeconds": 5,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}},
            "template": {"metadata": {"labels": {"app": "x"}}, "spec": {"restartPolicy": "Never", "containers": [{
                "name": "c", "image": "i", "ports": [{"containerPort": 70000}],
                "resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}},
                "volumeMounts": [{"name": "v", "mountPath": "/a"}]
            }]}}
        }});
        insta::assert_snapshot!(told("apps", "Deployment", true, object), @r#"
        spec.replicas: Invalid value: -1: must be greater than or equal to 0
        spec.template.metadata.labels: Invalid value: {"app":"x"}: `selector` does not match template `labels`
        spec.template.spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive
        spec.template.spec.containers[0].volumeMounts[0].name: Not found: "v"
        spec.template.spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1
        spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"
        spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0
        spec.progressDeadlineSeconds: Invalid value: 5: must be greater than minReadySeconds
        "#);
    }

    #[test]
    fn bindings_are_refused_in_the_words_of_the_server() {
        let object = json!({"metadata": {"name": "b", "namespace": "n"},
            "roleRef": {"apiGroup": "x", "kind": "Foo", "name": ""},
            "subjects": [{"kind": "User", "name": "", "apiGroup": "q"}, {"kind": "X", "name": "y"}]});
        insta::assert_snapshot!(told(RBAC, "RoleBinding", true, object), @r#"
        roleRef.apiGroup: Unsupported value: "x": supported values: "rbac.authorization.k8s.io"
        roleRef.kind: Unsupported value: "Foo": supported values: "Role", "ClusterRole"
        roleRef.name: Required value
        subjects[0].name: Required value
        subjects[0].apiGroup: Unsupported value: "q": supported values: "rbac.authorization.k8s.io"
        subjects[1].kind: Unsupported value: "X": supported values: "ServiceAccount", "User", "Group"
        "#);
    }

    #[test]
    fn names_that_no_rule_of_the_kind_forbids_must_fit_into_a_path() {
        let object = json!({"metadata": {"name": "P%/", "namespace": "n"}, "spec": {"minAvailable": 1}});
        insta::assert_snapshot!(told("policy", "PodDisruptionBudget", true, object), @r#"
        metadata.name: Invalid value: "P%/": may not contain '/'
        metadata.name: Invalid value: "P%/": may not contain '%'
        "#);
    }

    #[test]
    fn what_may_not_change_is_told_on_an_update() {
        let live = json!({"metadata": {"name": "s", "namespace": "n"}, "type": "Opaque", "immutable": true, "data": {"a": ""}});
        let object = json!({"metadata": {"name": "s", "namespace": "n"}, "type": "x", "data": {"b": ""}});
        insta::assert_snapshot!(lines(&update(&kind("", "Secret", true), None, &live, &object)), @r#"
        type: Invalid value: "x": field is immutable
        immutable: Forbidden: field is immutable when `immutable` is set
        data: Forbidden: field is immutable when `immutable` is set
        "#);
    }

    #[test]
    fn a_pod_as_a_whole_asks_for_no_less_than_its_containers() {
        let object = json!({"metadata": {"name": "p", "namespace": "n"}, "spec": {
            "resources": {"requests": {"cpu": "1"}, "limits": {"cpu": "1"}, "claims": [{"name": "a"}]},
            "securityContext": {"seLinuxChangePolicy": "MountOption"},
            "containers": [{"name": "c", "image": "i", "resources": {"limits": {"cpu": "2"}, "requests": {"cpu": "1500m"}}}],
            "initContainers": [{"name": "d", "image": "i", "resources": {"requests": {"cpu": "1200m"}}}]}});
        insta::assert_snapshot!(told("", "Pod", true, object), @r#"
        spec.resources.claims: Forbidden: claims may not be set for Resources at pod-level
        spec.resources.claims[0]: Not found: "a": must be one of the names in pod.spec.resourceClaims which is empty
        spec.resources.requests[cpu]: Invalid value: "1": must be greater than or equal to aggregate container requests of 1500m
        spec.resources.containers[0][cpu].limits: Invalid value: "2": must be less than or equal to pod limits of 1
        spec.securityContext.seLinuxChangePolicy: Unsupported value: "MountOption": supported values: "Recursive"
        "#);
    }

    #[test]
    fn annotations_that_mean_something_stay() {
        let pod = |annotations: Value| {
            let mut pod = json!({"metadata": {"name": "p", "namespace": "n", "annotations": annotations},
                "spec": {"containers": [{"name": "c", "image": "i"}]}});
            with_defaults(&builtin("", "v1", "Pod").unwrap(), &mut pod);
            pod
        };
        let live = pod(json!({}));
        let object = pod(json!({
            "container.apparmor.security.beta.kubernetes.io/c": "unconfined",
            "controller.kubernetes.io/pod-deletion-cost": "x"
        }));
        insta::assert_snapshot!(lines(&update(&kind("", "Pod", true), None, &live, &object)), @r#"
        metadata.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: "x": must be a 32bit integer
        metadata.annotations[container.apparmor.security.beta.kubernetes.io/c]: Forbidden: may not add AppArmor annotations
        metadata.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: "x": must be a 32bit integer
        "#);
        let claim = |class: &str| {
            json!({"metadata": {"name": "c", "namespace": "n",
            "annotations": {"volume.beta.kubernetes.io/storage-class": class}}, "spec": {"accessModes": ["ReadWriteOnce"],
            "volumeMode": "Filesystem", "resources": {"requests": {"storage": "1Gi"}}}})
        };
        let claims = kind("", "PersistentVolumeClaim", true);
        insta::assert_snapshot!(lines(&update(&claims, None, &claim("a"), &claim("b"))), @r#"metadata.annotations.volume.beta.kubernetes.io/storage-class: Invalid value: "b": field is immutable"#);
        let mut upgraded = claim("a");
        upgraded["spec"]["storageClassName"] = json!("a");
        assert_eq!(lines(&update(&claims, None, &claim("a"), &upgraded)), "");
    }

    #[test]
    fn texts_of_choices_are_shown_as_json() {
        let object =
            json!({"metadata": {"name": "s", "namespace": "n"}, "spec": {"ports": [{"port": 80, "protocol": "<x>"}]}});
        insta::assert_snapshot!(told("", "Service", true, object), @r#"spec.ports[0].protocol: Unsupported value: "\u003cx\u003e": supported values: "SCTP", "TCP", "UDP""#);
        let live = json!({"metadata": {"name": "n"}, "spec": {"externalID": "a"}});
        let object = json!({"metadata": {"name": "n"}, "spec": {}});
        assert_eq!(
            lines(&update(&kind("", "Node", false), None, &live, &object)),
            "spec.externalID: Forbidden: may not be updated\n"
        );
    }

    #[test]
    fn parameters_are_chosen_by_a_selector_that_can_be_read() {
        let object = json!({"metadata": {"name": "b"}, "spec": {"policyName": "p", "validationActions": ["Deny"],
            "paramRef": {"name": "x", "selector": {"matchExpressions": [{"key": "a", "operator": "Is"}]},
                "parameterNotFoundAction": "Deny"}}});
        insta::assert_snapshot!(told(ADMISSION, "ValidatingAdmissionPolicyBinding", false, object), @r#"
        spec.paramRef.name: Forbidden: name and selector are mutually exclusive
        spec.paramRef.selector.matchExpressions[0].operator: Invalid value: "Is": not a valid selector operator
        spec.paramRef.selector: Forbidden: name and selector are mutually exclusive
        "#);
    }
}
