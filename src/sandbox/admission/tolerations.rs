//! `DefaultTolerationSeconds`: how long a pod stays on a node that fails.

use serde_json::{Value, json};

use super::Request;
use crate::sandbox::strategy::fields::{items, list_mut, text};

const SECONDS: i64 = 300;

pub(super) fn fill_in(request: &Request<'_>, pod: &mut Value) {
    if !request.is_for("", "Pod") {
        return;
    }
    let given = items(pod, &["spec", "tolerations"]);
    let tolerates = |taint: &str| {
        given.iter().any(|toleration| {
            let (key, effect) = (text(toleration, &["key"]), text(toleration, &["effect"]));
            (key == taint || key.is_empty()) && matches!(effect, "NoExecute" | "")
        })
    };
    let missing = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"].into_iter();
    let missing = missing
        .filter(|taint| !tolerates(taint))
        .map(|taint| json!({"key": taint, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": SECONDS}));
    let missing: Vec<Value> = missing.collect();
    if !missing.is_empty()
        && let Some(tolerations) = list_mut(pod, &["spec", "tolerations"])
    {
        tolerations.extend(missing);
    }
}
