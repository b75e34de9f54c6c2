//! Reviews: questions about rights and tokens that are asked by creating an object, which is answered and not kept.

use serde_json::{Map, Value, json};

use super::{
    authorize::{Attributes, authorize, role_rules},
    selection,
    token::Tokens,
    user::User,
    wording::aggregate,
};
use crate::sandbox::{
    refusal::{FieldProblem, Refusal},
    view::View,
};

const AUTHORIZATION: &str = "authorization.k8s.io";
const AUTHENTICATION: &str = "authentication.k8s.io";

/// Answers a review that a user has sent, with its defaults and its managed fields; of a local one, with its namespace.
///
/// # Errors
/// If it is not valid, or of a kind that is no review.
pub fn review(view: &impl View, tokens: &Tokens, kind: &str, object: Value, user: &User) -> Result<Value, Refusal> {
    match kind {
        "SubjectAccessReview" | "LocalSubjectAccessReview" => {
            let problems = problems(kind, &object);
            refuse_if(&problems)?;
            let attributes = attributes(&object["spec"], subject(&object["spec"]));
            let status = decide(view, &attributes, &object["spec"]);
            Ok(with_status(kind, object, status))
        }
        "SelfSubjectAccessReview" => {
            let problems = problems(kind, &object);
            refuse_if(&problems)?;
            let attributes = attributes(&object["spec"], user.clone());
            let status = decide(view, &attributes, &object["spec"]);
            Ok(with_status(kind, object, status))
        }
        "SelfSubjectRulesReview" => rules_review(view, text(&object["spec"]["namespace"]), user),
        "SelfSubjectReview" => {
            let now = view.now();
            let created = jiff::Timestamp::from_second(now.as_second()).unwrap_or(now);
            Ok(json!({
                "kind": kind, "apiVersion": format!("{AUTHENTICATION}/v1"),
                "metadata": {"creationTimestamp": created.to_string()},
                "status": {"userInfo": user_info(user)}
            }))
        }
        "TokenReview" => token_review(view, tokens, object),
        _ => Err(Refusal::no_such_path()),
    }
}

fn refuse_if(problems: &[FieldProblem]) -> Result<(), Refusal> {
    // The server has lost the kind by then, so its name is not in the message.
    if problems.is_empty() { Ok(()) } else { Err(Refusal::invalid_as(AUTHORIZATION, "", "", problems)) }
}

fn problems(kind: &str, object: &Value) -> Vec<FieldProblem> {
    let spec = &object["spec"];
    let (resource, path) = (&spec["resourceAttributes"], &spec["nonResourceAttributes"]);
    let mut problems = Vec::new();
    let go_path = || {
        let value = json!({"Path": text(&path["path"]), "Verb": text(&path["verb"])});
        if path.is_null() { Value::Null } else { value }
    };
    if !resource.is_null() && !path.is_null() {
        let why = "cannot be specified in combination with resourceAttributes";
        problems.push(FieldProblem::invalid("spec.nonResourceAttributes", &go_path(), why));
    }
    if resource.is_null() && path.is_null() {
        let why = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
        problems.push(FieldProblem::invalid("spec.resourceAttributes", &Value::Null, why));
    }
    let no_groups = spec["groups"].as_array().is_none_or(Vec::is_empty);
    if kind != "SelfSubjectAccessReview" && text(&spec["user"]).is_empty() && no_groups {
        let why = "at least one of user or group must be specified";
        problems.push(FieldProblem::invalid("spec.user", &Value::from(""), why));
    }
    problems.extend(selection::problems(resource));
    let local = kind == "LocalSubjectAccessReview";
    let allowed = |field: &str| field == "managedFields" || (local && field == "namespace");
    let set =
        |value: &Value| !matches!(value, Value::Null) && value != "" && *value != json!({}) && *value != json!([]);
    let mut metadata = object["metadata"].as_object().into_iter().flatten();
    if metadata.any(|(field, value)| !allowed(field) && set(value)) {
        let why = if local { "must be empty except for namespace" } else { "must be empty" };
        problems.push(FieldProblem::invalid("metadata", &object["metadata"], why));
    }
    if local {
        let namespace = text(&resource["namespace"]);
        if !resource.is_null() && namespace != text(&object["metadata"]["namespace"]) {
            let why = "must match metadata.namespace";
            problems.push(FieldProblem::invalid("spec.resourceAttributes.namespace", &Value::from(namespace), why));
        }
        if !path.is_null() {
            let why = "disallowed on this kind of request";
            problems.push(FieldProblem::invalid("spec.nonResourceAttributes", &go_path(), why));
        }
    }
    problems
}

