//! The roles and bindings that the API server makes for itself when it starts.
//!
//! They are kept as a table, one right or subject a line; the three roles that gather others are reckoned from it.

use serde_json::{Map, Value, json};

use super::authorize::RBAC;
use crate::sandbox::controllers::aggregated_rules;

const TABLE: &str = include_str!("bootstrap.txt");
/// How the table writes the core group.
const CORE: &str = "core";

/// Returns the default cluster roles, cluster role bindings, roles and role bindings, with labels and annotations.
#[must_use]
pub fn bootstrap_objects() -> Vec<Value> {
    let mut objects: Vec<Value> = Vec::new();
    for line in TABLE.lines() {
        match (line.strip_prefix(' '), objects.last_mut()) {
            (Some(part), Some(Value::Object(object))) => add(object, part),
            _ => objects.push(begin(line)),
        }
    }
    let gathering: Vec<usize> = (0..objects.len()).filter(|at| !objects[*at]["aggregationRule"].is_null()).collect();
    // They gather from each other, so each round may bring more to the next, but no chain is longer than all of them.
    for at in gathering.iter().cycle().take(gathering.len().pow(2)) {
        let roles = objects.iter().filter(|object| object["kind"] == "ClusterRole");
        let rules = aggregated_rules(&objects[*at], roles);
        objects[*at]["rules"] = Value::Array(rules);
    }
    objects
}

/// Reads `Kind [namespace/]name [+label…]`.
fn begin(line: &str) -> Value {
    let mut words = line.split(' ');
    let kind = words.next().unwrap_or_default();
    let name = words.next().unwrap_or_default();
    let mut labels = Map::from_iter([("kubernetes.io/bootstrapping".to_owned(), Value::from("rbac-defaults"))]);
    labels.extend(
        words.filter_map(|word| word.strip_prefix('+')).map(|label| (format!("{RBAC}/{label}"), "true".into())),
    );
    let mut metadata =
        json!({"labels": labels, "annotations": {"rbac.authorization.kubernetes.io/autoupdate": "true"}});
    match name.split_once('/') {
        Some((namespace, name)) => {
            metadata["namespace"] = Value::from(namespace);
            metadata["name"] = Value::from(name);
        }
        None => metadata["name"] = Value::from(name),
    }
    json!({"apiVersion": format!("{RBAC}/v1"), "kind": kind, "metadata": metadata})
}

/// Reads one right, subject, role or selector of an object.
fn add(object: &mut Map<String, Value>, part: &str) {
    let words: Vec<&str> = part.split(' ').collect();
    let list = |text: &str| -> Value { text.split(',').map(|item| if item == CORE { "" } else { item }).collect() };
    let mut push = |field: &str, item: Value| {
        if let Value::Array(items) = object.entry(field).or_insert_with(|| json!([])) {
            items.push(item);
        }
    };
    match words.as_slice() {
        ["may", verbs, groups, resources] => {
            push("rules", json!({"verbs": list(verbs), "apiGroups": list(groups), "resources": list(resources)}));
        }
        ["may", verbs, groups, resources, names] => push(
            "rules",
            json!({
                "verbs": list(verbs), "apiGroups": list(groups), "resources": list(resources),
                "resourceNames": list(names)
            }),
        ),
        ["urls", verbs, urls] => push("rules", json!({"verbs": list(verbs), "nonResourceURLs": list(urls)})),
        ["to", "ServiceAccount", account] => {
            let (namespace, name) = account.split_once('/').unwrap_or_default();
            push("subjects", json!({"kind": "ServiceAccount", "namespace": namespace, "name": name}));
        }
        ["to", kind, name] => push("subjects", json!({"apiGroup": RBAC, "kind": kind, "name": name})),
        ["of", kind, name] => {
            object.insert("roleRef".to_owned(), json!({"apiGroup": RBAC, "kind": kind, "name": name}));
        }
        ["aggregates", label] => {
            let label = format!("{RBAC}/{label}");
            let selector = json!({"clusterRoleSelectors": [{"matchLabels": {label: "true"}}]});
            object.insert("aggregationRule".to_owned(), selector);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn the_table_says_what_the_server_made() {
        let objects = bootstrap_objects();
        let of = |kind: &str| objects.iter().filter(|object| object["kind"] == kind).count();
        assert_eq!(["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"].map(of), [68, 49, 7, 7]);
        // Of what a server of version 1.35.4 answered, without what differs from one to the next.
        let digest = Sha256::digest(serde_json::to_string(&objects).unwrap());
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digest, "415771b73e7c4ddcb15608b0676d7639f84124992a1a6a943eee646840310fc1");
    }
}
