//! How many requests may be under way at once: halved when the server says it is too much, grown by one with each success.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;
use tokio::time::Instant;

/// A number of permits that follows what the server can take.
#[derive(Debug)]
pub(super) struct AdaptiveLimit {
    permits: Semaphore,
    state: Mutex<State>,
    most: usize,
}

#[derive(Debug)]
struct State {
    /// What is allowed now.
    limit: usize,
    /// Permits in use beyond the limit, to be taken away when they come back.
    surplus: usize,
    /// When it was halved last.
    halved: Option<Instant>,
}

/// One request's place; given back when dropped.
#[derive(Debug)]
pub(super) struct Permit(Arc<AdaptiveLimit>);

impl AdaptiveLimit {
    /// Starts with all of `most`.
    pub(super) fn new(most: usize) -> Arc<Self> {
        let most = most.max(1);
        let state = Mutex::new(State { limit: most, surplus: 0, halved: None });
        Arc::new(Self { permits: Semaphore::new(most), state, most })
    }

    /// Waits for a place, first come, first served.
    pub(super) async fn acquire(self: &Arc<Self>) -> Permit {
        if let Ok(permit) = self.permits.acquire().await {
            permit.forget();
        }
        Permit(Arc::clone(self))
    }

    /// The server was too busy for a request that was sent at `sent`. Of a burst that was under way together, only the
    /// first halves the limit.
    pub(super) fn throttled(&self, sent: Instant) {
        let mut state = self.state();
        if state.halved.is_some_and(|halved| sent <= halved) {
            return;
        }
        state.halved = Some(Instant::now());
        let limit = (state.limit / 2).max(1);
        let excess = state.limit - limit;
        let taken = self.permits.forget_permits(excess);
        state.surplus += excess - taken;
        state.limit = limit;
    }

    /// A request was answered.
    pub(super) fn succeeded(&self) {
        let mut state = self.state();
        if state.limit < self.most {
            state.limit += 1;
            if state.surplus > 0 {
                state.surplus -= 1;
            } else {
                self.permits.add_permits(1);
            }
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.0.state();
        if state.surplus > 0 {
            state.surplus -= 1;
        } else {
            self.0.permits.add_permits(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use proptest::prelude::*;

    use super::*;

    fn free(limit: &AdaptiveLimit) -> usize {
        limit.permits.available_permits()
    }

    #[test]
    fn a_burst_of_refusals_halves_it_once() {
        let limit = AdaptiveLimit::new(16);
        let sent = Instant::now();
        limit.throttled(sent);
        limit.throttled(sent);
        assert_eq!(free(&limit), 8);
        limit.throttled(Instant::now());
        assert_eq!(free(&limit), 4);
        limit.succeeded();
        assert_eq!(free(&limit), 5);
    }

    #[test]
    fn places_in_use_are_taken_away_when_they_come_back() {
        let limit = AdaptiveLimit::new(4);
        let mut held: Vec<_> = (0..4).filter_map(|_| limit.acquire().now_or_never()).collect();
        assert_eq!(held.len(), 4);
        limit.throttled(Instant::now());
        held.truncate(2);
        assert!(limit.acquire().now_or_never().is_none(), "two are still in use, and two is the limit");
        held.clear();
        assert_eq!(free(&limit), 2);
    }

    proptest! {
        #[test]
        fn when_all_is_given_back_the_free_places_are_the_limit(steps in proptest::collection::vec(0u8..4, 0..60)) {
            let limit = AdaptiveLimit::new(10);
            let mut held = Vec::new();
            for step in steps {
                match step {
                    0 => held.extend(limit.acquire().now_or_never()),
                    1 => drop(held.pop()),
                    2 => limit.throttled(Instant::now()),
                    _ => limit.succeeded(),
                }
                prop_assert!((1..=10).contains(&limit.state().limit));
            }
            held.clear();
            prop_assert_eq!(free(&limit), limit.state().limit);
        }
    }
}
