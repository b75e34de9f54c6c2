//! The status with which an object begins, and which kinds have one at all.

use serde_json::{Value, json};

use super::fields::text;
use crate::sandbox::kind::Kind;

/// Returns the status that is stored with a new object of a built-in kind; `None` if the kind has none or keeps the one
/// that was sent, as nodes do. What depends on the object (pods, definitions, API services) is filled in elsewhere.
pub(super) fn first_status(kind: &Kind, object: &Value) -> Option<Value> {
    let status = match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Namespace") => json!({"phase": "Active"}),
        ("", "PersistentVolumeClaim") => json!({"phase": "Pending"}),
        // The server takes the time of the creation.
        ("", "PersistentVolume") => json!({
            "phase": "Pending", "lastPhaseTransitionTime": text(object, &["metadata", "creationTimestamp"])
        }),
        ("", "Service") | ("networking.k8s.io", "Ingress") => json!({"loadBalancer": {}}),
        ("", "ReplicationController") | ("apps", "ReplicaSet") => json!({"replicas": 0}),
        ("apps", "StatefulSet") => json!({"replicas": 0, "availableReplicas": 0}),
        ("apps", "DaemonSet") => json!({
            "currentNumberScheduled": 0, "numberMisscheduled": 0, "desiredNumberScheduled": 0, "numberReady": 0
        }),
        ("autoscaling", "HorizontalPodAutoscaler") if kind.version == "v1" => {
            json!({"currentReplicas": 0, "desiredReplicas": 0})
        }
        ("autoscaling", "HorizontalPodAutoscaler") => json!({"desiredReplicas": 0, "currentMetrics": null}),
        ("policy", "PodDisruptionBudget") => {
            json!({"disruptionsAllowed": 0, "currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0})
        }
        ("storage.k8s.io", "VolumeAttachment") => json!({"attached": false}),
        ("apiregistration.k8s.io", "APIService") => api_service(object),
        ("", "ResourceQuota")
        | ("apps", "Deployment")
        | ("batch", "Job" | "CronJob")
        | ("certificates.k8s.io", "CertificateSigningRequest" | "PodCertificateRequest")
        | ("flowcontrol.apiserver.k8s.io", "FlowSchema" | "PriorityLevelConfiguration")
        | ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy")
        | ("resource.k8s.io", "ResourceClaim" | "DeviceTaintRule")
        | ("internal.apiserver.k8s.io", "StorageVersion")
        | ("storagemigration.k8s.io", "StorageVersionMigration") => json!({}),
        _ => return None,
    };
    Some(status)
}

/// Adds to a status what the server always writes, be it zero: it does so whenever it stores an object of the kind.
pub(super) fn fill_in_zeros(kind: &Kind, object: &mut Value) {
    let zeros = match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Node") => json!({
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 0}},
            "nodeInfo": {
                "machineID": "", "systemUUID": "", "bootID": "", "kernelVersion": "", "osImage": "",
                "containerRuntimeVersion": "", "kubeletVersion": "", "kubeProxyVersion": "", "operatingSystem": "",
                "architecture": ""
            }
        }),
        ("", "Namespace" | "PersistentVolumeClaim" | "PersistentVolume" | "Pod")
        | ("networking.k8s.io", "ServiceCIDR") => json!({}),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            json!({"conditions": null, "acceptedNames": {"plural": "", "kind": ""}, "storedVersions": null})
        }
        ("apiregistration.k8s.io", "APIService") => json!({}),
        _ => match first_status(kind, object) {
            Some(status) => status,
            None => return,
        },
    };
    add_missing(object.as_object_mut().map(|map| map.entry("status").or_insert(Value::Null)), zeros);
}

fn add_missing(value: Option<&mut Value>, zeros: Value) {
    match (value, zeros) {
        (Some(value), zeros) if value.is_null() => *value = zeros,
        (Some(Value::Object(map)), Value::Object(zeros)) => {
            for (key, zero) in zeros {
                match map.get_mut(&key) {
                    Some(value) => add_missing(Some(value), zero),
                    None => {
                        map.insert(key, zero);
                    }
                }
            }
        }
        _ => {}
    }
}

/// An API service that the server itself answers is available from the beginning.
fn api_service(object: &Value) -> Value {
    if super::fields::at(object, &["spec", "service"]).is_some() {
        return json!({});
    }
    json!({"conditions": [{
        "type": "Available", "status": "True",
        "lastTransitionTime": text(object, &["metadata", "creationTimestamp"]),
        "reason": "Local", "message": "Local APIServices are always available"
    }]})
}
