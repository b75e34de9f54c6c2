//! A folder of state files on this machine, and how one is read.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::files::{DiskFiles, FileError, Files, parent};
use super::local_lock::{self, Holder};
use super::replace::with_suffix;
use super::{LockedStore, StateError};
use crate::resource::check_dns_subdomain;
use crate::state::journal::{self, Intent, JournalContent, JournalHeader, Recovered};
use crate::state::{LockRecord, State, snapshot};

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
            return Ok(Read::Whole(Box::new(self.load_quiet(false, None)?)));
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
        let state = snapshot::decode(&bytes).map_err(|source| StateError::Snapshot { path: path.clone(), source })?;
        self.check_owner(path, &state.stack, &state.namespace, &state.cluster)?;
        Ok(Some((state, bytes)))
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
