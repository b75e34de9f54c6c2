//! The decision on one request, from the roles and bindings that are stored.

use serde_json::{Map, Value};

use super::{
    rights::Binding,
    user::User,
    wording::{aggregate, quoted, sanitized},
};
use crate::sandbox::{refusal::Refusal, view::View};

/// API group of roles and bindings.
pub(super) const RBAC: &str = "rbac.authorization.k8s.io";

/// What a request wants to do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attributes {
    /// Who asks.
    pub user: User,
    /// Such as `get`, `list` or `deletecollection`; of paths, the HTTP method in small letters.
    pub verb: String,
    /// API group, empty for the core group.
    pub group: String,
    /// API version.
    pub version: String,
    /// Such as `pods`.
    pub resource: String,
    /// Such as `status`; empty for the object itself.
    pub subresource: String,
    /// Empty for all of them, and for what is in none.
    pub namespace: String,
    /// Empty for collections.
    pub name: String,
    /// A path that is no resource's, such as `/version`; all about resources is empty then.
    pub path: Option<String>,
}

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Decision {
    /// Whether the request is allowed.
    pub allowed: bool,
    /// Whether it is denied whatever others say; stored roles never do that.
    pub denied: bool,
    /// Why, where there is something to say.
    pub reason: String,
}

/// Decides on a request.
pub fn authorize(view: &impl View, attributes: &Attributes) -> Decision {
    if attributes.user.is_master() {
        return Decision { allowed: true, ..Decision::default() };
    }
    let rights = view.rights();
    let mut errors = Vec::new();
    for (binding, subject) in rights.grants(&attributes.user, &attributes.namespace) {
        match binding.rules(view) {
            Ok(rules) if rules.iter().any(|rule| rule.allows(attributes)) => {
                let reason = format!("RBAC: allowed by {}", source(binding, subject));
                return Decision { allowed: true, denied: false, reason };
            }
            Ok(_) => {}
            Err(missing) => errors.push(missing.text(None)),
        }
    }
    let reason = aggregate(&errors).map(|errors| format!("RBAC: {errors}")).unwrap_or_default();
    Decision { reason, ..Decision::default() }
}

/// Why the rules of a role cannot be told.
#[derive(Debug)]
pub(super) enum NoRole {
    Missing { kind: &'static str, name: String },
    UnknownKind(String),
}

impl NoRole {
    /// As it is said. Roles that are looked up in the store, while a request writes, are called by the request's resource.
    pub(super) fn text(&self, request_resource: Option<&str>) -> String {
        match self {
            Self::Missing { kind, name } => {
                format!("{}.{RBAC} {} not found", request_resource.unwrap_or(kind), quoted(name))
            }
            Self::UnknownKind(kind) => format!("unsupported role reference kind: {}", quoted(kind)),
        }
    }
}

/// Says which binding gives a right, and to whom.
fn source(binding: &Binding, subject: usize) -> String {
    let Binding { object, namespace, .. } = binding;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let name = text(&object["metadata"]["name"]);
    let (kind, name) = match namespace.as_str() {
        "" => ("ClusterRoleBinding", name),
        namespace => ("RoleBinding", format!("{name}/{namespace}")),
    };
    let role = &object["roleRef"];
    let subject = &object["subjects"][subject];
    let who = match subject["kind"].as_str() {
        Some("ServiceAccount") => {
            let of = subject["namespace"].as_str().filter(|of| !of.is_empty());
            format!("{}/{}", text(&subject["name"]), of.unwrap_or(namespace))
        }
        _ => text(&subject["name"]),
    };
    let (role_kind, role_name) = (text(&role["kind"]), text(&role["name"]));
    let subject_kind = text(&subject["kind"]);
    format!("{kind} {} of {role_kind} {} to {subject_kind} {}", quoted(&name), quoted(&role_name), quoted(&who))
}

/// Returns the rules of the role that a binding refers to.
pub(super) fn role_rules(view: &impl View, role: &Value, namespace: &str) -> Result<Vec<Value>, NoRole> {
    let name = role["name"].as_str().unwrap_or_default();
    let (found, kind) = match role["kind"].as_str().unwrap_or_default() {
        "Role" => (view.get(RBAC, "Role", namespace, name), "role"),
        "ClusterRole" => (view.get(RBAC, "ClusterRole", "", name), "clusterrole"),
        kind => return Err(NoRole::UnknownKind(kind.to_owned())),
    };
    let found = found.ok_or_else(|| NoRole::Missing { kind, name: name.to_owned() })?;
    Ok(found["rules"].as_array().cloned().unwrap_or_default())
}

/// Returns how a request is turned down that was not allowed.
#[must_use]
pub fn forbidden(attributes: &Attributes, reason: &str) -> Refusal {
    let who = quoted(&attributes.user.name);
    let verb = &attributes.verb;
    let what = match &attributes.path {
        Some(path) => format!("User {who} cannot {verb} path {}", quoted(path)),
        None => {
            let resource = match attributes.subresource.as_str() {
                "" => attributes.resource.clone(),
                subresource => format!("{}/{subresource}", attributes.resource),
            };
            let place = match attributes.namespace.as_str() {
                "" => "at the cluster scope".to_owned(),
                namespace => format!("in the namespace {}", quoted(namespace)),
            };
            let group = quoted(&attributes.group);
            format!("User {who} cannot {verb} resource {} in API group {group} {place}", quoted(&resource))
        }
    };
    let what = sanitized(&what);
    let what = if reason.is_empty() { what } else { format!("{what}: {reason}") };
    refuse(&attributes.group, &attributes.resource, &attributes.name, &what)
}

/// A refusal about a resource that need not be served; without one, about the request as such.
pub(super) fn refuse(group: &str, resource: &str, name: &str, why: &str) -> Refusal {
    let qualified = if group.is_empty() { resource.to_owned() } else { format!("{resource}.{group}") };
    let message = match (resource, name) {
        ("", _) => format!("forbidden: {why}"),
        (_, "") => format!("{qualified} is forbidden: {why}"),
        (_, name) => format!("{qualified} {} is forbidden: {why}", quoted(name)),
    };
    let mut refusal = Refusal::new(403, "Forbidden", message);
    refusal.details = Some(details(group, resource, name));
    refusal
}

/// A refusal because an object is not there.
pub(super) fn not_found(group: &str, resource: &str, name: &str) -> Refusal {
    let qualified = if group.is_empty() { resource.to_owned() } else { format!("{resource}.{group}") };
    let mut refusal = Refusal::new(404, "NotFound", format!("{qualified} {} not found", quoted(name)));
    refusal.details = Some(details(group, resource, name));
    refusal
}

pub(super) fn details(group: &str, kind: &str, name: &str) -> Map<String, Value> {
    [("name", name), ("group", group), ("kind", kind)]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(key, value)| (key.to_owned(), Value::from(value)))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sandbox::access::{fixture::Stored, user::anonymous};
    use crate::sandbox::plane::{ControlPlane, Options};
    use crate::sandbox::store::Key;

