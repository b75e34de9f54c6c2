//! What changes bring about beside the fields: which pods restart, and which do not although what they use changed.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Action, Change, Consequence, Inputs};
use crate::graph::NodeId;
use crate::resource::Address;

/// Kinds whose controller replaces pods when the template changes.
const WORKLOADS: [&str; 3] = ["Deployment", "StatefulSet", "DaemonSet"];

/// Adds to each change what follows from it.
pub(super) fn add(inputs: &Inputs<'_>, changes: &mut [Change]) {
    let workloads: BTreeMap<Address, bool> = changes
        .iter()
        .filter(|change| is_workload(change) && change.action != Action::Create)
        .map(|change| (change.address.clone(), changes_template(change)))
        .collect();
    for change in changes.iter_mut().filter(|change| matches!(change.action, Action::Update | Action::Adopt)) {
        if is_workload(change) && changes_template(change) {
            let observed = inputs.observation.objects.get(&change.object);
            change.consequences.extend(observed.and_then(|observed| restart(&observed.live().object)));
        }
        if is_configuration(change) {
            let id = NodeId::Resource(change.address.clone());
            let users = inputs.graph.dependents(&id).filter_map(|(dependent, _)| match dependent {
                NodeId::Resource(address) if workloads.get(address) == Some(&false) => Some(address.clone()),
                _ => None,
            });
            change.consequences.extend(users.map(|workload| Consequence::PodsDoNotRestart { workload }));
        }
    }
}

fn is_workload(change: &Change) -> bool {
    change.object.group == "apps" && WORKLOADS.contains(&change.object.kind.as_str())
}

fn changes_template(change: &Change) -> bool {
    change.diff.iter().any(|field| field.path == ".spec.template" || field.path.starts_with(".spec.template."))
}

/// What a new template does to the pods of a live workload.
fn restart(live: &Value) -> Option<Consequence> {
    let at = |pointer: &str| live.pointer(pointer);
    let is = |pointer: &str, word: &str| at(pointer).and_then(Value::as_str) == Some(word);
    if is("/spec/updateStrategy/type", "OnDelete") {
        let words = "its pods do not restart: it replaces each only once somebody deletes it (OnDelete)";
        return Some(Consequence::Note(words.to_owned()));
    }
    if at("/spec/paused").and_then(Value::as_bool) == Some(true) {
        return Some(Consequence::Note("its pods do not restart before its rollout is resumed".to_owned()));
    }
    let replicas = if is("/kind", "DaemonSet") { at("/status/desiredNumberScheduled") } else { at("/spec/replicas") };
    let replicas = replicas.and_then(Value::as_i64).unwrap_or(1);
    (replicas > 0).then_some(Consequence::PodsRestart { replicas })
}

fn is_configuration(change: &Change) -> bool {
    matches!(change.object.kind.as_str(), "ConfigMap" | "Secret")
        && change.object.group.is_empty()
        && change.diff.iter().any(|field| !field.path.starts_with(".metadata."))
}
