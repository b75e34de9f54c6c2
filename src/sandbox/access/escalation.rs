//! Nobody may give away rights that they do not have, unless they may `escalate` or `bind`.

use serde_json::Value;

use super::{
    authorize::{Attributes, NoRole, RBAC, authorize, not_found, refuse, role_rules},
    rule::{Rule, missing},
    user::User,
    wording::{quoted, quoted_list},
};
use crate::sandbox::{refusal::Refusal, view::View};

/// Checks the writing of a role or a binding, after admission and before validation; other kinds pass.
///
/// `attributes` are those of the request, `stored` is the object as it was.
///
/// # Errors
/// If the object would grant more than the user has.
pub fn check_escalation(
    view: &impl View,
    attributes: &Attributes,
    object: &Value,
    stored: Option<&Value>,
) -> Result<(), Refusal> {
    if attributes.group != RBAC || attributes.user.is_master() {
        return Ok(());
    }
    let collecting = || stored.is_some_and(|stored| only_garbage_collected(object, stored));
    match attributes.resource.as_str() {
        "roles" | "clusterroles" => {
            if may(view, attributes, "escalate", &attributes.resource, &attributes.name) || collecting() {
                return Ok(());
            }
            check_role(view, attributes, object, stored)
        }
        "rolebindings" | "clusterrolebindings" => {
            if collecting() {
                return Ok(());
            }
            check_binding(view, attributes, &object["roleRef"], name_of(object))
        }
        _ => Ok(()),
    }
}

fn check_role(
    view: &impl View,
    attributes: &Attributes,
    object: &Value,
    stored: Option<&Value>,
) -> Result<(), Refusal> {
    let refuse = |why: &str| refuse(RBAC, &attributes.resource, name_of(object), why);
    let rules: Vec<Rule> = object["rules"].as_array().into_iter().flatten().map(Rule::read).collect();
    confirm(view, attributes, &rules).map_err(|why| refuse(&why))?;
    let gathers = |role: &Value| {
        role["aggregationRule"]["clusterRoleSelectors"].as_array().is_some_and(|selectors| !selectors.is_empty())
    };
    if gathers(object) || stored.is_some_and(gathers) {
        // It could gather anything.
        confirm(view, attributes, &[Rule::all_resources(), Rule::all_urls()])
            .map_err(|_| refuse("must have cluster-admin privileges to use the aggregationRule"))?;
    }
    Ok(())
}

fn check_binding(view: &impl View, attributes: &Attributes, role: &Value, name: &str) -> Result<(), Refusal> {
    let role_name = role["name"].as_str().unwrap_or_default();
    let resource = match role["kind"].as_str() {
        Some("ClusterRole") => "clusterroles",
        Some("Role") => "roles",
        _ => "",
    };
    if !resource.is_empty() && may(view, attributes, "bind", resource, role_name) {
        return Ok(());
    }
    let rules = role_rules(view, role, &attributes.namespace).map_err(|no_role| match &no_role {
        // The server looks the role up on behalf of this request, and so calls it by the request's resource.
        NoRole::Missing { name, .. } => not_found(RBAC, &attributes.resource, name),
        NoRole::UnknownKind(_) => Refusal::plain(no_role.text(None)),
    })?;
    let rules: Vec<Rule> = rules.iter().map(Rule::read).collect();
    confirm(view, attributes, &rules).map_err(|why| refuse(RBAC, &attributes.resource, name, &why))
}

/// Tells whether the user may do something special with a role.
fn may(view: &impl View, attributes: &Attributes, verb: &str, resource: &str, name: &str) -> bool {
    let special = Attributes {
        user: attributes.user.clone(),
        verb: verb.to_owned(),
        group: RBAC.to_owned(),
        version: "*".to_owned(),
        resource: resource.to_owned(),
        namespace: attributes.namespace.clone(),
        name: name.to_owned(),
        ..Attributes::default()
    };
    authorize(view, &special).allowed
}

/// Checks that the user has all these rights.
fn confirm(view: &impl View, attributes: &Attributes, wanted: &[Rule]) -> Result<(), String> {
    let User { name, groups, .. } = &attributes.user;
    let mut owned = Vec::new();
    let mut errors: Vec<String> = Vec::new();
    let rights = view.rights();
    for (binding, _) in rights.grants(&attributes.user, &attributes.namespace) {
        match binding.rules(view) {
            Ok(rules) => owned.extend_from_slice(rules),
            Err(no_role) => {
                let error = no_role.text(Some(&attributes.resource));
                if !errors.contains(&error) {
                    errors.push(error);
                }
            }
        }
    }
    let missing = missing(&owned, wanted);
    if missing.is_empty() {
        return Ok(());
    }
    let mut why = format!(
        "user {} (groups={}) is attempting to grant RBAC permissions not currently held:\n{}",
        quoted(name),
        quoted_list(groups),
        missing.join("\n")
    );
    match errors.as_slice() {
        [] => {}
        [only] => why.push_str(&format!("; resolution errors: [{only}]")),
        several => why.push_str(&format!("; resolution errors: [[{}]]", several.join(", "))),
    }
    Err(why)
}

/// Tells whether an update changes only what the garbage collector changes.
fn only_garbage_collected(object: &Value, stored: &Value) -> bool {
    let rest = |object: &Value| {
        let mut object = object.clone();
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            for field in ["ownerReferences", "finalizers", "selfLink", "managedFields"] {
                metadata.remove(field);
            }
        }
        object
    };
    rest(object) == rest(stored)
}

