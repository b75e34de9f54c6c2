//! Requests about the API itself: what is served, in which version, and whether all is well.

use bytes::Bytes;
use serde_json::Value;

use super::{Api, answers};
use crate::sandbox::answer::Answer;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::request::Call;
use crate::sandbox::{discovery, openapi};

pub(super) fn answer(api: &Api, call: &Call) -> Result<Answer, Refusal> {
    if !matches!(call.method, http::Method::GET | http::Method::HEAD) {
        return Err(Refusal::method_not_allowed());
    }
    let kinds = api.state().kinds.clone();
    let path = call.path.trim_end_matches('/');
    if let Some((content_type, document)) = discovery::document(path, &call.accept, &kinds) {
        if let Value::String(text) = document {
            return Ok(answers::raw(200, content_type, Bytes::from(text)));
        }
        let mut answer = answers::raw(200, content_type, crate::sandbox::read::object_text(&document));
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
    if let Some(document) = openapi::document(path, &kinds) {
        return Ok(answers::json(200, &document));
    }
    Err(Refusal::no_such_path())
}