fn subject(spec: &Value) -> User {
    let list = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let extra = spec["extra"].as_object().into_iter().flatten();
    User {
        name: text(&spec["user"]).to_owned(),
        uid: text(&spec["uid"]).to_owned(),
        groups: list(&spec["groups"]),
        extra: extra.map(|(key, values)| (key.clone(), list(values))).collect(),
    }
}

fn attributes(spec: &Value, user: User) -> Attributes {
    let of = &spec["resourceAttributes"];
    if of.is_null() {
        let of = &spec["nonResourceAttributes"];
        let path = Some(text(&of["path"]).to_owned());
        return Attributes { user, verb: text(&of["verb"]).to_owned(), path, ..Attributes::default() };
    }
    let field = |name: &str| text(&of[name]).to_owned();
    Attributes {
        user,
        verb: field("verb"),
        group: field("group"),
        version: if field("version").is_empty() { "*".to_owned() } else { field("version") },
        resource: field("resource"),
        subresource: field("subresource"),
        namespace: field("namespace"),
        name: field("name"),
        path: None,
    }
}

/// Returns the status of an access review.
fn decide(view: &impl View, attributes: &Attributes, spec: &Value) -> Value {
    let decision = authorize(view, attributes);
    let mut status = Map::from_iter([("allowed".to_owned(), Value::from(decision.allowed))]);
    if decision.denied {
        status.insert("denied".to_owned(), Value::from(true));
    }
    if !decision.reason.is_empty() {
        status.insert("reason".to_owned(), Value::from(decision.reason));
    }
    if let Some(error) = selection::ignored(&spec["resourceAttributes"]) {
        status.insert("evaluationError".to_owned(), Value::from(error));
    }
    Value::Object(status)
}

