//! `mathison apply` and `mathison destroy`: plan, ask, lock, walk, record, verify.

use std::io;

use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};

use super::approve::{approve, nobody_to_ask};
use super::plan::refused;
use super::prepare::{Prepared, Purpose, prepare};
use super::record::{Identity, Recorder};
use super::session::{Intention, open_with_store, state_failure};
use super::talk::Streams;
use super::walk::{self, Way};
use super::{Ended, Stopped};
use crate::apply::{Options, Stop};
use crate::cli::{self, ClusterRequest, Environment, PolicyRequest, RunRequest, StackRequest};
use crate::event::Event;
use crate::failure::{ExitStatus, Failure};
use crate::plan::Plan;
use crate::report::{self, Palette, Reporter};
use crate::state::LockedStore;

/// All of a call's words.
pub(super) struct Call {
    pub(super) stack: StackRequest,
    pub(super) cluster: ClusterRequest,
    pub(super) policy: PolicyRequest,
    pub(super) run: RunRequest,
    pub(super) destroy: bool,
}

impl Call {
    /// Returns the command's own word.
    pub(super) fn word(&self) -> &'static str {
        if self.destroy { "destroy" } else { "apply" }
    }
}

pub(super) async fn apply(call: Call, environment: &Environment, streams: &Streams) -> Ended {
    if !call.run.auto_approve && !streams.talk.can_ask {
        // Said before anything is asked of a cluster: a run that could never go on should not begin.
        return Err(nobody_to_ask().into());
    }
    let (mut session, store) = open_with_store(&call.stack, &call.cluster, Intention::Write, streams).await?;
    streams.say(&report::header_text(&session.header, &streams.talk_options()));
    let identity = identity(&call);
    let locked = store.lock(&identity.lock_record()).map_err(|error| state_failure(&error))?;
    // Under the lock it is read again: another run may have ended in between, also one that destroyed the stack.
    session.take(locked.load().map_err(|error| state_failure(&error))?)?;
    locked.check_writable().map_err(|error| state_failure(&error))?;
    super::settle::tell(session.interrupted.as_ref(), streams);
    let purpose = if call.destroy { Purpose::Destroy } else { Purpose::Apply };
    let prepared = prepare(session, &call.policy, purpose, environment).await?;
    let plan = &prepared.plan;
    show(plan, &prepared.session.kubectl, &call, streams)?;
    if let Some(failure) = refused(plan) {
        return Err(failure.into());
    }
    check_digest(plan, &call)?;
    if plan.has_changes() && !call.run.auto_approve {
        let question = report::prompt(plan, &prepared.session.header, &streams.talk_options());
        if !approve(&question, streams)? {
            streams.insist("not approved: only `yes` approves; nothing was written\n");
            return Ok(ExitStatus::Error);
        }
    }
    carry_out(&prepared, locked, &call, &identity, streams).await
}

fn identity(call: &Call) -> Identity {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    Identity {
        user: call.run.user.clone(),
        host,
        command: format!("mathison {} {}", call.word(), call.stack.file.display()),
        run_id: format!("{:016x}", rand::random::<u64>()),
        started: Timestamp::now(),
    }
}

fn show(plan: &Plan, kubectl: &str, call: &Call, streams: &Streams) -> Result<(), Stopped> {
    // Nobody can approve what was not shown.
    let is_asked_about = !call.run.auto_approve && plan.has_changes();
    let is_quiet = streams.talk.verbosity < 0;
    if call.run.json || is_quiet {
        if is_asked_about || !is_quiet {
            streams.insist(&report::plan_text(plan, kubectl, &streams.talk_options()));
        }
        return Ok(());
    }
    match streams.data(&report::plan_text(plan, kubectl, &streams.data_options())) {
        // Whoever read it went away. What is approved goes on; what is not was not read to its end.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe && !is_asked_about => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            Err(Failure::new(ExitStatus::Error, "the plan could not be shown to its end; nothing was written")
                .hinted("`--auto-approve` applies it unread")
                .into())
        }
        result => Ok(result?),
    }
}

