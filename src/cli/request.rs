//! What the command line says, resolved: the values that commands see.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;

use crate::resource::Address;

/// Everything resolved: no environment variable and no default is left to look up.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// What to do.
    pub action: RequestAction,
    /// How to talk.
    pub talk: Talk,
}

/// How a command may talk to whoever called it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact about a stream")]
pub struct Talk {
    /// Colour on standard output.
    pub color_stdout: bool,
    /// Colour on standard error.
    pub color_stderr: bool,
    /// Standard error is a terminal.
    pub terminal: bool,
    /// Standard error is a terminal that may be redrawn.
    pub live: bool,
    /// Somebody sees a question and can answer it: standard error and standard input are terminals.
    pub can_ask: bool,
    /// Columns of the terminal.
    pub width: usize,
    /// 0 normal, 1 for `-v`, -1 for `-q`.
    pub verbosity: i8,
}

/// The commands.
#[derive(Debug, Clone, PartialEq)]
pub enum RequestAction {
    /// Check a stack file.
    Validate(StackRequest),
    /// Print or write the objects of a stack.
    Render {
        /// The stack.
        stack: StackRequest,
        /// The folder to write to; `None`: standard output.
        out: Option<PathBuf>,
    },
    /// Print the dependency graph.
    Graph {
        /// The stack.
        stack: StackRequest,
        /// In which form.
        form: GraphForm,
    },
    /// Print the JSON Schema of the stack file.
    Schema,
    /// Serve the sandbox in a folder until it is interrupted.
    ServeSandbox {
        /// The folder.
        folder: PathBuf,
        /// A kubeconfig to write.
        kubeconfig: Option<PathBuf>,
        /// Whether controllers run.
        controllers: bool,
        /// What goes wrong on purpose, as it was written.
        faults: Option<String>,
        /// What faults, names and identities are drawn from; a random number if none is given.
        seed: Option<u64>,
    },
    /// Remove the sandbox in a folder.
    ResetSandbox {
        /// The folder.
        folder: PathBuf,
        /// Do not ask.
        auto_approve: bool,
    },
    /// Tell of the sandbox in a folder.
    SandboxStatus {
        /// The folder.
        folder: PathBuf,
        /// JSON instead of text.
        json: bool,
    },
    /// Print outputs.
    Output {
        /// The stack.
        stack: StackRequest,
        /// The cluster, for outputs that are secrets.
        cluster: ClusterRequest,
        /// One of them; `None`: all.
        name: Option<String>,
        /// Print secret values.
        show_secrets: bool,
        /// JSON instead of text.
        json: bool,
    },
    /// Show what an apply would do.
    Plan {
        /// The stack.
        stack: StackRequest,
        /// The cluster.
        cluster: ClusterRequest,
        /// What may be done.
        policy: PolicyRequest,
        /// 2 where changes are pending.
        detailed_exitcode: bool,
        /// JSON instead of text.
        json: bool,
    },
    /// Apply, or destroy.
    Apply {
        /// The stack.
        stack: StackRequest,
        /// The cluster.
        cluster: ClusterRequest,
        /// What may be done.
        policy: PolicyRequest,
        /// How it is run.
        run: RunRequest,
        /// True for `destroy`.
        destroy: bool,
    },
    /// Compare what was recorded with what is live.
    Drift {
        /// The stack.
        stack: StackRequest,
        /// The cluster.
        cluster: ClusterRequest,
        /// JSON instead of text.
        json: bool,
    },
    /// Run the checks.
    Verify {
        /// The stack.
        stack: StackRequest,
        /// The cluster.
        cluster: ClusterRequest,
        /// JSON instead of text.
        json: bool,
        /// Skipped checks count as failed.
        require_all: bool,
        /// How long one check may take.
        timeout: Duration,
        /// Whether checks are asked too that disturb the service.
        disruptive: bool,
    },
}

/// Which stack, with which inputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackRequest {
    /// The file.
    pub file: PathBuf,
    /// The environment of the file to use.
    pub environment: Option<String>,
    /// `--set NAME=VALUE`, in order.
    pub set: Vec<(String, String)>,
    /// `--var-file`, in order.
    pub var_files: Vec<PathBuf>,
    /// Inputs out of `MATHISON_INPUT_NAME`.
    pub environment_inputs: BTreeMap<String, String>,
    /// Another namespace than the file's.
    pub namespace: Option<String>,
    /// Manifests from outside.
    pub extra: ExtraManifests,
}

/// Manifests that are not the stack file's own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ExtraManifests {
    /// The flag was not given.
    #[default]
    NotSaid,
    /// `--manifests none`: those of an earlier apply are let go on purpose.
    None,
    /// `--manifests -`.
    StandardInput,
    /// `--manifests PATH`.
    Path(PathBuf),
}

/// Which cluster, and where its state is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterRequest {
    /// `KUBECONFIG`, where it is set.
    pub kubeconfig: Option<OsString>,
    /// `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT`, which a pod has.
    pub service: Option<(String, String)>,
    /// The home folder, for `~/.kube/config` and the cache.
    pub home: Option<PathBuf>,
    /// Where caches go.
    pub cache: Option<PathBuf>,
    /// The context.
    pub context: Option<String>,
    /// The folder of the sandbox that is used instead of a cluster.
    pub sandbox: Option<PathBuf>,
    /// The folder of the state.
    pub state: PathBuf,
    /// Requests under way at once.
    pub parallelism: usize,
}

/// What an operator allows beyond the stack file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PolicyRequest {
    /// Objects to take into our care although somebody else made them.
    pub adopt: BTreeSet<Address>,
    /// Objects whose data may be lost.
    pub data_loss: BTreeSet<Address>,
    /// `--allow-data-loss=all`.
    pub all_data_loss: bool,
    /// Managers whose fields may be taken over, and which field, where not all.
    pub grants: Vec<(String, Option<String>)>,
}

/// How an apply is run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
pub struct RunRequest {
    /// Do not ask.
    pub auto_approve: bool,
    /// Apply only if the plan has this digest.
    pub plan_digest: Option<String>,
    /// How long to wait for one resource.
    pub timeout: Duration,
    /// Do not wait for readiness.
    pub no_wait: bool,
    /// Do not run checks.
    pub skip_checks: bool,
    /// Skipped checks count as failed.
    pub require_all: bool,
    /// NDJSON events on standard output.
    pub json: bool,
    /// Who runs it, for the lock.
    pub user: String,
}

/// A form of the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GraphForm {
    /// An ordered list with reasons.
    Text,
    /// Graphviz.
    Dot,
    /// Mermaid.
    Mermaid,
    /// JSON.
    Json,
}
