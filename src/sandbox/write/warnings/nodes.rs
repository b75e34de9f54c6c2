//! Labels of nodes that have a newer name.

use serde_json::Value;

use crate::sandbox::strategy::fields::{items, text};
use crate::sandbox::validation::label_value;

const OLD_LABELS: [(&str, &str); 8] = [
    ("beta.kubernetes.io/arch", r#"deprecated since v1.14; use "kubernetes.io/arch" instead"#),
    ("beta.kubernetes.io/os", r#"deprecated since v1.14; use "kubernetes.io/os" instead"#),
    (
        "failure-domain.beta.kubernetes.io/region",
        r#"deprecated since v1.17; use "topology.kubernetes.io/region" instead"#,
    ),
    ("failure-domain.beta.kubernetes.io/zone", r#"deprecated since v1.17; use "topology.kubernetes.io/zone" instead"#),
    ("beta.kubernetes.io/instance-type", r#"deprecated since v1.17; use "node.kubernetes.io/instance-type" instead"#),
    ("app.kubernetes.io/created-by", "deprecated since v1.9"),
    ("scheduler.alpha.kubernetes.io/preferAvoidPods", "deprecated since v1.22; use Taints and Tolerations instead"),
    ("node-role.kubernetes.io/master", r#"use "node-role.kubernetes.io/control-plane" instead"#),
];

/// Returns what is to be said of a label.
pub(super) fn old_label(key: &str) -> Option<&'static str> {
    OLD_LABELS.iter().find(|(label, _)| *label == key).map(|(_, what)| *what)
}

/// Returns what is to be said of a term that selects nodes.
pub(super) fn of_term(path: &str, term: &Value, looks_at_values: bool) -> Vec<String> {
    let mut told = Vec::new();
    for (index, expression) in items(term, &["matchExpressions"]).iter().enumerate() {
        let key = text(expression, &["key"]);
        told.extend(old_label(key).map(|what| format!("{path}.matchExpressions[{index}].key: {key} is {what}")));
        if !looks_at_values {
            continue;
        }
        for (at, value) in items(expression, &["values"]).iter().enumerate() {
            let value = value.as_str().unwrap_or_default();
            for what in label_value(value) {
                told.push(format!("{path}.matchExpressions[{index}].values[{at}]: {value} is invalid, {what}"));
            }
        }
    }
    told
}
