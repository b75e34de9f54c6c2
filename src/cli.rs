//! The command line: clap's types, and the resolved [`Request`] that commands see. The only reader of the environment.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

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
    /// Standard error is a terminal that may be redrawn.
    pub live: bool,
    /// Somebody can answer a question: standard input is a terminal.
    pub can_ask: bool,
    /// Columns of the terminal.
    pub width: usize,
    /// 0 normal, 1 and more for `-v`, -1 for `-q`.
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
    /// The home folder, for `~/.kube/config` and the cache.
    pub home: Option<PathBuf>,
    /// Where caches go.
    pub cache: Option<PathBuf>,
    /// The context.
    pub context: Option<String>,
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

#[derive(Debug, Parser)]
#[command(name = "mathison", version, about = "A declarative plan/apply engine for Kubernetes", max_term_width = 100)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value = "auto", value_name = "WHEN")]
    color: ColorChoice,
    /// Say less: errors and the last line only
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Say more; twice for more still
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ColorChoice {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
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
}

#[derive(Debug, Args)]
struct StackArgs {
    /// The stack file
    #[arg(value_name = "STACK")]
    file: PathBuf,
    /// Use the inputs of this environment of the file
    #[arg(long = "env", value_name = "NAME")]
    environment: Option<String>,
    /// Set an input; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = assignment)]
    set: Vec<(String, String)>,
    /// Read inputs from a YAML file; may be repeated
    #[arg(long, value_name = "FILE")]
    var_file: Vec<PathBuf>,
    /// Use another namespace than the file's
    #[arg(short, long, value_name = "NAME")]
    namespace: Option<String>,
    /// Add manifests from a file, a folder or `-` (standard input); `none` lets those of an earlier apply go
    #[arg(long, value_name = "SOURCE")]
    manifests: Option<String>,
}

#[derive(Debug, Args)]
struct ClusterArgs {
    /// The kubeconfig context to use
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
    /// The folder that holds the state
    #[arg(long, value_name = "DIR", default_value = "state")]
    state: PathBuf,
    /// Requests under way at once
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = parallelism)]
    parallelism: usize,
}

#[derive(Debug, Args)]
struct PolicyArgs {
    /// Take over an existing object that somebody else made; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    adopt: Vec<String>,
    /// Let this object go although it holds data, or `all`; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    allow_data_loss: Vec<String>,
    /// Take over what this field manager owns, all of it or this field; may be repeated
    #[arg(long, value_name = "MANAGER[:FIELD]", value_parser = grant)]
    grant: Vec<(String, Option<String>)>,
}

#[derive(Debug, Args)]
struct RunArgs {
    /// Do not ask for approval
    #[arg(long)]
    auto_approve: bool,
    /// Apply only if the plan has this digest, as `plan` printed it
    #[arg(long, value_name = "DIGEST")]
    plan_digest: Option<String>,
    /// How long to wait for one resource to become ready
    #[arg(long, value_parser = duration, default_value = "5m", value_name = "DURATION")]
    timeout: Duration,
    /// Do not wait for readiness, so run no checks
    #[arg(long)]
    no_wait: bool,
    /// Do not run the checks
    #[arg(long)]
    skip_checks: bool,
    /// Exit with 3 also where a check was skipped
    #[arg(long)]
    require_all_checks: bool,
    /// Print events as JSON lines
    #[arg(long)]
    json: bool,
}

/// The process' environment, as a value.
pub type Environment = BTreeMap<OsString, OsString>;

/// Parses the arguments and resolves them with the environment.
///
/// # Errors
/// clap's error: bad usage, or a request for help or the version.
pub fn parse(arguments: impl Iterator<Item = OsString>, environment: &Environment) -> Result<Request, clap::Error> {
    let cli = Cli::try_parse_from(arguments)?;
    let talk = talk(&cli, environment);
    Ok(Request { action: cli.command.into_action(environment), talk })
}

fn set(environment: &Environment, name: &str) -> bool {
    environment.get(&OsString::from(name)).is_some_and(|value| !value.is_empty())
}

