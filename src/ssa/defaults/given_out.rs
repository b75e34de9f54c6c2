//! What the server gives out: values that no default tells, because they come from a pool, a clock or an admission plugin.

/// A field whose value nobody can tell before the write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GivenOut {
    /// Its type, `io.k8s.api.core.v1.ServiceSpec`.
    pub type_name: &'static str,
    /// The field.
    pub field: &'static str,
    /// Where the value comes from.
    pub from: &'static str,
}

const fn line(type_name: &'static str, field: &'static str, from: &'static str) -> GivenOut {
    GivenOut { type_name, field, from }
}

const SERVICE_SPEC: &str = "io.k8s.api.core.v1.ServiceSpec";
const POD_SPEC: &str = "io.k8s.api.core.v1.PodSpec";
const CLAIM_SPEC: &str = "io.k8s.api.core.v1.PersistentVolumeClaimSpec";

/// All that is known of. Labels and names that a controller's selector needs are among them.
pub const GIVEN_OUT: &[GivenOut] = &[
    line(SERVICE_SPEC, "clusterIP", "the range of service addresses"),
    line(SERVICE_SPEC, "clusterIPs", "the range of service addresses"),
    line(SERVICE_SPEC, "ipFamilies", "the families that the cluster has"),
    line(SERVICE_SPEC, "ipFamilyPolicy", "the families that the cluster has"),
    line(SERVICE_SPEC, "healthCheckNodePort", "the range of node ports"),
    line("io.k8s.api.core.v1.ServicePort", "nodePort", "the range of node ports"),
    line(POD_SPEC, "nodeName", "the scheduler"),
    line(POD_SPEC, "preemptionPolicy", "the pod's priority class"),
    line(POD_SPEC, "priority", "the pod's priority class"),
    line(POD_SPEC, "priorityClassName", "the default priority class"),
    line(POD_SPEC, "tolerations", "admission: how long a pod stays on a node that fails"),
    line(POD_SPEC, "volumes", "admission: the token of the service account"),
    line("io.k8s.api.batch.v1.JobSpec", "selector", "the uid of the Job"),
    line(CLAIM_SPEC, "storageClassName", "the default storage class"),
    line(CLAIM_SPEC, "volumeName", "the volume that is bound"),
    line("io.k8s.api.core.v1.Namespace", "spec", "the server: who must let go of a namespace"),
    line("io.k8s.api.networking.v1.IngressSpec", "ingressClassName", "the default ingress class"),
];

/// Tells where the server takes the value of a field from, if it gives it out.
#[must_use]
pub fn given_out(type_name: &str, field: &str) -> Option<&'static str> {
    GIVEN_OUT.iter().find(|line| line.type_name == type_name && line.field == field).map(|line| line.from)
}
