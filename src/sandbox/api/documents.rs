//! Requests about the API itself: what is served, in which version, and whether all is well.

use bytes::Bytes;
use serde_json::Value;

use super::{Api, answers};
use crate::sandbox::answer::Answer;
use crate::sandbox::discovery;
use crate::sandbox::kinds::Kinds;
use crate::sandbox::openapi::{self, version_2};
use crate::sandbox::refusal::Refusal;
use crate::sandbox::request::{Call, Form, form_of, not_acceptable};

pub(super) fn answer(api: &Api, call: &Call) -> Result<Answer, Refusal> {
    let kinds = api.state().kinds.clone();
    let path = call.path.trim_end_matches('/');
    if let Some(health) = health(path, call.query.is_on("verbose")) {
        return Ok(answers::raw(200, "text/plain; charset=utf-8", Bytes::from(health)));
    }
    let is_get = call.method == http::Method::GET;
    if let Some((content_type, document)) = discovery::document(path, &call.accept, &kinds) {
        if !is_get {
            return Err(Refusal::method_not_allowed());
        }
        if path == "/version" && !call.accept.is_empty() && !accepts_json(&call.accept) {
            return Err(not_acceptable("application/json"));
        }
        if path.starts_with("/api") {
            // Aggregated lists are a form that is told apart already.
            form_of(&call.accept, false)
                .or_else(|refusal| if refusal.details.is_some() { Err(refusal) } else { Ok(Form::Plain) })?;
        }
        if let Value::String(text) = document {
            return Ok(answers::raw(200, content_type, Bytes::from(text)));
        }
        let body = match path {
            "" | "/version" => indented(&document),
            _ => crate::sandbox::read::object_text(&document),
        };
        let mut answer = answers::raw(200, content_type, body);
        if content_type.contains("apidiscovery")
            && let Answer::Whole(response) = &mut answer
            && let Ok(tag) = http::HeaderValue::from_str(&discovery::entity_tag(&document))
        {
            if call.if_none_match.as_deref().is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
                *response.status_mut() = http::StatusCode::NOT_MODIFIED;
                *response.body_mut() = Bytes::new();
            }
            response.headers_mut().insert(http::header::ETAG, tag);
        }
        return Ok(answer);
    }
    if path == "/openapi/v2" {
        return Ok(if version_2::prefers_protobuf(&call.accept) {
            answers::raw(200, version_2::PROTOBUF, Bytes::from(version_2::protobuf()))
        } else {
            answers::json(200, &version_2::document())
        });
    }
    if let Some(document) = openapi::document(path, &kinds) {
        return if is_get { Ok(answers::json(200, &document)) } else { Err(Refusal::method_not_allowed()) };
    }
    let mut steps = path.split('/').skip(1);
    match (steps.next(), steps.next()) {
        (Some("api"), _) => Err(Refusal::no_such_path()),
        (Some("apis"), Some(group)) if is_built_in(group, &kinds) => Err(Refusal::no_such_path()),
        _ => Ok(answers::no_page()),
    }
}

/// Tells whether a group is one of Kubernetes' own: of others the server knows nothing beyond what is served.
pub(super) fn is_built_in(group: &str, kinds: &Kinds) -> bool {
    kinds.iter().any(|kind| kind.group == group && kind.custom.is_none())
}

/// What people read with their own eyes the server writes on lines of its own, without one that is empty at the end.
fn indented(document: &Value) -> Bytes {
    // Writing a `Value` cannot fail: its keys are texts.
    serde_json::to_vec_pretty(document).unwrap_or_default().into()
}

fn accepts_json(accept: &str) -> bool {
    accept
        .split(',')
        .any(|entry| matches!(entry.split(';').next().unwrap_or_default().trim(), "application/json" | "*/*"))
}

/// What can be well here.
const CHECKS: [&str; 3] = ["ping", "log", "etcd"];

/// Answers whether all is well, or whether one thing is: whoever is answered can know that it is.
fn health(path: &str, verbose: bool) -> Option<String> {
    let mut steps = path.split('/').skip(1);
    let sort = steps.next().filter(|sort| matches!(*sort, "healthz" | "livez" | "readyz"))?;
    match (steps.next(), steps.next()) {
        (None, _) if verbose => {
            let checks: String = CHECKS.iter().map(|check| format!("[+]{check} ok\n")).collect();
            Some(format!("{checks}{sort} check passed\n"))
        }
        (None, _) => Some("ok".to_owned()),
        (Some(check), None) if CHECKS.contains(&check) => Some("ok".to_owned()),
        _ => None,
    }
}
