//! Classes that select nodes by labels that have a newer name.

use serde_json::{Map, Value};

use super::nodes::{of_term, old_label};
use crate::sandbox::strategy::fields::{at, items, text};

/// Returns what is to be said of a StorageClass.
pub(super) fn of_storage(class: &Value) -> Vec<String> {
    let mut told = Vec::new();
    for (i, topology) in items(class, &["allowedTopologies"]).iter().enumerate() {
        for (j, expression) in items(topology, &["matchLabelExpressions"]).iter().enumerate() {
            let what = old_label(text(expression, &["key"]));
            told.extend(what.map(|what| format!("allowedTopologies[{i}].matchLabelExpressions[{j}].key: {what}")));
        }
    }
    told
}

/// Returns what is to be said of a CSIStorageCapacity.
pub(super) fn of_capacity(capacity: &Value) -> Vec<String> {
    let mut told = of_term("nodeTopology", capacity.get("nodeTopology").unwrap_or(&Value::Null), false);
    told.extend(
        labels(capacity, &["nodeTopology", "matchLabels"])
            .filter_map(|label| Some(format!("nodeTopology.matchLabels.{label}: {}", old_label(label)?))),
    );
    told
}

/// Returns what is to be said of a RuntimeClass.
pub(super) fn of_runtime(class: &Value) -> Vec<String> {
    labels(class, &["scheduling", "nodeSelector"])
        .filter_map(|label| Some(format!("scheduling.nodeSelector: {}", old_label(label)?)))
        .collect()
}

fn labels<'a>(object: &'a Value, path: &[&str]) -> impl Iterator<Item = &'a str> {
    at(object, path).and_then(Value::as_object).into_iter().flat_map(Map::keys).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn labels_with_a_newer_name_are_told() {
        let zone = "failure-domain.beta.kubernetes.io/zone";
        let newer = r#"deprecated since v1.17; use "topology.kubernetes.io/zone" instead"#;
        let class = json!({"allowedTopologies": [{"matchLabelExpressions": [{"key": zone}, {"key": "mine"}]}]});
        assert_eq!(of_storage(&class), [format!("allowedTopologies[0].matchLabelExpressions[0].key: {newer}")]);
        assert_eq!(
            of_runtime(&json!({"scheduling": {"nodeSelector": {zone: "a"}}})),
            [format!("scheduling.nodeSelector: {newer}")]
        );
        assert_eq!(
            of_capacity(&json!({"nodeTopology": {"matchLabels": {zone: "a"}}})),
            [format!("nodeTopology.matchLabels.{zone}: {newer}")]
        );
    }
}
