//! The stacks that ship with the program: each is applied, found unchanged, verified and destroyed; and what is rendered is
//! what kubectl takes.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::support::cluster::{Namespace, Server, User};
use crate::support::environment::TestEnv;
use crate::support::output::Output;

on_each_server!(mathisons_own_services_run, a_web_shop_of_plain_manifests_runs);

// It is about kubectl, which not everybody has.
on_the_real_server!(kubectl_takes_what_is_rendered);

/// The roles of the whole cluster have the same names wherever the stack is: `kubectl apply --dry-run=server` fails where
/// one appears between its look and its create.
static ROLES_OF_THE_CLUSTER: Mutex<()> = Mutex::new(());

/// One stack of the repository, in a namespace of the test's own.
struct Shipped<'a> {
    environment: TestEnv,
    namespace: &'a Namespace<'a>,
    file: String,
}

impl<'a> Shipped<'a> {
    fn new(server: &Server, namespace: &'a Namespace<'a>, file: &str) -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("stacks").join(file).display().to_string();
        Self { environment: server.environment(User::Admin), namespace, file }
    }

    fn run(&self, command: &str, flags: &[&str]) -> Output {
        let words =
            [command, &self.file, "--namespace", self.namespace.name()].into_iter().chain(flags.iter().copied());
        self.environment.mathison(words).within(Duration::from_secs(180)).finish()
    }

    /// From nothing to everything and back; a second run of each step changes nothing.
    fn lives_and_goes(&self) -> Output {
        let flags = ["--auto-approve", "--timeout", "120s"];
        self.run("apply", &flags).expect_code(0).expect_text(&["Apply complete"]);
        self.run("plan", &["--detailed-exitcode"]).expect_code(0).expect_text(&["No changes."]);
        self.run("apply", &flags).expect_code(0).expect_text(&["No changes."]);
        self.run("drift", &[]).expect_code(0).expect_text(&["No drift."]);
        let verified = self.run("verify", &["--disruptive"]).expect_code(0);
        self.run("destroy", &flags).expect_code(0).expect_text(&["Destroy complete"]);
        self.run("destroy", &flags).expect_code(0).expect_text(&["Nothing to destroy."]);
        verified
    }
}

fn mathisons_own_services_run(server: &Server) {
    let _alone = ROLES_OF_THE_CLUSTER.lock().unwrap_or_else(PoisonError::into_inner);
    let namespace = server.namespace("mathison");
    let stack = Shipped::new(server, &namespace, "mathison.yaml");
    let verified = stack.lives_and_goes();
    // What needs no container was asked; what does was not, on a level without any, and never counts as passed.
    verified.expect_text(&[
        "check mathison may do what it needs and no more: passed",
        "check postgres has the declared resources: passed",
        "check postgres has endpoints: passed",
        "check postgres has its claim bound: passed",
        "check vectors have a distance: SKIPPED",
        "check redis survives a restart: SKIPPED",
        " 0 failed",
    ]);
    // The data stays, and nothing else.
    let kinds = "persistentvolumeclaims,statefulsets,services,configmaps,secrets,serviceaccounts,networkpolicies,roles,rolebindings";
    let left = namespace.objects(kinds);
    assert!(left.len() == 2 && left.iter().all(|object| object.starts_with("persistentvolumeclaim/")), "{left:?}");
    let label = format!("mathison.dev/stack=mathison.{}", namespace.name());
    let roles = server.names("clusterroles,clusterrolebindings", "", &label);
    assert!(roles.is_empty(), "{label}: {roles:?}");
}

fn a_web_shop_of_plain_manifests_runs(server: &Server) {
    let namespace = server.namespace("shop");
    Shipped::new(server, &namespace, "examples/shop.yaml").lives_and_goes();
}

fn kubectl_takes_what_is_rendered(server: &Server) {
    let _alone = ROLES_OF_THE_CLUSTER.lock().unwrap_or_else(PoisonError::into_inner);
    for file in ["mathison.yaml", "examples/shop.yaml"] {
        let namespace = server.namespace("rendered");
        let stack = Shipped::new(server, &namespace, file);
        stack.run("render", &["--out", "base"]).expect_code(0);
        let folder = stack.environment.path("base");
        let taken = server.kubectl(&["apply", "--dry-run=server", "-f", &folder.display().to_string()]);
        assert!(taken.contains("(server dry run)"), "{taken}");
        // On standard output it is the same.
        let printed = stack.run("render", &[]).expect_code(0).stdout;
        assert!(printed.contains("kind: Secret") || file != "mathison.yaml");
        assert!(printed.contains("\n---\n"));
    }
}