fn name_of(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sandbox::access::fixture::Stored;

    fn writes(user: &str, resource: &str) -> Attributes {
        Attributes {
            user: User { name: user.to_owned(), groups: vec!["system:authenticated".to_owned()], ..User::default() },
            verb: "create".to_owned(),
            group: RBAC.to_owned(),
            version: "v1".to_owned(),
            resource: resource.to_owned(),
            namespace: if resource.starts_with("cluster") { String::new() } else { "shop".to_owned() },
            ..Attributes::default()
        }
    }

    fn role(rules: Value) -> Value {
        json!({"metadata": {"name": "x"}, "rules": rules})
    }

    fn binding(kind: &str, name: &str) -> Value {
        json!({"metadata": {"name": "x"}, "roleRef": {"apiGroup": RBAC, "kind": kind, "name": name}})
    }

    #[test]
    fn a_role_with_rights_that_its_author_has_not_is_refused() {
        let view = Stored::bootstrapped().with_maker();
        let more = role(json!([
            {"apiGroups": ["", "apps"], "resources": ["pods", "secrets"], "verbs": ["get", "delete"]},
            {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["a", "c"], "verbs": ["get", "put"]}
        ]));
        let refusal = check_escalation(&view, &writes("mel", "roles"), &more, None).unwrap_err();
        assert_eq!((refusal.code, refusal.reason), (403, "Forbidden"));
        insta::assert_snapshot!(refusal.message, @r#"
        roles.rbac.authorization.k8s.io "x" is forbidden: user "mel" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:
        {APIGroups:[""], Resources:["configmaps"], ResourceNames:["a"], Verbs:["put"]}
        {APIGroups:[""], Resources:["configmaps"], ResourceNames:["c"], Verbs:["get" "put"]}
        {APIGroups:[""], Resources:["pods"], Verbs:["delete"]}
        {APIGroups:[""], Resources:["secrets"], Verbs:["get" "delete"]}
        {APIGroups:["apps"], Resources:["pods"], Verbs:["get" "delete"]}
        {APIGroups:["apps"], Resources:["secrets"], Verbs:["get" "delete"]}; resolution errors: [roles.rbac.authorization.k8s.io "lost" not found]
        "#);
        let within = role(json!([
            {"apiGroups": [""], "resources": ["pods", "nodes/log"], "verbs": ["get"]},
            {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["a"], "verbs": ["get"]}
        ]));
        assert_eq!(check_escalation(&view, &writes("mel", "roles"), &within, None), Ok(()));
        // What the garbage collector changes needs no rights.
        let mut collected = more.clone();
        collected["metadata"]["finalizers"] = json!(["x"]);
        assert_eq!(check_escalation(&view, &writes("mel", "roles"), &collected, Some(&more)), Ok(()));
    }

    #[test]
    fn a_role_that_gathers_needs_all_rights() {
        let view = Stored::bootstrapped().with_maker();
        let mut gathers = role(Value::Null);
        gathers["aggregationRule"] = json!({"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]});
        let refusal = check_escalation(&view, &writes("zoe", "clusterroles"), &gathers, None).unwrap_err();
        assert_eq!(
            refusal.message,
            r#"clusterroles.rbac.authorization.k8s.io "x" is forbidden: must have cluster-admin privileges to use the aggregationRule"#
        );
        let mut master = writes("zoe", "clusterroles");
        master.user.groups.push("system:masters".to_owned());
        assert_eq!(check_escalation(&view, &master, &gathers, None), Ok(()));
    }

    #[test]
    fn a_binding_gives_no_more_than_its_author_has() {
        let view = Stored::bootstrapped().with_maker();
        let check = |user: &str, resource: &str, object: &Value| {
            check_escalation(&view, &writes(user, resource), object, None).map_err(|refusal| refusal.message)
        };
        assert_eq!(check("mel", "rolebindings", &binding("Role", "maker")), Ok(()));
        assert_eq!(check("zoe", "clusterrolebindings", &binding("ClusterRole", "system:discovery")), Ok(()));
        assert_eq!(
            check("mel", "rolebindings", &binding("ClusterRole", "nope")),
            Err(r#"rolebindings.rbac.authorization.k8s.io "nope" not found"#.to_owned())
        );
        assert_eq!(
            check("mel", "rolebindings", &binding("Rolex", "maker")),
            Err(r#"unsupported role reference kind: "Rolex""#.to_owned())
        );
        assert_eq!(
            check("mel", "rolebindings", &binding("ClusterRole", "cluster-admin")),
            Err([
                r#"rolebindings.rbac.authorization.k8s.io "x" is forbidden: user "mel" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:"#,
                r#"{APIGroups:["*"], Resources:["*"], Verbs:["*"]}"#,
                r#"{NonResourceURLs:["*"], Verbs:["*"]}; resolution errors: [rolebindings.rbac.authorization.k8s.io "lost" not found]"#,
            ].join("\n"))
        );
    }

    #[test]
    fn who_may_escalate_or_bind_is_let_through() {
        let may = |verb: &str, resource: &str| {
            json!({
                "apiVersion": format!("{RBAC}/v1"), "kind": "ClusterRole", "metadata": {"name": "maker"},
                "rules": [{"apiGroups": [RBAC], "resources": [resource], "verbs": [verb]}]
            })
        };
        let all = role(json!([{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]));
        let view = Stored::bootstrapped().with_maker().with(may("escalate", "clusterroles"));
        assert_eq!(check_escalation(&view, &writes("zoe", "clusterroles"), &all, None), Ok(()));
        let view = Stored::bootstrapped().with_maker().with(may("bind", "clusterroles"));
        let admin = binding("ClusterRole", "cluster-admin");
        assert_eq!(check_escalation(&view, &writes("zoe", "clusterrolebindings"), &admin, None), Ok(()));
    }
}
