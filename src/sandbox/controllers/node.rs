//! Nodes: one that is ready loses the taint under which it was admitted.

use serde_json::Value;

use super::deed::Outcome;
use super::fields::{items, text};

/// What a node carries until it is known to be ready.
const NOT_READY: &str = "node.kubernetes.io/not-ready";
const MANAGER: &str = "kube-controller-manager";

pub(super) fn reconcile(node: &Value) -> Outcome {
    let mut outcome = Outcome::default();
    let is_ready = items(node, "/status/conditions")
        .iter()
        .any(|condition| text(condition, "/type") == "Ready" && text(condition, "/status") == "True");
    let taints = items(node, "/spec/taints");
    let kept: Vec<Value> = taints.iter().filter(|taint| text(taint, "/key") != NOT_READY).cloned().collect();
    if is_ready && kept.len() < taints.len() {
        let mut node = node.clone();
        if let Some(spec) = node.get_mut("spec").and_then(Value::as_object_mut) {
            match kept.is_empty() {
                true => spec.remove("taints"),
                false => spec.insert("taints".to_owned(), Value::Array(kept)),
            };
        }
        outcome.update(node, MANAGER);
    }
    outcome
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_ready_node_loses_its_taint() {
        let node = |ready: &str| {
            json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"},
                "spec": {"taints": [{"key": "mine", "effect": "NoSchedule"}, {"key": NOT_READY, "effect": "NoSchedule"}]},
                "status": {"conditions": [{"type": "Ready", "status": ready}]}})
        };
        assert!(reconcile(&node("False")).deeds.is_empty());
        let deeds = reconcile(&node("True")).deeds;
        let [crate::sandbox::controllers::Deed::Update { object, .. }] = deeds.as_slice() else { panic!("{deeds:?}") };
        assert_eq!(object["spec"]["taints"], json!([{"key": "mine", "effect": "NoSchedule"}]));
        assert!(reconcile(object).deeds.is_empty());
    }
}
