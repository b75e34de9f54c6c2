//! One command a file: wiring, no logic of its own.

mod apply;
mod approve;
mod consulted;
mod drift;
mod fill;
mod graph;
mod load;
mod output;
mod plan;
mod prepare;
mod randomness;
mod record;
mod render;
mod sandbox;
mod session;
mod settle;
pub mod simulation;
mod talk;
mod validate;
mod verify;
mod walk;

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
            let width = if streams.talk.terminal { streams.talk.width } else { usize::MAX };
            streams.insist(&failure.render(width));
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
        RequestAction::ServeSandbox { folder, kubeconfig, controllers, faults, seed } => {
            let serving = sandbox::Serving { kubeconfig, controllers, faults, seed };
            write(sandbox::serve(&folder, &serving, streams))
        }
        RequestAction::ResetSandbox { folder, auto_approve } => sandbox::reset(&folder, auto_approve, streams),
        RequestAction::SandboxStatus { folder, json } => sandbox::status(&folder, json, streams),
        RequestAction::Output { stack, cluster, name, show_secrets, json } => {
            let wanted = output::Wanted { name, show_secrets, json };
            look(output::output(&stack, &cluster, &wanted, streams))
        }
        RequestAction::Plan { stack, cluster, policy, detailed_exitcode, json } => {
            look(plan::plan(&stack, &cluster, &policy, plan::Form { detailed_exitcode, json }, environment, streams))
        }
        RequestAction::Apply { stack, cluster, policy, run, destroy } => {
            write(apply::apply(apply::Call { stack, cluster, policy, run, destroy }, environment, streams))
        }
        RequestAction::Drift { stack, cluster, json } => look(drift::drift(&stack, &cluster, json, streams)),
        RequestAction::Verify { stack, cluster, json, require_all, timeout, disruptive } => {
            let form = verify::Form { json, require_all, timeout, disruptive };
            look(verify::verify(&stack, &cluster, form, streams))
        }
    }
}

/// Runs a command that only looks. It waits for one thing after the other, so that handing its work between threads only
/// costs: thousands of switches, a tenth of the CPU time of a plan.
fn look(command: impl Future<Output = Ended>) -> Ended {
    block_on(tokio::runtime::Builder::new_current_thread(), command)
}

/// Runs a command that writes: what keeps its lock and tells its progress goes on while the state is on its way to the disk.
fn write(command: impl Future<Output = Ended>) -> Ended {
    let mut threads = tokio::runtime::Builder::new_multi_thread();
    threads.worker_threads(2);
    block_on(threads, command)
}

fn block_on(mut threads: tokio::runtime::Builder, command: impl Future<Output = Ended>) -> Ended {
    let runtime = threads
        .enable_all()
        .build()
        .map_err(|error| Failure::because(ExitStatus::Error, "failed to start the async runtime", &error))?;
    let ended = runtime.block_on(command);
    // A follower of a watch may still sit in a read; nothing it could say matters any more.
    runtime.shutdown_background();
    ended
}
