//! Access reviews: the table must hold, and nothing beyond it.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::resource::ObjectRef;
use crate::service::{AccessRule, Check};

use super::CheckOutcome;

/// One SubjectAccessReview and the answer it should get.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AccessReview {
    /// API group, empty for the core group.
    pub group: String,
    /// Resource, without its subresource.
    pub resource: String,
    /// Subresource, such as `log`.
    pub subresource: Option<String>,
    /// Verb.
    pub verb: String,
    /// Namespace; `None` asks about all of them.
    pub namespace: Option<String>,
    /// True if it should be allowed.
    pub expected: bool,
}

const RBAC: &str = "rbac.authorization.k8s.io";

/// The verbs that are asked about for every resource in the table.
const VERBS: [&str; 8] = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

/// What lets an account become more than it is, or harm what is nobody's alone.
const FORBIDDEN: [(&str, &str, &str); 14] = [
    ("*", "*", "*"),
    ("", "pods", "create"),
    ("", "nodes", "delete"),
    ("", "nodes/proxy", "get"),
    ("", "serviceaccounts/token", "create"),
    ("", "serviceaccounts", "impersonate"),
    ("", "users", "impersonate"),
    ("", "groups", "impersonate"),
    ("", "persistentvolumes", "delete"),
    (RBAC, "clusterroles", "escalate"),
    (RBAC, "clusterroles", "bind"),
    (RBAC, "clusterrolebindings", "create"),
    (RBAC, "rolebindings", "create"),
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations", "create"),
];

/// Returns the name by which the API server knows a ServiceAccount.
pub(super) fn user(account: &ObjectRef) -> String {
    format!("system:serviceaccount:{}:{}", account.namespace.as_deref().unwrap_or("default"), account.name)
}

/// Returns the groups that every ServiceAccount is in; a review that leaves them out would miss what they are given.
pub(super) fn groups(account: &ObjectRef) -> Vec<String> {
    vec![
        "system:serviceaccounts".to_owned(),
        format!("system:serviceaccounts:{}", account.namespace.as_deref().unwrap_or("default")),
        "system:authenticated".to_owned(),
    ]
}

/// Returns the roles among the objects that the check is about.
pub(super) fn roles(check: &Check) -> Vec<ObjectRef> {
    let is_role = |object: &&ObjectRef| object.group == RBAC && matches!(object.kind.as_str(), "Role" | "ClusterRole");
    check.about.iter().filter(is_role).cloned().collect()
}

/// Returns every verb of the table, which must be allowed, then the other verbs of its resources and what no account of
/// a stack should be able to do, which must not. What must not is asked about in the account's own namespace, where rights
/// count that were given there alone, beside those that were given everywhere.
pub(super) fn reviews(check: &Check, account: &ObjectRef, allowed: &[AccessRule]) -> Vec<AccessReview> {
    let everywhere = !check.about.iter().any(|object| object.kind == "RoleBinding")
        || check.about.iter().any(|object| object.kind == "ClusterRoleBinding");
    let own = account.namespace.clone().or_else(|| Some("default".to_owned()));
    let mut granted: BTreeSet<(&str, &str, &str)> = BTreeSet::new();
    for rule in allowed {
        granted.extend(rule.verbs.iter().map(|verb| (rule.group.as_str(), rule.resource.as_str(), verb.as_str())));
    }
    let beyond = allowed
        .iter()
        .flat_map(|rule| VERBS.iter().map(|verb| (rule.group.as_str(), rule.resource.as_str(), *verb)))
        // A subresource knows only some of the verbs; the others would be asked about for nothing.
        .filter(|(_, resource, verb)| !resource.contains('/') || matches!(*verb, "create" | "get" | "update"))
        .chain(FORBIDDEN);
    let beyond: BTreeSet<_> = beyond.filter(|asked| !granted.contains(asked)).collect();
    let review = |(group, resource, verb): (&str, &str, &str), expected| {
        let (resource, subresource) =
            resource.split_once('/').map_or((resource, None), |(resource, sub)| (resource, Some(sub.to_owned())));
        AccessReview {
            group: group.to_owned(),
            resource: resource.to_owned(),
            subresource,
            verb: verb.to_owned(),
            namespace: if expected && everywhere { None } else { own.clone() },
            expected,
        }
    };
    granted.iter().map(|one| review(*one, true)).chain(beyond.iter().map(|one| review(*one, false))).collect()
}

/// Judges the reviews' answers, and looks for wildcards in the roles themselves: a wildcard also grants what nobody
/// thought of asking about.
pub(super) fn judge(reviews: &[AccessReview], allowed: &[bool], roles: &[Value]) -> CheckOutcome {
    if allowed.len() != reviews.len() {
        return CheckOutcome::Skipped(format!("{} of {} access reviews were answered", allowed.len(), reviews.len()));
    }
    let mismatched = |expected: bool| {
        reviews
            .iter()
            .zip(allowed)
            .filter(move |(review, allowed)| review.expected == expected && **allowed != expected)
            .map(|(review, _)| words(review))
            .collect::<Vec<_>>()
    };
    let mut problems = Vec::new();
    let (missing, beyond) = (mismatched(true), mismatched(false));
    if !missing.is_empty() {
        problems.push(format!("may not {}", shortened(&missing)));
    }
    if !beyond.is_empty() {
        problems.push(format!("may {}, which is not in its table", shortened(&beyond)));
    }
    problems.extend(roles.iter().filter_map(wildcard));
    if problems.is_empty() { CheckOutcome::Passed } else { CheckOutcome::Failed(problems.join("; ")) }
}

fn words(review: &AccessReview) -> String {
    let mut resource = review.resource.clone();
    if !review.group.is_empty() && review.group != "*" {
        resource = format!("{resource}.{}", review.group);
    }
    if let Some(subresource) = &review.subresource {
        resource = format!("{resource}/{subresource}");
    }
    format!("{} {resource}", review.verb)
}

/// A cluster that allows everything would otherwise fill a screen.
const SHOWN: usize = 6;

fn shortened(items: &[String]) -> String {
    let shown = items.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if items.len() > SHOWN { format!("{shown} and {} more", items.len() - SHOWN) } else { shown }
}

fn wildcard(role: &Value) -> Option<String> {
    let text = |pointer| role.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let fields: BTreeSet<&str> = role
        .get("rules")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .flat_map(|rule| {
            ["apiGroups", "nonResourceURLs", "resources", "verbs"].into_iter().filter(|field| {
                rule.get(field)
                    .and_then(Value::as_array)
                    .is_some_and(|values| values.iter().filter_map(Value::as_str).any(|value| value.contains('*')))
            })
        })
        .collect();
    let fields = fields.into_iter().collect::<Vec<_>>().join(" and ");
    (!fields.is_empty()).then(|| format!("{} {} has a wildcard in {fields}", text("/kind"), text("/metadata/name")))
}
