//! `mathison verify`: runs the checks of a stack alone.

use std::time::Duration;

use futures::StreamExt as _;
use tokio::time::Instant;

use super::Ended;
use super::session::{Intention, Session, open};
use super::talk::Streams;
use crate::apply::{AskContext, FindSecret, ask};
use crate::cli::{ClusterRequest, StackRequest};
use crate::failure::{ExitStatus, Failure};
use crate::report;
use crate::verify::{Check, CheckOutcome, CheckResult};

/// How the checks are run and shown.
pub(super) struct Form {
    pub(super) json: bool,
    pub(super) require_all: bool,
    pub(super) timeout: Duration,
    pub(super) disruptive: bool,
}

/// Checks under way at once: each may be a shell in a pod.
const AT_ONCE: usize = 8;

pub(super) async fn verify(stack: &StackRequest, cluster: &ClusterRequest, form: Form, streams: &Streams) -> Ended {
    let session = open(stack, cluster, Intention::Write, streams).await?;
    streams.say(&report::header_text(&session.header, &streams.talk_options()));
    let results = run(&session, &form, streams).await?;
    if form.json {
        streams.data(&report::verify_json(&results))?;
    } else {
        streams.data(&report::verify_text(&results, &streams.data_options()))?;
    }
    Ok(status(&results, form.require_all))
}

/// The exit code of a set of checks.
pub(super) fn status(results: &[CheckResult], require_all: bool) -> ExitStatus {
    let bad = results.iter().any(|result| match result.outcome {
        CheckOutcome::Failed(_) => true,
        CheckOutcome::Skipped(_) => require_all,
        CheckOutcome::Passed => false,
    });
    if bad { ExitStatus::VerificationFailed } else { ExitStatus::Done }
}

async fn run(session: &Session, form: &Form, streams: &Streams) -> Result<Vec<CheckResult>, Failure> {
    let observation = session.observe().await?;
    let find_secret: FindSecret = super::record::live_secrets(&observation);
    let declared = super::record::declared(&session.stack);
    let Form { timeout, disruptive, .. } = *form;
    let context = AskContext { declared: &declared, find_secret: &find_secret, timeout, disruptive };
    let (disturbing, calm): (Vec<&Check>, Vec<&Check>) =
        session.stack.checks.values().partition(|check| check.disruptive);
    let asked = async |check: &Check| {
        let began = Instant::now();
        let outcome = ask(&session.cluster, check, &context).await;
        CheckResult { name: check.name.clone(), outcome, elapsed: began.elapsed() }
    };
    let calm = futures::stream::iter(calm.into_iter().map(&asked));
    let mut results: Vec<CheckResult> = calm.buffer_unordered(AT_ONCE).collect().await;
    // What disturbs a service comes when nobody asks it anything else, one after the other.
    for check in disturbing {
        if disruptive {
            let name = &check.name;
            streams.say(&format!("asking `{name}`: a pod may be deleted, and is waited for up to 5 minutes\n"));
        }
        results.push(asked(check).await);
    }
    results.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(results)
}
