//! The cells of Kubernetes' own kinds, by what the kinds are for.
//!
//! Each function writes one row, in the order of the kind's columns, wide ones included: the client leaves those out.

mod access;
mod autoscaling;
mod cluster;
mod event;
mod extension;
mod network;
mod pod;
mod storage;
mod workload;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Row;
use super::fields::Fields;

/// Writes the row of an object.
pub(super) type Print = fn(Fields<'_>, Timestamp) -> Row;

/// Returns what writes the rows of a kind, where the server has columns of its own for it.
pub(super) fn printer(group: &str, kind: &str) -> Option<Print> {
    Some(match (group, kind) {
        ("", "Pod") => pod::pod,
        ("", "PodTemplate") => workload::pod_template,
        ("", "ReplicationController") => workload::replication_controller,
        ("apps", "ControllerRevision") => workload::controller_revision,
        ("apps", "DaemonSet") => workload::daemon_set,
        ("apps", "Deployment") => workload::deployment,
        ("apps", "ReplicaSet") => workload::replica_set,
        ("apps", "StatefulSet") => workload::stateful_set,
        ("batch", "CronJob") => workload::cron_job,
        ("batch", "Job") => workload::job,
        ("", "Service") => network::service,
        ("", "Endpoints") => network::endpoints,
        ("discovery.k8s.io", "EndpointSlice") => network::endpoint_slice,
        ("networking.k8s.io", "Ingress") => network::ingress,
        ("networking.k8s.io", "IngressClass") => network::ingress_class,
        ("networking.k8s.io", "NetworkPolicy") => network::network_policy,
        ("networking.k8s.io", "ServiceCIDR") => network::service_cidr,
        ("networking.k8s.io", "IPAddress") => network::ip_address,
        ("", "PersistentVolume") => storage::persistent_volume,
        ("", "PersistentVolumeClaim") => storage::persistent_volume_claim,
        ("storage.k8s.io", "StorageClass") => storage::storage_class,
        ("storage.k8s.io", "VolumeAttachment") => storage::volume_attachment,
        ("storage.k8s.io", "VolumeAttributesClass") => storage::volume_attributes_class,
        ("storage.k8s.io", "CSIDriver") => storage::csi_driver,
        ("storage.k8s.io", "CSINode") => storage::csi_node,
        ("", "Namespace") => cluster::namespace,
        ("", "Node") => cluster::node,
        ("", "ConfigMap") => cluster::config_map,
        ("", "Secret") => cluster::secret,
        ("", "ResourceQuota") => cluster::resource_quota,
        ("", "ComponentStatus") => cluster::component_status,
        ("coordination.k8s.io", "Lease") => cluster::lease,
        ("node.k8s.io", "RuntimeClass") => cluster::runtime_class,
        ("scheduling.k8s.io", "PriorityClass") => cluster::priority_class,
        ("", "Event") | ("events.k8s.io", "Event") => event::event,
        ("", "ServiceAccount") | ("resource.k8s.io", "DeviceClass" | "ResourceClaimTemplate") => name_and_age,
        ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => access::binding,
        ("certificates.k8s.io", "CertificateSigningRequest") => access::signing_request,
        ("autoscaling", "HorizontalPodAutoscaler") => autoscaling::autoscaler,
        ("autoscaling", "Scale") => autoscaling::scale,
        ("policy", "PodDisruptionBudget") => autoscaling::disruption_budget,
        ("admissionregistration.k8s.io", "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration") => {
            extension::webhooks
        }
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy") => extension::admission_policy,
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding") => extension::admission_policy_binding,
        ("apiregistration.k8s.io", "APIService") => extension::api_service,
        ("flowcontrol.apiserver.k8s.io", "FlowSchema") => extension::flow_schema,
        ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration") => extension::priority_level,
        ("resource.k8s.io", "ResourceClaim") => extension::resource_claim,
        ("resource.k8s.io", "ResourceSlice") => extension::resource_slice,
        _ => return None,
    })
}

fn name_and_age(object: Fields<'_>, now: Timestamp) -> Row {
    vec![json!(object.name()), object.age(now)].into()
}

/// Lists at most so many values, and how many there are beyond.
fn shortened(values: &[String], most: usize, count: usize) -> String {
    let shown = values.iter().take(most).map(String::as_str).collect::<Vec<_>>().join(",");
    if count > most { format!("{shown} + {} more...", count - most) } else { shown }
}

/// Returns the names and the images of containers.
fn containers(object: Fields<'_>, path: &str) -> [Value; 2] {
    ["/name", "/image"].map(|field| {
        let values: Vec<&str> = object.items(path).map(|container| container.text(field)).collect();
        json!(values.join(","))
    })
}
