//! The NetworkPolicy in front of a database: only Mathison's own pods reach it.

use serde_json::{Value, json};

use super::ServiceContext;
use super::labels::{PART_OF, PART_OF_LABEL, metadata, selector};

/// Returns the policy that admits pods of the namespace labelled `app.kubernetes.io/part-of: mathison` to one port of the
/// pods called `name`, and nobody else to any.
///
/// What the pods may reach is left alone; a kubelet's probes run inside the container and need no admission.
pub(super) fn admit_own_pods(context: ServiceContext<'_>, name: &str, labels: &Value, port: u16) -> Value {
    json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(context, name, labels),
        "spec": {
            "podSelector": {"matchLabels": selector(context, name)},
            "policyTypes": ["Ingress"],
            "ingress": [{
                "from": [{"podSelector": {"matchLabels": {PART_OF_LABEL: PART_OF}}}],
                "ports": [{"protocol": "TCP", "port": port}],
            }],
        },
    })
}
