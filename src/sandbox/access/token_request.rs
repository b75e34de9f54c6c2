//! The `token` subresource of service accounts.

use serde_json::{Value, json};

use super::{
    authorize::{details, not_found},
    token::{AUDIENCE, Claims, Tokens},
    wording::quoted,
};
use crate::sandbox::{
    refusal::{FieldProblem, Refusal},
    view::View,
};

const GROUP: &str = "authentication.k8s.io";
const KIND: &str = "TokenRequest";

const DEFAULT_SECONDS: i64 = 3600;
const LEAST_SECONDS: i64 = 600;
const MOST_SECONDS: i64 = 1 << 32;
/// What kubelets ask for. Such tokens are valid for a year, since not all programs read them again in time.
const PROJECTED_SECONDS: i64 = 3607;
const EXTENDED_SECONDS: i64 = 365 * 24 * 3600;

/// Answers a request for a token of a service account. `id` tells the token apart from every other.
///
/// # Errors
/// If the service account or what the token shall be bound to is not there, or the request is not valid.
pub fn token_request(
    view: &impl View,
    tokens: &Tokens,
    (namespace, name): (&str, &str),
    body: &Value,
    id: String,
) -> Result<Value, Refusal> {
    let metadata = &body["metadata"];
    let given = |field: &str| text(&metadata[field]);
    if !given("namespace").is_empty() && given("namespace") != namespace {
        let message = "the namespace of the provided object does not match the namespace sent on the request";
        return Err(Refusal::bad_request(message));
    }
    if !given("name").is_empty() && given("name") != name {
        let why = "must match the service account name if specified";
        let problem = FieldProblem::invalid("metadata.name", &metadata["name"], why);
        return Err(Refusal::invalid_as(GROUP, KIND, name, &[problem]));
    }
    let account =
        view.get("", "ServiceAccount", namespace, name).ok_or_else(|| not_found("", "serviceaccounts", name))?;
    let uid = text(&account["metadata"]["uid"]);
    let asked = text(&metadata["uid"]);
    if !asked.is_empty() && asked != uid {
        let why =
            format!("the UID in the token request ({asked}) does not match the UID of the service account ({uid})");
        return Err(conflict(GROUP, KIND, name, &why));
    }
    let spec = &body["spec"];
    let mut audiences: Vec<String> =
        spec["audiences"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    if audiences.is_empty() {
        audiences.push(AUDIENCE.to_owned());
    }
    let seconds = spec["expirationSeconds"].as_i64().unwrap_or(DEFAULT_SECONDS);
    check_seconds(seconds)?;
    let reference = spec.get("boundObjectRef").filter(|reference| !reference.is_null());
    let bound = match reference {
        Some(reference) => bind(view, namespace, name, reference)?,
        None => Vec::new(),
    };

    let now = view.now();
    let projected = seconds == PROJECTED_SECONDS
        && bound.iter().any(|(kind, ..)| *kind == "Pod")
        && audiences.iter().all(|audience| audience == AUDIENCE);
    let token = tokens.issue(
        &Claims {
            namespace: namespace.to_owned(),
            account: name.to_owned(),
            uid: uid.to_owned(),
            audiences: audiences.clone(),
            seconds: if projected { EXTENDED_SECONDS } else { seconds },
            warn_after: projected.then_some(seconds),
            bound,
            id,
        },
        now,
    );
    let mut metadata = metadata.as_object().cloned().unwrap_or_default();
    let created = jiff::Timestamp::from_second(now.as_second()).unwrap_or(now);
    for (field, value) in [("name", name), ("namespace", namespace), ("uid", uid)] {
        metadata.insert(field.to_owned(), Value::from(value));
    }
    metadata.insert("creationTimestamp".to_owned(), Value::from(created.to_string()));
    let until = created.saturating_add(jiff::SignedDuration::from_secs(seconds)).unwrap_or(created);
    Ok(json!({
        "kind": KIND,
        "apiVersion": format!("{GROUP}/v1"),
        "metadata": metadata,
        "spec": {"audiences": audiences, "expirationSeconds": seconds, "boundObjectRef": reference},
        "status": {"token": token, "expirationTimestamp": until.to_string()}
    }))
}

fn check_seconds(seconds: i64) -> Result<(), Refusal> {
    let why = match seconds {
        ..LEAST_SECONDS => "may not specify a duration less than 10 minutes",
        LEAST_SECONDS..=MOST_SECONDS => return Ok(()),
        _ => "may not specify a duration larger than 2^32 seconds",
    };
    let problem = FieldProblem::invalid("spec.expirationSeconds", &Value::from(seconds), why);
    Err(Refusal::invalid_as(GROUP, KIND, "", &[problem]))
}

/// Returns what a token is bound to.
fn bind(
    view: &impl View,
    namespace: &str,
    account: &str,
    reference: &Value,
) -> Result<Vec<(&'static str, String, String)>, Refusal> {
    let (version, kind) = (text(&reference["apiVersion"]), text(&reference["kind"]));
    let (group, version) = version.split_once('/').unwrap_or(("", version));
    let (kind, resource, namespace) = match (group, kind) {
        ("", "Pod") => ("Pod", "pods", namespace),
        ("", "Secret") => ("Secret", "secrets", namespace),
        ("", "Node") => ("Node", "nodes", ""),
        (group, kind) => {
            let message = format!("cannot bind token to object of type {group}/{version}, Kind={kind}");
            return Err(Refusal::bad_request(message));
        }
    };
    let name = text(&reference["name"]);
    let object = view.get("", kind, namespace, name).ok_or_else(|| not_found("", resource, name))?;
    if kind == "Pod" && object["spec"]["serviceAccountName"] != account {
        return Err(Refusal::bad_request(format!(
            "cannot bind token for serviceaccount {} to pod running with different serviceaccount name.",
            quoted(account)
        )));
    }
    let uid = text(&object["metadata"]["uid"]);
    let asked = text(&reference["uid"]);
    if !asked.is_empty() && asked != uid {
        let why = format!(
            "the UID in the bound object reference ({asked}) does not match the UID in record. The object might have been \
             deleted and then recreated"
        );
        return Err(conflict("", kind, name, &why));
    }
    let mut bound = vec![(kind, name.to_owned(), uid.to_owned())];
    if kind == "Pod"
        && let node = text(&object["spec"]["nodeName"])
        && !node.is_empty()
    {
        let uid = view.get("", "Node", "", node).map(|node| text(&node["metadata"]["uid"]).to_owned());
        bound.push(("Node", node.to_owned(), uid.unwrap_or_default()));
    }
    Ok(bound)
}

fn conflict(group: &str, kind: &str, name: &str, why: &str) -> Refusal {
    let qualified = if group.is_empty() { kind.to_owned() } else { format!("{kind}.{group}") };
    let message = format!("Operation cannot be fulfilled on {qualified} {}: {why}", quoted(name));
    let mut refusal = Refusal::new(409, "Conflict", message);
    refusal.details = Some(details(group, kind, name));
    refusal
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::access::fixture::Stored;

    fn stored() -> Stored {
        let object = |kind: &str, namespace: &str, name: &str, uid: &str| json!({"apiVersion": "v1", "kind": kind, "metadata": {"namespace": namespace, "name": name, "uid": uid}});
        let mut pod = object("Pod", "shop", "p", "u-3");
        pod["spec"] = json!({"serviceAccountName": "bob", "nodeName": "n"});
        let mut other = object("Pod", "shop", "other", "u-4");
        other["spec"] = json!({"serviceAccountName": "default"});
        Stored::bootstrapped()
            .with(object("ServiceAccount", "shop", "bob", "u-1"))
            .with(object("Secret", "shop", "s", "u-2"))
            .with(pod)
            .with(other)
    }

    fn ask(name: &str, body: Value) -> Result<Value, Refusal> {
        let tokens = Tokens::new("admin".to_owned(), b"key".to_vec());
        token_request(&stored(), &tokens, ("shop", name), &body, "id-1".to_owned())
    }

    #[test]
    fn an_empty_request_gets_a_token_for_the_server_for_an_hour() {
        let mut answer = ask("bob", json!({})).unwrap();
        let token = answer["status"]["token"].take();
        assert_eq!(token.as_str().unwrap().split('.').count(), 3);
        assert_eq!(
            answer,
            json!({
                "kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1",
                "metadata": {
                    "name": "bob", "namespace": "shop", "uid": "u-1", "creationTimestamp": "2026-11-22T12:00:00Z"
                },
                "spec": {
                    "audiences": ["https://kubernetes.default.svc.cluster.local"], "expirationSeconds": 3600,
                    "boundObjectRef": null
                },
                "status": {"token": null, "expirationTimestamp": "2026-11-22T13:00:00Z"}
            })
        );
    }

    #[test]
    fn a_request_that_is_not_valid_is_refused_in_the_servers_words() {
        let refused = |name: &str, body: Value| {
            let refusal = ask(name, body).unwrap_err();
            format!("{} {}", refusal.code, refusal.message)
        };
        let bound = |kind: &str, name: &str, uid: &str| {
            let reference = json!({"kind": kind, "apiVersion": "v1", "name": name, "uid": uid});
            refused("bob", json!({"spec": {"expirationSeconds": 3600, "boundObjectRef": reference}}))
        };
        assert_eq!(
            refused("bob", json!({"spec": {"expirationSeconds": 10}})),
            r#"422 TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 10: may not specify a duration less than 10 minutes"#
        );
        assert_eq!(
            refused("bob", json!({"spec": {"expirationSeconds": 99_999_999_999_u64}})),
            r#"422 TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 99999999999: may not specify a duration larger than 2^32 seconds"#
        );
        assert_eq!(
            refused("bob", json!({"metadata": {"name": "q"}})),
            r#"422 TokenRequest.authentication.k8s.io "bob" is invalid: metadata.name: Invalid value: "q": must match the service account name if specified"#
        );
        assert_eq!(refused("none", json!({})), r#"404 serviceaccounts "none" not found"#);
        assert_eq!(
            refused("bob", json!({"metadata": {"uid": "1"}})),
            r#"409 Operation cannot be fulfilled on TokenRequest.authentication.k8s.io "bob": the UID in the token request (1) does not match the UID of the service account (u-1)"#
        );
        assert_eq!(bound("Pod", "x", ""), r#"404 pods "x" not found"#);
        assert_eq!(bound("ConfigMap", "x", ""), "400 cannot bind token to object of type /v1, Kind=ConfigMap");
        assert_eq!(
            bound("Secret", "s", "7"),
            r#"409 Operation cannot be fulfilled on Secret "s": the UID in the bound object reference (7) does not match the UID in record. The object might have been deleted and then recreated"#
        );
        assert_eq!(
            bound("Pod", "other", ""),
            r#"400 cannot bind token for serviceaccount "bob" to pod running with different serviceaccount name."#
        );
    }

    #[test]
    fn a_pods_projected_token_is_valid_for_a_year() {
        let view = stored();
        let tokens = Tokens::new("admin".to_owned(), b"key".to_vec());
        let body = json!({"spec": {
            "expirationSeconds": 3607, "boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": "p"}
        }});
        let answer = token_request(&view, &tokens, ("shop", "bob"), &body, "id".to_owned()).unwrap();
        assert_eq!(answer["status"]["expirationTimestamp"], "2026-11-22T13:00:07Z");
        let mut later = stored();
        later.now += jiff::SignedDuration::from_hours(300 * 24);
        let user = tokens.check(&later, answer["status"]["token"].as_str().unwrap(), &[]).unwrap().user;
        assert_eq!(user.extra["authentication.kubernetes.io/pod-name"], ["p"]);
        assert_eq!(user.extra["authentication.kubernetes.io/node-name"], ["n"]);
    }
}
