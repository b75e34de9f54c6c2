//! How many requests of each sort were made.

use std::sync::atomic::{AtomicU64, Ordering};

/// What a request is counted as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Read,
    Write,
    DryRun,
    Watch,
    Review,
    Exec,
}

/// Requests made so far, repeated ones included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RequestCounts {
    /// GET and LIST.
    pub reads: u64,
    /// Writes that the server was to keep.
    pub writes: u64,
    /// Writes that it was to try only.
    pub dry_runs: u64,
    /// Watches begun.
    pub watches: u64,
    /// Access reviews.
    pub reviews: u64,
    /// Commands run in containers.
    pub execs: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counter {
    reads: AtomicU64,
    writes: AtomicU64,
    dry_runs: AtomicU64,
    watches: AtomicU64,
    reviews: AtomicU64,
    execs: AtomicU64,
}

impl Counter {
    pub(super) fn add(&self, sort: Sort) {
        let count = match sort {
            Sort::Read => &self.reads,
            Sort::Write => &self.writes,
            Sort::DryRun => &self.dry_runs,
            Sort::Watch => &self.watches,
            Sort::Review => &self.reviews,
            Sort::Exec => &self.execs,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn counts(&self) -> RequestCounts {
        RequestCounts {
            reads: self.reads.load(Ordering::Relaxed),
            writes: self.writes.load(Ordering::Relaxed),
            dry_runs: self.dry_runs.load(Ordering::Relaxed),
            watches: self.watches.load(Ordering::Relaxed),
            reviews: self.reviews.load(Ordering::Relaxed),
            execs: self.execs.load(Ordering::Relaxed),
        }
    }
}
