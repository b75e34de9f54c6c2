//! PodDisruptionBudgets: how many of the selected pods may go.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::condition::{self, Said};
use super::deed::Outcome;
use super::event;
use super::fields::{at, controller, group_of, is_leaving, items, namespace, number, set, share, text, uid};
use super::offspring::{self, MANAGER};
use super::pod::is_over;
use super::selector;
use crate::sandbox::view::View;

/// How the controller calls itself in Events.
const COMPONENT: &str = "controllermanager";

pub(super) fn reconcile(view: &dyn View, budget: &Value) -> Outcome {
    let mut outcome = Outcome::default();
    if is_leaving(budget) {
        return outcome;
    }
    let mut pods = view.list("", "Pod", Some(namespace(budget)));
    pods.retain(|pod| selector::matches(at(budget, "/spec/selector"), pod));
    if pods.is_empty() {
        event::once(view, &mut outcome, budget, "Normal", COMPONENT, "NoPods", "No matching pods found");
    }
    pods.retain(|pod| !is_over(pod));
    let count = i64::try_from(pods.len()).unwrap_or(i64::MAX);
    let healthy = pods.iter().filter(|pod| offspring::is_ready(pod) && !is_leaving(pod)).count();
    let healthy = i64::try_from(healthy).unwrap_or(i64::MAX);
    let most_gone = at(budget, "/spec/maxUnavailable").filter(|value| !value.is_null());
    let least = at(budget, "/spec/minAvailable").filter(|value| !value.is_null());
    let (expected, desired) = match (most_gone, least) {
        (Some(most), _) => {
            let expected = scale(view, &pods);
            (expected, (expected - share(Some(most), expected, true).unwrap_or(0)).max(0))
        }
        (None, Some(Value::Number(least))) => (count, least.as_i64().unwrap_or(0)),
        (None, least) => {
            let expected = scale(view, &pods);
            (expected, share(least, expected, true).unwrap_or(1))
        }
    };
    let allowed = if expected <= 0 { 0 } else { (healthy - desired).max(0) };
    let mut status = budget.get("status").cloned().unwrap_or_else(|| json!({}));
    let said = match allowed {
        0 => Said { kind: "DisruptionAllowed", status: "False", reason: "InsufficientPods", message: "" },
        _ => Said { kind: "DisruptionAllowed", status: "True", reason: "SufficientPods", message: "" },
    };
    let generation = Value::from(number(budget, "/metadata/generation").unwrap_or(0));
    let mut made = condition::make(condition::find(budget, said.kind), said, view.now());
    set(&mut made, &["message"], Value::from(""));
    set(&mut made, &["observedGeneration"], generation.clone());
    let mut conditions = items(budget, "/status/conditions").to_vec();
    condition::put(&mut conditions, made);
    for (field, value) in [
        ("currentHealthy", Value::from(healthy)),
        ("desiredHealthy", Value::from(desired)),
        ("disruptionsAllowed", Value::from(allowed)),
        ("expectedPods", Value::from(expected)),
        ("observedGeneration", generation),
        ("conditions", Value::from(conditions)),
    ] {
        set(&mut status, &[field], value);
    }
    outcome.status(budget, status, MANAGER);
    outcome
}

/// Returns how many pods those who control the selected ones want.
fn scale(view: &dyn View, pods: &[std::sync::Arc<Value>]) -> i64 {
    let mut wanted: BTreeMap<String, i64> = BTreeMap::new();
    for pod in pods {
        let Some(mut owner) = controller(pod).cloned() else { continue };
        let mut found = None;
        // A ReplicaSet of a Deployment counts as the Deployment.
        for _ in 0..2 {
            let group = group_of(text(&owner, "/apiVersion"));
            let Some(object) = view.get(group, text(&owner, "/kind"), namespace(pod), text(&owner, "/name")) else {
                break;
            };
            let above = controller(&object).cloned();
            found = Some(object);
            match above {
                Some(above) => owner = above,
                None => break,
            }
        }
        if let Some(found) = found
            && let Some(replicas) = number(&found, "/spec/replicas")
        {
            wanted.insert(uid(&found).to_owned(), replicas);
        }
    }
    wanted.values().sum()
}
