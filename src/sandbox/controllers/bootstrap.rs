//! What is there before any user: the node, the classes, the API server's own Service.

use std::net::SocketAddr;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::fields::stamp;
use super::namespace;

/// Name of the only node.
pub(super) const NODE: &str = "sandbox";
/// Its address.
const NODE_ADDRESS: &str = "10.0.0.1";

/// What is known only when the server starts.
#[derive(Debug, Clone, Copy)]
pub struct Bootstrap<'a> {
    /// The certificate authority of the server, PEM.
    pub certificate_authority: &'a str,
    /// Where the server listens.
    pub address: SocketAddr,
}

/// Returns the objects that are there from the start. Their namespaces (`default`, `kube-system`) must be there already.
#[must_use]
pub fn bootstrap_objects(now: Timestamp, bootstrap: &Bootstrap<'_>) -> Vec<Value> {
    let priority = |name: &str, value: i64, description: &str| {
        json!({
            "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name},
            "value": value, "description": description, "preemptionPolicy": "PreemptLowerPriority"
        })
    };
    let cluster =
        "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.";
    let on_node = "Used for system critical pods that must not be moved from their current node.";
    let mut objects = vec![
        node(now),
        class("standard", "Immediate", true),
        class("wait", "WaitForFirstConsumer", false),
        priority("system-cluster-critical", 2_000_000_000, cluster),
        priority("system-node-critical", 2_000_001_000, on_node),
    ];
    objects.push(namespace::certificate_authority("kube-system", bootstrap.certificate_authority));
    objects.extend(own_service(bootstrap.address));
    objects
}

fn class(name: &str, binding: &str, is_default: bool) -> Value {
    let mut metadata = json!({"name": name});
    if is_default {
        let annotations = json!({"storageclass.kubernetes.io/is-default-class": "true"});
        super::fields::set(&mut metadata, &["annotations"], annotations);
    }
    json!({
        "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": metadata,
        "provisioner": "sandbox.mathison.dev/volumes", "reclaimPolicy": "Delete", "volumeBindingMode": binding,
        "allowVolumeExpansion": true
    })
}

fn node(now: Timestamp) -> Value {
    let condition = |kind: &str, status: &str, reason: &str, message: &str| {
        json!({
            "type": kind, "status": status, "reason": reason, "message": message,
            "lastHeartbeatTime": stamp(now), "lastTransitionTime": stamp(now)
        })
    };
    let amounts = json!({"cpu": "64", "memory": "256Gi", "ephemeral-storage": "1Ti", "pods": "100k"});
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {
            "name": NODE,
            "labels": {
                "beta.kubernetes.io/arch": "amd64", "beta.kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
                "kubernetes.io/hostname": NODE, "kubernetes.io/os": "linux"
            },
            "annotations": {"node.alpha.kubernetes.io/ttl": "0"}
        },
        "spec": {"podCIDR": "10.128.0.0/9", "podCIDRs": ["10.128.0.0/9"]},
        "status": {
            "addresses": [{"type": "InternalIP", "address": NODE_ADDRESS}, {"type": "Hostname", "address": NODE}],
            "allocatable": amounts, "capacity": amounts,
            "conditions": [
                condition("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
                condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
                condition("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
                condition("Ready", "True", "KubeletReady", "kubelet is posting ready status")
            ],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 0}},
            "nodeInfo": {
                "architecture": "amd64", "bootID": "", "containerRuntimeVersion": "sandbox://none", "kernelVersion": "none",
                "kubeProxyVersion": "", "kubeletVersion": "v1.35.4+sandbox", "machineID": "", "operatingSystem": "linux",
                "osImage": "Mathison sandbox (runs no containers)", "systemUUID": ""
            }
        }
    })
}

/// The Service `kubernetes`, whose endpoints the API server itself keeps.
fn own_service(address: SocketAddr) -> Vec<Value> {
    let (ip, port) = (address.ip().to_string(), address.port());
    let family = if address.is_ipv4() { "IPv4" } else { "IPv6" };
    vec![
        json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {
                "name": "kubernetes", "namespace": "default",
                "labels": {"component": "apiserver", "provider": "kubernetes"}
            },
            "spec": {
                "type": "ClusterIP", "clusterIP": "10.96.0.1", "clusterIPs": ["10.96.0.1"], "sessionAffinity": "None",
                "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack", "internalTrafficPolicy": "Cluster",
                "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": port}]
            },
            "status": {"loadBalancer": {}}
        }),
        json!({
            "apiVersion": "v1", "kind": "Endpoints",
            "metadata": {
                "name": "kubernetes", "namespace": "default",
                "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"}
            },
            "subsets": [{
                "addresses": [{"ip": ip}], "ports": [{"name": "https", "port": port, "protocol": "TCP"}]
            }]
        }),
        json!({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": family,
            "metadata": {
                "name": "kubernetes", "namespace": "default", "labels": {"kubernetes.io/service-name": "kubernetes"}
            },
            "endpoints": [{"addresses": [ip], "conditions": {"ready": true}}],
            "ports": [{"name": "https", "port": port, "protocol": "TCP"}]
        }),
    ]
}
