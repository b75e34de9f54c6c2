//! Why a state could not be read, kept or locked.

use std::path::PathBuf;

use thiserror::Error;

use super::FileError;
use crate::resource::ObjectRef;
use crate::state::journal::JournalError;
use crate::state::{Lineage, LockError, Serial, SnapshotError};

/// Why a state could not be read, kept or locked. Each stands alone.
#[derive(Debug, Error)]
pub enum StateError {
    /// A file call failed.
    #[error(transparent)]
    File(#[from] FileError),
    /// The snapshot cannot be trusted.
    #[error("cannot read the state `{}`", .path.display())]
    Snapshot {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<SnapshotError>,
        /// The backup and its number, if there is a whole one.
        backup: Option<(PathBuf, Serial)>,
    },
    /// The journal of an interrupted run cannot be trusted.
    #[error("cannot read the journal `{}` of an interrupted run", .path.display())]
    Journal {
        /// The file.
        path: PathBuf,
        /// Why.
        source: JournalError,
    },
    /// The journal cannot be written.
    #[error(transparent)]
    Write(JournalError),
    /// Somebody holds the lock.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The state was recorded in another cluster.
    #[error("the state `{}` belongs to the cluster `{recorded}`, not to `{found}`, which was asked for", .path.display())]
    OtherCluster {
        /// The file.
        path: PathBuf,
        /// The cluster in the file.
        recorded: String,
        /// The cluster at hand.
        found: String,
    },
    /// The state is that of another stack, or of this one in another namespace.
    #[error("the state `{}` belongs to the stack `{recorded}`, not to `{found}`, which was asked for", .path.display())]
    OtherStack {
        /// The file.
        path: PathBuf,
        /// `STACK@NAMESPACE` in the file.
        recorded: String,
        /// `STACK@NAMESPACE` at hand.
        found: String,
    },
    /// Two lines of snapshots met.
    #[error("the state `{}` is of the lineage `{recorded}`, what belongs to it of `{found}`", .path.display())]
    OtherLineage {
        /// The snapshot.
        path: PathBuf,
        /// Its lineage.
        recorded: Lineage,
        /// The other's.
        found: Lineage,
    },
    /// The snapshot is no longer the one that the run started from.
    #[error("cannot replace the state `{}`: number {found} was saved meanwhile, and this would be number {saving}", .path.display())]
    Moved {
        /// The snapshot.
        path: PathBuf,
        /// The number to be saved.
        saving: Serial,
        /// The number on the disk.
        found: Serial,
    },
    /// The journal stands on a snapshot that is newer than the one there, or that is gone.
    #[error(
        "the journal `{}` of an interrupted run stands on number {base} of the state; there is {}",
        .path.display(),
        .found.map_or_else(|| "none".to_owned(), |found| format!("only number {found}"))
    )]
    JournalAhead {
        /// The journal.
        path: PathBuf,
        /// The number it stands on.
        base: Serial,
        /// The number there.
        found: Option<Serial>,
    },
    /// A run is to begin while the journal of an interrupted one is there.
    #[error("cannot begin a run while `{}` of an interrupted one is not settled", .0.display())]
    Unsettled(PathBuf),
    /// A run cannot be closed while writes of it may or may not have happened.
    #[error("cannot close the run: it is unknown whether {} was written", list(.0))]
    Unknown(Vec<ObjectRef>),
    /// What is to be thrown away still records resources.
    #[error("cannot discard the state `{}`, which still records {resources} resources", .path.display())]
    NotEmpty {
        /// The snapshot.
        path: PathBuf,
        /// How many.
        resources: usize,
    },
    /// A stack, namespace or cluster cannot stand in the name of a file.
    #[error("`{value}` cannot stand in the name of a state file as {what}")]
    Name {
        /// What it is.
        what: &'static str,
        /// What it says.
        value: String,
    },
}

fn list(objects: &[ObjectRef]) -> String {
    objects.iter().map(|object| format!("`{object}`")).collect::<Vec<_>>().join(", ")
}

const NEWER_NEEDED: &str = "use a newer mathison; an older one would lose what it does not know";

impl StateError {
    /// Returns what to do about it, where there is something to be told.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::File(error) | Self::Write(JournalError::File(error)) => error.hint(),
            Self::Lock(error) => Some(error.hint()),
            Self::Snapshot { source, .. } if matches!(**source, SnapshotError::Version { .. }) => {
                Some(NEWER_NEEDED.to_owned())
            }
            Self::Journal { source: JournalError::Version { .. }, .. } => Some(NEWER_NEEDED.to_owned()),
            Self::Snapshot { path, backup: Some((backup, serial)), .. } => Some(format!(
                "number {serial} of the state is whole in `{}`; move it to `{}`, and `mathison plan` shows what it lacks",
                backup.display(),
                path.display()
            )),
            Self::Snapshot { path, backup: None, .. } => Some(format!(
                "there is no backup that can be read; move `{}` away, and `mathison plan` shows what was made as adopted or \
                 taken, but what has left the stack file must be deleted by hand",
                path.display()
            )),
            Self::Journal { path, .. } => Some(format!(
                "move `{}` away, and what the interrupted run made shows in `mathison plan` as adopted or taken",
                path.display()
            )),
            Self::OtherCluster { .. } => {
                Some("check `--context`, or name the folder of this cluster's states with `--state`".to_owned())
            }
            Self::OtherStack { .. } => {
                Some("check the stack's name and namespace, or name another folder with `--state`".to_owned())
            }
            Self::OtherLineage { .. } => {
                Some("a state was moved or brought back by hand; put the newer one back beside its journal".to_owned())
            }
            Self::JournalAhead { path, base, .. } => Some(format!(
                "put number {base} of the state back beside its journal; if it is lost, move `{}` away, and what the \
                 interrupted run made shows in `mathison plan` as adopted or taken",
                path.display()
            )),
            Self::Moved { .. } => Some("another run saved it; run `mathison plan` again".to_owned()),
            Self::Unsettled(_) | Self::Unknown(_) => Some("run `mathison apply` again: it asks the cluster".to_owned()),
            Self::Write(_) | Self::NotEmpty { .. } | Self::Name { .. } => None,
        }
    }
}

impl From<JournalError> for StateError {
    fn from(error: JournalError) -> Self {
        match error {
            JournalError::File(error) => Self::File(error),
            other => Self::Write(other),
        }
    }
}
