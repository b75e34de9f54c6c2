//! Walking what was prepared: what a walk needs of a session, and how a run is judged by where the walk ended.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::prepare::Prepared;
use super::{record, verify};
use crate::apply::{Options, Outcome, Record, Stop, Walk};
use crate::cluster::Cluster;
use crate::event::{Event, ResourceEnd};
use crate::failure::ExitStatus;
use crate::plan::Plan;
use crate::report::Summary;
use crate::resource::{STACK_LABEL, stack_label};

/// How a plan is walked.
pub(super) struct Way {
    pub(super) cluster: Cluster,
    pub(super) options: Options,
    pub(super) stop: watch::Receiver<Stop>,
    /// Where facts are told.
    pub(super) events: mpsc::UnboundedSender<Event>,
}

/// Carries a plan out.
pub(super) async fn carry_out(
    prepared: &Prepared,
    way: Way,
    record: &mut (dyn FnMut(Record) -> Result<(), String> + Send),
) -> Outcome {
    let stack = &prepared.session.stack;
    crate::apply::run(Walk {
        cluster: way.cluster,
        plan: &prepared.plan,
        label: (STACK_LABEL.to_owned(), stack_label(&stack.name, &stack.namespace)),
        checks: &stack.checks,
        declared: Arc::new(record::declared(stack)),
        keyed: Arc::clone(&prepared.keyed),
        find_secret: record::desired_secrets(stack),
        options: way.options,
        stop: way.stop,
        events: way.events,
        record,
    })
    .await
}

/// Tells whether it is known what came of every write, and all of it is recorded.
pub(super) fn is_settled(outcome: &Outcome) -> bool {
    outcome.record_error.is_none() && !outcome.ends.values().any(|(_, end)| matches!(end, ResourceEnd::Unknown(_)))
}

/// What the last line of a run is made of.
pub(super) fn summary(plan: &Plan, recorded: bool) -> Summary {
    let counts = plan.counts();
    Summary { destroy: plan.destroy, unchanged: counts.unchanged, kept: counts.keep, recorded }
}

/// The exit code of a run: an interruption weighs more than what failed (it may be why), that more than what moved, that
/// more than checks.
pub(super) fn status(outcome: &Outcome, require_all: bool) -> ExitStatus {
    let any = |test: fn(&ResourceEnd) -> bool| outcome.ends.values().any(|(_, end)| test(end));
    if outcome.interrupted {
        ExitStatus::Interrupted
    } else if any(|end| matches!(end, ResourceEnd::Failed(_) | ResourceEnd::NotReady(_) | ResourceEnd::Unknown(_))) {
        ExitStatus::Error
    } else if any(|end| matches!(end, ResourceEnd::Moved(_))) {
        ExitStatus::Stale
    } else {
        verify::status(&outcome.checks, require_all)
    }
}
