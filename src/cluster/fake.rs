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
use serde_json::{Value, json};

use super::{Cluster, ConnectOptions, Endpoint, RetryPolicy};

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// `GET /api/v1/…?query`.
    pub(crate) line: String,
    pub(crate) accept: String,
    pub(crate) content_type: String,
    pub(crate) body: Value,
}

/// An answer.
pub(crate) enum Answer {
    Json(u16, Value),
    Text(u16, &'static str),
    /// The events of a watch, which ends after the last.
    Events(Vec<Value>),
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
pub(crate) struct FakeServer {
    handler: Arc<Mutex<Box<Handler>>>,
    log: Arc<Mutex<Vec<Seen>>>,
    /// Requests under way, and the most there were.
    gauge: Arc<Mutex<(usize, usize)>>,
}

impl FakeServer {
    pub(crate) fn new(handler: impl FnMut(&Seen) -> Answer + Send + 'static) -> Self {
        Self { handler: Arc::new(Mutex::new(Box::new(handler))), log: Arc::default(), gauge: Arc::default() }
    }

    /// Answers one after the other, whatever is asked.
    pub(crate) fn scripted(answers: impl IntoIterator<Item = Answer>) -> Self {
        let mut answers: VecDeque<Answer> = answers.into_iter().collect();
        Self::new(move |seen| answers.pop_front().unwrap_or_else(|| panic!("not expected: {seen:?}")))
    }

    pub(crate) fn requests(&self) -> Vec<Seen> {
        self.log.lock().unwrap().clone()
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.requests().into_iter().map(|seen| seen.line).collect()
    }

    pub(crate) fn most_at_once(&self) -> usize {
        self.gauge.lock().unwrap().1
    }

    pub(crate) fn cluster(&self) -> Cluster {
        self.cluster_with(&options())
    }

    pub(crate) fn cluster_with(&self, options: &ConnectOptions) -> Cluster {
        let endpoint = Endpoint { context: Some("fake".to_owned()), server: "https://fake:6443".to_owned() };
        Cluster::from_client(kube::Client::new(self.clone(), "default"), endpoint, options)
    }
}

/// `Status` as the API server writes it.
pub(crate) fn status(code: u16, reason: &str, message: &str, details: Value) -> Answer {
    Answer::Json(
        code,
        json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": message, "details": details}),
    )
}

/// The answer to a read of an object that is not there.
pub(crate) fn absent(plural: &str, name: &str) -> Answer {
    status(404, "NotFound", "not found", json!({"name": name, "kind": plural}))
}

/// The authorizer's answer.
pub(crate) fn forbidden() -> Answer {
    status(403, "Forbidden", "configmaps is forbidden: User \"eve\" cannot list resource \"configmaps\"", json!({}))
}

/// The namespace that identifies the cluster.
pub(crate) fn kube_system() -> Answer {
    Answer::Json(200, object("v1", "Namespace", None, "kube-system", 1))
}

/// A small object with a uid of its own.
pub(crate) fn object(api_version: &str, kind: &str, namespace: Option<&str>, name: &str, version: u64) -> Value {
    let mut metadata = json!({"name": name, "uid": format!("uid-of-{name}"), "resourceVersion": version.to_string()});
    if let Some(namespace) = namespace {
        metadata["namespace"] = json!(namespace);
    }
    json!({"apiVersion": api_version, "kind": kind, "metadata": metadata})
}

/// A page of a list; its items lack `apiVersion` and `kind`, as those of built-in kinds do.
pub(crate) fn page(items: Vec<Value>, next: Option<&str>, version: u64) -> Answer {
    let mut items = items;
    for item in &mut items {
        let map = item.as_object_mut().unwrap();
        map.remove("apiVersion");
        map.remove("kind");
    }
    Answer::Json(
        200,
        json!({"metadata": {"resourceVersion": version.to_string(), "continue": next.unwrap_or_default()}, "items": items}),
    )
}

/// Waits that a test does not notice.
pub(crate) fn options() -> ConnectOptions {
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
            {
                let mut gauge = server.gauge.lock().unwrap();
                gauge.0 += 1;
                gauge.1 = gauge.1.max(gauge.0);
            }
            // Lets every other request arrive that is not held back.
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            server.gauge.lock().unwrap().0 -= 1;
            let answer = (server.handler.lock().unwrap())(&seen);
            let (code, retry_after, bytes) = match answer {
                Answer::Json(code, value) => (code, None, Bytes::from(value.to_string())),
                Answer::Text(code, text) => (code, None, Bytes::from(text)),
                Answer::Events(events) => {
                    (200, None, events.iter().map(|event| format!("{event}\n")).collect::<String>().into())
                }
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
