//! What an object lives in: its namespace, and the definition of its kind.

use crate::resource::Manifest;

use super::{References, core, pod};

/// Namespaces that every cluster has by itself.
const GIVEN: [&str; 4] = ["default", "kube-system", "kube-public", "kube-node-lease"];

pub(super) fn infer(manifest: &Manifest, found: &mut References<'_, '_, '_>) {
    if let Some(namespace) = manifest.namespace() {
        let verb = if pod::pod_spec(manifest.object()).is_some() { "runs" } else { "is" };
        let reason = || format!("{verb} in namespace {namespace}");
        let key = core("Namespace", None, namespace);
        if GIVEN.contains(&namespace) { found.refer_if_present(key, reason) } else { found.refer(key, reason) }
    }
    if let Some((definition, of)) = found.objects.definition(manifest.group(), manifest.kind()) {
        found.edge(definition, || format!("defined by CustomResourceDefinition {}", of.name()));
    }
}
