//! The time, as tokio has it: a test that stops tokio's clock stops the sandbox's as well.

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// A clock that was set once.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    began: Timestamp,
    /// When it began; nothing if it stands still.
    at: Option<Instant>,
}

impl Clock {
    /// Starts a clock at a time.
    #[must_use]
    pub fn starting_at(began: Timestamp) -> Self {
        Self { began, at: Some(Instant::now()) }
    }

    /// Makes a clock that stands still: the time as it was when it was made.
    #[must_use]
    pub fn stopped_at(time: Timestamp) -> Self {
        Self { began: time, at: None }
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let Some(at) = self.at else { return self.began };
        let elapsed = SignedDuration::try_from(at.elapsed()).unwrap_or_default();
        self.began.saturating_add(elapsed).unwrap_or(self.began)
    }

    /// Returns when a time will have come.
    #[must_use]
    pub fn instant_of(&self, time: Timestamp) -> Instant {
        let at = self.at.unwrap_or_else(Instant::now);
        let until = time.duration_since(self.began);
        std::time::Duration::try_from(until).map_or(at, |until| at + until)
    }
}
