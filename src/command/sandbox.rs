//! The embedded control plane: opened for one command, or served for many.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::talk::Streams;
use super::{Ended, approve};
use crate::cli::ClusterRequest;
use crate::cluster::{Cluster, ConnectOptions, Endpoint};
use crate::failure::{ExitStatus, Failure};
use crate::report;
use crate::sandbox::answer::Handler;
use crate::sandbox::disk::{self, Running, find_running};
use crate::sandbox::error::SandboxError;
use crate::sandbox::faults::{Faults, Faulty, SpecError};
use crate::sandbox::plane::{ControlPlane, Options};
use crate::sandbox::server::{self, CONTEXT, InMemory};

const KUBECONFIG: &str = "kubeconfig";
/// What clients learned of the server's kinds.
const CACHE: &str = "cache";
/// What was recorded of applies, unless `--state` named another place.
const STATE: &str = "state";

/// What the header of every plan calls it, so that nobody takes it for a cluster.
pub(super) fn described(folder: &Path) -> String {
    format!("sandbox in {}, runs no containers", folder.display())
}

/// Opens the sandbox for one command: the process that serves it, if there is one, else here.
pub(super) async fn connect(
    folder: &Path,
    request: &ClusterRequest,
    options: ConnectOptions,
    controllers: bool,
) -> Result<Cluster, Failure> {
    if find_running(folder).is_some() {
        let options = ConnectOptions {
            kubeconfig: vec![kubeconfig_of(folder)],
            context: Some(CONTEXT.to_owned()),
            cache: Some(folder.join(CACHE)),
            ..options
        };
        return Cluster::connect(options)
            .await
            .map_err(|error| super::session::failed("failed to connect to the sandbox; nothing was written", &error));
    }
    let plane = open(folder, controllers, rand::random())?;
    plane.start();
    let endpoint = Endpoint { context: Some(CONTEXT.to_owned()), server: described(folder) };
    let options = ConnectOptions { cache: Some(folder.join(CACHE)), parallelism: request.parallelism, ..options };
    Ok(Cluster::in_process(InMemory(plane.local()), endpoint, &options))
}

fn open(folder: &Path, controllers: bool, seed: u64) -> Result<ControlPlane, Failure> {
    let options = Options { folder: Some(folder.to_owned()), controllers, seed, now: Timestamp::now() };
    ControlPlane::open(&options).map_err(|error| failure("failed to open the sandbox; nothing was written", &error))
}

/// Where a served sandbox has its kubeconfig.
fn kubeconfig_of(folder: &Path) -> PathBuf {
    folder.join(KUBECONFIG)
}

/// How kubectl speaks to a sandbox, while it is served.
pub(super) fn kubectl(folder: &Path) -> String {
    format!("kubectl --kubeconfig {}", kubeconfig_of(folder).display())
}

fn failure(doing: &str, error: &SandboxError) -> Failure {
    let status = match error {
        SandboxError::InUse { .. } => ExitStatus::Locked,
        _ => ExitStatus::Error,
    };
    Failure::because(status, doing, error).maybe_hinted(error.hint())
}

/// How a sandbox is served.
pub(super) struct Serving {
    /// A kubeconfig to write beside the sandbox's own.
    pub(super) kubeconfig: Option<PathBuf>,
    /// Whether controllers run.
    pub(super) controllers: bool,
    /// What goes wrong on purpose.
    pub(super) faults: Option<String>,
    /// What faults, names and identities are drawn from.
    pub(super) seed: Option<u64>,
}

/// `mathison sandbox serve`: serves until it is interrupted.
pub(super) async fn serve(folder: &Path, serving: &Serving, streams: &Streams) -> Ended {
    let failed = |error: SandboxError| failure("failed to serve the sandbox", &error);
    let kubeconfig = serving.kubeconfig.as_deref();
    let faults: Option<Faults> = serving
        .faults
        .as_deref()
        .map(str::parse)
        .transpose()
        .map_err(|error: SpecError| Failure::because(ExitStatus::Usage, "failed to read `--faults`", &error))?;
    let seed = serving.seed.unwrap_or_else(rand::random);
    let plane = open(folder, serving.controllers, seed)?;
    let listener = server::listen(plane.last_port().map_err(failed)?).await.map_err(failed)?;
    let url = server::url(&listener).map_err(failed)?;
    let tls = plane.tls().map_err(failed)?;
    let written = plane.kubeconfig(&url);
    for path in [Some(kubeconfig_of(folder).as_path()), kubeconfig].into_iter().flatten() {
        server::write_kubeconfig(path, &written).map_err(failed)?;
    }
    let announcement = plane.announce(&url).map_err(failed)?;
    plane.start();
    let shown = kubeconfig.map_or_else(|| kubeconfig_of(folder), Path::to_owned);
    streams.say(&report::sandbox_greeting(&report::SandboxGreeting {
        folder: folder.display().to_string(),
        url,
        kubeconfig: shown.display().to_string(),
        controllers: serving.controllers,
    }));
    let mut handler: Arc<dyn Handler> = Arc::clone(plane.api()) as _;
    if let Some(faults) = faults {
        streams.insist(&format!("it fails on purpose: --faults {faults} --seed {seed}\n"));
        handler = Arc::new(Faulty::new(handler, faults, seed));
    }
    server::serve(listener, tls, handler, interrupted()).await;
    drop(announcement);
    Ok(ExitStatus::Done)
}

/// Waits for Ctrl-C or SIGTERM.
async fn interrupted() {
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}

/// `mathison sandbox reset`: removes all that it keeps, after asking.
pub(super) fn reset(folder: &Path, auto_approve: bool, streams: &Streams) -> Ended {
    if !folder.exists() {
        streams.say(&format!("there is no sandbox in {}\n", folder.display()));
        return Ok(ExitStatus::Done);
    }
    if !auto_approve {
        if !streams.talk.can_ask {
            return Err(approve::nobody_to_ask().into());
        }
        let question = format!(
            "Remove the sandbox in {}, with all its objects and what was recorded of them?\nOnly `yes` is accepted: ",
            folder.display()
        );
        if !approve::approve(&question, streams)? {
            streams.insist("not approved: only `yes` approves; nothing was removed\n");
            return Ok(ExitStatus::Error);
        }
    }
    let was = disk::reset(folder, &[KUBECONFIG, CACHE, STATE])
        .map_err(|error| failure("failed to remove the sandbox", &error))?;
    let told = if was { "removed the sandbox in" } else { "there was no sandbox in" };
    streams.say(&format!("{told} {}\n", folder.display()));
    Ok(ExitStatus::Done)
}

/// `mathison sandbox status`: tells whether there is one, and who serves it.
pub(super) fn status(folder: &Path, json: bool, streams: &Streams) -> Ended {
    let running = find_running(folder);
    let exists = disk::exists(folder);
    let facts = report::SandboxFacts {
        folder: folder.display().to_string(),
        exists,
        serving: running.map(|Running { pid, url, started, .. }| report::SandboxServing { pid, url, started }),
    };
    streams.data(&if json { report::sandbox_json(&facts) } else { report::sandbox_text(&facts) })?;
    Ok(ExitStatus::Done)
}
