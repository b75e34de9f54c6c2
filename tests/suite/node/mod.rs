//! Real pods, on the testbed's level `node`: PostgreSQL and Redis really run, and every check is asked of them.

mod breaking;
mod failing;
mod restart;
mod running;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;

use crate::support::cluster::{Namespace, Server, User};
use crate::support::environment::TestEnv;
use crate::support::output::Output;

/// Makes a test of each function that takes `&Server` and needs containers.
macro_rules! on_the_node {
    ($($body:ident),+ $(,)?) => {
        $(
            mod $body {
                #[test]
                #[ignore = "needs the testbed (tests/testbed/testbed node up)"]
                fn on_the_node() {
                    super::$body(&crate::support::cluster::Server::node());
                }
            }
        )+
    };
}
use on_the_node;

/// A stack in a namespace of the test's own, on the node.
struct Scene<'a> {
    server: &'a Server,
    namespace: &'a Namespace<'a>,
    environment: TestEnv,
    file: String,
    /// Held as long as the roles that the stack makes for the whole cluster are there, for they are named alike everywhere.
    _alone: Option<MutexGuard<'static, ()>>,
}

static ROLES_OF_THE_CLUSTER: Mutex<()> = Mutex::new(());

impl<'a> Scene<'a> {
    /// The stack that we ship, applied.
    fn shipped(server: &'a Server, namespace: &'a Namespace<'a>) -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("stacks/mathison.yaml").display().to_string();
        let alone = ROLES_OF_THE_CLUSTER.lock().unwrap_or_else(PoisonError::into_inner);
        let scene = Self { server, namespace, environment: server.environment(User::Admin), file, _alone: Some(alone) };
        scene.run("apply", &["--auto-approve", "--timeout", "120s"]).expect_code(0);
        scene
    }

    /// A stack of the test's own, applied.
    fn of(server: &'a Server, namespace: &'a Namespace<'a>, stack: &str, manifests: &str) -> Self {
        let environment = server.environment(User::Admin);
        environment.write("stack.yaml", stack).write("objects.yaml", manifests);
        let scene = Self { server, namespace, environment, file: "stack.yaml".to_owned(), _alone: None };
        scene.run("apply", &["--auto-approve", "--timeout", "120s", "--skip-checks"]).expect_code(0);
        scene
    }

    fn run(&self, command: &str, flags: &[&str]) -> Output {
        let words =
            [command, &self.file, "--namespace", self.namespace.name()].into_iter().chain(flags.iter().copied());
        self.environment.mathison(words).within(Duration::from_secs(400)).finish()
    }

    /// Asks all checks, and returns the names of those that fail.
    fn failing(&self) -> BTreeSet<String> {
        let verified = self.run("verify", &["--json"]);
        let told: Value = serde_json::from_str(&verified.stdout).unwrap_or_else(|error| panic!("{error}\n{verified}"));
        let checks = told["checks"].as_array().unwrap_or_else(|| panic!("no checks\n{verified}"));
        assert!(!checks.is_empty(), "no checks\n{verified}");
        let failed = checks.iter().filter(|check| check["outcome"] == "failed");
        let failed: BTreeSet<String> = failed.filter_map(|check| Some(check["name"].as_str()?.to_owned())).collect();
        assert_eq!(verified.code, if failed.is_empty() { 0 } else { 3 }, "{verified}");
        failed
    }

    /// Runs a command in a pod, as somebody else does with kubectl, and returns what it prints; it must succeed.
    #[track_caller]
    fn exec(&self, pod: &str, words: &[&str]) -> String {
        let output = Command::new(self.server.kubectl_path())
            .arg("--kubeconfig")
            .arg(self.server.kubeconfig(User::Admin))
            .args(["-n", self.namespace.name(), "exec", pod, "--"])
            .args(words)
            .stdin(Stdio::null())
            .output()
            .expect("start kubectl");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words:?} in {pod}: {told}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    #[track_caller]
    fn sql(&self, statement: &str) -> String {
        self.exec("postgres-0", &["psql", "-XAtqw", "-v", "ON_ERROR_STOP=1", "-U", "mathison", "-c", statement])
    }

    #[track_caller]
    fn redis(&self, words: &[&str]) -> String {
        let words: Vec<&str> = ["redis-cli"].into_iter().chain(words.iter().copied()).collect();
        self.exec("redis-0", &words)
    }
}
