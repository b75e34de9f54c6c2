//! What changes bring about beside the fields: which pods restart, and which do not although what they use changed.

use super::{Action, Change, Consequence, Inputs};
use crate::graph::NodeId;

/// Kinds whose controller replaces pods when the template changes.
const WORKLOADS: [&str; 3] = ["Deployment", "StatefulSet", "DaemonSet"];

/// Adds to each change what follows from it.
pub(super) fn add(inputs: &Inputs<'_>, changes: &mut [Change]) {
    for index in 0..changes.len() {
        let mut found = Vec::new();
        let change = &changes[index];
        if change.action == Action::Update && WORKLOADS.contains(&change.object.kind.as_str()) && restarts(change) {
            let live = inputs.observation.objects.get(&change.object);
            let replicas = live.and_then(|live| live.object.pointer("/spec/replicas")?.as_i64());
            found.push(Consequence::PodsRestart { replicas: replicas.unwrap_or(1) });
        }
        if change.action == Action::Update && is_configuration(change) {
            let id = NodeId::Resource(change.address.clone());
            for (dependent, _) in inputs.graph.dependents(&id) {
                let NodeId::Resource(address) = dependent else { continue };
                let workload = changes
                    .iter()
                    .find(|other| other.address == *address && WORKLOADS.contains(&other.object.kind.as_str()));
                if workload.is_some_and(|workload| workload.action != Action::Create && !restarts(workload)) {
                    found.push(Consequence::PodsDoNotRestart { workload: address.clone() });
                }
            }
        }
        changes[index].consequences.append(&mut found);
    }
}

fn restarts(change: &Change) -> bool {
    change.diff.iter().any(|field| field.path.starts_with(".spec.template"))
}

fn is_configuration(change: &Change) -> bool {
    matches!(change.object.kind.as_str(), "ConfigMap" | "Secret")
        && change.object.group.is_empty()
        && change.diff.iter().any(|field| !field.path.starts_with(".metadata"))
}
