//! ClusterRoles that are put together from others.

use serde_json::Value;

use super::deed::{Deed, Outcome};
use super::fields::{is_leaving, items, name, set};
use super::selector;
use crate::sandbox::view::View;

pub(super) const GROUP: &str = "rbac.authorization.k8s.io";
const MANAGER: &str = "clusterrole-aggregation-controller";

/// Tells whether a role takes its rules from others.
pub(super) fn is_aggregated(role: &Value) -> bool {
    role.get("aggregationRule").is_some_and(|rule| !rule.is_null())
}

/// Gives a role the rules of those that it selects: in the order of its selectors, then of their names, each once.
pub(super) fn reconcile(view: &dyn View, role: &Value) -> Outcome {
    let mut outcome = Outcome::default();
    if !is_aggregated(role) || is_leaving(role) {
        return outcome;
    }
    let mut others = view.list(GROUP, "ClusterRole", None);
    others.retain(|other| name(other) != name(role));
    others.sort_by(|one, other| name(one).cmp(name(other)));
    let mut rules: Vec<Value> = Vec::new();
    for wanted in items(role, "/aggregationRule/clusterRoleSelectors") {
        for rule in
            others.iter().filter(|other| selector::matches(Some(wanted), other)).flat_map(|o| items(o, "/rules"))
        {
            if !rules.contains(rule) {
                rules.push(rule.clone());
            }
        }
    }
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
}
