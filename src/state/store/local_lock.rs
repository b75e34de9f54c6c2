//! The lock of a local state: a lock of the operating system on a file, with a record of the holder in it.
//!
//! The operating system gives the lock back when its process dies, however it dies; so a lock of a living process is
//! never taken, and that of a dead one always. The file stays where it is: removing it would let two processes lock two
//! files of the same name.

use std::path::Path;
use std::thread;
use std::time::Duration;

use super::StateError;
use super::files::{FileError, Files, LockFile};
use crate::state::{LockError, LockRecord};

/// A reader that looks whether a run is alive holds the lock for an instant ([`holder`]); so it is tried this often.
const TRIES: usize = 10;
const PAUSE: Duration = Duration::from_millis(5);

/// A held lock, given back when it is dropped.
#[derive(Debug)]
pub(super) struct LocalLock {
    file: Box<dyn LockFile>,
    /// The record of a run that died with the lock in its hand.
    pub(super) left_by: Option<LockRecord>,
}

impl Drop for LocalLock {
    fn drop(&mut self) {
        // A record that stays behind is only shown as that of a dead run.
        let _ = self.file.replace(&[]);
    }
}

/// Takes the lock and puts the record in, if one is given.
pub(super) fn take(
    files: &dyn Files,
    lock: &Path,
    state: &Path,
    record: Option<&LockRecord>,
) -> Result<LocalLock, StateError> {
    let doing = "lock the state with";
    let opened = files.open_lock(lock, true).map_err(FileError::doing(doing, lock))?;
    let mut file = opened.ok_or_else(|| FileError::doing(doing, lock)(std::io::ErrorKind::NotFound.into()))?;
    let mut tries = 1;
    while !file.try_lock().map_err(FileError::doing(doing, lock))? {
        if tries == TRIES {
            let holder = file.content().ok().and_then(|content| LockRecord::decode(&content)).map(Box::new);
            return Err(LockError::Held { state: state.to_owned(), holder }.into());
        }
        tries += 1;
        thread::sleep(PAUSE);
    }
    let left_by = file.content().ok().and_then(|content| LockRecord::decode(&content));
    let mut taken = LocalLock { file, left_by };
    let content = record.map(LockRecord::encode).unwrap_or_default();
    taken.file.replace(&content).map_err(FileError::doing(doing, lock))?;
    Ok(taken)
}

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Holder {
    Nobody,
    /// A living process, with its record where it could be read.
    Alive(Option<LockRecord>),
}

/// Returns who holds the lock, without keeping it.
pub(super) fn holder(files: &dyn Files, lock: &Path) -> Result<Holder, FileError> {
    let doing = "look who holds the lock";
    let Some(mut file) = files.open_lock(lock, false).map_err(FileError::doing(doing, lock))? else {
        return Ok(Holder::Nobody);
    };
    if file.try_lock_shared().map_err(FileError::doing(doing, lock))? {
        return Ok(Holder::Nobody);
    }
    let content = file.content().map_err(FileError::doing(doing, lock))?;
    Ok(Holder::Alive(LockRecord::decode(&content)))
}
