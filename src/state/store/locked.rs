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

    /// Saves the state that the run made and ends its journal. The lock stays. An intent without a result counts as not
    /// begun: whoever stops with writes in flight drops the run instead.
    ///
    /// # Errors
    /// [`StateError::Unknown`] where a result is unknown: only the journal remembers it until the cluster was asked.
    /// Else see [`LockedStore::save`]. The journal is then still there, and the next run takes the results from it.
    pub fn finish(self, state: &State) -> Result<LockedStore, StateError> {
        let unknown = self.journal.unknown();
        if !unknown.is_empty() {
            return Err(StateError::Unknown(unknown.iter().cloned().collect()));
        }
        self.store.save(state)?;
        Ok(self.store)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::ErrorKind;
    use std::os::unix::fs::PermissionsExt;
    use std::sync::Arc;

    use tempfile::TempDir;

    use super::*;
    use crate::resource::Digest;
    use crate::state::example::{CLUSTER, done, entry, header, intent, lock_record, service, state, stateful_set};
    use crate::state::journal::{IntentAction, Outcome, Recording};
    use crate::state::store::faults::{Fault, FaultyFiles};
    use crate::state::store::{DiskFiles, Files};
    use crate::state::{Lineage, Serial};

    fn store_with(files: Arc<dyn Files>, folder: &TempDir) -> LocalStore {
        LocalStore::open_with(files, &folder.path().join("state"), "mathison", "mathison-system", CLUSTER).unwrap()
    }

    fn store(folder: &TempDir) -> LocalStore {
        store_with(Arc::new(DiskFiles), folder)
    }

    /// A folder with the state number 3, and number 2 as its backup.
    fn saved() -> TempDir {
        let folder = TempDir::new().unwrap();
        let locked = store(&folder).lock(&lock_record()).unwrap();
        locked.save(&State { serial: Serial(2), ..state() }).unwrap();
        locked.save(&state()).unwrap();
        folder
    }

    fn numbered(serial: u64) -> State {
        State { serial: Serial(serial), ..state() }
    }

    fn updated() -> JournalResult {
        let mut entry = entry(&service(), &[]);
        entry.desired = Digest::of_bytes(b"another");
        done(&service(), Recording::Put(Box::new(entry)))
    }

    fn intents() -> [Intent; 2] {
        [intent(&service(), IntentAction::Update), intent(&stateful_set(), IntentAction::Delete)]
    }

    #[test]
    fn the_snapshot_before_is_kept_and_both_are_the_owners_alone() {
        let folder = saved();
        let paths = &store(&folder).paths;
        assert_eq!(snapshot::decode(&fs::read(&paths.snapshot).unwrap()).unwrap(), state());
        assert_eq!(snapshot::decode(&fs::read(&paths.backup).unwrap()).unwrap(), numbered(2));
        for path in [&paths.snapshot, &paths.backup, &paths.lock] {
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600, "{path:?}");
        }
        let mut names: Vec<_> = fs::read_dir(&paths.folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names.len(), 3, "{names:?}");
        assert_eq!(names[0], "mathison@mathison-system.1a2b3c4d.json");
    }

    #[test]
    fn a_state_that_does_not_follow_the_one_there_is_refused() {
        let folder = saved();
        let locked = store(&folder).lock(&lock_record()).unwrap();
        locked.save(&state()).unwrap();
        let changed = State { with_extra_manifests: true, ..state() };
        assert!(matches!(locked.save(&changed), Err(StateError::Moved { found: Serial(3), .. })));
        assert!(matches!(locked.save(&numbered(2)), Err(StateError::Moved { .. })));
        let stranger = State { lineage: Lineage("l-2".to_owned()), ..numbered(9) };
        assert!(matches!(locked.save(&stranger), Err(StateError::OtherLineage { .. })));
        let elsewhere = State { cluster: "elsewhere".to_owned(), ..numbered(9) };
        assert!(matches!(locked.save(&elsewhere), Err(StateError::OtherCluster { .. })));
        assert_eq!(locked.load().unwrap().unwrap().state, state());
    }

    #[test]
    fn a_state_that_was_never_numbered_is_not_saved() {
        let folder = TempDir::new().unwrap();
        let locked = store(&folder).lock(&lock_record()).unwrap();
        assert!(matches!(locked.save(&numbered(0)), Err(StateError::Moved { .. })));
    }

    #[test]
    fn a_run_that_ends_leaves_a_snapshot_and_no_journal() {
        let folder = saved();
        let mut run = store(&folder).lock(&lock_record()).unwrap().begin_run(&header(), &intents()).unwrap();
        run.append_all(&[updated(), done(&stateful_set(), Recording::Remove)]).unwrap();
        let locked = run.finish(&numbered(4)).unwrap();
        assert_eq!(locked.load().unwrap().unwrap(), Loaded { state: numbered(4), interrupted: None });
        assert!(!store(&folder).paths.journal.exists());
    }

    #[test]
    fn a_run_that_dies_is_found_and_must_be_settled_before_the_next() {
        let folder = saved();
        let mut run = store(&folder).lock(&lock_record()).unwrap().begin_run(&header(), &intents()).unwrap();
        run.append(&updated()).unwrap();
        drop(run);
        let locked = store(&folder).lock(&lock_record()).unwrap();
        let loaded = locked.load().unwrap().unwrap();
        let interrupted = loaded.interrupted.unwrap();
        assert_eq!((interrupted.done, interrupted.unfinished), (1, vec![intents()[1].clone()]));
        assert_ne!(loaded.state, state());
        assert!(matches!(locked.begin_run(&header(), &intents()), Err(StateError::Unsettled(_))));

        let locked = store(&folder).lock(&lock_record()).unwrap();
        let settled = State { serial: Serial(4), ..loaded.state };
        locked.save(&settled).unwrap();
        assert_eq!(locked.load().unwrap().unwrap(), Loaded { state: settled, interrupted: None });
        assert!(matches!(locked.begin_run(&header(), &intents()), Err(StateError::Moved { .. })));
    }

    #[test]
    fn a_first_run_that_dies_is_found_though_no_snapshot_was_ever_saved() {
        let folder = TempDir::new().unwrap();
        let first = JournalHeader { serial: Serial(0), ..header() };
        let mut run = store(&folder).lock(&lock_record()).unwrap().begin_run(&first, &intents()).unwrap();
        run.append(&updated()).unwrap();
        drop(run);
        let loaded = store(&folder).load().unwrap().unwrap();
        assert_eq!(loaded.state.entries.keys().collect::<Vec<_>>(), [&service()]);
        assert_eq!((loaded.state.lineage, loaded.state.serial), (first.lineage, Serial(0)));
        assert!(!loaded.interrupted.unwrap().alive);
    }

    #[test]
    fn a_run_with_an_unknown_result_is_not_closed() {
        let folder = saved();
        let unknown = JournalResult { outcome: Outcome::Unknown, ..done(&service(), Recording::Unchanged) };
        let mut run = store(&folder).lock(&lock_record()).unwrap().begin_run(&header(), &intents()).unwrap();
        run.append(&unknown).unwrap();
        let refused = run.finish(&numbered(4)).unwrap_err();
        insta::assert_snapshot!(format!("{refused}\nhint: {}", refused.hint().unwrap()), @r"
        cannot close the run: it is unknown whether `Service mathison-system/redis` was written
        hint: run `mathison apply` again: it asks the cluster
        ");
        assert_eq!(store(&folder).load().unwrap().unwrap().interrupted.unwrap().unfinished, intents());

        let folder = saved();
        let mut run = store(&folder).lock(&lock_record()).unwrap().begin_run(&header(), &intents()).unwrap();
        run.append_all(&[unknown, updated()]).unwrap();
        run.finish(&numbered(4)).unwrap();
    }

    #[test]
    fn an_empty_state_is_discarded_and_its_backup_stays() {
        let folder = saved();
        let locked = store(&folder).lock(&lock_record()).unwrap();
        assert!(matches!(locked.discard(), Err(StateError::NotEmpty { resources: 2, .. })));
        locked.save(&State { entries: Default::default(), ..numbered(4) }).unwrap();
        locked.discard().unwrap();
        locked.discard().unwrap();
        assert_eq!(locked.load().unwrap(), None);
        assert_eq!(snapshot::decode(&fs::read(&store(&folder).paths.backup).unwrap()).unwrap(), state());
    }

    #[test]
    fn a_lost_snapshot_is_not_taken_for_a_first_run() {
        let folder = saved();
        drop(store(&folder).lock(&lock_record()).unwrap().begin_run(&header(), &intents()).unwrap());
        fs::remove_file(store(&folder).path()).unwrap();
        let error = store(&folder).load().unwrap_err();
        assert!(matches!(error, StateError::JournalAhead { found: None, base: Serial(3), .. }), "{error}");
    }

    /// A whole run: what it returned, and how much of it. Stops at the first error, as a command does.
    fn whole_run(store: &LocalStore, progress: &mut usize) -> Result<(), StateError> {
        let locked = store.lock(&lock_record())?;
        locked.check_writable()?;
        locked.load()?;
        let mut run = locked.begin_run(&header(), &intents())?;
        *progress = 1;
        run.append(&updated())?;
        *progress = 2;
        run.append(&done(&stateful_set(), Recording::Remove))?;
        *progress = 3;
        run.finish(&after(3, 4))?;
        *progress = 4;
        Ok(())
    }

    /// The state after so many steps of [`whole_run`].
    fn after(progress: usize, serial: u64) -> State {
        let mut state = numbered(serial);
        if progress >= 2
            && let Recording::Put(entry) = updated().recording
        {
            state.entries.insert(service(), *entry);
        }
        if progress >= 3 {
            state.entries.remove(&stateful_set());
        }
        state
    }

    fn check_every_call(fault: Fault) {
        for call in 0.. {
            let folder = saved();
            let files = FaultyFiles::new(call, fault);
            let mut progress = 0;
            let result = whole_run(&store_with(Arc::new(files.clone()), &folder), &mut progress);
            let context = format!("call {call}, {fault:?}, progress {progress}: {result:?}");

            let loaded = store(&folder).load().unwrap().unwrap_or_else(|| panic!("the state is gone: {context}"));
            // The step that failed may have reached the disk nevertheless; none that succeeded may be missing.
            let possible = [after(progress, 3), after(progress + 1, 3), after(3, 4)];
            assert!(possible.contains(&loaded.state), "{context}");
            if loaded.state.serial == Serial(4) {
                assert!(progress >= 3 && loaded.interrupted.is_none(), "{context}");
            } else if progress >= 1 {
                let unfinished = loaded.interrupted.unwrap().unfinished;
                assert!(unfinished.len() <= 3 - progress, "{context}");
            }
            let backup = snapshot::decode(&fs::read(&store(&folder).paths.backup).unwrap()).unwrap();
            assert!([numbered(2), numbered(3)].contains(&backup), "{context}");

            let locked = store(&folder).lock(&lock_record()).unwrap();
            let state = locked.load().unwrap().unwrap().state;
            let next = State { serial: state.serial.next(), ..state };
            locked.save(&next).unwrap();
            assert_eq!(locked.load().unwrap().unwrap(), Loaded { state: next, interrupted: None }, "{context}");
            if files.calls() <= call {
                assert!(result.is_ok() && progress == 4, "{context}");
                assert!(call > 20, "only {call} calls were tried");
                break;
            }
        }
    }

    #[test]
    fn a_disk_that_fails_at_any_call_never_costs_what_was_recorded() {
        check_every_call(Fault::Once(ErrorKind::StorageFull));
    }

    #[test]
    fn a_process_that_dies_before_any_call_never_costs_what_was_recorded() {
        check_every_call(Fault::Dead);
    }

    #[test]
    fn a_process_that_dies_behind_any_call_never_costs_what_was_recorded() {
        check_every_call(Fault::DeadAfter);
    }

    #[test]
    fn a_discard_that_fails_at_any_call_can_be_repeated() {
        for call in 0.. {
            let folder = saved();
            let empty = State { entries: Default::default(), ..numbered(4) };
            store(&folder).lock(&lock_record()).unwrap().save(&empty).unwrap();
            let files = FaultyFiles::new(call, Fault::Dead);
            let result =
                store_with(Arc::new(files.clone()), &folder).lock(&lock_record()).and_then(|locked| locked.discard());
            let left = store(&folder).load().unwrap();
            assert!(left.is_none() || left.is_some_and(|left| left.state == empty), "call {call}: {result:?}");
            store(&folder).lock(&lock_record()).unwrap().discard().unwrap();
            assert_eq!(store(&folder).load().unwrap(), None);
            if files.calls() <= call {
                break;
            }
        }
    }

    #[test]
    fn after_a_failed_append_the_journal_takes_nothing_more() {
        let folder = saved();
        let count = FaultyFiles::new(usize::MAX, Fault::Dead);
        drop(
            store_with(Arc::new(count.clone()), &folder).lock(&lock_record()).unwrap().begin_run(&header(), &intents()),
        );
        // The last call of those is the lock record's removal; the next write is the first result.
        let folder = saved();
        let files = FaultyFiles::new(count.calls() - 1, Fault::Once(ErrorKind::StorageFull));
        let mut run = store_with(Arc::new(files), &folder)
            .lock(&lock_record())
            .unwrap()
            .begin_run(&header(), &intents())
            .unwrap();
        let refused = run.append(&updated()).unwrap_err();
        assert!(refused.hint().unwrap().contains("make room"), "{refused}");
        let refused = run.append(&updated()).unwrap_err();
        assert!(refused.to_string().ends_with("after an earlier write to it failed"), "{refused}");
        drop(run);
        assert_eq!(store(&folder).load().unwrap().unwrap().interrupted.unwrap().unfinished, intents());
    }

    #[test]
    fn a_disk_that_cannot_be_written_is_found_before_anything_is_done() {
        let mut messages = Vec::new();
        for kind in [ErrorKind::ReadOnlyFilesystem, ErrorKind::StorageFull, ErrorKind::PermissionDenied] {
            let folder = saved();
            // Folder, opening, locking, reading and writing the lock, reading the state, removing: then it is made.
            let files = FaultyFiles::new(7, Fault::Once(kind));
            let locked = store_with(Arc::new(files), &folder).lock(&lock_record()).unwrap();
            let error = locked.check_writable().unwrap_err();
            let text = format!("{error}: {kind}\nhint: {}", error.hint().unwrap());
            messages.push(text.replace(&folder.path().display().to_string(), "/home/ada"));
        }
        insta::assert_snapshot!(messages.join("\n"), @r"
        cannot make sure that the state can be saved beside `/home/ada/state/mathison@mathison-system.1a2b3c4d.json`: read-only filesystem or storage medium
        hint: the disk of `/home/ada/state` cannot be written; keep the state in another folder with `--state`
        cannot make sure that the state can be saved beside `/home/ada/state/mathison@mathison-system.1a2b3c4d.json`: no storage space
        hint: make room on the disk of `/home/ada/state`, or keep the state in another folder with `--state`
        cannot make sure that the state can be saved beside `/home/ada/state/mathison@mathison-system.1a2b3c4d.json`: permission denied
        hint: the rights to `/home/ada/state` or the files in it are missing; the state is its owner's alone
        ");
    }
}
