//! State: a snapshot with its own checksum, a write-ahead journal, and a lock, kept in a store.
//!
//! The main value is [`State`]. Nothing here has a clock, a random source, or a cluster: moments, run ids, lineages and
//! users are handed in. Settling what an interrupted run left open needs the cluster, and is done elsewhere.

#[cfg(test)]
mod example;
pub mod journal;
mod lock;
mod record;
mod recorded;
pub mod snapshot;
pub mod store;
mod value;

pub use journal::{Intent, IntentAction, JournalHeader, JournalResult, Outcome, Recording};
pub use lock::{LockError, LockRecord};
pub use recorded::Recorded;
pub use snapshot::SnapshotError;
pub use store::{Interrupted, Loaded, LocalStore, LockedStore, Run, StateError};
pub use value::{Entry, Lineage, Serial, State};
