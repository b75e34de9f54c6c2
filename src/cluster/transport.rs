//! One request, raw, with its time-out, its place in the queue, and its repetitions.
//!
//! Answers come back as bytes: each caller parses them once, straight into what it needs. Answers are not asked to be
//! compressed (kube's `gzip` is off): decoding costs more CPU than the bytes cost time on any network a cluster is
//! reached by, and the server compresses nothing below 128 KiB anyway.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use kube::client::Body;
use tokio::time::Instant;

use super::connection;
use super::count::{Counter, Sort};
use super::error::ClusterError;
use super::limit::AdaptiveLimit;
use super::retry::{self, Jitter, RetryNotice, RetryPolicy};
use super::status;
use super::subject::{Endpoint, Subject};

/// Told of every request that is made again.
pub(super) type RetryObserver = Arc<dyn Fn(&RetryNotice) + Send + Sync>;

/// One request.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) method: Method,
    /// Path and query.
    pub(super) path: String,
    pub(super) accept: &'static str,
    /// Content type and body.
    pub(super) body: Option<(&'static str, Bytes)>,
    pub(super) sort: Sort,
    pub(super) what: Arc<Subject>,
}

/// Plain objects and lists.
pub(super) const JSON: &str = "application/json";

impl Call {
    pub(super) fn get(path: String, what: Arc<Subject>) -> Self {
        Self { method: Method::GET, path, accept: JSON, body: None, sort: Sort::Read, what }
    }
}

/// The way to one server.
pub(super) struct Transport {
    pub(super) client: kube::Client,
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) counter: Counter,
    pub(super) reads: Arc<AdaptiveLimit>,
    pub(super) writes: Arc<AdaptiveLimit>,
    pub(super) policy: RetryPolicy,
    pub(super) jitter: Jitter,
    pub(super) timeout: Duration,
    /// True once the server answered anything.
    pub(super) reached: AtomicBool,
}

impl Transport {
    /// Makes a request until it is answered for good, and returns the body of a success.
    pub(super) async fn exchange(&self, call: &Call, observer: Option<&RetryObserver>) -> Result<Bytes, ClusterError> {
        // What a request waits for its place is no part of its time.
        let mut first = None;
        let mut tries = 0;
        let mut lost = None;
        loop {
            tries += 1;
            let (sent, outcome) = self.attempt(call).await;
            let elapsed = first.get_or_insert(sent).elapsed();
            let error = match outcome {
                Ok(body) => return Ok(body),
                Err(error) => error,
            };
            let asked = retry::passes(&error, self.reached.load(Ordering::Relaxed));
            let delay = asked.and_then(|asked| retry::wait(&self.policy, tries, elapsed, asked, &self.jitter));
            let Some(delay) = delay else {
                // A try that never got through says nothing of an earlier one that may have been carried out.
                return Err(if error.is_answer() { error } else { lost.unwrap_or(error) });
            };
            if let Some(observer) = observer {
                observer(&RetryNotice { why: error.to_string(), delay, tries });
            }
            if call.sort == Sort::Write && error.outcome_unknown() {
                lost = Some(error);
            }
            tokio::time::sleep(delay).await;
        }
    }

    /// Makes a request once, as soon as there is a place for it, and returns when that was.
    async fn attempt(&self, call: &Call) -> (Instant, Result<Bytes, ClusterError>) {
        let limit = match call.sort {
            Sort::Write | Sort::DryRun => &self.writes,
            Sort::Read | Sort::Watch | Sort::Review | Sort::Exec => &self.reads,
        };
        let _permit = limit.acquire().await;
        let sent = Instant::now();
        let outcome = self.attempt_now(call).await;
        match &outcome {
            Ok(_) => limit.succeeded(),
            Err(ClusterError::Throttled { .. } | ClusterError::Server { code: 503, .. }) => limit.throttled(sent),
            Err(_) => {}
        }
        (sent, outcome)
    }

    async fn attempt_now(&self, call: &Call) -> Result<Bytes, ClusterError> {
        self.counter.add(call.sort);
        let exchange = async {
            let response = self.client.send(request(call)?).await.map_err(|error| self.connection_error(&error))?;
            self.reached.store(true, Ordering::Relaxed);
            let (parts, body) = response.into_parts();
            let body = body.collect_bytes().await.map_err(|error| self.connection_error(&error))?;
            Ok((parts, body))
        };
        let (parts, body) = match tokio::time::timeout(self.timeout, exchange).await {
            Ok(answer) => answer?,
            Err(_) => return Err(ClusterError::Timeout { what: Arc::clone(&call.what), after: self.timeout }),
        };
        if parts.status.is_success() {
            return Ok(body);
        }
        Err(status::error_of(parts.status, &parts.headers, &body, &call.what))
    }

    /// Makes a request once and returns as soon as its answer begins, for the caller to read on.
    pub(super) async fn open(&self, call: &Call) -> Result<Response<Body>, ClusterError> {
        self.counter.add(call.sort);
        let begin = async {
            let response = self.client.send(request(call)?).await.map_err(|error| self.connection_error(&error))?;
            self.reached.store(true, Ordering::Relaxed);
            if response.status() == StatusCode::OK {
                return Ok(response);
            }
            let (parts, body) = response.into_parts();
            let body = body.collect_bytes().await.map_err(|error| self.connection_error(&error))?;
            Err(status::error_of(parts.status, &parts.headers, &body, &call.what))
        };
        match tokio::time::timeout(self.timeout, begin).await {
            Ok(outcome) => outcome,
            Err(_) => Err(ClusterError::Timeout { what: Arc::clone(&call.what), after: self.timeout }),
        }
    }

    pub(super) fn connection_error(&self, error: &kube::Error) -> ClusterError {
        connection::error_of(error, &self.endpoint)
    }
}

fn request(call: &Call) -> Result<Request<Body>, ClusterError> {
    let mut builder = Request::builder().method(&call.method).uri(&call.path).header(header::ACCEPT, call.accept);
    let body = match &call.body {
        Some((content_type, bytes)) => {
            builder = builder.header(header::CONTENT_TYPE, *content_type);
            Body::from(bytes.clone())
        }
        None => Body::empty(),
    };
    builder.body(body).map_err(|_| ClusterError::Malformed {
        what: Arc::clone(&call.what),
        reason: "its name cannot stand in a URL".to_owned(),
    })
}

/// Reads an answer. serde's own words quote the content, so only the place is told.
pub(super) fn parse<T: serde::de::DeserializeOwned>(body: &[u8], what: &Arc<Subject>) -> Result<T, ClusterError> {
    serde_json::from_slice(body).map_err(|error| ClusterError::Malformed {
        what: Arc::clone(what),
        reason: format!("unexpected JSON at line {}, column {}", error.line(), error.column()),
    })
}
