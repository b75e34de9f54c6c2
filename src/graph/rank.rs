//! Which kind is read first where the edges leave a choice.

use super::{NodeId, NodeInput};

/// Rank of a node among those that could come next. The edges decide what *must* come first; ranks only make the order
/// read like a story: namespace, access, configuration, secrets, network, workloads, checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Rank {
    Namespace,
    Definition,
    Access,
    Class,
    Config,
    Secret,
    Claim,
    Network,
    Workload,
    Scaling,
    Custom,
    Registration,
    Check,
}

impl Rank {
    /// Returns the rank of a node; one without a manifest (recorded, no longer declared) is judged by its address.
    pub(super) fn of(node: &NodeInput<'_>) -> Self {
        match &node.id {
            NodeId::Check(_) => Self::Check,
            NodeId::SecretKey { .. } => Self::Secret,
            NodeId::Resource(address) => match node.manifest {
                Some(manifest) => Self::of_kind(manifest.kind()),
                None => Self::of_kind(kind_in_address(address.as_str())),
            },
        }
    }

    /// The group is left out on purpose: a kind that somebody else calls `Service` too is not far from one.
    fn of_kind(kind: &str) -> Self {
        match kind {
            "Namespace" => Self::Namespace,
            "CustomResourceDefinition" => Self::Definition,
            "ServiceAccount" | "Role" | "ClusterRole" | "RoleBinding" | "ClusterRoleBinding" => Self::Access,
            "PriorityClass"
            | "RuntimeClass"
            | "StorageClass"
            | "IngressClass"
            | "CSIDriver"
            | "ResourceQuota"
            | "LimitRange"
            | "ValidatingAdmissionPolicy" => Self::Class,
            "ConfigMap" => Self::Config,
            "Secret" => Self::Secret,
            "PersistentVolume" | "PersistentVolumeClaim" => Self::Claim,
            "Service" | "NetworkPolicy" | "Endpoints" | "EndpointSlice" | "Ingress" => Self::Network,
            "Pod"
            | "Deployment"
            | "StatefulSet"
            | "DaemonSet"
            | "ReplicaSet"
            | "ReplicationController"
            | "Job"
            | "CronJob" => Self::Workload,
            "HorizontalPodAutoscaler" | "PodDisruptionBudget" => Self::Scaling,
            "ValidatingWebhookConfiguration"
            | "MutatingWebhookConfiguration"
            | "APIService"
            | "ValidatingAdmissionPolicyBinding" => Self::Registration,
            _ => Self::Custom,
        }
    }
}

fn kind_in_address(address: &str) -> &str {
    let head = address.split('/').next().unwrap_or_default();
    head.split('.').nth(1).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::Address;

    fn recorded(address: &str) -> Rank {
        Rank::of(&NodeInput {
            id: NodeId::Resource(Address::from_text(address)),
            manifest: None,
            depends_on: Vec::new(),
            mentions: Vec::new(),
            about: Vec::new(),
        })
    }

    #[test]
    fn a_recorded_node_is_ranked_by_the_kind_in_its_address() {
        assert_eq!(recorded("postgres.StatefulSet/postgres"), Rank::Workload);
        assert_eq!(recorded("manifest.Widget.example.com/other/w1"), Rank::Custom);
        assert_eq!(recorded("access.ClusterRole/system:a/b"), Rank::Access);
    }

    #[test]
    fn ranks_read_like_a_story() {
        assert!(Rank::Namespace < Rank::Access && Rank::Access < Rank::Config && Rank::Config < Rank::Secret);
        assert!(Rank::Secret < Rank::Network && Rank::Network < Rank::Workload && Rank::Workload < Rank::Check);
    }
}
