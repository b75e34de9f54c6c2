//! From an HTTP answer that is no success to a [`ClusterError`]; pure.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use super::error::{Cause, ClusterError, ServerFailure};
use super::subject::Subject;

const WITHHELD: &str = "its words are withheld, since they may quote values of the Secret";

/// The parts of `metav1.Status` that decide.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Status {
    pub(super) kind: String,
    pub(super) status: Option<String>,
    pub(super) code: u16,
    reason: Option<String>,
    message: Option<String>,
    details: Option<Details>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Details {
    name: Option<String>,
    kind: Option<String>,
    causes: Option<Vec<StatusCause>>,
    retry_after_seconds: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct StatusCause {
    reason: Option<String>,
    message: Option<String>,
    field: Option<String>,
}

/// Reads the answer to a request that the server did not carry out.
pub(super) fn error_of(code: StatusCode, headers: &HeaderMap, body: &[u8], what: &Arc<Subject>) -> ClusterError {
    let status = serde_json::from_slice::<Status>(body).ok().filter(|status| status.kind == "Status");
    let header = headers.get(http::header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    match status {
        Some(status) => error_of_status(code.as_u16(), &status, header, what),
        None => error_without_status(code, body, header, what),
    }
}

/// An answer by something other than Kubernetes' own handlers: an unknown path, a proxy, an overloaded server.
fn error_without_status(code: StatusCode, body: &[u8], header: Option<u64>, what: &Arc<Subject>) -> ClusterError {
    let text = String::from_utf8_lossy(body);
    let first_line = text.lines().next().unwrap_or_default().trim();
    let message = match first_line {
        "" => code.canonical_reason().unwrap_or("no reason given").to_lowercase(),
        _ if what.is_secret() => WITHHELD.to_owned(),
        line => line.chars().take(200).collect(),
    };
    let status = Status {
        message: Some(message),
        // What the API server answers where no kind is served.
        details: (code == StatusCode::NOT_FOUND).then(Details::default),
        ..Status::default()
    };
    error_of_status(code.as_u16(), &status, header, what)
}

/// Reads a `Status`, from an answer or from a watch.
pub(super) fn error_of_status(code: u16, status: &Status, header: Option<u64>, what: &Arc<Subject>) -> ClusterError {
    let what = Arc::clone(what);
    let reason = status.reason.clone().unwrap_or_default();
    let message = status.message.clone().unwrap_or_default();
    let details = status.details.as_ref();
    let retry_after = header.or(details.and_then(|details| details.retry_after_seconds)).map(Duration::from_secs);
    match code {
        401 => ClusterError::Unauthorized { endpoint: Arc::clone(&what.endpoint), message: lower_first(&message) },
        // Quotas and admission answer 403 too, but only the authorizer names a user.
        403 if is_missing_right(&message) => ClusterError::Forbidden { what, message },
        404 => not_found(details, what),
        409 => conflict(&reason, message, details, what),
        410 => ClusterError::Gone { what },
        422 if is_uid_mismatch(&message) => ClusterError::Recreated { what },
        422 => {
            let causes = causes_of(details, what.is_secret());
            ClusterError::Invalid { message: withhold(message, &what), causes, what }
        }
        429 => ClusterError::Throttled { what, retry_after },
        // A body of the wrong shape is answered with 500 and no reason by the structured merge.
        500 if is_wrong_shape(&reason, &message) => {
            ClusterError::Rejected { message: withhold(message, &what), code, what }
        }
        500.. => {
            let failure = server_failure(code, &reason, &message);
            ClusterError::Server { message: withhold(message, &what), code, failure, retry_after, what }
        }
        _ => ClusterError::Rejected { message: withhold(message, &what), code, what },
    }
}

fn is_missing_right(message: &str) -> bool {
    message.contains(": User \"")
        || message.starts_with("User \"")
        // The check of an exec over a web socket gives no reason at all.
        || message.trim_end().ends_with("is forbidden:")
        || message.is_empty()
}

fn is_uid_mismatch(message: &str) -> bool {
    message.contains("metadata.uid: Invalid value") || message.contains("uid mismatch")
}

fn is_wrong_shape(reason: &str, message: &str) -> bool {
    reason.is_empty()
        && (message.starts_with("failed to create typed patch object")
            || message.contains("field not declared in schema")
            || message.contains("unable to convert")
            || message.contains("cannot unmarshal"))
}

/// Errors of the storage arrive as 500 without a reason, in etcd's own words.
fn is_of_storage(message: &str) -> bool {
    ["etcdserver:", "rpc error: code = Unavailable", "context deadline exceeded"]
        .iter()
        .any(|words| message.contains(words))
}

fn server_failure(code: u16, reason: &str, message: &str) -> ServerFailure {
    match code {
        // A webhook that did not answer in time was asked before anything was written.
        500 if message.contains("failed calling webhook") => ServerFailure::Passing,
        500 if is_of_storage(message) || matches!(reason, "ServerTimeout" | "Timeout") => ServerFailure::Lost,
        // Else without a reason it is the answer to a body that the server cannot take.
        500 if reason.is_empty() => ServerFailure::Lasting,
        500 => ServerFailure::Passing,
        // Without a reason it comes from a proxy, which may have passed the request on.
        503 if !reason.is_empty() => ServerFailure::Passing,
        502..=504 => ServerFailure::Lost,
        _ => ServerFailure::Lasting,
    }
}

fn not_found(details: Option<&Details>, what: Arc<Subject>) -> ClusterError {
    let name = details.and_then(|details| details.name.as_deref()).unwrap_or_default();
    let kind = details.and_then(|details| details.kind.as_deref()).unwrap_or_default();
    match &what.object {
        Some(object) if kind == "namespaces" && object.kind != "Namespace" => {
            ClusterError::NamespaceMissing { namespace: name.to_owned(), what }
        }
        Some(_) if !name.is_empty() => ClusterError::NotFound { what },
        _ => match &what.kind {
            Some(kind) => ClusterError::UnknownKind { kind: kind.kind.clone(), api_version: kind.api_version() },
            None => ClusterError::NotFound { what },
        },
    }
}

fn conflict(reason: &str, message: String, details: Option<&Details>, what: Arc<Subject>) -> ClusterError {
    let of_managers: Vec<_> = details
        .and_then(|details| details.causes.as_deref())
        .unwrap_or_default()
        .iter()
        .filter(|cause| cause.reason.as_deref() == Some("FieldManagerConflict"))
        .collect();
    if !of_managers.is_empty() {
        let mut causes: Vec<Cause> = of_managers
            .into_iter()
            .map(|cause| Cause {
                field: cause.field.clone().unwrap_or_default(),
                message: cause.message.clone().unwrap_or_default(),
            })
            .collect();
        causes.sort_by(|one, other| (&one.field, &one.message).cmp(&(&other.field, &other.message)));
        return ClusterError::Conflict { what, causes, message };
    }
    if reason == "AlreadyExists" {
        return ClusterError::AlreadyExists { what };
    }
    let about_uid = is_uid_mismatch(&message)
        || message.contains("UID in precondition")
        || message.contains("UID in the precondition");
    if about_uid {
        return ClusterError::Recreated { what };
    }
    if message.contains("the object has been modified") || message.contains("in the precondition") {
        return ClusterError::Moved { what };
    }
    // For instance a write into a namespace that is being deleted.
    ClusterError::Rejected { message: withhold(message, &what), code: 409, what }
}

fn causes_of(details: Option<&Details>, is_secret: bool) -> Vec<Cause> {
    let causes = details.and_then(|details| details.causes.as_deref()).unwrap_or_default();
    causes
        .iter()
        .map(|cause| Cause {
            field: cause.field.clone().unwrap_or_default(),
            message: if is_secret {
                format!("{} ({WITHHELD})", cause.reason.as_deref().unwrap_or("invalid"))
            } else {
                cause.message.clone().unwrap_or_default()
            },
        })
        .collect()
}

fn withhold(message: String, what: &Subject) -> String {
    if what.is_secret() { WITHHELD.to_owned() } else { message }
}

fn lower_first(message: &str) -> String {
    let mut characters = message.chars();
    characters.next().map(|first| first.to_lowercase().chain(characters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cluster::builtin;
    use crate::cluster::subject::Endpoint;
    use crate::resource::ObjectRef;

    fn about(verb: &'static str, kind: &str) -> Arc<Subject> {
        Arc::new(Subject {
            verb,
            resource: format!("{}s", kind.to_lowercase()),
            kind: builtin::find("", Some("v1"), "ConfigMap").map(Arc::new),
            namespace: Some("shop".to_owned()),
            object: Some(ObjectRef::new("", kind, Some("shop"), "motd")),
            endpoint: Arc::new(Endpoint {
                context: Some("kind-a".to_owned()),
                server: "https://127.0.0.1:6443".to_owned(),
            }),
        })
    }

    fn read(code: u16, status: serde_json::Value, what: &Arc<Subject>) -> ClusterError {
        let mut status = status;
        status["kind"] = json!("Status");
        error_of(StatusCode::from_u16(code).unwrap(), &HeaderMap::new(), status.to_string().as_bytes(), what)
    }

    /// What a person sees: the message, and the hint below it.
    fn show(error: &ClusterError) -> String {
        format!("{error}\n{}", error.hint().unwrap_or_else(|| "-".to_owned()))
    }

    #[test]
    fn a_missing_right_names_the_user_and_the_command_that_checks_it() {
        let message = "configmaps \"motd\" is forbidden: User \"eve\" cannot patch resource \"configmaps\" in API group \"\" in the namespace \"shop\"";
        let error = read(403, json!({"reason": "Forbidden", "message": message}), &about("apply", "ConfigMap"));
        insta::assert_snapshot!(show(&error), @r#"
        not allowed to apply ConfigMap shop/motd: configmaps "motd" is forbidden: User "eve" cannot patch resource "configmaps" in API group "" in the namespace "shop"
        ask for this right, and check it with `kubectl --context kind-a auth can-i patch configmaps --namespace shop`
        "#);
    }

    #[test]
    fn a_quota_is_a_refusal_and_no_missing_right() {
        let error = read(
            403,
            json!({"reason": "Forbidden", "message": "pods \"motd\" is forbidden: exceeded quota: q"}),
            &about("apply", "Pod"),
        );
        assert!(matches!(error, ClusterError::Rejected { code: 403, .. }), "{error:?}");
    }

    #[test]
    fn a_missing_right_without_a_reason_is_one_too() {
        let message = "pods \"motd\" is forbidden: ";
        let error = read(403, json!({"reason": "Forbidden", "message": message}), &about("create", "Pod"));
        assert!(matches!(error, ClusterError::Forbidden { .. }), "{error:?}");
    }

    #[test]
    fn an_expired_token_says_to_log_in_again() {
        let error = read(401, json!({"reason": "Unauthorized", "message": "Unauthorized"}), &about("get", "ConfigMap"));
        insta::assert_snapshot!(show(&error), @r"
        https://127.0.0.1:6443 does not accept the credentials (401): unauthorized
        the token or certificate may have expired; log in again, then try `kubectl --context kind-a auth whoami`
        ");
    }

    #[test]
    fn conflicts_with_managers_are_kept_apart_from_moved_objects() {
        let what = about("apply", "ConfigMap");
        let conflict = json!({"reason": "Conflict", "message": "Apply failed with 1 conflict: conflict with \"a\": .data.a", "details": {"causes": [
            {"reason": "FieldManagerConflict", "message": "conflict with \"b\" using v1", "field": ".data.b"},
            {"reason": "FieldManagerConflict", "message": "conflict with \"a\"", "field": ".data.a"},
        ]}});
        let ClusterError::Conflict { causes, .. } = read(409, conflict, &what) else { panic!("no conflict") };
        assert_eq!(causes.iter().map(|cause| cause.field.as_str()).collect::<Vec<_>>(), [".data.a", ".data.b"]);

        let moved = "Operation cannot be fulfilled on configmaps \"motd\": the object has been modified; please apply your changes to the latest version and try again";
        assert_eq!(
            read(409, json!({"reason": "Conflict", "message": moved}), &what),
            ClusterError::Moved { what: Arc::clone(&what) }
        );
    }

    #[test]
    fn every_way_of_saying_that_the_uid_differs_is_understood() {
        let what = about("apply", "ConfigMap");
        for (code, message) in [
            (
                409,
                "Operation cannot be fulfilled on configmaps \"m\": uid mismatch: the provided object specified uid abc, and no existing object was found",
            ),
            (422, "ConfigMap \"m\" is invalid: metadata.uid: Invalid value: \"abc\": field is immutable"),
            (
                409,
                "Operation cannot be fulfilled on ConfigMap \"d2\": the UID in the precondition (x) does not match the UID in record (y). The object might have been deleted and then recreated",
            ),
            (
                409,
                "Operation cannot be fulfilled on configmaps \"m\": StorageError: invalid object, Code: 4, Key: /a, Precondition failed: UID in precondition: a, UID in object meta: ",
            ),
        ] {
            let reason = if code == 409 { "Conflict" } else { "Invalid" };
            let error = read(code, json!({"reason": reason, "message": message}), &what);
            assert_eq!(error, ClusterError::Recreated { what: Arc::clone(&what) }, "{message}");
        }
    }

    #[test]
    fn an_unknown_kind_is_no_missing_object() {
        let what = about("get", "Widget");
        let object = read(404, json!({"reason": "NotFound", "details": {"name": "motd", "kind": "widgets"}}), &what);
        assert_eq!(object, ClusterError::NotFound { what: Arc::clone(&what) });
        let path = error_of(StatusCode::NOT_FOUND, &HeaderMap::new(), b"404 page not found\n", &what);
        assert!(matches!(path, ClusterError::UnknownKind { .. }), "{path:?}");
        let namespace =
            read(404, json!({"reason": "NotFound", "details": {"name": "shop", "kind": "namespaces"}}), &what);
        assert!(matches!(namespace, ClusterError::NamespaceMissing { .. }), "{namespace:?}");
    }

    #[test]
    fn invalid_fields_are_listed_one_by_one() {
        let error = read(
            422,
            json!({"reason": "Invalid", "message": "long", "details": {"causes": [
                {"reason": "FieldValueInvalid", "message": "Invalid value: -1: must be greater than or equal to 0", "field": "spec.replicas"},
                {"reason": "FieldValueRequired", "message": "Required value", "field": "spec.selector"},
            ]}}),
            &about("apply", "Deployment"),
        );
        insta::assert_snapshot!(error, @"the server refuses to apply Deployment shop/motd: `spec.replicas`: Invalid value: -1: must be greater than or equal to 0; `spec.selector`: Required value");
    }

    #[test]
    fn nothing_the_server_says_about_the_content_of_a_secret_is_repeated() {
        let what = about("apply", "Secret");
        let invalid = json!({"reason": "Invalid", "message": "data[a]: Invalid value: \"canary\"", "details": {"causes": [
            {"reason": "FieldValueInvalid", "message": "Invalid value: \"canary\"", "field": "data[a]"}]}});
        let typed = json!({"message": "failed to create typed patch object (shop/motd; /v1, Kind=Secret): .data.a: expected string, got canary"});
        let webhook = json!({"message": "admission webhook \"x\" denied the request: canary"});
        for error in [
            read(422, invalid, &what),
            read(500, typed, &what),
            read(400, webhook.clone(), &what),
            read(403, webhook, &what),
            read(503, json!({"message": "canary"}), &what),
            error_of(StatusCode::BAD_GATEWAY, &HeaderMap::new(), b"canary", &what),
        ] {
            let shown = format!("{error} {error:?} {:?}", error.hint());
            assert!(!shown.contains("canary"), "{shown}");
        }
    }

    #[test]
    fn a_wrong_type_is_a_refusal_and_an_internal_error_is_a_failure() {
        let what = about("apply", "Deployment");
        let typed = read(
            500,
            json!({"message": "failed to create typed patch object (a/b; apps/v1, Kind=Deployment): .spec.x: field not declared in schema"}),
            &what,
        );
        assert!(matches!(typed, ClusterError::Rejected { code: 500, .. }), "{typed:?}");
        let internal = read(500, json!({"reason": "InternalError", "message": "failed calling webhook"}), &what);
        assert!(matches!(internal, ClusterError::Server { code: 500, .. }), "{internal:?}");
    }

    #[test]
    fn a_failure_of_the_server_is_told_by_what_became_of_the_request() {
        let lost = ServerFailure::Lost;
        for (code, reason, message, expected) in [
            (500, "InternalError", "Internal error occurred: panic", ServerFailure::Passing),
            (
                500,
                "InternalError",
                "Internal error occurred: failed calling webhook \"a.b\": context deadline exceeded",
                ServerFailure::Passing,
            ),
            (500, "", "nil pointer", ServerFailure::Lasting),
            (500, "", "etcdserver: request timed out", lost),
            (500, "", "etcdserver: leader changed", lost),
            (500, "", "rpc error: code = Unavailable desc = transport is closing", lost),
            (500, "ServerTimeout", "The patch operation could not be completed at this time, please try again.", lost),
            (501, "", "", ServerFailure::Lasting),
            (502, "", "bad gateway", lost),
            (503, "ServiceUnavailable", "no endpoints", ServerFailure::Passing),
            (503, "", "upstream connect error or disconnect/reset before headers", lost),
            (504, "Timeout", "", lost),
        ] {
            for kind in ["ConfigMap", "Secret"] {
                let error = read(code, json!({"reason": reason, "message": message}), &about("apply", kind));
                let ClusterError::Server { failure, .. } = error else { panic!("{error:?}") };
                assert_eq!(failure, expected, "{code} {reason} {message}");
            }
        }
    }

    #[test]
    fn a_busy_server_says_when_to_come_back() {
        let mut headers = HeaderMap::new();
        headers.insert(http::header::RETRY_AFTER, http::HeaderValue::from_static("7"));
        let what = about("get", "ConfigMap");
        let error = error_of(StatusCode::TOO_MANY_REQUESTS, &headers, b"Too many requests", &what);
        assert_eq!(error, ClusterError::Throttled { what, retry_after: Some(Duration::from_secs(7)) });
    }
}