    fn user(name: &str) -> User {
        User { name: name.to_owned(), groups: vec!["system:authenticated".to_owned()], ..User::default() }
    }

    fn asks(user: User, verb: &str, group: &str, resource: &str, namespace: &str) -> Attributes {
        let text = str::to_owned;
        Attributes {
            user,
            verb: text(verb),
            group: text(group),
            resource: text(resource),
            namespace: text(namespace),
            ..Attributes::default()
        }
    }

    fn path(user: User, path: &str) -> Attributes {
        Attributes { user, verb: "get".to_owned(), path: Some(path.to_owned()), ..Attributes::default() }
    }

    #[test]
    fn the_bootstrap_roles_allow_what_they_allow_on_the_server() {
        let view = Stored::bootstrapped();
        let allowed = |attributes: &Attributes| authorize(&view, attributes).allowed;
        assert!(allowed(&path(anonymous(), "/version")));
        assert!(!allowed(&path(anonymous(), "/api")));
        assert!(allowed(&path(user("nobody"), "/api/v1")));
        assert!(!allowed(&path(user("nobody"), "/metrics")));
        assert_eq!(
            authorize(&view, &path(user("bob"), "/api/v1")).reason,
            r#"RBAC: allowed by ClusterRoleBinding "system:discovery" of ClusterRole "system:discovery" to Group "system:authenticated""#
        );
        let controller = user("system:serviceaccount:kube-system:job-controller");
        assert_eq!(
            authorize(&view, &asks(controller, "create", "", "pods", "x")).reason,
            r#"RBAC: allowed by ClusterRoleBinding "system:controller:job-controller" of ClusterRole "system:controller:job-controller" to ServiceAccount "job-controller/kube-system""#
        );
        let master = User { groups: vec!["system:masters".to_owned()], ..user("bob") };
        let decision = authorize(&view, &asks(master, "get", "", "pods", ""));
        assert_eq!(decision, Decision { allowed: true, ..Decision::default() });
        assert_eq!(authorize(&view, &asks(user("bob"), "get", "", "pods", "")), Decision::default());
    }

