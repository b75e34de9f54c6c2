//! From arguments and the environment to a request.

use std::ffi::OsString;
use std::path::PathBuf;

use super::Environment;
use super::arguments::{ClusterArgs, Command, PolicyArgs, RunArgs, SandboxCommand, StackArgs};
use super::request::{ClusterRequest, ExtraManifests, PolicyRequest, RequestAction, RunRequest, StackRequest};
use crate::resource::Address;

impl Command {
    pub(super) fn into_action(self, environment: &Environment) -> RequestAction {
        match self {
            Self::Validate { stack } => RequestAction::Validate(stack.resolve(environment)),
            Self::Graph { stack, form } => RequestAction::Graph { stack: stack.resolve(environment), form },
            Self::Render { stack, out } => RequestAction::Render { stack: stack.resolve(environment), out },
            Self::Schema => RequestAction::Schema,
            Self::Sandbox { command } => command.into_action(),
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
            Self::Drift { stack, cluster, json } => {
                RequestAction::Drift { stack: stack.resolve(environment), cluster: cluster.resolve(environment), json }
            }
            Self::Verify { stack, cluster, json, require_all_checks, timeout, disruptive } => RequestAction::Verify {
                stack: stack.resolve(environment),
                cluster: cluster.resolve(environment),
                json,
                require_all: require_all_checks,
                timeout,
                disruptive,
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

impl SandboxCommand {
    fn into_action(self) -> RequestAction {
        match self {
            Self::Serve { place, kubeconfig, no_controllers, faults, seed } => RequestAction::ServeSandbox {
                folder: place.dir,
                kubeconfig,
                controllers: !no_controllers,
                faults,
                seed,
            },
            Self::Reset { place, auto_approve } => RequestAction::ResetSandbox { folder: place.dir, auto_approve },
            Self::Status { place, json } => RequestAction::SandboxStatus { folder: place.dir, json },
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
        let text = |name: &str| path(name)?.to_str().map(str::to_owned);
        ClusterRequest {
            kubeconfig: path("KUBECONFIG").cloned(),
            service: text("KUBERNETES_SERVICE_HOST").zip(text("KUBERNETES_SERVICE_PORT")),
            cache: path("XDG_CACHE_HOME")
                .map(PathBuf::from)
                .or_else(|| home.as_ref().map(|home| home.join(".cache")))
                .map(|cache| cache.join("mathison")),
            home,
            context: self.context,
            // Nothing that is recorded of a sandbox may ever be taken for a cluster's.
            state: self.state.unwrap_or_else(|| match &self.sandbox {
                Some(folder) => folder.join("state"),
                None => PathBuf::from("state"),
            }),
            sandbox: self.sandbox,
            parallelism: self.parallelism,
        }
    }
}

impl PolicyArgs {
    fn resolve(self) -> PolicyRequest {
        PolicyRequest {
            adopt: self.adopt.into_iter().map(Address::from_text).collect(),
            all_data_loss: self.allow_data_loss.iter().any(|word| word == "all"),
            data_loss: self.allow_data_loss.into_iter().filter(|word| word != "all").map(Address::from_text).collect(),
            grants: self.grant,
        }
    }
}

impl RunArgs {
    fn resolve(self, environment: &Environment) -> RunRequest {
        let user = ["USER", "LOGNAME"]
            .iter()
            .find_map(|name| environment.get(&OsString::from(name)).and_then(|value| value.to_str()))
            .map_or_else(|| format!("uid {}", rustix::process::getuid().as_raw()), str::to_owned);
        RunRequest {
            auto_approve: self.auto_approve,
            plan_digest: self.plan_digest,
            timeout: self.timeout,
            no_wait: self.no_wait,
            skip_checks: self.skip_checks,
            require_all: self.require_all_checks,
            json: self.json,
            user,
        }
    }
}
