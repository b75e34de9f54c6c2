//! A folder of state files on this machine, and how one is read.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::files::{DiskFiles, FileError, Files, parent};
use super::local_lock::{self, Holder};
use super::replace::with_suffix;
use super::{LockedStore, StateError};
use crate::resource::check_dns_subdomain;
use crate::state::journal::{self, Intent, JournalContent, JournalHeader, Recovered};
use crate::state::{LockRecord, Serial, State, snapshot};

/// The folder of state files below the current one, where none is named.
pub const DEFAULT_FOLDER: &str = "state";

/// How often a state is read anew that changes while it is read.
const TRIES: usize = 3;

/// The state of one stack in one cluster, kept in a file.
#[derive(Debug, Clone)]
pub struct LocalStore {
    pub(super) files: Arc<dyn Files>,
    pub(super) paths: Paths,
    pub(super) stack: String,
    pub(super) namespace: String,
    pub(super) cluster: String,
}

/// The files of one state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Paths {
    pub(super) folder: PathBuf,
    pub(super) snapshot: PathBuf,
    pub(super) backup: PathBuf,
    pub(super) journal: PathBuf,
    pub(super) lock: PathBuf,
}

impl Paths {
    fn of(snapshot: PathBuf) -> Self {
        let stem = match snapshot.extension() {
            Some(extension) if extension == "json" => snapshot.with_extension(""),
            _ => snapshot.clone(),
        };
        Self {
            folder: parent(&snapshot).to_owned(),
            backup: with_suffix(&snapshot, ".backup"),
            journal: with_suffix(&stem, ".journal"),
            lock: with_suffix(&stem, ".lock"),
            snapshot,
        }
    }
}

/// A state as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The state, with everything in it that the journal knows.
    pub state: State,
    /// The run whose journal that was, if there is one.
    pub interrupted: Option<Interrupted>,
}

/// A run whose journal is there: it died, or it is still going on.
#[derive(Debug, Clone, PartialEq)]
pub struct Interrupted {
    /// Whose journal it is.
    pub header: JournalHeader,
    /// How many of its intents are done.
    pub done: usize,
    /// How many failed without having written anything.
    pub failed: usize,
    /// The intents of which nobody knows: each is settled by one read of the cluster.
    pub unfinished: Vec<Intent>,
    /// True if the run is still alive, so that nothing is to be settled.
    pub alive: bool,
    /// Who holds the lock, if it is alive.
    pub holder: Option<LockRecord>,
}

impl LocalStore {
    /// Names the state of a stack in a folder. Nothing is read yet, and the folder need not exist.
    ///
    /// # Errors
    /// [`StateError::Name`] where the words cannot make up the name of a file.
    pub fn open(folder: &Path, stack: &str, namespace: &str, cluster: &str) -> Result<Self, StateError> {
        Self::open_with(Arc::new(DiskFiles), folder, stack, namespace, cluster)
    }

