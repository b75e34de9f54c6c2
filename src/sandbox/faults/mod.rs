//! Faults on purpose, for tests: a server that answers as a bad day would have it.
//!
//! [`Faulty`] stands before another handler and spoils some of what it answers. What becomes of a request depends on the
//! seed and the request's number alone, so a run that makes the same requests in the same order meets the same faults.

mod spec;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use http::Method;
use serde_json::{Value, json};

pub use self::spec::{Delay, Faults, Share, SpecError};

use super::answer::{Answer, Handler};
use super::api::refused;
use super::random::Random;
use super::refusal::Refusal;

/// A watch that is to break does so within this time.
const WATCH_BREAKS_WITHIN: Duration = Duration::from_secs(10);

/// A handler before another, which it lets down.
pub struct Faulty {
    handler: Arc<dyn Handler>,
    faults: Faults,
    seed: u64,
    requests: AtomicU64,
}

impl Faulty {
    /// Puts faults before a handler.
    #[must_use]
    pub fn new(handler: Arc<dyn Handler>, faults: Faults, seed: u64) -> Self {
        Self { handler, faults, seed, requests: AtomicU64::new(0) }
    }
}

/// What was drawn for one request. All is drawn for each, so that one share says nothing about another.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Draw {
    unauthorized: bool,
    error: Option<u64>,
    lost_request: bool,
    lost_reply: bool,
    conflict: bool,
    watch_expired: bool,
    watch_cut: bool,
    watch_lasts: Duration,
    delay: Option<Duration>,
}

impl Draw {
    fn new(faults: &Faults, seed: u64, number: u64) -> Self {
        // Neighbouring numbers must not give neighbouring seeds of neighbouring runs.
        let mut random = Random::new(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut hit = |share: Share| share.has(random.below(Share::BOUND));
        let unauthorized = hit(faults.unauthorized);
        let error = hit(faults.error);
        let (lost_request, lost_reply) = (hit(faults.lost_request), hit(faults.lost_reply));
        let conflict = hit(faults.conflict);
        let (watch_expired, watch_cut) = (hit(faults.watch_expired), hit(faults.watch_cut));
        let delayed = hit(faults.delay.share);
        let Delay { least, most, .. } = faults.delay;
        let mut between = |least: Duration, most: Duration| {
            let range = u64::try_from((most - least).as_millis()).unwrap_or(u64::MAX - 1);
            least + Duration::from_millis(random.below(range + 1))
        };
        let delay = between(least, most);
        let watch_lasts = between(Duration::ZERO, WATCH_BREAKS_WITHIN);
        let which = random.below(4);
        Self {
            unauthorized,
            error: error.then_some(which),
            lost_request,
            lost_reply,
            conflict,
            watch_expired,
            watch_cut,
            watch_lasts,
            delay: delayed.then_some(delay),
        }
    }

    /// Returns what a request is turned down with before anything is done.
    fn refusal(&self, request: &http::Request<Bytes>) -> Option<Refusal> {
        if self.unauthorized {
            return Some(Refusal::unauthorized());
        }
        if let Some(which) = self.error {
            return Some(match which {
                0 => {
                    let message = "too many requests, please try again later";
                    with(Refusal::new(429, "TooManyRequests", message), "retryAfterSeconds", 1)
                }
                1 => Refusal::internal("a fault that was asked for"),
                2 => Refusal::new(503, "ServiceUnavailable", "the server is currently unable to handle the request"),
                _ => Refusal::new(504, "Timeout", "Timeout: request did not complete within the allotted timeout"),
            });
        }
        let changes = matches!(*request.method(), Method::PUT | Method::PATCH);
        (self.conflict && changes).then(|| {
            let name = request.uri().path().rsplit('/').next().unwrap_or_default();
            let why = "the object has been modified; please apply your changes to the latest version and try again";
            let message = format!("Operation cannot be fulfilled on {name:?}: {why}");
            with(Refusal::new(409, "Conflict", message), "name", name)
        })
    }

    /// Spoils what was answered.
    fn spoiled(&self, answer: Answer) -> Answer {
        if self.lost_reply {
            return Answer::Lost;
        }
        match answer {
            Answer::Stream(parts, events) if self.watch_expired => {
                let expired = Refusal::expired("too old resource version: 1 (2)");
                let line = format!("{}\n", json!({"type": "ERROR", "object": expired.status()}));
                let events = events.take_until(tokio::time::sleep(self.watch_lasts));
                Answer::Stream(parts, events.chain(stream::once(async { Bytes::from(line) })).boxed())
            }
            Answer::Stream(parts, events) if self.watch_cut => {
                Answer::Torn(parts, events.take_until(tokio::time::sleep(self.watch_lasts)).boxed())
            }
            answer => answer,
        }
    }
}

fn with(mut refusal: Refusal, detail: &str, value: impl Into<Value>) -> Refusal {
    refusal.details.get_or_insert_default().insert(detail.to_owned(), value.into());
    refusal
}

impl Handler for Faulty {
    fn answer(&self, request: http::Request<Bytes>) -> Answer {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let draw = Draw::new(&self.faults, self.seed, number);
        let answer = if draw.lost_request {
            Answer::Lost
        } else if let Some(refusal) = draw.refusal(&request) {
            refused(&refusal)
        } else {
            draw.spoiled(self.handler.answer(request))
        };
        match draw.delay {
            Some(delay) => Answer::Later(delay, Box::new(answer)),
            None => answer,
        }
    }
}

impl std::fmt::Debug for Faulty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Faulty({}, seed {})", self.faults, self.seed)
    }
}

#[cfg(test)]
mod tests;
