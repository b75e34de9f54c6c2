//! ClusterRoles that are put together from others.

use serde_json::Value;

use super::deed::{Deed, Outcome};
use super::fields::{is_leaving, items, name, set};
use super::selector;
use crate::sandbox::view::View;

pub(super) const GROUP: &str = "rbac.authorization.k8s.io";
const MANAGER: &str = "clusterrole-aggregation-controller";

/// Tells whether a role takes its rules from others.
fn is_aggregated(role: &Value) -> bool {
    role.get("aggregationRule").is_some_and(|rule| !rule.is_null())
}

/// Tells whether a role takes rules from another, by its labels.
pub(super) fn is_put_together_of(role: &Value, other: &Value) -> bool {
    let selectors = items(role, "/aggregationRule/clusterRoleSelectors");
    selectors.iter().any(|wanted| selector::matches(Some(wanted), other))
}

/// Returns the rules that a role takes from others, which are ordered by name: in the order of its selectors, then of the
/// names, each once.
pub(in crate::sandbox) fn aggregated_rules<'a>(
    role: &Value,
    others: impl Iterator<Item = &'a Value> + Clone,
) -> Vec<Value> {
    let mut rules: Vec<Value> = Vec::new();
    for wanted in items(role, "/aggregationRule/clusterRoleSelectors") {
        let chosen = others.clone().filter(|other| selector::matches(Some(wanted), other) && name(other) != name(role));
        for rule in chosen.flat_map(|other| items(other, "/rules")) {
            if !rules.contains(rule) {
                rules.push(rule.clone());
            }
        }
    }
    rules
}

/// Gives a role the rules of those that it selects.
pub(super) fn reconcile(view: &dyn View, role: &Value) -> Outcome {
    let mut outcome = Outcome::default();
    if !is_aggregated(role) || is_leaving(role) {
        return outcome;
    }
    let others = view.list(GROUP, "ClusterRole", None);
    let rules = aggregated_rules(role, others.iter().map(AsRef::as_ref));
    if rules != items(role, "/rules") {
        let mut object = role.clone();
        set(&mut object, &["rules"], Value::from(rules));
        outcome.deeds.push(Deed::Update { object, manager: MANAGER });
    }
    outcome
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::world::World;
    use super::*;

    #[test]
    fn a_role_gets_the_rules_of_those_that_it_selects() {
        let rule = |resource: &str| json!({"apiGroups": [""], "resources": [resource], "verbs": ["get"]});
        let part = |name: &str, label: &str, rules: Value| {
            json!({
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
                "metadata": {"name": name, "labels": {"to": label}}, "rules": rules
            })
        };
        let whole = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "whole"},
            "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"to": "whole"}}]}, "rules": null
        });
        let mut world = World::empty();
        world.create(part("b", "whole", json!([rule("pods"), rule("secrets")])));
        world.create(part("a", "whole", json!([rule("services"), rule("pods")])));
        world.create(part("c", "other", json!([rule("nodes")])));
        let outcome = reconcile(&world, &whole);
        let [Deed::Update { object, .. }] = outcome.deeds.as_slice() else { panic!("{outcome:?}") };
        assert_eq!(object["rules"], json!([rule("services"), rule("pods"), rule("secrets")]));
        assert!(reconcile(&world, object).deeds.is_empty());
    }

    #[test]
    fn a_role_follows_those_that_it_selects() {
        let role = |name: &str, more: Value| {
            let mut role = json!({
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": []
            });
            role.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            role
        };
        let rules = json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]);
        let rule = json!({"clusterRoleSelectors": [{"matchLabels": {"to": "whole"}}]});
        let mut world = World::empty();
        world.create(role("whole", json!({"aggregationRule": rule})));
        world.create(role("a", json!({"rules": rules})));
        world.settle();
        let whole = |world: &World| world.read(GROUP, "ClusterRole", "whole")["rules"].clone();
        assert_eq!(whole(&world), json!([]));
        world.change(GROUP, "ClusterRole", "a", |role| role["metadata"]["labels"] = json!({"to": "whole"}));
        world.settle();
        assert_eq!(whole(&world), rules);
        world.change(GROUP, "ClusterRole", "a", |role| role["metadata"]["labels"] = json!({}));
        world.settle();
        assert_eq!(whole(&world), json!([]));
    }
}
