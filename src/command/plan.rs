//! `mathison plan`: shows what an apply would do.

use super::Ended;
use super::prepare::{Purpose, prepare};
use super::session::{Intention, open};
use super::talk::Streams;
use crate::cli::{ClusterRequest, Environment, PolicyRequest, StackRequest};
use crate::failure::{ExitStatus, Failure};
use crate::plan::{Action, Plan, Reason};
use crate::report;

/// What the caller wants to see.
pub(super) struct Form {
    pub(super) detailed_exitcode: bool,
    pub(super) json: bool,
}

pub(super) async fn plan(
    stack: &StackRequest,
    cluster: &ClusterRequest,
    policy: &PolicyRequest,
    form: Form,
    environment: &Environment,
    streams: &Streams,
) -> Ended {
    let session = open(stack, cluster, Intention::Look, streams).await?;
    streams.say(&report::header_text(&session.header, &streams.talk_options()));
    super::settle::tell(session.interrupted.as_ref(), streams);
    let prepared = prepare(session, policy, Purpose::Look, environment).await?;
    if form.json {
        streams.data(&report::plan_json(&prepared.plan))?;
    } else {
        streams.data(&report::plan_text(&prepared.plan, &prepared.session.kubectl, &streams.data_options()))?;
        streams.say(&format!("plan digest: {}\n", report::plan_digest(&prepared.plan)));
    }
    if let Some(failure) = refused(&prepared.plan) {
        return Err(failure.into());
    }
    let pending = form.detailed_exitcode && prepared.plan.has_changes();
    // The process ends with this. Taking the tens of thousands of small values of a large stack apart one by one, right
    // before the memory goes back as a whole, was a twelfth of a plan without changes. The stack's key is still overwritten.
    std::mem::forget((prepared.session.stack, prepared.session.state, prepared.plan, prepared.observation));
    Ok(if pending { ExitStatus::Pending } else { ExitStatus::Done })
}

/// Returns why a plan cannot be applied, if it refuses anything.
pub(super) fn refused(plan: &Plan) -> Option<Failure> {
    let refused: Vec<_> = plan.changes.iter().filter(|change| change.action == Action::Refuse).collect();
    let first = refused.first()?;
    let protected = refused.iter().any(|change| matches!(change.reason, Reason::Protected | Reason::HoldsData));
    let status = if protected { ExitStatus::Protected } else { ExitStatus::Error };
    let what = match refused.len() {
        1 => format!("{} cannot be changed as the stack asks; nothing was written", first.address),
        count => format!("{count} resources cannot be changed as the stack asks; nothing was written"),
    };
    let mut failure = Failure::new(status, what);
    // The plan was shown, and says more; but not with `-q`, and not to who reads standard error alone.
    failure.chain.extend(refused.iter().map(|change| report::refusal(change)));
    Some(failure.hinted("the plan says for each what to do about it"))
}
