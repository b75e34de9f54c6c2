//! Roles and their bindings.

use serde_json::Value;

use super::Problems;
use super::internal;
use super::meta;
use super::names::{self, NameRule};
use super::numbers;
use super::path::Path;
use super::read::Read;
use super::selector;

const GROUP: &str = "rbac.authorization.k8s.io";

/// A Role, or a ClusterRole.
pub(super) fn role(object: &Value, namespaced: bool, problems: &mut Problems) {
    meta::of(object, namespaced, NameRule::Segment, problems);
    for (index, rule) in object.list("rules").iter().enumerate() {
        of_rule(rule, namespaced, &Path::new("rules").index(index), problems);
    }
    let Some(aggregation) = object.field("aggregationRule").filter(|_| !namespaced) else { return };
    let at = Path::new("aggregationRule").child("clusterRoleSelectors");
    let selectors = aggregation.list("clusterRoleSelectors");
    if selectors.is_empty() {
        let detail = "at least one clusterRoleSelector required if aggregationRule is non-nil";
        problems.push(at.required(detail));
    }
    for (index, selector) in selectors.iter().enumerate() {
        selector::of(selector, &at.index(index), problems);
        if selector::ask(Some(selector), None) == selector::Answer::Unreadable {
            problems.push(at.index(index).invalid_shown("null".to_owned(), "invalid label selector."));
        }
    }
}

fn of_rule(rule: &Value, namespaced: bool, path: &Path, problems: &mut Problems) {
    if rule.list("verbs").is_empty() {
        problems.push(path.child("verbs").required("verbs must contain at least one value"));
    }
    let urls = rule.list("nonResourceURLs");
    if !urls.is_empty() {
        let at = path.child("nonResourceURLs");
        if namespaced {
            problems.push(at.invalid(Value::from(urls), "namespaced rules cannot apply to non-resource URLs"));
        }
        if ["apiGroups", "resources", "resourceNames"].iter().any(|name| !rule.list(name).is_empty()) {
            let detail = "rules cannot apply to both regular resources and non-resource URLs";
            problems.push(at.invalid(Value::from(urls), detail));
        }
        return;
    }
    for (name, detail) in [
        ("apiGroups", "resource rules must supply at least one api group"),
        ("resources", "resource rules must supply at least one resource"),
    ] {
        if rule.list(name).is_empty() {
            problems.push(path.child(name).required(detail));
        }
    }
}

/// A change of a role.
pub(super) fn role_update(live: &Value, object: &Value, namespaced: bool, problems: &mut Problems) {
    role(object, namespaced, problems);
    meta::of_update(live, object, problems);
}

/// A RoleBinding, or a ClusterRoleBinding.
pub(super) fn binding(object: &Value, namespaced: bool, problems: &mut Problems) {
    meta::of(object, namespaced, NameRule::Segment, problems);
    let none = Value::Null;
    let role = object.field("roleRef").unwrap_or(&none);
    let path = Path::new("roleRef");
    numbers::one_of_if_any(Some(role.text("apiGroup")), &[GROUP], &path.child("apiGroup"), problems);
    let kinds: &[&str] = if namespaced { &["Role", "ClusterRole"] } else { &["ClusterRole"] };
    numbers::one_of_if_any(Some(role.text("kind")), kinds, &path.child("kind"), problems);
    match role.text("name") {
        "" => problems.push(path.child("name").required("")),
        name => problems.extend(path.child("name").each(name, names::segment(name))),
    }
    for (index, subject) in object.list("subjects").iter().enumerate() {
        of_subject(subject, namespaced, &Path::new("subjects").index(index), problems);
    }
}

fn of_subject(subject: &Value, namespaced: bool, path: &Path, problems: &mut Problems) {
    let name = subject.text("name");
    if name.is_empty() {
        problems.push(path.child("name").required(""));
    }
    let group = subject.text("apiGroup");
    let at = path.child("apiGroup");
    match subject.text("kind") {
        "ServiceAccount" => {
            if !name.is_empty() {
                problems.extend(path.child("name").each(name, names::subdomain(name)));
            }
            if !group.is_empty() {
                problems.push(at.not_supported(group, &[""]));
            }
            if !namespaced && subject.text("namespace").is_empty() {
                problems.push(path.child("namespace").required(""));
            }
        }
        "User" | "Group" => numbers::one_of_if_any(Some(group), &[GROUP], &at, problems),
        other => problems.push(path.child("kind").not_supported(other, &["ServiceAccount", "User", "Group"])),
    }
}

/// A change of a binding: the role stays.
pub(super) fn binding_update(live: &Value, object: &Value, namespaced: bool, problems: &mut Problems) {
    binding(object, namespaced, problems);
    meta::of_update(live, object, problems);
    let none = Value::Null;
    let (before, after) = (live.field("roleRef").unwrap_or(&none), object.field("roleRef").unwrap_or(&none));
    if ["apiGroup", "kind", "name"].iter().any(|name| before.text(name) != after.text(name)) {
        let shown = internal::shown("RoleRef", after);
        problems.push(Path::new("roleRef").invalid_shown(shown, "cannot change roleRef"));
    }
}
