//! Which failures pass by themselves, and how long to wait before a request is made again.
//!
//! Pure but for the random source, which is handed in by its seed.

use std::sync::Mutex;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::error::{ClusterError, ConnectionFailure, ServerFailure};

/// How often and how long a request is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Tries of one request, the first included.
    pub tries: u32,
    /// No try starts later than this after the first.
    pub budget: Duration,
    /// The first wait is at most this long; each further at most twice the one before.
    pub first_wait: Duration,
    /// No wait is longer, unless the server asks for it.
    pub longest_wait: Duration,
}

impl Default for RetryPolicy {
    /// Five tries within 30 seconds: enough for a control plane that is being restarted or elects a new leader, short
    /// enough that a person still watches.
    fn default() -> Self {
        Self {
            tries: 5,
            budget: Duration::from_secs(30),
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(8),
        }
    }
}

/// A request that is made again, for whoever reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryNotice {
    /// The error, a fragment.
    pub why: String,
    /// How long until the request is made again.
    pub delay: Duration,
    /// Tries so far.
    pub tries: u32,
}

/// Random source of the waits.
#[derive(Debug)]
pub(super) struct Jitter(Mutex<StdRng>);

impl Jitter {
    pub(super) fn new(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }

    /// Returns a time between zero and `longest` ("full jitter": clients that failed together do not come back together).
    pub(super) fn up_to(&self, longest: Duration) -> Duration {
        let mut random = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        longest.mul_f64(random.random_range(0.0..=1.0))
    }
}

/// Tells whether an error may pass by itself, and if so, what wait the server asked for.
///
/// `reached` says whether the server ever answered: where nobody has listened yet, nobody will in half a second, and the
/// operator wants to be told at once.
pub(super) fn passes(error: &ClusterError, reached: bool) -> Option<Option<Duration>> {
    match error {
        ClusterError::Throttled { retry_after, .. } => Some(*retry_after),
        ClusterError::Server { failure: ServerFailure::Passing | ServerFailure::Lost, retry_after, .. } => {
            Some(*retry_after)
        }
        ClusterError::Timeout { .. } => Some(None),
        ClusterError::Unreachable { failure: ConnectionFailure::Broken, .. } => Some(None),
        ClusterError::Unreachable { .. } if reached => Some(None),
        _ => None,
    }
}

/// Returns how long to wait after try number `tries` (counted from 1) that ended `elapsed` after the first began, or
/// `None` if it was the last.
pub(super) fn wait(
    policy: &RetryPolicy,
    tries: u32,
    elapsed: Duration,
    asked: Option<Duration>,
    jitter: &Jitter,
) -> Option<Duration> {
    if tries >= policy.tries {
        return None;
    }
    let longest = policy.first_wait.saturating_mul(1 << (tries - 1).min(16)).min(policy.longest_wait);
    // What the server asks for is the least; some jitter on top keeps its clients apart.
    let wait = asked.unwrap_or_default() + jitter.up_to(longest);
    (elapsed + wait <= policy.budget).then_some(wait)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::cluster::subject::{Endpoint, Subject};

    fn what() -> Arc<Subject> {
        let endpoint = Arc::new(Endpoint { context: None, server: "https://a".to_owned() });
        Arc::new(Subject {
            verb: "list",
            resource: "pods".to_owned(),
            kind: None,
            namespace: None,
            object: None,
            endpoint,
        })
    }

    fn server(failure: ServerFailure) -> ClusterError {
        ClusterError::Server { what: what(), code: 500, failure, message: String::new(), retry_after: None }
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let refused = |failure| ClusterError::Unreachable {
            endpoint: Arc::clone(&what().endpoint),
            failure,
            reason: String::new(),
        };
        for (error, reached, again) in [
            (server(ServerFailure::Passing), false, true),
            (server(ServerFailure::Lost), true, true),
            (server(ServerFailure::Lasting), true, false),
            (refused(ConnectionFailure::Refused), false, false),
            (refused(ConnectionFailure::Refused), true, true),
            (refused(ConnectionFailure::Broken), false, true),
            (ClusterError::Timeout { what: what(), after: Duration::ZERO }, false, true),
            (ClusterError::Moved { what: what() }, true, false),
            (ClusterError::NotFound { what: what() }, true, false),
            (ClusterError::Forbidden { what: what(), message: String::new() }, true, false),
        ] {
            assert_eq!(passes(&error, reached).is_some(), again, "{error:?} reached {reached}");
        }
    }

    #[test]
    fn the_server_is_given_the_time_it_asks_for() {
        let policy = RetryPolicy::default();
        let asked = Duration::from_secs(7);
        let wait = wait(&policy, 1, Duration::ZERO, Some(asked), &Jitter::new(1)).unwrap();
        assert!(wait >= asked && wait <= asked + policy.first_wait, "{wait:?}");
    }

    proptest! {
        #[test]
        fn waits_are_bounded_in_number_length_and_sum(seed: u64, tries in 1u32..10, elapsed in 0u64..40_000) {
            let policy = RetryPolicy::default();
            let elapsed = Duration::from_millis(elapsed);
            match wait(&policy, tries, elapsed, None, &Jitter::new(seed)) {
                Some(wait) => {
                    prop_assert!(tries < policy.tries);
                    prop_assert!(wait <= policy.longest_wait);
                    prop_assert!(elapsed + wait <= policy.budget);
                }
                None => prop_assert!(tries >= policy.tries || elapsed + policy.longest_wait > policy.budget),
            }
        }

        #[test]
        fn the_same_seed_gives_the_same_waits(seed: u64) {
            let (one, other) = (Jitter::new(seed), Jitter::new(seed));
            for _ in 0..5 {
                prop_assert_eq!(one.up_to(Duration::from_secs(1)), other.up_to(Duration::from_secs(1)));
            }
        }
    }
}