    /// As [`open`](Self::open), with file calls of one's own.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with(
        files: Arc<dyn Files>,
        folder: &Path,
        stack: &str,
        namespace: &str,
        cluster: &str,
    ) -> Result<Self, StateError> {
        for (what, value) in [("a stack", stack), ("a namespace", namespace)] {
            check_dns_subdomain(value).map_err(|_| StateError::Name { what, value: value.to_owned() })?;
        }
        let short = cluster.get(..8).unwrap_or(cluster);
        if short.is_empty() || !short.chars().all(|character| character.is_ascii_alphanumeric() || character == '-') {
            return Err(StateError::Name { what: "a cluster", value: cluster.to_owned() });
        }
        let snapshot = folder.join(format!("{stack}@{namespace}.{short}.json"));
        Ok(Self::at(files, snapshot, stack, namespace, cluster))
    }

    /// Takes the state in a file of any name.
    #[must_use]
    pub fn open_file(snapshot: &Path, stack: &str, namespace: &str, cluster: &str) -> Self {
        Self::at(Arc::new(DiskFiles), snapshot.to_owned(), stack, namespace, cluster)
    }

    fn at(files: Arc<dyn Files>, snapshot: PathBuf, stack: &str, namespace: &str, cluster: &str) -> Self {
        Self {
            files,
            paths: Paths::of(snapshot),
            stack: stack.to_owned(),
            namespace: namespace.to_owned(),
            cluster: cluster.to_owned(),
        }
    }

    /// Returns the path of the snapshot, for people.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.paths.snapshot
    }

    /// Reads the state without a lock, for commands that change nothing; `None` where nothing was ever recorded.
    ///
    /// # Errors
    /// See [`StateError`].
    pub fn load(&self) -> Result<Option<Loaded>, StateError> {
        let mut tries = 1;
        loop {
            match self.load_unlocked() {
                // A run ended or began between two of the reads; then the next ones agree.
                Ok(Read::Changed) | Err(StateError::JournalAhead { .. }) if tries < TRIES => tries += 1,
                Ok(Read::Changed) => return self.load_quiet(false, None),
                Ok(Read::Whole(loaded)) => return Ok(*loaded),
                Err(error) => return Err(error),
            }
        }
    }

    fn load_unlocked(&self) -> Result<Read, StateError> {
        let before = self.journal_bytes()?;
        if before.is_none() {
            let loaded = self.load_quiet(false, None)?;
            let begun = loaded.as_ref().is_some_and(|loaded| loaded.interrupted.is_some());
            return Ok(if begun { Read::Changed } else { Read::Whole(Box::new(loaded)) });
        }
        match local_lock::holder(&*self.files, &self.paths.lock)? {
            Holder::Alive(holder) => Ok(Read::Whole(Box::new(self.load_quiet(true, holder)?))),
            // Nobody is alive: then the journal is a dead run's, unless it came or went at this instant.
            Holder::Nobody => {
                let loaded = self.load_quiet(false, None)?;
                let unchanged = self.journal_bytes()? == before;
                Ok(if unchanged { Read::Whole(Box::new(loaded)) } else { Read::Changed })
            }
        }
    }

    /// Reads the journal, then the snapshot: if a run ends in between, its journal is behind the snapshot, and left.
    pub(super) fn load_quiet(&self, alive: bool, holder: Option<LockRecord>) -> Result<Option<Loaded>, StateError> {
        let journal = self.journal()?;
        let snapshot = self.snapshot()?.map(|(state, _)| state);
        let Some(journal) = self.pending(snapshot.as_ref(), journal)? else {
            return Ok(snapshot.map(|state| Loaded { state, interrupted: None }));
        };
        let base = snapshot.unwrap_or_else(|| journal.header.first_state());
        let Recovered { state, done, failed, unfinished } = journal::recover(base, &journal);
        let interrupted = Interrupted { header: journal.header, done, failed, unfinished, alive, holder };
        Ok(Some(Loaded { state, interrupted: Some(interrupted) }))
    }

    /// Returns the snapshot and its bytes, if it is that of this stack in this cluster.
    pub(super) fn snapshot(&self) -> Result<Option<(State, Vec<u8>)>, StateError> {
        let path = &self.paths.snapshot;
        let Some(bytes) = self.files.read(path).map_err(FileError::doing("read the state", path))? else {
            return Ok(None);
        };
        let state = snapshot::decode(&bytes).map_err(|source| StateError::Snapshot {
            path: path.clone(),
            source: Box::new(source),
            backup: self.backup(),
        })?;
        self.check_owner(path, &state.stack, &state.namespace, &state.cluster)?;
        Ok(Some((state, bytes)))
    }

    /// Returns where the snapshot before the last is, and its number, if it can take the place of the last.
    fn backup(&self) -> Option<(PathBuf, Serial)> {
        let path = &self.paths.backup;
        let state = snapshot::decode(&self.files.read(path).ok()??).ok()?;
        self.check_owner(path, &state.stack, &state.namespace, &state.cluster).ok()?;
        Some((path.clone(), state.serial))
    }

    fn journal_bytes(&self) -> Result<Option<Vec<u8>>, StateError> {
        let path = &self.paths.journal;
        Ok(self.files.read(path).map_err(FileError::doing("read the journal", path))?)
    }

    /// Returns the journal, if there is one with at least a header.
    pub(super) fn journal(&self) -> Result<Option<JournalContent>, StateError> {
        let Some(bytes) = self.journal_bytes()? else { return Ok(None) };
        let path = &self.paths.journal;
        let journal = journal::parse(&bytes).map_err(|source| StateError::Journal { path: path.clone(), source })?;
        if let Some(JournalContent { header, .. }) = &journal {
            self.check_owner(path, &header.stack, &header.namespace, &header.cluster)?;
        }
        Ok(journal)
    }

    /// Returns the journal if its results are not in the snapshot yet.
    pub(super) fn pending(
        &self,
        snapshot: Option<&State>,
        journal: Option<JournalContent>,
    ) -> Result<Option<JournalContent>, StateError> {
        let Some(journal) = journal else { return Ok(None) };
        let base = journal.header.serial;
        if let Some(state) = snapshot.filter(|state| state.lineage != journal.header.lineage) {
            return Err(StateError::OtherLineage {
                path: self.paths.snapshot.clone(),
                recorded: state.lineage.clone(),
                found: journal.header.lineage,
            });
        }
        let found = snapshot.map(|state| state.serial);
        if found.unwrap_or_default() < base {
            return Err(StateError::JournalAhead { path: self.paths.journal.clone(), base, found });
        }
        Ok((found.unwrap_or_default() == base).then_some(journal))
    }

    pub(super) fn check_owner(
        &self,
        path: &Path,
        stack: &str,
        namespace: &str,
        cluster: &str,
    ) -> Result<(), StateError> {
        if (stack, namespace) != (self.stack.as_str(), self.namespace.as_str()) {
            return Err(StateError::OtherStack {
                path: path.to_owned(),
                recorded: format!("{stack}@{namespace}"),
                found: format!("{}@{}", self.stack, self.namespace),
            });
        }
        if cluster != self.cluster {
            return Err(StateError::OtherCluster {
                path: path.to_owned(),
                recorded: cluster.to_owned(),
                found: self.cluster.clone(),
            });
        }
        Ok(())
    }

    /// Takes the lock. The folder is made where it is missing.
    ///
    /// # Errors
    /// [`StateError::Lock`] where a living process holds it; [`StateError::File`].
    pub fn lock(&self, record: &LockRecord) -> Result<LockedStore, StateError> {
        let folder = &self.paths.folder;
        self.files.make_folder(folder).map_err(FileError::doing("make the folder of states", folder))?;
        let lock = local_lock::take(&*self.files, &self.paths.lock, self.path(), Some(record))?;
        Ok(LockedStore::new(self.clone(), lock))
    }

    /// Clears the lock record of a dead run and returns it. That of a living one stays, whatever anybody wishes.
    ///
    /// # Errors
    /// As [`lock`](Self::lock).
    pub fn unlock(&self) -> Result<Option<LockRecord>, StateError> {
        match self.files.open_lock(&self.paths.lock, false) {
            Ok(None) => Ok(None),
            _ => Ok(local_lock::take(&*self.files, &self.paths.lock, self.path(), None)?.left_by.take()),
        }
    }
}

