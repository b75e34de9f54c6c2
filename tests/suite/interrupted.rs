//! A run that is killed or stopped: the next one goes on from what it left.

use rustix::process::Signal;

use crate::support::cluster::{Namespace, Server, User};
use crate::support::environment::TestEnv;
use crate::support::interrupt::end_apply;
use crate::support::output::Output;

on_each_server!(
    a_killed_apply_is_finished_by_the_next,
    a_stopped_apply_ends_in_order,
    a_second_signal_ends_an_apply_at_once,
);

/// The second object is never ready, so that the run is still on its way when it is ended.
const STACK: &str = r#"stack: interrupted
namespace: NAMESPACE
manifests:
  - inline: { apiVersion: v1, kind: ConfigMap, metadata: { name: one }, data: { text: hello } }
  - inline:
      apiVersion: apps/v1
      kind: Deployment
      metadata: { name: never }
      spec:
        selector: { matchLabels: { app: never } }
        template:
          metadata: { labels: { app: never } }
          spec:
            nodeSelector: { kubernetes.io/os: none-such }
            containers: [{ name: app, image: "example.com/app:1", envFrom: [{ configMapRef: { name: one } }] }]
"#;

fn with_stack(server: &Server, namespace: &str) -> TestEnv {
    let environment = server.environment(User::Admin);
    environment.write("stack.yaml", &STACK.replace("NAMESPACE", namespace));
    environment
}

/// Begins an apply and ends it when both objects are there.
fn end(environment: &TestEnv, namespace: &Namespace<'_>, signals: &[Signal]) -> Output {
    end_apply(environment, || namespace.get("deployment", "never").is_some(), signals)
}

fn a_killed_apply_is_finished_by_the_next(server: &Server) {
    let namespace = server.namespace("killed");
    let environment = with_stack(server, namespace.name());
    end(&environment, &namespace, &[Signal::KILL]).expect_code(137);
    // It is told, and what was done counts as done.
    environment.run("plan stack.yaml").expect_code(0).expect_text(&["did not come to its end"]);
    environment.edit("stack.yaml", "none-such", "linux");
    environment.run("apply stack.yaml --auto-approve --timeout 60s").expect_code(0);
    environment.run("plan stack.yaml --detailed-exitcode").expect_code(0).expect_no_text(&["did not come to its end"]);
    environment.run("destroy stack.yaml --auto-approve").expect_code(0);
    assert!(namespace.get("deployment", "never").is_none());
}

fn a_stopped_apply_ends_in_order(server: &Server) {
    let namespace = server.namespace("stopped");
    let environment = with_stack(server, namespace.name());
    // What is in flight is finished, and what is written is not waited for: whoever stops a run has less than its time-out.
    end(&environment, &namespace, &[Signal::INT])
        .expect_code(130)
        .expect_text(&["interrupt again to stop now", "the run was stopped"]);
    // It was saved: nothing has to be settled, and nothing is to be done.
    let plan = environment.run("plan stack.yaml --detailed-exitcode");
    plan.expect_code(0).expect_no_text(&["did not come to its end"]);
    environment.run("destroy stack.yaml --auto-approve").expect_code(0);
}

fn a_second_signal_ends_an_apply_at_once(server: &Server) {
    let namespace = server.namespace("stopped-now");
    let environment = with_stack(server, namespace.name());
    // What was under way is named, and not waited for.
    end(&environment, &namespace, &[Signal::TERM, Signal::INT])
        .expect_code(130)
        .expect_text(&["manifest.Deployment/never", "the run was stopped"])
        .expect_no_text(&["not ready after"]);
    environment.run("destroy stack.yaml --auto-approve").expect_code(0);
    assert!(namespace.get("deployment", "never").is_none());
}
