//! The changes of the near past.

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::Value;
use thiserror::Error;

use super::{Key, Stored};

/// How many changes are kept. A watch that is further behind starts over with a list.
const KEPT: usize = 10_000;

/// One write.
#[derive(Debug, Clone)]
pub struct Change {
    /// Its revision.
    pub revision: u64,
    /// What it was about.
    pub key: Key,
    /// What was there.
    pub before: Option<Stored>,
    /// What is there now; `None` if it was deleted.
    pub after: Option<Stored>,
    /// Of a deletion: the last state, under the deletion's revision.
    pub last: Option<Arc<Value>>,
}

/// The changes since a revision are not kept any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("too old resource version: {asked} ({oldest})")]
pub struct TooOld {
    /// What was asked for.
    pub asked: u64,
    /// The oldest revision that could have been asked for.
    pub oldest: u64,
}

#[derive(Debug)]
pub(super) struct History {
    changes: VecDeque<Change>,
    /// All changes after this revision are kept.
    complete_after: u64,
}

impl History {
    pub(super) fn starting_at(revision: u64) -> Self {
        Self { changes: VecDeque::new(), complete_after: revision }
    }

    pub(super) fn push(&mut self, change: Change) {
        self.changes.push_back(change);
        if self.changes.len() > KEPT
            && let Some(dropped) = self.changes.pop_front()
        {
            self.complete_after = dropped.revision;
        }
    }

    /// Lets the change that lies so many back be text again, and tells what it was about.
    pub(super) fn fold(&mut self, back: usize) -> Option<(&Key, u64)> {
        let place = self.changes.len().checked_sub(back)?;
        let change = self.changes.get_mut(place)?;
        change.before.iter_mut().chain(&mut change.after).for_each(Stored::fold);
        Some((&change.key, change.revision))
    }

    pub(super) fn since(&self, revision: u64) -> Result<impl Iterator<Item = &Change>, TooOld> {
        if revision < self.complete_after {
            return Err(TooOld { asked: revision, oldest: self.complete_after });
        }
        let first = self.changes.partition_point(|change| change.revision <= revision);
        Ok(self.changes.range(first..))
    }
}