fn talk(cli: &Cli, environment: &Environment) -> Talk {
    let color = |terminal: bool| match cli.color {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => {
            terminal
                && !set(environment, "NO_COLOR")
                && environment.get(&OsString::from("TERM")).is_none_or(|term| term != "dumb")
        }
    };
    let stderr = std::io::stderr().is_terminal();
    let columns = environment.get(&OsString::from("COLUMNS")).and_then(|text| text.to_str()?.parse().ok());
    Talk {
        color_stdout: color(std::io::stdout().is_terminal()),
        color_stderr: color(stderr),
        live: stderr && !set(environment, "CI") && cli.color != ColorChoice::Never,
        can_ask: std::io::stdin().is_terminal(),
        width: columns.unwrap_or(if stderr { terminal_width() } else { 100 }),
        verbosity: if cli.quiet { -1 } else { i8::try_from(cli.verbose).unwrap_or(i8::MAX) },
    }
}

fn terminal_width() -> usize {
    rustix::termios::tcgetwinsize(std::io::stderr()).map_or(80, |size| usize::from(size.ws_col).max(40))
}

impl Command {
    fn into_action(self, environment: &Environment) -> RequestAction {
        match self {
            Self::Validate { stack } => RequestAction::Validate(stack.resolve(environment)),
            Self::Graph { stack, form } => RequestAction::Graph { stack: stack.resolve(environment), form },
            Self::Render { stack, out } => RequestAction::Render { stack: stack.resolve(environment), out },
            Self::Schema => RequestAction::Schema,
            Self::Plan { stack, cluster, policy, detailed_exitcode, json } => RequestAction::Plan {
                stack: stack.resolve(environment),
                cluster: cluster.resolve(environment),
                policy: policy.resolve(),
                detailed_exitcode,
                json,
            },
            Self::Apply { stack, cluster, policy, run } => RequestAction::Apply {
                stack: stack.resolve(environment),
                cluster: cluster.resolve(environment),
                policy: policy.resolve(),
                run: run.resolve(environment),
                destroy: false,
            },
            Self::Destroy { stack, cluster, policy, run } => RequestAction::Apply {
                stack: stack.resolve(environment),
                cluster: cluster.resolve(environment),
                policy: policy.resolve(),
                run: run.resolve(environment),
                destroy: true,
            },
            Self::Drift { stack, cluster, json } => RequestAction::Drift {
                stack: stack.resolve(environment),
                cluster: cluster.resolve(environment),
                json,
            },
            Self::Verify { stack, cluster, json, require_all_checks, timeout } => RequestAction::Verify {
                stack: stack.resolve(environment),
                cluster: cluster.resolve(environment),
                json,
                require_all: require_all_checks,
                timeout,
            },
            Self::Output { stack, cluster, name, show_secrets, json } => RequestAction::Output {
                stack: stack.resolve(environment),
                cluster: cluster.resolve(environment),
                name,
                show_secrets,
                json,
            },
        }
    }
}

/// Inputs may come from variables with this prefix.
const INPUT_PREFIX: &str = "MATHISON_INPUT_";

impl StackArgs {
    fn resolve(self, environment: &Environment) -> StackRequest {
        let environment_inputs = environment
            .iter()
            .filter_map(|(name, value)| {
                Some((name.to_str()?.strip_prefix(INPUT_PREFIX)?.to_owned(), value.to_str()?.to_owned()))
            })
            .collect();
        StackRequest {
            file: self.file,
            environment: self.environment,
            set: self.set,
            var_files: self.var_file,
            environment_inputs,
            namespace: self.namespace,
            extra: match self.manifests.as_deref() {
                None => ExtraManifests::NotSaid,
                Some("none") => ExtraManifests::None,
                Some("-") => ExtraManifests::StandardInput,
                Some(path) => ExtraManifests::Path(path.into()),
            },
        }
    }
}

impl ClusterArgs {
    fn resolve(self, environment: &Environment) -> ClusterRequest {
        let path = |name: &str| environment.get(&OsString::from(name)).filter(|value| !value.is_empty());
        let home = path("HOME").map(PathBuf::from);
        ClusterRequest {
            kubeconfig: path("KUBECONFIG").cloned(),
            cache: path("XDG_CACHE_HOME")
                .map(PathBuf::from)
                .or_else(|| home.as_ref().map(|home| home.join(".cache")))
                .map(|cache| cache.join("mathison")),
            home,
            context: self.context,
            state: self.state,
            parallelism: self.parallelism,
        }
    }
}

