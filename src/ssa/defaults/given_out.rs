//! What the server gives out: values that no default tells, because they come from a pool, a clock or an admission plugin.

const SERVICE_SPEC: &str = "io.k8s.api.core.v1.ServiceSpec";
const POD_SPEC: &str = "io.k8s.api.core.v1.PodSpec";
const CLAIM_SPEC: &str = "io.k8s.api.core.v1.PersistentVolumeClaimSpec";

/// The fields whose values nobody can tell before the write: type, field, and where the value comes from.
const GIVEN_OUT: [(&str, &str, &str); 17] = [
    (SERVICE_SPEC, "clusterIP", "the range of service addresses"),
    (SERVICE_SPEC, "clusterIPs", "the range of service addresses"),
    (SERVICE_SPEC, "ipFamilies", "the families that the cluster has"),
    (SERVICE_SPEC, "ipFamilyPolicy", "the families that the cluster has"),
    (SERVICE_SPEC, "healthCheckNodePort", "the range of node ports"),
    ("io.k8s.api.core.v1.ServicePort", "nodePort", "the range of node ports"),
    (POD_SPEC, "nodeName", "the scheduler"),
    (POD_SPEC, "preemptionPolicy", "the pod's priority class"),
    (POD_SPEC, "priority", "the pod's priority class"),
    (POD_SPEC, "priorityClassName", "the default priority class"),
    (POD_SPEC, "tolerations", "admission: how long a pod stays on a node that fails"),
    (POD_SPEC, "volumes", "admission: the token of the service account"),
    ("io.k8s.api.batch.v1.JobSpec", "selector", "the uid of the Job"),
    (CLAIM_SPEC, "storageClassName", "the default storage class"),
    (CLAIM_SPEC, "volumeName", "the volume that is bound"),
    ("io.k8s.api.core.v1.Namespace", "spec", "the server: who must let go of a namespace"),
    ("io.k8s.api.networking.v1.IngressSpec", "ingressClassName", "the default ingress class"),
];

/// Tells where the server takes the value of a field from, if it gives it out.
#[must_use]
pub fn given_out(type_name: &str, field: &str) -> Option<&'static str> {
    let mut lines = GIVEN_OUT.iter();
    lines.find(|(of, name, _)| (*of, *name) == (type_name, field)).map(|(.., from)| *from)
}

/// Returns the fields of a type that the server gives out, and where their values come from.
pub(crate) fn all_given_out(type_name: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    GIVEN_OUT.iter().filter(move |(of, ..)| *of == type_name).map(|(_, field, from)| (*field, *from))
}
