//! `mathison plan`: shows what an apply would do.

use super::Ended;
use super::prepare::{Purpose, prepare};
use super::session::open;
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
    let session = open(stack, cluster, streams).await?;
    streams.say(&report::header_text(&session.header, &streams.talk_options()));
    super::settle::tell(session.interrupted.as_ref(), streams);
    let prepared = prepare(session, policy, Purpose::Look, environment).await?;
    if form.json {
        streams.data(&report::plan_json(&prepared.plan))?;
    } else {
        streams.data(&report::plan_text(&prepared.plan, &streams.data_options()))?;
        streams.say(&format!("plan digest: {}\n", report::plan_digest(&prepared.plan)));
    }
    if let Some(failure) = refused(&prepared.plan) {
        return Err(failure.into());
    }
    let pending = form.detailed_exitcode && prepared.plan.has_changes();
    Ok(if pending { ExitStatus::Pending } else { ExitStatus::Done })
}

/// Returns why a plan cannot be applied, if it refuses anything.
pub(super) fn refused(plan: &Plan) -> Option<Failure> {
    let refused: Vec<_> = plan.changes.iter().filter(|change| change.action == Action::Refuse).collect();
    let first = refused.first()?;
    let protected = refused.iter().any(|change| change.reason == Reason::Protected);
    let status = if protected { ExitStatus::Protected } else { ExitStatus::Error };
    let what = match refused.len() {
        1 => format!("{} cannot be changed as the stack asks; nothing was written", first.address),
        count => format!("{count} resources cannot be changed as the stack asks; nothing was written"),
    };
    Some(Failure::new(status, what).maybe_hinted(hint(&first.reason, &first.address.to_string())))
}

fn hint(reason: &Reason, address: &str) -> Option<String> {
    Some(match reason {
        Reason::TakenByOthers { .. } => {
            format!("rename it in the stack, or take the existing object over with `--adopt {address}`")
        }
        Reason::Conflict(conflicts) => {
            let manager = conflicts.first().map_or("MANAGER", |conflict| conflict.by.manager.as_str());
            format!("take the fields over with `--grant {manager}`, or leave them to it under `ignore` in the stack")
        }
        Reason::Protected => "take `protect` off it, apply, and then remove it".to_owned(),
        Reason::UnknownKind => {
            "check `apiVersion` and `kind`, or add the CustomResourceDefinition to the stack".to_owned()
        }
        Reason::Unreadable(_) => "ask for the right to get it, then plan again".to_owned(),
        _ => return None,
    })
}
