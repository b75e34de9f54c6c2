//! What the server refuses in objects of its own kinds, in its own words and order.
//!
//! [`create`] and [`update`] look at objects that are decoded, defaulted and prepared. The rules are those of
//! `pkg/apis/*/validation` in Kubernetes; each subject has a file here. Maps are looked at in the order of their keys,
//! where the server's order is random. Where the server shows a comparison in Go's notation, whose spacing is random
//! by design, the changed fields are listed instead.

mod autoscaling;
mod claim;
mod cluster;
mod config;
mod counts;
mod endpoints;
mod events;
mod ingress;
mod internal;
mod jobs;
mod meta;
mod names;
mod numbers;
mod path;
mod pod;
mod policy;
mod quotas;
mod rbac;
mod read;
mod resources;
mod same;
mod schedule;
mod selector;
mod service;
mod webhooks;
mod workloads;

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
        ("", "PodTemplate") => workloads::pod_template(object, problems),
        ("", "ReplicationController") => workloads::replication_controller(object, problems),
        ("", "ConfigMap") => config::config_map(object, problems),
        ("", "Secret") => config::secret(object, problems),
        ("", "PersistentVolumeClaim") => claim::of(object, problems),
        ("", "PersistentVolume") => claim::of_volume(object, problems),
        ("apps", "Deployment") => workloads::deployment(object, problems),
        ("apps", "ReplicaSet") => workloads::replica_set(object, problems),
        ("apps", "StatefulSet") => workloads::stateful_set(object, problems),
        ("apps", "DaemonSet") => workloads::daemon_set(object, problems),
        ("apps", "ControllerRevision") => workloads::controller_revision(object, problems),
        ("batch", "Job") => jobs::job(object, problems),
        ("batch", "CronJob") => jobs::cron_job(object, problems),
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
        ("policy", "PodDisruptionBudget") => policy::disruption_budget(object, problems),
        ("autoscaling", "HorizontalPodAutoscaler") => autoscaling::of(object, problems),
        ("coordination.k8s.io", "Lease") => cluster::lease(object, problems),
        ("scheduling.k8s.io", "PriorityClass") => cluster::priority_class(object, problems),
        ("node.k8s.io", "RuntimeClass") => cluster::runtime_class(object, problems),
        ("storage.k8s.io", "StorageClass") => cluster::storage_class(object, problems),
        (ADMISSION, "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration") => {
            webhooks::of(object, problems);
        }
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
        ("", "Node") => cluster::node_update(live, object, problems),
        ("", "ResourceQuota") => quotas::quota_status(live, object, problems),
        ("" | "apps" | "autoscaling" | "policy", kind) => counts::of(kind, live, object, problems),
        _ => {}
    }
}

fn of_update(kind: &Kind, live: &Value, object: &Value, problems: &mut Problems) {
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Pod") => pod::of_update(live, object, problems),
        ("", "PodTemplate") => workloads::pod_template_update(live, object, problems),
        ("", "ReplicationController") => workloads::replication_controller_update(live, object, problems),
        ("", "ConfigMap") => config::config_map_update(live, object, problems),
        ("", "Secret") => config::secret_update(live, object, problems),
        ("", "PersistentVolumeClaim") => claim::of_update(live, object, problems),
        ("", "PersistentVolume") => claim::of_volume_update(live, object, problems),
        ("apps", "Deployment") => workloads::deployment_update(live, object, problems),
        ("apps", "ReplicaSet") => workloads::replica_set_update(live, object, problems),
        ("apps", "StatefulSet") => workloads::stateful_set_update(live, object, problems),
        ("apps", "DaemonSet") => workloads::daemon_set_update(live, object, problems),
        ("apps", "ControllerRevision") => workloads::controller_revision_update(live, object, problems),
        ("batch", "Job") => jobs::job_update(live, object, problems),
        ("batch", "CronJob") => jobs::cron_job_update(live, object, problems),
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
        ("", "Namespace") => meta::of_update(live, object, problems),
        ("", "Node") => cluster::node_update(live, object, problems),
        ("" | "events.k8s.io", "Event") => events::common(object, !kind.group.is_empty(), problems),
        ("discovery.k8s.io", "EndpointSlice") => endpoints::slice(object, Some(live), problems),
        (RBAC, "Role" | "ClusterRole") => rbac::role_update(live, object, kind.namespaced, problems),
        (RBAC, "RoleBinding" | "ClusterRoleBinding") => {
            rbac::binding_update(live, object, kind.namespaced, problems);
        }
        (NETWORKING, "Ingress") => ingress::of_update(live, object, problems),
        (NETWORKING, "IngressClass") => ingress::class_update(live, object, problems),
        (NETWORKING, "NetworkPolicy") => policy::network_update(live, object, problems),
        ("policy", "PodDisruptionBudget") => policy::disruption_budget(object, problems),
        ("autoscaling", "HorizontalPodAutoscaler") => autoscaling::of_update(live, object, problems),
        ("coordination.k8s.io", "Lease") => cluster::lease_update(live, object, problems),
        ("scheduling.k8s.io", "PriorityClass") => cluster::priority_class_update(live, object, problems),
        ("node.k8s.io", "RuntimeClass") => cluster::runtime_class_update(live, object, problems),
        ("storage.k8s.io", "StorageClass") => cluster::storage_class_update(live, object, problems),
        (ADMISSION, "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration") => {
            webhooks::of(object, problems);
        }
        ("apiregistration.k8s.io", "APIService") => {
            meta::generic_update(live, object, problems);
            webhooks::api_service(object, problems);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The problems, a line each.
    pub(super) fn lines(problems: &[FieldProblem]) -> String {
        problems.iter().map(|problem| format!("{}\n", problem.text())).collect()
    }
}