impl PolicyArgs {
    fn resolve(self) -> PolicyRequest {
        PolicyRequest {
            adopt: self.adopt.into_iter().map(Address::from_text).collect(),
            all_data_loss: self.allow_data_loss.iter().any(|word| word == "all"),
            data_loss: self
                .allow_data_loss
                .into_iter()
                .filter(|word| word != "all")
                .map(Address::from_text)
                .collect(),
            grants: self.grant,
        }
    }
}

impl RunArgs {
    fn resolve(self, environment: &Environment) -> RunRequest {
        let user = ["USER", "LOGNAME"]
            .iter()
            .find_map(|name| environment.get(&OsString::from(name)).and_then(|value| value.to_str()))
            .unwrap_or("unknown");
        RunRequest {
            auto_approve: self.auto_approve,
            plan_digest: self.plan_digest,
            timeout: self.timeout,
            no_wait: self.no_wait,
            skip_checks: self.skip_checks,
            require_all: self.require_all_checks,
            json: self.json,
            user: user.to_owned(),
        }
    }
}

fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write it as NAME=VALUE".to_owned()),
    }
}

/// Reads `MANAGER` or `MANAGER:.field.path`; the name of a manager may hold colons itself.
fn grant(text: &str) -> Result<(String, Option<String>), String> {
    match text.split_once(":.") {
        Some(("", _)) => Err("write it as MANAGER or MANAGER:.field".to_owned()),
        Some((manager, field)) => Ok((manager.to_owned(), Some(format!(".{field}")))),
        None if text.is_empty() => Err("write it as MANAGER or MANAGER:.field".to_owned()),
        None => Ok((text.to_owned(), None)),
    }
}

fn parallelism(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if (1..=256).contains(&number) => Ok(number),
        _ => Err("a number from 1 to 256".to_owned()),
    }
}

/// Reads `90s`, `5m`, `1h30m` as kubectl's flags take them.
fn duration(text: &str) -> Result<Duration, String> {
    let bad = || "write it as in 90s, 5m or 1h30m".to_owned();
    let (mut seconds, mut digits) = (0_u64, String::new());
    for character in text.chars() {
        if character.is_ascii_digit() {
            digits.push(character);
            continue;
        }
        let unit = match character {
            'h' => 3600,
            'm' => 60,
            's' => 1,
            _ => return Err(bad()),
        };
        let number: u64 = digits.parse().map_err(|_| bad())?;
        seconds = number.checked_mul(unit).and_then(|part| seconds.checked_add(part)).ok_or_else(bad)?;
        digits.clear();
    }
    if text.is_empty() || !digits.is_empty() || seconds == 0 { Err(bad()) } else { Ok(Duration::from_secs(seconds)) }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn request(arguments: &[&str], environment: &[(&str, &str)]) -> Request {
        let environment = environment.iter().map(|(name, value)| (name.into(), value.into())).collect();
        parse(std::iter::once("mathison").chain(arguments.iter().copied()).map(OsString::from), &environment).unwrap()
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn durations_read_as_in_kubectl() {
        assert_eq!(duration("1h30m"), Ok(Duration::from_secs(5400)));
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        for bad in ["", "5", "m", "5x", "0s", "-5s"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_environment_is_read_here_and_nowhere_else() {
        let environment = [("MATHISON_INPUT_storage", "5Gi"), ("KUBECONFIG", "/k"), ("HOME", "/h"), ("USER", "ann")];
        let request = request(&["apply", "s.yaml", "--set", "a=b=c", "--allow-data-loss", "all"], &environment);
        let RequestAction::Apply { stack, cluster, policy, run, destroy } = request.action else { panic!() };
        assert_eq!(stack.environment_inputs["storage"], "5Gi");
        assert_eq!(stack.set, [("a".to_owned(), "b=c".to_owned())]);
        assert_eq!(cluster.kubeconfig.as_deref(), Some("/k".as_ref()));
        assert_eq!(cluster.cache, Some(PathBuf::from("/h/.cache/mathison")));
        assert!(policy.all_data_loss && policy.data_loss.is_empty() && !destroy);
        assert_eq!(run.user, "ann");
    }

    #[test]
    fn no_color_and_ci_are_honoured() {
        let talk = request(&["schema"], &[("NO_COLOR", "1"), ("CI", "true")]).talk;
        assert!(!talk.color_stdout && !talk.color_stderr && !talk.live);
        assert!(request(&["schema", "--color", "always"], &[("NO_COLOR", "1")]).talk.color_stdout);
    }
}
