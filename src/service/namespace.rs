//! `namespace`: the stack's own namespace, as an object of the stack.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::block::manifest;
use super::labels::labels;
use super::{Expansion, Remark, ServiceContext};

/// The stack's namespace. An existing namespace is used as it is.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct NamespaceBlock {
    /// The Pod Security Standard that the API server enforces in the namespace; everything that Mathison's own services
    /// make meets `restricted`.
    pod_security: PodSecurity,
}

/// A level of the Pod Security Standards.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum PodSecurity {
    /// Nothing is forbidden.
    Privileged,
    /// Known ways out of a container are forbidden.
    #[default]
    Baseline,
    /// Pods run as an ordinary user without capabilities.
    Restricted,
}

pub(super) fn expand(block: NamespaceBlock, context: ServiceContext<'_>) -> Result<Expansion, Vec<Remark>> {
    let level = match block.pod_security {
        PodSecurity::Privileged => "privileged",
        PodSecurity::Baseline => "baseline",
        PodSecurity::Restricted => "restricted",
    };
    let mut labels = labels(context, context.namespace, "namespace");
    labels["pod-security.kubernetes.io/enforce"] = json!(level);
    let namespace = manifest(json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": context.namespace, "labels": labels},
    }))
    .map_err(|remark| vec![remark])?;
    Ok(Expansion { manifests: vec![namespace], ..Expansion::default() })
}
