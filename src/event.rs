//! Every fact that a stage may report while it works.

use std::time::Duration;

use crate::plan::Action;
use crate::resource::Address;
use crate::verify::CheckOutcome;

/// A fact about a run. Started and finished come in pairs; the outcome of a run is returned as a value too, never
/// scraped from events.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The walk of the plan begins.
    RunStarted {
        /// Resources that will be written, deleted, recorded or waited for.
        resources: usize,
        /// Checks that will run.
        checks: usize,
    },
    /// Work on a resource begins.
    ResourceStarted {
        /// The resource.
        address: Address,
        /// What is done.
        action: Action,
    },
    /// The write was answered; now it is waited for.
    ResourceWritten {
        /// The resource.
        address: Address,
    },
    /// Still waiting, and why: soon after the write, then every ten seconds.
    ResourceWaiting {
        /// The resource.
        address: Address,
        /// The cause, a fragment.
        why: String,
        /// Since the write.
        elapsed: Duration,
    },
    /// Work on a resource ended.
    ResourceFinished {
        /// The resource.
        address: Address,
        /// What was done.
        action: Action,
        /// How it ended.
        end: ResourceEnd,
        /// From start to end.
        elapsed: Duration,
    },
    /// A check begins.
    CheckStarted {
        /// Its name.
        name: String,
    },
    /// A check ended.
    CheckFinished {
        /// Its name.
        name: String,
        /// How.
        outcome: CheckOutcome,
        /// From start to end.
        elapsed: Duration,
    },
    /// Somebody asked to stop; what is in flight is finished.
    Stopping {
        /// Resources and checks in flight.
        in_flight: usize,
    },
    /// Something worth a line that is no failure.
    Note {
        /// A sentence.
        text: String,
    },
    /// The walk ended.
    RunFinished {
        /// From start to end.
        elapsed: Duration,
    },
}

/// How work on one resource ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResourceEnd {
    /// Done, and recorded.
    Done,
    /// It failed; why.
    Failed(String),
    /// It is as it should be, and recorded, but does not do what it should; why.
    NotReady(String),
    /// The live object is no longer what the plan saw.
    Moved(String),
    /// Not tried, since what it waits for is not done.
    Skipped {
        /// What it waits for.
        because_of: String,
    },
    /// Not tried, since the run was stopped.
    NotStarted,
    /// The write may or may not have happened.
    Unknown(String),
}
