//! The tasks of a run: one change or one check each, from the first request to the end.

use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};
use tokio::time::Instant;

use super::{AskContext, Fact, Record, Stop, ask, remove, wait, write};
use crate::cluster::{Cluster, Watches};
use crate::event::{Event, ResourceEnd};
use crate::plan::{Action, Change};
use crate::verify::{Check, CheckOutcome};

/// How long a failed check is asked again right after an apply, and how often.
const PATIENCE: Duration = Duration::from_secs(10);
const ASK_AGAIN: Duration = Duration::from_millis(250);

/// What a task needs of the run.
#[derive(Clone)]
pub(super) struct Task {
    pub(super) cluster: Cluster,
    pub(super) events: mpsc::UnboundedSender<Event>,
    pub(super) records: mpsc::UnboundedSender<Record>,
    /// The value of the label that our objects carry.
    pub(super) label: String,
    pub(super) watches: Watches,
    pub(super) keyed: super::Keyed,
    pub(super) timeout: Duration,
    pub(super) wait: bool,
    pub(super) started: Instant,
    pub(super) stop: watch::Receiver<Stop>,
}

impl Task {
    /// Tells a fact; a reporter that is gone is no reason to stop.
    pub(super) fn tell(&self, event: Event) {
        let _ = self.events.send(event);
    }

    /// Returns when the run is to stop: what is written by then is not waited for any more.
    pub(super) async fn stopped(&self) {
        if self.stop.clone().wait_for(|stop| *stop != Stop::No).await.is_err() {
            // Nobody can ask any more.
            std::future::pending::<()>().await;
        }
    }

    /// Hands a record to the loop, which writes it down.
    pub(super) fn record(&self, change: &Change, fact: Fact) {
        let _ = self.records.send(Record { object: change.object.clone(), fact });
    }
}

/// Does one change, from the first request to readiness.
pub(super) async fn resource(task: &Task, change: &Change, permit: OwnedSemaphorePermit) -> ResourceEnd {
    task.tell(Event::ResourceStarted { address: change.address.clone(), action: change.action });
    match change.action {
        Action::Create | Action::Update | Action::Adopt => match write::write(task, change, permit).await {
            Ok(live) => {
                task.tell(Event::ResourceWritten { address: change.address.clone() });
                if task.wait { wait::until_ready(task, change, live).await } else { ResourceEnd::Done }
            }
            Err(end) => end,
        },
        Action::Delete => remove::remove(task, change, permit).await,
        Action::Forget => {
            task.record(change, Fact::Removed);
            ResourceEnd::Done
        }
        Action::NoChange => {
            drop(permit);
            wait::until_live_is_ready(task, change).await
        }
        Action::Keep | Action::Refuse => ResourceEnd::Done,
    }
}

/// Asks a check until the answer is good, patience ends or the run is to stop: what was just applied takes effect a moment
/// after it is stored (the API server's authorizer follows roles by watch, endpoints follow pods).
pub(super) async fn check(task: &Task, check: &Check, context: &AskContext<'_>) -> CheckOutcome {
    task.tell(Event::CheckStarted { name: check.name.clone() });
    let end = Instant::now() + PATIENCE;
    loop {
        let outcome = ask(&task.cluster, check, context).await;
        if !matches!(outcome, CheckOutcome::Failed(_)) || Instant::now() + ASK_AGAIN > end {
            return outcome;
        }
        tokio::select! {
            biased;
            () = task.stopped() => return outcome,
            () = tokio::time::sleep(ASK_AGAIN) => {}
        }
    }
}
