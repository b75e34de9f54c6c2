//! One command a file: wiring, no logic of its own.

mod apply;
mod approve;
mod drift;
mod fill;
mod graph;
mod load;
mod output;
mod plan;
mod prepare;
mod record;
mod render;
mod session;
mod settle;
mod talk;
mod validate;
mod verify;

use std::io;

use crate::cli::{Environment, Request, RequestAction};
use crate::failure::{ExitStatus, Failure};
use talk::Streams;

/// Runs a command to its end and returns the exit code. Everything that went wrong has been told by then.
#[must_use]
pub fn run(request: Request, environment: &Environment) -> ExitStatus {
    let streams = Streams { talk: request.talk };
    match dispatch(request.action, environment, &streams) {
        Ok(status) => status,
        Err(Stopped::Failed(failure)) => {
            streams.insist(&failure.render());
            failure.status
        }
        // Whoever read our output went away: that is their decision, and no error.
        Err(Stopped::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitStatus::Done,
        Err(Stopped::Output(error)) => {
            streams.insist(&format!("error: failed to write to standard output: {error}\n"));
            ExitStatus::Error
        }
    }
}

/// Why a command ended early.
enum Stopped {
    Failed(Failure),
    Output(io::Error),
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

type Ended = Result<ExitStatus, Stopped>;

fn dispatch(action: RequestAction, environment: &Environment, streams: &Streams) -> Ended {
    match action {
        RequestAction::Validate(stack) => validate::validate(&stack, streams),
        RequestAction::Render { stack, out } => render::render(&stack, out.as_deref(), streams),
        RequestAction::Graph { stack, form } => graph::graph(&stack, form, streams),
        RequestAction::Schema => {
            streams.data(&format!("{:#}\n", crate::stack::json_schema()))?;
            Ok(ExitStatus::Done)
        }
        RequestAction::Output { stack, cluster, name, show_secrets, json } => {
            let wanted = output::Wanted { name, show_secrets, json };
            block_on(output::output(&stack, &cluster, &wanted, environment, streams))
        }
        RequestAction::Plan { stack, cluster, policy, detailed_exitcode, json } => block_on(plan::plan(
            &stack,
            &cluster,
            &policy,
            plan::Form { detailed_exitcode, json },
            environment,
            streams,
        )),
        RequestAction::Apply { stack, cluster, policy, run, destroy } => {
            block_on(apply::apply(apply::Call { stack, cluster, policy, run, destroy }, environment, streams))
        }
        RequestAction::Drift { stack, cluster, json } => {
            block_on(drift::drift(&stack, &cluster, json, environment, streams))
        }
        RequestAction::Verify { stack, cluster, json, require_all, timeout } => {
            let form = verify::Form { json, require_all, timeout };
            block_on(verify::verify(&stack, &cluster, form, environment, streams))
        }
    }
}

/// Runs an async command on two threads: one talks to the cluster while the other parses.
fn block_on(command: impl Future<Output = Ended>) -> Ended {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::because(ExitStatus::Error, "failed to start the async runtime", &error))?;
    let ended = runtime.block_on(command);
    // A follower of a watch may still sit in a read; nothing it could say matters any more.
    runtime.shutdown_background();
    ended
}
