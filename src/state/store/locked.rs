//! A state whose lock is held, and a run with its journal: the only ways to write.

use std::path::Path;

use super::files::FileError;
use super::local_lock::LocalLock;
use super::replace::{check_room, replace};
use super::{Loaded, LocalStore, StateError};
use crate::state::journal::{Intent, Journal, JournalHeader, JournalResult};
use crate::state::{LockRecord, State, snapshot};

/// Beside copies of the state as it is: room for a stack that is new.
const ROOM: usize = 1024 * 1024;

/// A state whose lock is held until this is dropped.
#[derive(Debug)]
pub struct LockedStore {
    store: LocalStore,
    lock: LocalLock,
}

impl LockedStore {
    pub(super) fn new(store: LocalStore, lock: LocalLock) -> Self {
        Self { store, lock }
    }

    /// Returns the path of the snapshot, for people.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.store.path()
    }

    /// Returns the record of a run that died with the lock in its hand.
    #[must_use]
    pub fn left_by(&self) -> Option<&LockRecord> {
        self.lock.left_by.as_ref()
    }

    /// Reads the state; `None` where nothing was ever recorded. A journal that is found is a dead run's.
    ///
    /// # Errors
    /// See [`StateError`].
    pub fn load(&self) -> Result<Option<Loaded>, StateError> {
        self.store.load_quiet(false, None)
    }

    /// Makes sure that the state can be saved, before anything is done that would have to be recorded.
    ///
    /// # Errors
    /// [`StateError::File`] where the disk is full or cannot be written.
    pub fn check_writable(&self) -> Result<(), StateError> {
        let path = &self.store.paths.snapshot;
        let current = self.store.files.read(path).map_err(FileError::doing("read the state", path))?;
        // The new snapshot, the backup, and a journal that may hold every entry again.
        let bytes = ROOM + 3 * current.map_or(0, |bytes| bytes.len());
        Ok(check_room(&*self.store.files, path, bytes)?)
    }

    /// Replaces the snapshot, keeps the one before as the backup, and removes the journal that the new one contains.
    /// The number of the state is the caller's to raise; saving the same twice is no error.
    ///
    /// # Errors
    /// [`StateError::OtherLineage`] and [`StateError::Moved`] where the snapshot on the disk is not one that this state
    /// follows; [`StateError::File`], after which the old snapshot is there, or the new.
    pub fn save(&self, state: &State) -> Result<(), StateError> {
        let LocalStore { files, paths, .. } = &self.store;
        self.store.check_owner(&paths.snapshot, &state.stack, &state.namespace, &state.cluster)?;
        let content = snapshot::encode(state);
        let current = self.store.snapshot()?;
        let found = current.as_ref().map(|(current, _)| current.serial).unwrap_or_default();
        let same = current.as_ref().is_some_and(|(_, bytes)| *bytes == content);
        if let Some((current, _)) = current.as_ref().filter(|(current, _)| current.lineage != state.lineage) {
            return Err(StateError::OtherLineage {
                path: paths.snapshot.clone(),
                recorded: current.lineage.clone(),
                found: state.lineage.clone(),
            });
        }
        if state.serial <= found && !same {
            return Err(StateError::Moved { path: paths.snapshot.clone(), saving: state.serial, found });
        }
        if let Some((_, bytes)) = current.as_ref().filter(|_| !same) {
            replace(&**files, "write the backup of the state", &paths.backup, bytes)?;
        }
        replace(&**files, "write the state", &paths.snapshot, &content)?;
        // A journal that stays is behind the snapshot: it is passed over, and the next run removes it.
        let _ = files.remove(&paths.journal);
        Ok(())
    }

    /// Puts the intents of a run on the disk. After this, writes to the cluster may begin.
    ///
    /// # Errors
    /// [`StateError::Unsettled`] where a dead run's journal is not in the snapshot yet; [`StateError::Moved`] where the
    /// header does not stand on the snapshot there is; [`StateError::File`].
    pub fn begin_run(self, header: &JournalHeader, intents: &[Intent]) -> Result<Run, StateError> {
        let LocalStore { files, paths, .. } = &self.store;
        self.store.check_owner(&paths.journal, &header.stack, &header.namespace, &header.cluster)?;
        let snapshot = self.settled()?;
        if let Some(current) = snapshot.as_ref().filter(|current| current.lineage != header.lineage) {
            return Err(StateError::OtherLineage {
                path: paths.snapshot.clone(),
                recorded: current.lineage.clone(),
                found: header.lineage.clone(),
            });
        }
        let found = snapshot.map(|state| state.serial).unwrap_or_default();
        if found != header.serial {
            return Err(StateError::Moved { path: paths.snapshot.clone(), saving: header.serial.next(), found });
        }
        files.remove(&paths.journal).map_err(FileError::doing("remove the settled journal", &paths.journal))?;
        let journal = Journal::begin(&**files, &paths.journal, header, intents)?;
        Ok(Run { store: self, journal })
    }

    /// Removes the snapshot of a stack that is gone. The backup stays.
    ///
    /// # Errors
    /// [`StateError::NotEmpty`] where the snapshot records something; [`StateError::Unsettled`]; [`StateError::File`].
    pub fn discard(&self) -> Result<(), StateError> {
        let LocalStore { files, paths, .. } = &self.store;
        if let Some(state) = self.settled()?.filter(|state| !state.is_empty()) {
            return Err(StateError::NotEmpty { path: paths.snapshot.clone(), resources: state.entries.len() });
        }
        // The journal first: without the snapshot that contains it, it would look like one whose snapshot was lost.
        for (doing, path) in
            [("remove the settled journal", &paths.journal), ("remove the empty state", &paths.snapshot)]
        {
            files.remove(path).map_err(FileError::doing(doing, path))?;
            files
                .sync_folder(&paths.folder)
                .map_err(FileError::doing("write to the disk the folder", &paths.folder))?;
        }
        Ok(())
    }

    /// Returns the snapshot, if no journal is there whose results are not in it.
    fn settled(&self) -> Result<Option<State>, StateError> {
        let snapshot = self.store.snapshot()?.map(|(state, _)| state);
        let journal = self.store.pending(snapshot.as_ref(), self.store.journal()?)?;
        if journal.is_some_and(|journal| journal.may_have_written()) {
            return Err(StateError::Unsettled(self.store.paths.journal.clone()));
        }
        Ok(snapshot)
    }
}

/// A run: the lock is held, and the intents are on the disk. Dropping it leaves the journal to the next run.
#[derive(Debug)]
pub struct Run {
    store: LockedStore,
    journal: Journal,
}

impl Run {
    /// Records one result; it is on the disk when this returns.
    ///
    /// # Errors
    /// See [`Journal::append_all`].
    pub fn append(&mut self, result: &JournalResult) -> Result<(), StateError> {
        Ok(self.journal.append(result)?)
    }

    /// Records results with one flush for all of them.
    ///
    /// # Errors
    /// See [`Journal::append_all`].
    pub fn append_all(&mut self, results: &[JournalResult]) -> Result<(), StateError> {
        Ok(self.journal.append_all(results)?)
    }

    /// Saves the state that the run made and ends its journal. The lock stays.
    ///
    /// # Errors
    /// See [`LockedStore::save`]. The journal is then still there, and the next run takes the results from it.
    pub fn finish(self, state: &State) -> Result<LockedStore, StateError> {
        self.store.save(state)?;
        Ok(self.store)
    }
}
