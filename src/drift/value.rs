//! What a drift run found.

use crate::diff::{FieldChange, Shown};
use crate::plan::Base;
use crate::resource::{Address, ObjectRef};

/// How a field differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DriftKind {
    /// Somebody else changed it: live differs from recorded.
    Drift,
    /// We changed it: desired differs from recorded.
    Pending,
    /// Both.
    Both,
    /// Somebody set a field that we do not declare.
    Added,
}

/// One field that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldDrift {
    /// How.
    pub kind: DriftKind,
    /// Recorded value before, live value after, and whose hand it was.
    pub change: FieldChange,
    /// What the file asks for now, where that differs from what was recorded.
    pub desired: Option<Shown>,
    /// The reason of the mute that covers it, and the last day on which it does.
    pub muted: Option<(String, String)>,
}

/// How a resource stands.
#[derive(Debug, Clone, PartialEq)]
pub enum ResourceState {
    /// As recorded.
    Clean,
    /// Some fields differ.
    Changed(Vec<FieldDrift>),
    /// It is gone.
    Deleted,
    /// It was deleted and made anew by somebody.
    Recreated,
    /// It is in the file, but was never applied.
    NotApplied,
    /// It is recorded, but no longer in the file.
    LeftTheFile,
    /// It could not be read; why.
    Unreadable(String),
}

/// One resource.
#[derive(Debug, Clone, PartialEq)]
pub struct ResourceDrift {
    /// Its address.
    pub address: Address,
    /// Its identity.
    pub object: ObjectRef,
    /// How it stands.
    pub state: ResourceState,
    /// True if fields that others added count as drift here.
    pub exclusive: bool,
}

/// All of it.
#[derive(Debug, Clone, PartialEq)]
pub struct DriftReport {
    /// What was compared.
    pub base: Base,
    /// The resources in the order of their addresses.
    pub resources: Vec<ResourceDrift>,
}
