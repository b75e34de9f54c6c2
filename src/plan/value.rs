//! The [`Plan`] value: everything an apply will do, in a stable order, and what it was decided on.

use std::collections::BTreeMap;

use crate::diff::{Attribution, FieldChange};
use crate::graph::NodeId;
use crate::live::ClusterIdentity;
use crate::resource::{Address, Digest, Manifest, ObjectRef};
use crate::ssa::FieldSet;
use crate::state::{Lineage, Serial};

/// What will be done to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Nothing.
    NoChange,
    /// It is made.
    Create,
    /// Some of its fields are written.
    Update,
    /// It exists, is ours by label and manager or by the operator's word, and comes into state.
    Adopt,
    /// It is deleted.
    Delete,
    /// It would be deleted, but is kept: see the reason.
    Keep,
    /// It is dropped from state only: it is gone already.
    Forget,
    /// Nothing may be done: see the reason. Apply stops before any write.
    Refuse,
}

/// Why that is done.
#[derive(Debug, Clone, PartialEq)]
pub enum Reason {
    /// The file and the cluster agree.
    UpToDate,
    /// The file and the cluster agree, but it does not do what it should; why. An apply waits for it, as for what it
    /// writes: a run that was cut short is not made good by being run again.
    NotReady(String),
    /// It does not exist.
    Missing,
    /// It was recorded, and is gone from the cluster.
    Vanished,
    /// The file asks for something else than was applied.
    DesiredChanged,
    /// Somebody changed fields that we applied.
    TakeBack,
    /// Both.
    DesiredChangedAndTakeBack,
    /// It carries the stack's label and our manager's fields, but is not recorded.
    OursByLabel,
    /// The operator named it in `--adopt`.
    AdoptionAsked,
    /// The recorded object was deleted and one of the same name made anew (another uid).
    Recreated,
    /// It left the file.
    LeftTheFile,
    /// The whole stack is destroyed.
    Destroy,
    /// It holds data: it is kept by default, or may only go where the operator allows that.
    HoldsData,
    /// It is a namespace that we did not make.
    UsedNamespace,
    /// It is recorded as ours, but no longer carries our field manager or uid.
    NoLongerOurs,
    /// `protect: true`.
    Protected,
    /// It exists, is not recorded, and is somebody else's.
    TakenByOthers {
        /// Whose: another stack's label, or field managers.
        owner: String,
    },
    /// Fields that another manager owns and that we never applied.
    Conflict(Vec<Conflict>),
    /// The server refused the dry run, or would: the object does not fit its schema.
    Rejected(String),
    /// Somebody deleted it, and it waits for its finalizers.
    BeingDeleted,
    /// The server does not know the kind and the stack does not define it.
    UnknownKind,
    /// It could not be read.
    Unreadable(String),
    /// Only our record of it is out of date, not the object.
    RecordOnly,
}

/// A field that is in another manager's hand.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Conflict {
    /// Field path.
    pub field: String,
    /// Whose it is.
    pub by: Attribution,
}

/// How sure the plan is of the result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Certainty {
    /// Computed here, and certain.
    Proved,
    /// The server's own answer to a dry run.
    Server,
    /// Computed from the schema.
    SchemaOnly,
    /// Known after the apply; why.
    AfterApply(String),
}

impl Certainty {
    /// Why the result of a create is known only after it.
    pub const DEFAULTS: &'static str = "defaults";
}

/// What an action brings about beside the fields.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Consequence {
    /// Pods of this workload are replaced.
    PodsRestart {
        /// How many replicas.
        replicas: i64,
    },
    /// A workload uses this object, and will not notice the change.
    PodsDoNotRestart {
        /// The workload.
        workload: Address,
    },
    /// A volume claim survives and its data with it.
    VolumeKept {
        /// Name of the claim, or of the template it comes from.
        claim: String,
    },
    /// Free text, such as what else is deleted with the object.
    Note(String),
}

/// What must still hold right before the write.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Precondition {
    /// uid of the live object that the plan saw; `None`: it did not exist.
    pub uid: Option<String>,
    /// Its resource version.
    pub resource_version: Option<String>,
    /// Digest of the live values of the fields that the plan is about.
    pub concerned: Option<Digest>,
    /// Those fields. The paths of the diff are for people: a name with a dot in it cannot be read back from them.
    pub concerned_fields: FieldSet,
}

/// One line of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The resource.
    pub address: Address,
    /// Its identity.
    pub object: ObjectRef,
    /// API version to speak of it in.
    pub api_version: String,
    /// What will be done.
    pub action: Action,
    /// Why.
    pub reason: Reason,
    /// Field by field, live against predicted; masked.
    pub diff: Vec<FieldChange>,
    /// Conflicts that this change may force, each granted or taken back.
    pub forced: Vec<Conflict>,
    /// What else happens.
    pub consequences: Vec<Consequence>,
    /// How sure the result is.
    pub certainty: Certainty,
    /// What must still hold.
    pub precondition: Precondition,
    /// The object to send, for everything that is desired. Never leaves memory: reports and files have their own forms.
    pub manifest: Option<Manifest>,
    /// Nodes that must be done first.
    pub depends_on: Vec<NodeId>,
    /// The identities among them, for state.
    pub depends_on_objects: Vec<ObjectRef>,
    /// Digest of the desired object, keyed for Secrets; recorded after the write.
    pub desired: Option<Digest>,
    /// Refuses delete and replace; recorded after the write.
    pub protect: bool,
}

/// What a plan was decided on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// Stack name.
    pub stack: String,
    /// Stack namespace.
    pub namespace: String,
    /// Digest of the stack.
    pub stack_digest: Digest,
    /// The cluster.
    pub cluster: ClusterIdentity,
    /// Line of state snapshots, `None` where no state exists yet.
    pub lineage: Option<Lineage>,
    /// Number of the snapshot.
    pub serial: Serial,
}

/// What should run or happen.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What it was decided on.
    pub base: Base,
    /// True for `destroy`.
    pub destroy: bool,
    /// The changes in the graph's order; deletes last, backwards.
    pub changes: Vec<Change>,
    /// The checks that follow, with what they wait for.
    pub checks: BTreeMap<String, Vec<NodeId>>,
    /// True if the apply records that manifests came from outside.
    pub with_extra_manifests: bool,
    /// Remarks about the whole, each a sentence.
    pub warnings: Vec<String>,
}

/// How many of each action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the names of the actions")]
pub struct Counts {
    pub create: usize,
    pub update: usize,
    pub adopt: usize,
    pub delete: usize,
    pub keep: usize,
    pub forget: usize,
    pub refuse: usize,
    pub unchanged: usize,
}

impl Plan {
    /// Counts the actions.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for change in &self.changes {
            match change.action {
                Action::NoChange => counts.unchanged += 1,
                Action::Create => counts.create += 1,
                Action::Update => counts.update += 1,
                Action::Adopt => counts.adopt += 1,
                Action::Delete => counts.delete += 1,
                Action::Keep => counts.keep += 1,
                Action::Forget => counts.forget += 1,
                Action::Refuse => counts.refuse += 1,
            }
        }
        counts
    }

    /// Tells whether an apply would write to the cluster, or drop a record. What is kept is no change, and a record that is
    /// brought up to date ([`Reason::RecordOnly`]) needs nobody's approval.
    #[must_use]
    pub fn has_changes(&self) -> bool {
        self.changes.iter().any(|change| !matches!(change.action, Action::NoChange | Action::Keep))
    }
}
