//! The command line as clap reads it: names, help and defaults of every flag.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::request::GraphForm;
use super::words::{assignment, duration, grant, parallelism};

/// What stands apart in each command's help.
const GLOBAL: &str = "Global options";

#[derive(Debug, Parser)]
#[command(name = "mathison", version, about = "A declarative plan/apply engine for Kubernetes", max_term_width = 100)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value = "auto", value_name = "WHEN", help_heading = GLOBAL)]
    pub(super) color: ColorChoice,
    /// Say less: no header and no progress; `apply` and `destroy` show no plan that nobody is asked about
    // Twice is once: `-qq` is a habit from other tools.
    #[arg(short, long, global = true, help_heading = GLOBAL, overrides_with = "quiet")]
    pub(super) quiet: bool,
    /// Say more: what is otherwise only counted, the fields of what is created, the warnings of the stack
    // Twice is once: `-vv` is a habit from other tools.
    #[arg(short, long, global = true, help_heading = GLOBAL, overrides_with = "verbose")]
    pub(super) verbose: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ColorChoice {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check a stack file without asking a cluster
    Validate {
        #[command(flatten)]
        stack: StackArgs,
    },
    /// Show the dependency graph of a stack, each edge with its reason
    Graph {
        #[command(flatten)]
        stack: StackArgs,
        /// Form of the output
        #[arg(long = "format", short = 'o', value_enum, default_value = "text", value_name = "FORM")]
        form: GraphForm,
    },
    /// Print the objects of a stack as plain manifests, Secrets with empty placeholders
    Render {
        #[command(flatten)]
        stack: StackArgs,
        /// Write one file a subject into this folder instead
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Show what an apply would do; reads only
    Plan {
        #[command(flatten)]
        stack: StackArgs,
        #[command(flatten)]
        cluster: ClusterArgs,
        #[command(flatten)]
        policy: PolicyArgs,
        /// Exit with 2 where changes are pending
        #[arg(long)]
        detailed_exitcode: bool,
        /// Print the plan as JSON
        #[arg(long)]
        json: bool,
    },
    /// Show the plan, ask, and make the cluster agree with the stack
    Apply {
        #[command(flatten)]
        stack: StackArgs,
        #[command(flatten)]
        cluster: ClusterArgs,
        #[command(flatten)]
        policy: PolicyArgs,
        #[command(flatten)]
        run: RunArgs,
    },
    /// Tell what somebody else changed since the last apply; reads only
    Drift {
        #[command(flatten)]
        stack: StackArgs,
        #[command(flatten)]
        cluster: ClusterArgs,
        /// Print the report as JSON
        #[arg(long)]
        json: bool,
    },
    /// Run the checks of a stack
    Verify {
        #[command(flatten)]
        stack: StackArgs,
        #[command(flatten)]
        cluster: ClusterArgs,
        /// Print the results as JSON
        #[arg(long)]
        json: bool,
        /// Exit with 3 also where a check was skipped
        #[arg(long)]
        require_all_checks: bool,
        /// How long one check may take
        #[arg(long, value_parser = duration, default_value = "30s", value_name = "DURATION")]
        timeout: Duration,
        /// Ask also what disturbs the service: pods are deleted, one after the other, each given 5 minutes to come back
        #[arg(long)]
        disruptive: bool,
    },
    /// Delete what a stack made; volumes, namespaces and definitions are kept
    Destroy {
        #[command(flatten)]
        stack: StackArgs,
        #[command(flatten)]
        cluster: ClusterArgs,
        #[command(flatten)]
        policy: PolicyArgs,
        #[command(flatten)]
        run: RunArgs,
    },
    /// Print the outputs of a stack, secrets masked
    Output {
        #[command(flatten)]
        stack: StackArgs,
        #[command(flatten)]
        cluster: ClusterArgs,
        /// Only this output, its value alone
        name: Option<String>,
        /// Print secret values
        #[arg(long)]
        show_secrets: bool,
        /// Print them as JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the JSON Schema of the stack file
    Schema,
    /// Serve the embedded control plane of `--sandbox` to kubectl and others, look at it, remove it
    #[command(arg_required_else_help = true)]
    Sandbox {
        #[command(subcommand)]
        command: SandboxCommand,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum SandboxCommand {
    /// Serve it on this machine until Ctrl-C; commands with `--sandbox` and kubectl share it
    Serve {
        #[command(flatten)]
        place: SandboxArgs,
        /// Write the kubeconfig here too, beside the one in DIR
        #[arg(long, value_name = "FILE")]
        kubeconfig: Option<PathBuf>,
        /// Be a bare API server: nothing becomes ready by itself
        #[arg(long)]
        no_controllers: bool,
        /// Fail on purpose, for tests
        #[arg(long, value_name = "SPEC", hide_short_help = true, long_help = FAULTS)]
        faults: Option<String>,
        /// Draw the faults, names and identities from this number: the same requests in the same order fare the same
        #[arg(long, value_name = "N", hide_short_help = true)]
        seed: Option<u64>,
    },
    /// Remove it, with all its objects and what was recorded of them
    Reset {
        #[command(flatten)]
        place: SandboxArgs,
        /// Do not ask for approval
        #[arg(long)]
        auto_approve: bool,
    },
    /// Tell whether there is one, and who serves it
    Status {
        #[command(flatten)]
        place: SandboxArgs,
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub(super) struct SandboxArgs {
    /// The folder of its data
    #[arg(long, value_name = "DIR", default_value = SANDBOX)]
    pub(super) dir: PathBuf,
}

/// What `--faults` takes.
const FAULTS: &str = "\
Fail on purpose, for tests. SPEC is a list of faults, each with the share of requests that it befalls, such as
`error=5%,lost=1%,delay=10ms..200ms@20%,watch-expired=1%`:

error          429 with Retry-After, 500, 503 or 504; nothing is done
lost-request   the connection breaks before anything is done
lost-reply     the connection breaks after everything is done
lost           half of each
conflict       409 to a PUT or PATCH, as if somebody else had written in between
unauthorized   401, as if the token had run out
watch-expired  a watch is told after a while that its revision is too old (410)
watch-cut      the connection of a watch breaks after a while
delay          the answer comes late: `50ms`, `50ms@20%` or `10ms..200ms@20%`";

/// Where the sandbox keeps its data unless told otherwise.
pub(super) const SANDBOX: &str = ".mathison/sandbox";

#[derive(Debug, Args)]
pub(super) struct StackArgs {
    /// The stack file
    #[arg(value_name = "STACK")]
    pub(super) file: PathBuf,
    /// Use the inputs of this environment of the file
    #[arg(long = "env", value_name = "NAME")]
    pub(super) environment: Option<String>,
    /// Set an input; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = assignment)]
    pub(super) set: Vec<(String, String)>,
    /// Read inputs from a YAML file; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(super) var_file: Vec<PathBuf>,
    /// Use another namespace than the file's
    #[arg(short, long, value_name = "NAME")]
    pub(super) namespace: Option<String>,
    /// Add manifests from a file, a folder or `-` (standard input); `none` lets those of an earlier apply go
    #[arg(long, value_name = "SOURCE")]
    pub(super) manifests: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct ClusterArgs {
    /// The kubeconfig context to use
    #[arg(long, value_name = "NAME")]
    pub(super) context: Option<String>,
    /// Use an embedded control plane instead of a cluster; it keeps objects in DIR and runs no containers [default DIR:
    /// .mathison/sandbox]
    #[arg(long, value_name = "DIR", num_args = 0..=1, require_equals = true, default_missing_value = SANDBOX)]
    #[arg(conflicts_with = "context")]
    pub(super) sandbox: Option<PathBuf>,
    /// The folder that holds the state [default: state, or the sandbox's own]
    #[arg(long, value_name = "DIR")]
    pub(super) state: Option<PathBuf>,
    /// Requests under way at once
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = parallelism)]
    pub(super) parallelism: usize,
}

#[derive(Debug, Args)]
pub(super) struct PolicyArgs {
    /// Take over an existing object that somebody else made; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    pub(super) adopt: Vec<String>,
    /// Let this object go although it holds data, or `all`; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    pub(super) allow_data_loss: Vec<String>,
    /// Take over what this field manager owns, all of it or this field; may be repeated
    #[arg(long, value_name = "MANAGER[:FIELD]", value_parser = grant)]
    pub(super) grant: Vec<(String, Option<String>)>,
}

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// Do not ask for approval
    #[arg(long)]
    pub(super) auto_approve: bool,
    /// Apply only if the plan has this digest, as `plan` printed it
    #[arg(long, value_name = "DIGEST")]
    pub(super) plan_digest: Option<String>,
    /// How long to wait for one resource to become ready
    #[arg(long, value_parser = duration, default_value = "5m", value_name = "DURATION")]
    pub(super) timeout: Duration,
    /// Do not wait for readiness, so run no checks
    #[arg(long)]
    pub(super) no_wait: bool,
    /// Do not run the checks
    #[arg(long)]
    pub(super) skip_checks: bool,
    /// Exit with 3 also where a check was skipped
    #[arg(long)]
    pub(super) require_all_checks: bool,
    /// Print events as JSON lines
    #[arg(long)]
    pub(super) json: bool,
}
