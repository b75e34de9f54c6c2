//! The time, as tokio has it: a test that stops tokio's clock stops the sandbox's as well.

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// A clock that was set once.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    began: Timestamp,
    at: Instant,
}

impl Clock {
    /// Starts a clock at a time.
    #[must_use]
    pub fn starting_at(began: Timestamp) -> Self {
        Self { began, at: Instant::now() }
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let elapsed = SignedDuration::try_from(self.at.elapsed()).unwrap_or_default();
        self.began.saturating_add(elapsed).unwrap_or(self.began)
    }

    /// Returns when a time will have come.
    #[must_use]
    pub fn instant_of(&self, time: Timestamp) -> Instant {
        let until = time.duration_since(self.began);
        std::time::Duration::try_from(until).map_or(self.at, |until| self.at + until)
    }
}
