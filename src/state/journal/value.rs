//! What a journal says, as values.

use jiff::Timestamp;

use crate::resource::{Address, Digest, ObjectRef};
use crate::state::{Entry, Lineage, Serial, State};

/// Whose journal it is, and on which snapshot the run stands.
#[derive(Debug, Clone, PartialEq)]
pub struct JournalHeader {
    /// The stack's name.
    pub stack: String,
    /// The stack's namespace.
    pub namespace: String,
    /// uid of the cluster's namespace `kube-system`.
    pub cluster: String,
    /// Lineage of the snapshot; that of the snapshot to come where there is none yet.
    pub lineage: Lineage,
    /// Number of the snapshot that the results are to be put into; 0 where there is none yet.
    pub serial: Serial,
    /// Names the run in messages.
    pub run_id: String,
    /// The command as typed, without secrets.
    pub command: String,
    /// When the run began.
    pub started: Timestamp,
    /// True if manifests came from outside the stack file.
    pub with_extra_manifests: bool,
}

impl JournalHeader {
    /// Returns the state that the results are put into where no snapshot was ever written.
    #[must_use]
    pub fn first_state(&self) -> State {
        State::new(&self.stack, &self.namespace, &self.cluster, self.lineage.clone())
    }
}

/// What is about to be done to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IntentAction {
    /// It is made.
    Create,
    /// Some of its fields are written, or only its record.
    Update,
    /// It comes into state.
    Adopt,
    /// It is deleted and made anew.
    Replace,
    /// It is deleted.
    Delete,
    /// It leaves the state; the cluster is not asked for anything.
    Forget,
}

/// One line of the plan, with all that is needed to settle it later without the stack file of the time.
#[derive(Debug, Clone, PartialEq)]
pub struct Intent {
    /// The resource.
    pub object: ObjectRef,
    /// Its address.
    pub address: Address,
    /// API version to speak of it in.
    pub api_version: String,
    /// What is about to be done.
    pub action: IntentAction,
    /// Digest of the desired object (keyed for Secrets); `None` where it is to go.
    pub desired: Option<Digest>,
    /// uid of the live object that the plan saw; `None`: it did not exist.
    pub uid: Option<String>,
    /// Its resource version. A live object that still has it was not written.
    pub resource_version: Option<String>,
    /// True if the snapshot has an entry for it.
    pub recorded: bool,
    /// The resources it comes after; goes into the entry.
    pub depends_on: Vec<ObjectRef>,
    /// Whether it refuses delete and replace; goes into the entry.
    pub protect: bool,
}

/// How a write ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// It is done.
    Done,
    /// It was refused, so nothing was written.
    Failed,
    /// It may or may not have happened.
    Unknown,
}

/// What a result does to the state.
#[derive(Debug, Clone, PartialEq)]
pub enum Recording {
    /// The object is recorded so from now on.
    Put(Box<Entry>),
    /// The object is recorded no longer.
    Remove,
    /// What is recorded stays.
    Unchanged,
}

/// What came of an intent. A later result for the same object takes the place of an earlier one.
#[derive(Debug, Clone, PartialEq)]
pub struct JournalResult {
    /// The resource.
    pub object: ObjectRef,
    /// uid of the object that was written or deleted, where it is known.
    pub uid: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// What it does to the state.
    pub recording: Recording,
}
