//! Walking a plan: node by node, each the moment what it waits for is done, with no phase barriers.
//!
//! One loop ([`run`]) starts tasks, hears what they did and records it; the tasks talk to the cluster. Nothing here decides
//! what to do: that stands in the plan.

mod ask;
mod entry;
mod order;
mod remove;
mod sight;
mod task;
#[cfg(test)]
mod tests;
mod wait;
mod walk;
mod write;

pub use ask::{AskContext, ask};
pub use entry::{recorded_entry, settled_entry};
pub use walk::run;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{mpsc, watch};

use crate::cluster::Cluster;
use crate::event::{Event, ResourceEnd};
use crate::plan::{Action, Plan};
use crate::resource::{Address, Manifest, ObjectRef};
use crate::secret::SecretValue;
use crate::state::Entry;
use crate::verify::{Check, CheckResult};

/// Replaces every value of a Secret by its keyed digest.
pub type Keyed = Arc<dyn Fn(&Value) -> Value + Send + Sync>;

/// Finds the value of a Secret's key, for checks that need a password.
pub type FindSecret = Arc<dyn Fn(&ObjectRef, &str) -> Option<SecretValue> + Send + Sync>;

/// Whether somebody asked the run to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    /// Nobody did.
    No,
    /// Finish the requests that are in flight; start nothing, and wait for nothing that is written.
    Finish,
    /// End now.
    Now,
}

/// How a plan is walked.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long to wait for one resource to become ready, or to be gone.
    pub timeout: Duration,
    /// Wait for readiness.
    pub wait: bool,
    /// Run the checks at the end.
    pub run_checks: bool,
    /// Writes under way at once.
    pub parallelism: usize,
}

/// Something to record, right after it happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The object.
    pub object: ObjectRef,
    /// What happened to it.
    pub fact: Fact,
}

/// What happened to an object.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    /// It was written, and this is to be recorded of it.
    Applied(Box<Entry>),
    /// It is gone, or no longer ours.
    Removed,
    /// The write was refused; nothing changed.
    Failed(String),
    /// Nobody knows whether the write happened.
    Unknown(String),
}

/// Everything a walk needs.
pub struct Walk<'a> {
    /// The cluster.
    pub cluster: Cluster,
    /// What to do.
    pub plan: &'a Plan,
    /// The label that the stack's objects carry, by which they are watched.
    pub label: (String, String),
    /// The checks, by name.
    pub checks: &'a BTreeMap<String, Check>,
    /// The stack's manifests, for checks that compare with them.
    pub declared: Arc<BTreeMap<ObjectRef, Manifest>>,
    /// Digests of Secrets' values.
    pub keyed: Keyed,
    /// Values that checks need.
    pub find_secret: FindSecret,
    /// How to go about it.
    pub options: Options,
    /// Asked to stop.
    pub stop: watch::Receiver<Stop>,
    /// Where facts are told.
    pub events: mpsc::UnboundedSender<Event>,
    /// Writes a record down; the walk stops where that fails.
    pub record: &'a mut (dyn FnMut(Record) -> Result<(), String> + Send),
}

/// How a walk ended.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outcome {
    /// How each resource that was to be touched ended.
    pub ends: BTreeMap<Address, (Action, ResourceEnd)>,
    /// The checks that ran, in the order in which they ended.
    pub checks: Vec<CheckResult>,
    /// Somebody asked to stop.
    pub interrupted: bool,
    /// Why nothing could be recorded any more.
    pub record_error: Option<String>,
}