fn check_digest(plan: &Plan, call: &Call) -> Result<(), Failure> {
    let Some(wanted) = &call.run.plan_digest else { return Ok(()) };
    let found = report::plan_digest(plan).to_string();
    if *wanted == found {
        return Ok(());
    }
    Err(Failure::new(
        ExitStatus::Stale,
        format!("the plan is {found}, not {wanted} as was reviewed; nothing was written"),
    )
    .hinted(
        "the stack or the cluster moved since the review: read the plan as it is now, then give the digest named here",
    ))
}

async fn carry_out(
    prepared: &Prepared,
    locked: LockedStore,
    call: &Call,
    identity: &Identity,
    streams: &Streams,
) -> Ended {
    let plan = &prepared.plan;
    let session = &prepared.session;
    let mut recorder = Recorder::begin(locked, session, plan, identity)?;
    let (events, heard) = mpsc::unbounded_channel();
    let reporting = tokio::spawn(report_events(heard, reporter(call, streams)));
    let retries = events.clone();
    let cluster = session.cluster.observing_retries(move |notice| {
        let _ = retries
            .send(Event::Note { text: format!("{}; asking again in {:.1}s", notice.why, notice.delay.as_secs_f32()) });
    });
    let mut record = |fact| recorder.record(fact);
    let options = Options {
        timeout: call.run.timeout,
        wait: !call.run.no_wait,
        run_checks: !call.run.skip_checks && !call.destroy,
        parallelism: call.cluster.parallelism,
    };
    let way = Way { cluster, options, stop: watch_for_interrupts(), events };
    let outcome = walk::carry_out(prepared, way, &mut record).await;
    let saved = recorder.finish(prepared, walk::is_settled(&outcome));
    let summary = walk::summary(plan, saved.is_ok() && outcome.record_error.is_none());
    if let Ok((mut reporter, result)) = reporting.await
        && let Err(error) = result.and_then(|()| reporter.finish(&summary))
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        // The work is done and recorded all the same.
        streams.insist(&format!("warning: not all of the progress could be written: {error}\n"));
    }
    saved?;
    if let Some(why) = &outcome.record_error {
        return Err(Failure::new(ExitStatus::Error, format!("results could not be recorded: {why}"))
            .hinted("free the disk and run the same command again: what was written is found by looking")
            .into());
    }
    Ok(walk::status(&outcome, call.run.require_all))
}

fn reporter(call: &Call, streams: &Streams) -> Reporter {
    let palette = if streams.talk.color_stderr { Palette::color() } else { Palette::plain() };
    if call.run.json {
        Reporter::json(Box::new(io::stdout()))
    } else if streams.talk.verbosity < 0 {
        Reporter::quiet(Box::new(io::stderr()), palette)
    } else if streams.talk.live {
        Reporter::tree(Box::new(io::stderr()), cli::terminal_width, palette)
    } else {
        Reporter::lines(Box::new(io::stderr()), palette)
    }
}

/// Shows events until nobody can send any more. A reader that went away does not stop the run.
async fn report_events(
    mut heard: mpsc::UnboundedReceiver<Event>,
    mut reporter: Reporter,
) -> (Reporter, io::Result<()>) {
    let mut result = Ok(());
    while let Some(event) = heard.recv().await {
        if let Err(error) = reporter.report(&event) {
            result = Err(error);
        }
    }
    (reporter, result)
}

/// The first Ctrl-C (or SIGTERM) finishes what is in flight, the second ends the run.
fn watch_for_interrupts() -> watch::Receiver<Stop> {
    let (tell, told) = watch::channel(Stop::No);
    tokio::spawn(async move {
        // Made once: a listener made for each turn would miss a signal that comes between two of them.
        let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        else {
            return;
        };
        for stop in [Stop::Finish, Stop::Now] {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if tell.send(stop).is_err() {
                return;
            }
        }
        // Kept so that the receiver never sees a closed channel while the run lasts.
        tell.closed().await;
    });
    told
}
