//! The server behind a Service: the workloads it selects, and the bindings by which they may act.

use serde_json::Value;

use crate::graph::objects::{Key, Objects};
use crate::graph::selector;
use crate::resource::Manifest;

use super::{access, core, pod, text};

/// What must stand before a server can answer, as node numbers with their reasons.
pub(super) fn of_service(objects: &Objects<'_, '_>, namespace: &str, name: &str) -> Vec<(u32, String)> {
    let Some(service) = objects.find(&core("Service", Some(namespace), name)) else { return Vec::new() };
    let mut needs = vec![(service, format!("calls Service {name}"))];
    let wanted = objects.manifest(service).and_then(|manifest| manifest.object().pointer("/spec/selector"));
    let mut accounts: Vec<Key<'_>> = Vec::new();
    for (number, workload) in objects.manifests() {
        if workload.namespace() == Some(namespace) && is_selected(wanted, workload) {
            needs.push((number, format!("served by {} {}", workload.kind(), workload.name())));
            let account = pod::pod_spec(workload.object()).map_or("", |spec| text(spec, "/serviceAccountName"));
            let account = if account.is_empty() { "default" } else { account };
            accounts.push(core("ServiceAccount", Some(namespace), account));
        }
    }
    if accounts.is_empty() {
        return needs;
    }
    for (number, binding) in objects.manifests() {
        let is_binding = matches!(binding.kind(), "RoleBinding" | "ClusterRoleBinding");
        if is_binding && access::service_accounts(binding).any(|account| accounts.contains(&account)) {
            needs.push((number, format!("its server acts by {} {}", binding.kind(), binding.name())));
        }
    }
    needs
}

fn is_selected(wanted: Option<&Value>, workload: &Manifest) -> bool {
    if pod::pod_spec(workload.object()).is_none() {
        return false;
    }
    let labels = pod::pod_labels(workload.object());
    selector::equals(wanted, &|key| labels.and_then(|labels| labels.get(key)).and_then(Value::as_str))
}
