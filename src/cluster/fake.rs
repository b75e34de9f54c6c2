//! A server in memory that answers by script, behind kube's own client.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use kube::client::Body;
use serde_json::Value;

use super::{Cluster, ConnectOptions, Endpoint, RetryPolicy};

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    /// `GET /api/v1/…?query`.
    pub(super) line: String,
    pub(super) accept: String,
    pub(super) content_type: String,
    pub(super) body: Value,
}

/// An answer.
pub(super) enum Answer {
    Json(u16, Value),
    Text(u16, &'static str),
    /// With this `Retry-After`.
    Busy(u64),
    /// The connection breaks before the answer.
    Reset,
    /// The answer never comes.
    Never,
}

/// Answers by the request's method, path and query.
type Handler = dyn FnMut(&Seen) -> Answer + Send;

#[derive(Clone)]
pub(super) struct FakeServer {
    handler: Arc<Mutex<Box<Handler>>>,
    log: Arc<Mutex<Vec<Seen>>>,
}

impl FakeServer {
    pub(super) fn new(handler: impl FnMut(&Seen) -> Answer + Send + 'static) -> Self {
        Self { handler: Arc::new(Mutex::new(Box::new(handler))), log: Arc::default() }
    }

    /// Answers one after the other, whatever is asked.
    pub(super) fn scripted(answers: impl IntoIterator<Item = Answer>) -> Self {
        let mut answers: VecDeque<Answer> = answers.into_iter().collect();
        Self::new(move |seen| answers.pop_front().unwrap_or_else(|| panic!("not expected: {seen:?}")))
    }

    pub(super) fn requests(&self) -> Vec<Seen> {
        self.log.lock().unwrap().clone()
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.requests().into_iter().map(|seen| seen.line).collect()
    }

    pub(super) fn cluster(&self) -> Cluster {
        self.cluster_with(&options())
    }

    pub(super) fn cluster_with(&self, options: &ConnectOptions) -> Cluster {
        let endpoint = Endpoint { context: Some("fake".to_owned()), server: "https://fake:6443".to_owned() };
        Cluster::from_client(kube::Client::new(self.clone(), "default"), endpoint, options)
    }
}

/// Waits that a test does not notice.
pub(super) fn options() -> ConnectOptions {
    let retry = RetryPolicy { first_wait: Duration::from_micros(10), ..RetryPolicy::default() };
    ConnectOptions { retry, ..ConnectOptions::default() }
}

impl tower::Service<Request<Body>> for FakeServer {
    type Response = Response<Full<Bytes>>;
    type Error = std::io::Error;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let server = self.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.map_err(std::io::Error::other)?.to_bytes();
            let header =
                |name| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
            let seen = Seen {
                line: format!("{} {}", parts.method, parts.uri),
                accept: header(http::header::ACCEPT),
                content_type: header(http::header::CONTENT_TYPE),
                body: serde_json::from_slice(&body).unwrap_or(Value::Null),
            };
            server.log.lock().unwrap().push(seen.clone());
            let answer = (server.handler.lock().unwrap())(&seen);
            let (code, retry_after, bytes) = match answer {
                Answer::Json(code, value) => (code, None, Bytes::from(value.to_string())),
                Answer::Text(code, text) => (code, None, Bytes::from(text)),
                Answer::Busy(seconds) => (429, Some(seconds), Bytes::new()),
                Answer::Reset => return Err(std::io::ErrorKind::ConnectionReset.into()),
                Answer::Never => std::future::pending().await,
            };
            let mut response = Response::builder().status(code);
            if let Some(seconds) = retry_after {
                response = response.header(http::header::RETRY_AFTER, seconds);
            }
            response.body(Full::new(bytes)).map_err(std::io::Error::other)
        })
    }
}
