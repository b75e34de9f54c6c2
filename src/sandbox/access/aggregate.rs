//! Cluster roles that gather the rules of others, chosen by their labels.

use std::sync::Arc;

use serde_json::Value;

use super::authorize::RBAC;
use crate::sandbox::view::View;

/// Returns the rules that an aggregating cluster role should have, or nothing if it gathers none.
pub fn aggregated_rules(view: &impl View, role: &Value) -> Option<Vec<Value>> {
    let stored = view.list(RBAC, "ClusterRole", None);
    gather(role, stored.iter().map(Arc::as_ref))
}

/// The same from cluster roles that are ordered by name.
pub(super) fn gather<'a>(role: &Value, stored: impl Iterator<Item = &'a Value> + Clone) -> Option<Vec<Value>> {
    let selectors = role.get("aggregationRule").filter(|rule| !rule.is_null())?;
    let mut rules: Vec<Value> = Vec::new();
    for selector in selectors["clusterRoleSelectors"].as_array().into_iter().flatten() {
        for other in stored.clone() {
            if other["metadata"]["name"] == role["metadata"]["name"] || !selects(selector, &other["metadata"]["labels"])
            {
                continue;
            }
            for rule in other["rules"].as_array().into_iter().flatten() {
                if !rules.contains(rule) {
                    rules.push(rule.clone());
                }
            }
        }
    }
    Some(rules)
}

/// Tells whether a label selector selects labels; an empty one selects all.
fn selects(selector: &Value, labels: &Value) -> bool {
    let label = |key: &str| labels[key].as_str();
    let equal = selector["matchLabels"].as_object().into_iter().flatten();
    let mut expressions = selector["matchExpressions"].as_array().into_iter().flatten();
    equal.clone().all(|(key, value)| label(key).is_some() && label(key) == value.as_str())
        && expressions.all(|expression| {
            let found = label(expression["key"].as_str().unwrap_or_default());
            let listed = found.is_some_and(|found| {
                expression["values"].as_array().into_iter().flatten().any(|value| value.as_str() == Some(found))
            });
            match expression["operator"].as_str() {
                Some("In") => listed,
                Some("NotIn") => !listed,
                Some("Exists") => found.is_some(),
                Some("DoesNotExist") => found.is_none(),
                _ => false,
            }
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sandbox::access::fixture::Stored;

    #[test]
    fn a_labelled_role_is_gathered_once_into_those_that_ask_for_it() {
        let rule = json!({"apiGroups": ["shop.io"], "resources": ["carts"], "verbs": ["get"]});
        let role = |name: &str| {
            json!({
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
                "metadata": {"name": name, "labels": {"rbac.authorization.k8s.io/aggregate-to-view": "true"}},
                "rules": [rule]
            })
        };
        let view = Stored::bootstrapped().with(role("carts")).with(role("carts-again"));
        let stored = |name: &str| view.get(RBAC, "ClusterRole", "", name).unwrap();
        let gathered = aggregated_rules(&view, &stored("view")).unwrap();
        assert_eq!(gathered.first(), Some(&rule));
        assert_eq!(gathered.len(), stored("view")["rules"].as_array().unwrap().len() + 1);
        assert_eq!(aggregated_rules(&view, &stored("carts")), None);
    }

    #[test]
    fn a_selector_may_have_expressions() {
        let labels = json!({"a": "1"});
        let selects_by = |key: &str, operator: &str, values: Value| {
            selects(&json!({"matchExpressions": [{"key": key, "operator": operator, "values": values}]}), &labels)
        };
        assert!(selects_by("a", "In", json!(["1", "2"])));
        assert!(!selects_by("a", "NotIn", json!(["1"])));
        assert!(selects_by("b", "NotIn", json!(["1"])));
        assert!(selects_by("a", "Exists", json!([])));
        assert!(selects_by("b", "DoesNotExist", json!([])));
        assert!(selects(&json!({}), &Value::Null));
        assert!(!selects(&json!({"matchLabels": {"b": "1"}}), &labels));
    }
}
