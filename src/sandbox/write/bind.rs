//! Putting a pod on a node.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Place;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::state::State;

/// Assigns a pod to a node, and says so in its status.
///
/// # Errors
/// 404, or 409 where it is on another node.
pub fn bind(state: &mut State, place: &Place, node: &str, dry_run: bool) -> Result<(), Refusal> {
    let key = state.key(&place.kind, &place.namespace, &place.name);
    let pod = state.store.get(&key).map(|stored| Arc::clone(stored.object()));
    let pod = pod.ok_or_else(|| Refusal::not_found(&place.kind, &place.name))?;
    if let Some(taken) = pod.pointer("/spec/nodeName").and_then(Value::as_str).filter(|taken| !taken.is_empty()) {
        let why = format!("pod {} is already assigned to node {taken:?}", place.name);
        return Err(Refusal::conflict(&place.kind, &place.name, &why));
    }
    let mut object = (*pod).clone();
    object["spec"]["nodeName"] = Value::from(node);
    let now = super::metadata::seconds(state.clock.now());
    let scheduled = json!({"type": "PodScheduled", "status": "True", "lastProbeTime": null, "lastTransitionTime": now});
    match object.pointer_mut("/status/conditions").and_then(Value::as_array_mut) {
        Some(conditions) => {
            conditions.retain(|condition| condition["type"] != "PodScheduled");
            conditions.push(scheduled);
        }
        None => object["status"]["conditions"] = json!([scheduled]),
    }
    if !dry_run {
        state.write(key, Some(object))?;
    }
    Ok(())
}
