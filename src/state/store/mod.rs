//! Where states are kept. So far: a folder of this machine.
//!
//! [`LocalStore`] reads without a lock, for commands that change nothing. [`LockedStore`] holds the lock and may save;
//! [`Run`] holds the lock and an open journal. The types pass into one another, so nothing is written without a lock
//! and no snapshot is saved beside an open journal.

mod error;
#[cfg(test)]
mod faults;
mod files;
mod local;
mod local_lock;
mod locked;
mod replace;

pub use error::StateError;
pub(super) use files::parent;
pub use files::{DiskFiles, FileError, Files, LockFile, Writing};
pub use local::{DEFAULT_FOLDER, Interrupted, Loaded, LocalStore};
pub use locked::{LockedStore, Run};