    #[test]
    fn a_role_binding_counts_in_its_namespace_only() {
        let view = Stored::bootstrapped().with_maker();
        let decision = authorize(&view, &asks(user("mel"), "get", "", "pods", "shop"));
        assert_eq!(decision.reason, r#"RBAC: allowed by RoleBinding "maker/shop" of Role "maker" to User "mel""#);
        let account = user("system:serviceaccount:shop:bob");
        let decision = authorize(&view, &asks(account, "get", "", "pods", "shop"));
        assert_eq!(
            decision.reason,
            r#"RBAC: allowed by RoleBinding "maker/shop" of Role "maker" to ServiceAccount "bob/shop""#
        );
        assert!(!authorize(&view, &asks(user("mel"), "get", "", "pods", "other")).allowed);
        assert!(!authorize(&view, &asks(user("mel"), "list", "", "pods", "")).allowed);
    }

    #[test]
    fn what_is_granted_and_taken_back_counts_at_once() {
        let now = "2026-11-22T12:00:00Z".parse().unwrap();
        let plane = ControlPlane::open(&Options { folder: None, controllers: false, seed: 1, now }).unwrap();
        let mut state = plane.api().state();
        let object = |kind: &str, rest: Value| {
            let mut object = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": {"name": "r", "namespace": "shop"}});
            object.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
            object
        };
        let role = |verb: &str| {
            object("Role", json!({"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": [verb]}]}))
        };
        let binding = |user: &str| {
            object(
                "RoleBinding",
                json!({"roleRef": {"kind": "Role", "name": "r"}, "subjects": [{"kind": "User", "name": user}]}),
            )
        };
        let key = |plural: &str| Key::new(RBAC, plural, Some("shop"), "r");
        let mut decide = |plural: &str, object: Option<Value>| {
            state.write(key(plural), object).unwrap();
            assert!(std::sync::Arc::ptr_eq(&state.rights(), &state.rights()));
            let decision = authorize(&*state, &asks(user("mel"), "get", "", "pods", "shop"));
            (decision.allowed, decision.reason.contains("not found"))
        };
        assert_eq!(decide("rolebindings", Some(binding("mel"))), (false, true));
        assert_eq!(decide("roles", Some(role("get"))), (true, false));
        assert_eq!(decide("roles", Some(role("list"))), (false, false));
        assert_eq!(decide("roles", Some(role("get"))), (true, false));
        assert_eq!(decide("rolebindings", Some(binding("ned"))), (false, false));
        assert_eq!(decide("rolebindings", Some(binding("mel"))), (true, false));
        assert_eq!(decide("roles", None), (false, true));
        assert_eq!(decide("rolebindings", None), (false, false));
    }

    #[test]
    fn a_role_that_is_missing_is_told_with_the_refusal() {
        let view = Stored::bootstrapped().with_maker();
        let attributes = asks(user("ned"), "create", "", "pods", "shop");
        let decision = authorize(&view, &attributes);
        assert_eq!(
            decision.reason,
            r#"RBAC: [role.rbac.authorization.k8s.io "lost" not found, clusterrole.rbac.authorization.k8s.io "lost2" not found]"#
        );
        assert_eq!(
            forbidden(&attributes, &decision.reason).message,
            r#"pods is forbidden: User "ned" cannot create resource "pods" in API group "" in the namespace "shop": RBAC: [role.rbac.authorization.k8s.io "lost" not found, clusterrole.rbac.authorization.k8s.io "lost2" not found]"#
        );
    }

    #[test]
    fn a_refusal_has_the_servers_words_in_all_its_forms() {
        let nobody = || user("nobody");
        let of = |attributes: &Attributes| {
            let refusal = forbidden(attributes, "");
            assert_eq!((refusal.code, refusal.reason), (403, "Forbidden"));
            (refusal.message, Value::Object(refusal.details.unwrap()))
        };
        let mut scale = asks(nobody(), "get", "apps", "deployments", "default");
        (scale.name, scale.subresource) = ("x".to_owned(), "scale".to_owned());
        assert_eq!(
            of(&scale),
            (
                r#"deployments.apps "x" is forbidden: User "nobody" cannot get resource "deployments/scale" in API group "apps" in the namespace "default""#.to_owned(),
                json!({"name": "x", "group": "apps", "kind": "deployments"})
            )
        );
        assert_eq!(
            of(&asks(nobody(), "list", "", "nodes", "")),
            (
                r#"nodes is forbidden: User "nobody" cannot list resource "nodes" in API group "" at the cluster scope"#.to_owned(),
                json!({"kind": "nodes"})
            )
        );
        assert_eq!(
            of(&path(nobody(), "/a<b")),
            (r#"forbidden: User "nobody" cannot get path "/a&lt;b""#.to_owned(), json!({}))
        );
        let mut odd = asks(nobody(), "get", "", "configmaps", "default");
        odd.name = "a<b".to_owned();
        assert!(of(&odd).0.starts_with(r#"configmaps "a<b" is forbidden: User "nobody" cannot get"#));
    }
}
