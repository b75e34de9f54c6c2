//! What is asked: the parts of a request, read once.

mod accept;
mod query;
mod target;

pub use self::accept::{Form, form_of, not_acceptable, wants_yaml};
pub use self::query::Query;
pub use self::target::{Target, target_of};

use bytes::Bytes;

use super::protobuf;
use super::refusal::Refusal;

/// A request, read.
#[derive(Debug, Clone)]
pub struct Call {
    /// HTTP method.
    pub method: http::Method,
    /// Path as it was sent, percent-decoded.
    pub path: String,
    /// What the query says.
    pub query: Query,
    /// `Accept`, as it was sent.
    pub accept: String,
    /// `Content-Type`, where there is one.
    pub content_type: Option<String>,
    /// `User-Agent`.
    pub user_agent: String,
    /// `If-None-Match`, where there is one.
    pub if_none_match: Option<String>,
    /// The body.
    pub body: Bytes,
}

impl Call {
    /// Reads a request. A body in the form that typed clients prefer becomes JSON.
    ///
    /// # Errors
    /// If such a body cannot be read.
    pub fn read(request: &http::Request<Bytes>) -> Result<Self, Refusal> {
        let header = |name: http::HeaderName| {
            request.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        let accepts: Vec<&str> =
            request.headers().get_all(http::header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
        let mut content_type = header(http::header::CONTENT_TYPE);
        let mut body = request.body().clone();
        if content_type.as_deref().is_some_and(|said| said.starts_with(protobuf::MEDIA_TYPE)) {
            body = protobuf::decode(&body)?.to_string().into();
            content_type = Some("application/json".to_owned());
        }
        Ok(Self {
            method: request.method().clone(),
            path: query::decoded(request.uri().path(), false),
            query: Query::read(request.uri().query().unwrap_or_default()),
            accept: accepts.join(","),
            content_type,
            user_agent: header(http::header::USER_AGENT).unwrap_or_default(),
            if_none_match: header(http::header::IF_NONE_MATCH),
            body,
        })
    }

    /// Who writes, by its own account: the part of the user agent before its first slash.
    #[must_use]
    pub fn default_manager(&self) -> String {
        let name = self.user_agent.split('/').next().unwrap_or_default();
        let printable: String = name.chars().filter(|character| !character.is_control()).take(128).collect();
        if printable.is_empty() { "unknown".to_owned() } else { printable }
    }
}
