//! Autoscaling, network policies, access and definitions.

use serde_json::{Map, Value, json};

use super::{holds_something, is_missing, map_in, set_missing, set_unset, text};

pub(super) fn metrics(spec: &mut Map<String, Value>) {
    if !holds_something(spec, "metrics") {
        let target = json!({"type": "Utilization", "averageUtilization": 80});
        let metric = json!({"type": "Resource", "resource": {"name": "cpu", "target": target}});
        spec.insert("metrics".to_owned(), Value::Array(vec![metric]));
    }
}

/// The older version has one metric of its own; others stand in an annotation, and then there is no default.
pub(super) fn autoscaler_of_version_1(autoscaler: &mut Map<String, Value>) {
    let annotations = autoscaler.get("metadata").and_then(|metadata| metadata.get("annotations"));
    let has_others = annotations.is_some_and(|annotations| {
        annotations.get("autoscaling.alpha.kubernetes.io/metrics").is_some_and(|text| text.as_str() != Some("[]"))
    });
    let Some(spec) = map_in(autoscaler, "spec") else { return };
    set_missing(spec, "minReplicas", 1);
    if !has_others {
        set_missing(spec, "targetCPUUtilizationPercentage", 80);
    }
}

/// Both directions are filled in as soon as anything is said about either.
pub(super) fn scaling_rules(behavior: &mut Map<String, Value>) {
    let percent = json!({"type": "Percent", "value": 100, "periodSeconds": 15});
    let pods = json!({"type": "Pods", "value": 4, "periodSeconds": 15});
    for (direction, policies) in [("scaleUp", json!([pods, percent])), ("scaleDown", json!([percent]))] {
        let Some(rules) = map_in(behavior, direction) else { continue };
        set_missing(rules, "selectPolicy", "Max");
        if is_missing(rules, "policies") {
            rules.insert("policies".to_owned(), policies);
        }
        if direction == "scaleUp" {
            set_missing(rules, "stabilizationWindowSeconds", 0);
        }
    }
}

pub(super) fn policy_types(spec: &mut Map<String, Value>) {
    if !holds_something(spec, "policyTypes") {
        let types = if holds_something(spec, "egress") { json!(["Ingress", "Egress"]) } else { json!(["Ingress"]) };
        spec.insert("policyTypes".to_owned(), types);
    }
}

/// Its specification is always there, and may say nothing.
pub(super) fn policy_without_specification(policy: &mut Map<String, Value>) {
    if is_missing(policy, "spec") {
        let mut spec = Map::new();
        policy_types(&mut spec);
        policy.insert("spec".to_owned(), Value::Object(spec));
    }
}

pub(super) fn subject_group(subject: &mut Map<String, Value>) {
    if matches!(text(subject, "kind"), "User" | "Group") {
        set_unset(subject, "apiGroup", "rbac.authorization.k8s.io");
    }
}

pub(super) fn definition_names(names: &mut Map<String, Value>) {
    let kind = text(names, "kind").to_owned();
    if !kind.is_empty() {
        set_unset(names, "singular", kind.to_lowercase());
        set_unset(names, "listKind", format!("{kind}List"));
    }
}