/// What came of one reading.
enum Read {
    Whole(Box<Option<Loaded>>),
    Changed,
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::{fs, io};

    use tempfile::TempDir;

    use super::*;
    use crate::state::example::{CLUSTER, header, intent, lock_record, service, state};
    use crate::state::store::{LockFile, Writing};
    use crate::state::{IntentAction, LockError, Run};

    fn store(folder: &TempDir) -> LocalStore {
        LocalStore::open(folder.path(), "mathison", "mathison-system", CLUSTER).unwrap()
    }

    fn shown(error: &StateError, folder: &TempDir) -> String {
        let hint = error.hint().unwrap_or_default();
        format!("{error}\nhint: {hint}").replace(&folder.path().display().to_string(), "state")
    }

    #[test]
    fn where_nothing_was_recorded_there_is_no_state() {
        let folder = TempDir::new().unwrap();
        let store = LocalStore::open(&folder.path().join("not/there"), "mathison", "mathison-system", CLUSTER).unwrap();
        assert_eq!(store.load().unwrap(), None);
        assert!(!folder.path().join("not").exists());
    }

    #[test]
    fn each_cluster_has_a_file_of_its_own() {
        let folder = TempDir::new().unwrap();
        store(&folder).lock(&lock_record()).unwrap().save(&state()).unwrap();
        let other = LocalStore::open(folder.path(), "mathison", "mathison-system", "ffffffff-0000").unwrap();
        assert_eq!(other.load().unwrap(), None);
        assert_eq!(store(&folder).load().unwrap().unwrap().state, state());
    }