fn with_status(kind: &str, mut object: Value, status: Value) -> Value {
    let group = if kind == "TokenReview" { AUTHENTICATION } else { AUTHORIZATION };
    let mut take = |field: &str| object.get_mut(field).map(Value::take);
    let (metadata, spec) = (take("metadata").unwrap_or_else(|| json!({})), take("spec").unwrap_or_default());
    let fields = [
        ("kind", Value::from(kind)),
        ("apiVersion", Value::from(format!("{group}/v1"))),
        ("metadata", metadata),
        ("spec", spec),
        ("status", status),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn rules_review(view: &impl View, namespace: &str, user: &User) -> Result<Value, Refusal> {
    if namespace.is_empty() {
        return Err(Refusal::bad_request("no namespace on request"));
    }
    let (mut resources, mut paths, mut errors) = (Vec::new(), Vec::new(), Vec::new());
    let rights = view.rights();
    for (binding, _) in rights.grants(user, namespace) {
        let rules = match role_rules(view, &binding.object["roleRef"], &binding.namespace) {
            Ok(rules) => rules,
            Err(no_role) => {
                errors.push(no_role.text(None));
                continue;
            }
        };
        for rule in rules {
            let some = |field: &str| rule[field].as_array().is_some_and(|list| !list.is_empty());
            let only = |fields: &[&str]| -> Value {
                let set = fields.iter().filter(|field| **field == "verbs" || some(field));
                Value::Object(set.map(|field| ((*field).to_owned(), rule[*field].clone())).collect())
            };
            if some("resources") {
                resources.push(only(&["verbs", "apiGroups", "resources", "resourceNames"]));
            }
            if some("nonResourceURLs") {
                paths.push(only(&["verbs", "nonResourceURLs"]));
            }
        }
    }
    let mut status = json!({"resourceRules": resources, "nonResourceRules": paths, "incomplete": false});
    if let Some(error) = aggregate(&errors) {
        status["evaluationError"] = Value::from(error);
    }
    // What was sent is forgotten, its spec as well.
    Ok(json!({
        "kind": "SelfSubjectRulesReview", "apiVersion": format!("{AUTHORIZATION}/v1"),
        "metadata": {}, "spec": {}, "status": status
    }))
}

fn token_review(view: &impl View, tokens: &Tokens, object: Value) -> Result<Value, Refusal> {
    let spec = &object["spec"];
    let token = text(&spec["token"]);
    if token.is_empty() {
        return Err(Refusal::bad_request("token is required for TokenReview in authentication"));
    }
    let audiences: Vec<String> =
        spec["audiences"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    let status = match tokens.check(view, token, &audiences) {
        Ok(found) => {
            json!({"authenticated": true, "user": user_info(&found.user), "audiences": found.audiences})
        }
        Err(error) => json!({"user": {}, "error": error.to_string()}),
    };
    Ok(with_status("TokenReview", object, status))
}

fn user_info(user: &User) -> Value {
    let mut info = Map::new();
    let mut put = |field: &str, value: Value, empty: bool| {
        if !empty {
            info.insert(field.to_owned(), value);
        }
    };
    put("username", Value::from(user.name.as_str()), user.name.is_empty());
    put("uid", Value::from(user.uid.as_str()), user.uid.is_empty());
    put("groups", json!(user.groups), user.groups.is_empty());
    put("extra", json!(user.extra), user.extra.is_empty());
    Value::Object(info)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::access::{fixture::Stored, token::Claims};

    fn tokens() -> Tokens {
        Tokens::new("admin-token".to_owned(), b"key".to_vec())
    }

    fn nobody() -> User {
        User {
            name: "nobody".to_owned(),
            uid: "nobody".to_owned(),
            groups: vec!["system:authenticated".to_owned()],
            ..User::default()
        }
    }

    fn ask(kind: &str, object: Value) -> Result<Value, Refusal> {
        review(&Stored::bootstrapped().with_maker(), &tokens(), kind, object, &nobody())
    }

    fn status(kind: &str, object: Value) -> Value {
        ask(kind, object).unwrap()["status"].clone()
    }

    fn refused(kind: &str, object: Value) -> String {
        ask(kind, object).unwrap_err().message
    }

    #[test]
    fn an_access_review_says_what_would_be_decided_and_why() {
        let pods = json!({"verb": "get", "resource": "pods", "namespace": "shop"});
        let of = |user: &str| json!({"spec": {"user": user, "resourceAttributes": pods}});
        assert_eq!(status("SubjectAccessReview", of("bob")), json!({"allowed": false}));
        assert_eq!(
            status("SubjectAccessReview", of("mel")),
            json!({
                "allowed": true,
                "reason": r#"RBAC: allowed by RoleBinding "maker/shop" of Role "maker" to User "mel""#
            })
        );
        assert_eq!(
            status("SubjectAccessReview", of("ned")),
            json!({
                "allowed": false,
                "reason": r#"RBAC: [role.rbac.authorization.k8s.io "lost" not found, clusterrole.rbac.authorization.k8s.io "lost2" not found]"#
            })
        );
        let masters = json!({"spec": {"groups": ["system:masters"], "resourceAttributes": pods}});
        assert_eq!(status("SubjectAccessReview", masters), json!({"allowed": true}));
        let path = json!({"spec": {"nonResourceAttributes": {"verb": "get", "path": "/version"}}});
        assert_eq!(status("SelfSubjectAccessReview", path)["allowed"], true);
        let local = json!({"metadata": {"namespace": "shop"}, "spec": of("mel")["spec"]});
        assert_eq!(ask("LocalSubjectAccessReview", local).unwrap()["status"]["allowed"], true);
        let own = json!({"spec": {"resourceAttributes": {
            "verb": "create", "group": "authorization.k8s.io", "resource": "selfsubjectaccessreviews"
        }}});
        assert_eq!(
            ask("SelfSubjectAccessReview", own.clone()).unwrap(),
            json!({
                "kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "metadata": {},
                "spec": own["spec"],
                "status": {
                    "allowed": true,
                    "reason": r#"RBAC: allowed by ClusterRoleBinding "system:basic-user" of ClusterRole "system:basic-user" to Group "system:authenticated""#
                }
            })
        );
    }

    #[test]
    fn an_access_review_that_is_not_valid_is_refused_in_the_servers_words() {
        assert_eq!(
            refused("SubjectAccessReview", json!({"spec": {}})),
            r#".authorization.k8s.io "" is invalid: [spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified, spec.user: Invalid value: "": at least one of user or group must be specified]"#
        );
        let both = json!({"spec": {
            "resourceAttributes": {"verb": "get"}, "nonResourceAttributes": {"path": "/", "verb": "get"}
        }});
        assert_eq!(
            refused("SelfSubjectAccessReview", both),
            r#".authorization.k8s.io "" is invalid: spec.nonResourceAttributes: Invalid value: {"Path":"/","Verb":"get"}: cannot be specified in combination with resourceAttributes"#
        );
        let local = json!({
            "metadata": {"namespace": "shop"},
            "spec": {"user": "bob", "resourceAttributes": {"verb": "get", "resource": "pods"}}
        });
        assert_eq!(
            refused("LocalSubjectAccessReview", local),
            r#".authorization.k8s.io "" is invalid: spec.resourceAttributes.namespace: Invalid value: "": must match metadata.namespace"#
        );
        let local = json!({"spec": {"user": "bob", "nonResourceAttributes": {"verb": "get", "path": "/"}}});
        assert_eq!(
            refused("LocalSubjectAccessReview", local),
            r#".authorization.k8s.io "" is invalid: spec.nonResourceAttributes: Invalid value: {"Path":"/","Verb":"get"}: disallowed on this kind of request"#
        );
        let selector = json!({"spec": {"resourceAttributes": {"verb": "get", "fieldSelector": {}}}});
        assert_eq!(
            refused("SelfSubjectAccessReview", selector),
            r#".authorization.k8s.io "" is invalid: spec.resourceAttributes.fieldSelector.requirements: Required value: when spec.resourceAttributes.fieldSelector is specified, requirements or rawSelector is required"#
        );
        let named = json!({"metadata": {"name": "x"}, "spec": {"resourceAttributes": {"verb": "get"}}});
        assert_eq!(
            refused("SelfSubjectAccessReview", named),
            r#".authorization.k8s.io "" is invalid: metadata: Invalid value: {"name":"x"}: must be empty"#
        );
    }

    #[test]
    fn a_rules_review_lists_what_applies() {
        insta::assert_snapshot!(
            ask("SelfSubjectRulesReview", json!({"metadata": {"name": "x"}, "spec": {"namespace": "default"}})).unwrap(),
            @r#"{"apiVersion":"authorization.k8s.io/v1","kind":"SelfSubjectRulesReview","metadata":{},"spec":{},"status":{"incomplete":false,"nonResourceRules":[{"nonResourceURLs":["/api","/api/*","/apis","/apis/*","/healthz","/livez","/openapi","/openapi/*","/readyz","/version","/version/"],"verbs":["get"]},{"nonResourceURLs":["/healthz","/livez","/readyz","/version","/version/"],"verbs":["get"]}],"resourceRules":[{"apiGroups":["authorization.k8s.io"],"resources":["selfsubjectaccessreviews","selfsubjectrulesreviews"],"verbs":["create"]},{"apiGroups":["authentication.k8s.io"],"resources":["selfsubjectreviews"],"verbs":["create"]}]}}"#
        );
        assert_eq!(refused("SelfSubjectRulesReview", json!({"spec": {}})), "no namespace on request");
    }

    #[test]
    fn a_review_of_oneself_says_who_one_is() {
        assert_eq!(
            ask("SelfSubjectReview", json!({"metadata": {"name": "x"}})).unwrap(),
            json!({
                "kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1",
                "metadata": {"creationTimestamp": "2026-11-22T12:00:00Z"},
                "status": {"userInfo": {"username": "nobody", "uid": "nobody", "groups": ["system:authenticated"]}}
            })
        );
    }

    #[test]
    fn a_token_review_says_whose_a_token_is() {
        let account = json!({
            "apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"namespace": "shop", "name": "bob", "uid": "u-1"}
        });
        let view = Stored::bootstrapped().with(account);
        let grant = Claims {
            namespace: "shop".to_owned(),
            account: "bob".to_owned(),
            uid: "u-1".to_owned(),
            audiences: vec!["a".to_owned()],
            seconds: 3600,
            id: "id-1".to_owned(),
            ..Claims::default()
        };
        let token = tokens().issue(&grant, view.now);
        let of = |spec: Value| {
            let answer = review(&view, &tokens(), "TokenReview", json!({"spec": spec}), &User::admin()).unwrap();
            answer["status"].clone()
        };
        assert_eq!(
            of(json!({"token": token, "audiences": ["b", "a"]})),
            json!({
                "authenticated": true, "audiences": ["a"],
                "user": {
                    "username": "system:serviceaccount:shop:bob", "uid": "u-1",
                    "groups": ["system:serviceaccounts", "system:serviceaccounts:shop", "system:authenticated"],
                    "extra": {"authentication.kubernetes.io/credential-id": ["JTI=id-1"]}
                }
            })
        );
        assert_eq!(of(json!({"token": "x"})), json!({"user": {}, "error": "invalid bearer token"}));
        assert_eq!(
            of(json!({"token": token})),
            json!({
                "user": {},
                "error": r#"[invalid bearer token, token audiences ["a"] is invalid for the target audiences ["https://kubernetes.default.svc.cluster.local"]]"#
            })
        );
        assert_eq!(refused("TokenReview", json!({"spec": {}})), "token is required for TokenReview in authentication");
    }

    #[test]
    fn selectors_are_checked_and_told_where_they_are_ignored() {
        let with = |selectors: Value| {
            let mut attributes = json!({"verb": "list", "resource": "pods"});
            attributes.as_object_mut().unwrap().extend(selectors.as_object().unwrap().clone());
            json!({"spec": {"user": "bob", "resourceAttributes": attributes}})
        };
        let problem = |selectors: Value| {
            let refused = refused("SubjectAccessReview", with(selectors));
            refused.split_once(" is invalid: ").unwrap().1.to_owned()
        };
        let requirements = |list: Value| json!({"requirements": list});
        let fields = "spec.resourceAttributes.fieldSelector.requirements[0]";
        assert_eq!(
            problem(json!({"fieldSelector": requirements(json!([{"key": "", "operator": "In"}]))})),
            format!(
                "[{fields}.key: Required value: must be specified, {fields}.values: Required value: must be specified when \
                 `operator` is 'In' or 'NotIn']"
            )
        );
        let labels = "spec.resourceAttributes.labelSelector.requirements[0]";
        assert_eq!(
            problem(
                json!({"labelSelector": requirements(json!([{"key": "a", "operator": "Exists", "values": ["b"]}]))})
            ),
            format!("{labels}.values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
        );
        let error = |selectors: Value| status("SubjectAccessReview", with(selectors))["evaluationError"].clone();
        let part = requirements(json!([
            {"key": "a", "operator": "In", "values": ["b"]}, {"key": "a", "operator": "Exists"}
        ]));
        assert_eq!(error(json!({"labelSelector": part})), Value::Null);
        assert_eq!(
            error(json!({"fieldSelector": part, "labelSelector": {"rawSelector": "a b"}})),
            "spec.resourceAttributes.fieldSelector partially ignored due to parse error; \
             spec.resourceAttributes.labelSelector ignored due to parse error"
        );
        assert_eq!(
            error(json!({"fieldSelector": {"rawSelector": "a=b=c"}})),
            "spec.resourceAttributes.fieldSelector ignored due to parse error"
        );
    }
}
