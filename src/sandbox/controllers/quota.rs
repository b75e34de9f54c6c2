//! ResourceQuotas: how much of what they limit is used.

use serde_json::{Map, Value, json};

use super::deed::Outcome;
use super::fields::{is_leaving, items, namespace, text};
use super::namespace::plural;
use super::offspring::MANAGER;
use super::pod::is_over;
use crate::resource::quantity::Quantity;
use crate::sandbox::view::View;

pub(super) fn reconcile(view: &dyn View, quota: &Value) -> Outcome {
    let mut outcome = Outcome::default();
    if is_leaving(quota) {
        return outcome;
    }
    let hard = quota.pointer("/spec/hard").cloned().unwrap_or_else(|| json!({}));
    let mut used = Map::new();
    for resource in hard.as_object().into_iter().flat_map(|hard| hard.keys()) {
        if let Some(amount) = amount(view, quota, resource) {
            used.insert(resource.clone(), Value::from(amount));
        }
    }
    let status = json!({"hard": hard, "used": used});
    outcome.status(quota, status, MANAGER);
    outcome
}

/// Returns how much of a resource is used, where it is one that is counted.
fn amount(view: &dyn View, quota: &Value, resource: &str) -> Option<String> {
    let place = Some(namespace(quota));
    let list = |kind: &str| view.list("", kind, place);
    if let Some(counted) = resource.strip_prefix("count/") {
        let (name, group) = counted.split_once('.').unwrap_or((counted, ""));
        let kinds = view.kinds();
        let kind = kinds.iter().find(|(of, kind, _)| of == group && plural(kind) == name);
        let count = kind.map_or(0, |(_, kind, _)| view.list(group, kind, place).len());
        return Some(count.to_string());
    }
    if let Some((class, rest)) = resource.split_once(".storageclass.storage.k8s.io/") {
        let claims = list("PersistentVolumeClaim");
        let of_class: Vec<_> = claims.iter().filter(|claim| super::claim::class_name(claim) == class).collect();
        return match rest {
            "persistentvolumeclaims" => Some(of_class.len().to_string()),
            "requests.storage" => {
                Some(sum(of_class.iter().map(|claim| text(claim, "/spec/resources/requests/storage"))))
            }
            _ => None,
        };
    }
    let services = |is_counted: &dyn Fn(&Value) -> usize| {
        let count: usize = list("Service").iter().map(|service| is_counted(service)).sum();
        Some(count.to_string())
    };
    let (list_of, name) = match resource.split_once('.') {
        Some((list @ ("requests" | "limits"), name)) => (list, name),
        _ => ("requests", resource),
    };
    match resource {
        "pods" => Some(pods(view, quota).len().to_string()),
        "services" => services(&|_| 1),
        "services.loadbalancers" => services(&|service| usize::from(text(service, "/spec/type") == "LoadBalancer")),
        "services.nodeports" => services(&|service| match text(service, "/spec/type") {
            "NodePort" | "LoadBalancer" => items(service, "/spec/ports").len(),
            _ => 0,
        }),
        "configmaps" => Some(list("ConfigMap").len().to_string()),
        "secrets" => Some(list("Secret").len().to_string()),
        "persistentvolumeclaims" => Some(list("PersistentVolumeClaim").len().to_string()),
        "replicationcontrollers" => Some(list("ReplicationController").len().to_string()),
        "resourcequotas" => Some(list("ResourceQuota").len().to_string()),
        "requests.storage" => {
            let claims = list("PersistentVolumeClaim");
            Some(sum(claims.iter().map(|claim| text(claim, "/spec/resources/requests/storage"))))
        }
        _ => {
            let pods = pods(view, quota);
            let containers = pods.iter().flat_map(|pod| items(pod, "/spec/containers"));
            let of = |container: &'_ Value| -> String {
                let amounts = container.pointer("/resources").and_then(|resources| resources.get(list_of));
                amounts.and_then(|amounts| amounts.get(name)).and_then(Value::as_str).unwrap_or_default().to_owned()
            };
            let amounts: Vec<String> = containers.map(of).collect();
            Some(sum(amounts.iter().map(String::as_str)))
        }
    }
}

/// The pods that count: those that may run, within the scopes of the quota.
fn pods(view: &dyn View, quota: &Value) -> Vec<std::sync::Arc<Value>> {
    let mut pods = view.list("", "Pod", Some(namespace(quota)));
    pods.retain(|pod| {
        let scopes = items(quota, "/spec/scopes").iter().filter_map(Value::as_str);
        let in_scopes = scopes.into_iter().all(|scope| is_in(pod, scope));
        let selected = items(quota, "/spec/scopeSelector/matchExpressions").iter().all(|expression| {
            let class = Value::from(text(pod, "/spec/priorityClassName"));
            let is_among = items(expression, "/values").contains(&class);
            match (text(expression, "/scopeName"), text(expression, "/operator")) {
                ("PriorityClass", "In") => is_among,
                ("PriorityClass", "NotIn") => !is_among,
                ("PriorityClass", "DoesNotExist") => text(pod, "/spec/priorityClassName").is_empty(),
                (scope, _) => is_in(pod, scope),
            }
        });
        !is_over(pod) && in_scopes && selected
    });
    pods
}

fn is_in(pod: &Value, scope: &str) -> bool {
    let has_deadline = pod.pointer("/spec/activeDeadlineSeconds").is_some_and(|seconds| !seconds.is_null());
    let is_best_effort = items(pod, "/spec/containers").iter().all(|container| {
        let resources = container.get("resources").and_then(Value::as_object);
        resources.is_none_or(|resources| resources.values().all(|list| list.as_object().is_none_or(Map::is_empty)))
    });
    match scope {
        "Terminating" => has_deadline,
        "NotTerminating" => !has_deadline,
        "BestEffort" => is_best_effort,
        "NotBestEffort" => !is_best_effort,
        "PriorityClass" => !text(pod, "/spec/priorityClassName").is_empty(),
        _ => true,
    }
}

/// Adds amounts, in the family of suffixes that they are written in.
fn sum<'v>(amounts: impl Iterator<Item = &'v str>) -> String {
    let (mut total, mut is_binary) = (0_i128, false);
    for amount in amounts {
        if let Ok(quantity) = Quantity::parse(amount) {
            total = total.saturating_add(quantity.nano());
            is_binary |= amount.ends_with('i');
        }
    }
    const NANO: i128 = 1_000_000_000;
    let text = match total {
        total if total % NANO != 0 => format!("{}m", total.div_euclid(NANO / 1000)),
        total if is_binary => {
            let (mut units, mut suffix) = (total / NANO, "");
            for next in ["Ki", "Mi", "Gi", "Ti", "Pi"] {
                if units == 0 || units % 1024 != 0 {
                    break;
                }
                units /= 1024;
                suffix = next;
            }
            format!("{units}{suffix}")
        }
        total => (total / NANO).to_string(),
    };
    Quantity::parse(&text).map_or(text, |quantity| quantity.canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_keep_their_notation() {
        assert_eq!(sum(["1Gi", "4Gi"].into_iter()), "5Gi");
        assert_eq!(sum(["500m", "1"].into_iter()), "1500m");
        assert_eq!(sum(["500m", "500m"].into_iter()), "1");
        assert_eq!(sum(["", ""].into_iter()), "0");
    }
}