    #[test]
    fn the_state_of_another_cluster_or_stack_is_refused() {
        let folder = TempDir::new().unwrap();
        store(&folder).lock(&lock_record()).unwrap().save(&state()).unwrap();
        let other = LocalStore::open_file(store(&folder).path(), "mathison", "mathison-system", "ffffffff-0000");
        insta::assert_snapshot!(shown(&other.load().unwrap_err(), &folder), @r"
        the state `state/mathison@mathison-system.1a2b3c4d.json` belongs to the cluster `1a2b3c4d-0000-4000-8000-000000000000`, not to `ffffffff-0000`, which was asked for
        hint: check `--context`, or name the folder of this cluster's states with `--state`
        ");
        let other = LocalStore::open_file(store(&folder).path(), "mathison", "staging", CLUSTER);
        insta::assert_snapshot!(shown(&other.load().unwrap_err(), &folder), @r"
        the state `state/mathison@mathison-system.1a2b3c4d.json` belongs to the stack `mathison@mathison-system`, not to `mathison@staging`, which was asked for
        hint: check the stack's name and namespace, or name another folder with `--state`
        ");
    }

    #[test]
    fn a_damaged_file_is_named_with_what_helps() {
        let folder = TempDir::new().unwrap();
        let locked = store(&folder).lock(&lock_record()).unwrap();
        locked.save(&state()).unwrap();
        locked.save(&State { serial: Serial(4), ..state() }).unwrap();
        drop(locked);
        fs::write(store(&folder).path(), "{").unwrap();
        insta::assert_snapshot!(shown(&store(&folder).load().unwrap_err(), &folder), @r"
        cannot read the state `state/mathison@mathison-system.1a2b3c4d.json`
        hint: number 3 of the state is whole in `state/mathison@mathison-system.1a2b3c4d.json.backup`; move it to `state/mathison@mathison-system.1a2b3c4d.json`, and `mathison plan` shows what it lacks
        ");
        fs::write(&store(&folder).paths.backup, "{").unwrap();
        insta::assert_snapshot!(shown(&store(&folder).load().unwrap_err(), &folder), @r"
        cannot read the state `state/mathison@mathison-system.1a2b3c4d.json`
        hint: there is no backup that can be read; move `state/mathison@mathison-system.1a2b3c4d.json` away, and `mathison plan` shows what was made as adopted or taken, but what has left the stack file must be deleted by hand
        ");
        fs::remove_file(&store(&folder).paths.backup).unwrap();
        let error = store(&folder).load().unwrap_err();
        assert!(matches!(error, StateError::Snapshot { backup: None, .. }), "{error:?}");
        fs::remove_file(store(&folder).path()).unwrap();
        fs::create_dir(store(&folder).path()).unwrap();
        let error = store(&folder).load().unwrap_err();
        assert!(error.to_string().starts_with("cannot read the state `"), "{error}");
    }

    #[test]
    fn words_that_would_leave_the_folder_are_refused() {
        for (stack, namespace, cluster) in
            [("../x", "n", "c"), ("x", "a/b", "c"), ("x", "n", "../../etc"), ("x", "n", ""), ("", "n", "c")]
        {
            let refused = LocalStore::open(Path::new("state"), stack, namespace, cluster);
            assert!(matches!(refused, Err(StateError::Name { .. })), "{stack} {namespace} {cluster}");
        }
    }

    #[test]
    fn a_lock_of_the_living_is_never_taken_and_that_of_the_dead_always() {
        let folder = TempDir::new().unwrap();
        let held = store(&folder).lock(&lock_record()).unwrap();
        for refused in [store(&folder).lock(&lock_record()).map(|_| ()), store(&folder).unlock().map(|_| ())] {
            let Err(StateError::Lock(LockError::Held { holder, .. })) = refused else { panic!("{refused:?}") };
            assert_eq!(holder.as_deref(), Some(&lock_record()));
        }
        drop(held);
        assert_eq!(store(&folder).lock(&lock_record()).unwrap().left_by(), None);

        // What a process leaves that was killed: the record, but no lock of the operating system.
        fs::write(&store(&folder).paths.lock, lock_record().encode()).unwrap();
        assert_eq!(store(&folder).lock(&lock_record()).unwrap().left_by(), Some(&lock_record()));
        fs::write(&store(&folder).paths.lock, lock_record().encode()).unwrap();
        assert_eq!(store(&folder).unlock().unwrap(), Some(lock_record()));
        assert_eq!(store(&folder).unlock().unwrap(), None);
    }

    #[test]
    fn a_reader_tells_a_run_that_goes_on_from_one_that_died() {
        let folder = TempDir::new().unwrap();
        let locked = store(&folder).lock(&lock_record()).unwrap();
        locked.save(&state()).unwrap();
        let run = locked.begin_run(&header(), &[intent(&service(), IntentAction::Update)]).unwrap();
        let interrupted = store(&folder).load().unwrap().unwrap().interrupted.unwrap();
        assert_eq!((interrupted.alive, interrupted.holder), (true, Some(lock_record())));
        drop(run);
        let interrupted = store(&folder).load().unwrap().unwrap().interrupted.unwrap();
        assert_eq!((interrupted.alive, interrupted.holder), (false, None));
    }

    /// The real calls; between the first two reads of a journal a run begins.
    #[derive(Debug)]
    struct RunBegins {
        folder: PathBuf,
        run: Mutex<Option<Run>>,
        reads: AtomicUsize,
    }

    impl Files for RunBegins {
        fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
            if self.reads.fetch_add(1, Ordering::SeqCst) == 1 {
                let store = LocalStore::open(&self.folder, "mathison", "mathison-system", CLUSTER).unwrap();
                let intents = [intent(&service(), IntentAction::Update)];
                let run = store.lock(&lock_record()).unwrap().begin_run(&header(), &intents).unwrap();
                *self.run.lock().unwrap() = Some(run);
            }
            DiskFiles.read(path)
        }

        fn make_folder(&self, path: &Path) -> io::Result<()> {
            DiskFiles.make_folder(path)
        }

        fn create_new(&self, path: &Path) -> io::Result<Box<dyn Writing>> {
            DiskFiles.create_new(path)
        }

        fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
            DiskFiles.rename(from, to)
        }

        fn remove(&self, path: &Path) -> io::Result<()> {
            DiskFiles.remove(path)
        }

        fn sync_folder(&self, path: &Path) -> io::Result<()> {
            DiskFiles.sync_folder(path)
        }

        fn open_lock(&self, path: &Path, create: bool) -> io::Result<Option<Box<dyn LockFile>>> {
            DiskFiles.open_lock(path, create)
        }
    }

    #[test]
    fn a_run_that_begins_while_it_is_read_is_not_taken_for_a_dead_one() {
        let folder = TempDir::new().unwrap();
        store(&folder).lock(&lock_record()).unwrap().save(&state()).unwrap();
        let files = RunBegins { folder: folder.path().to_owned(), run: Mutex::default(), reads: AtomicUsize::new(0) };
        let reader =
            LocalStore::open_with(Arc::new(files), folder.path(), "mathison", "mathison-system", CLUSTER).unwrap();
        let interrupted = reader.load().unwrap().unwrap().interrupted.unwrap();
        assert_eq!((interrupted.alive, interrupted.holder), (true, Some(lock_record())));
    }
}
