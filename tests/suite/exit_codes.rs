//! The exit codes that scripts rely on, one by one. 1, 64 and their kind are in `failures`, 2 in `lifecycle`, 130 in
//! `interrupted`.

use std::time::Duration;

use crate::support::cluster::{Server, User, eventually};
use crate::support::environment::TestEnv;

on_each_server!(
    zero_only_for_what_was_done,
    one_where_something_unchanged_is_not_ready,
    three_where_a_check_failed,
    four_where_the_plan_is_not_the_reviewed_one,
    five_where_another_run_holds_the_state,
    six_where_a_protection_refuses,
);

const STACK: &str = r#"stack: codes
namespace: NAMESPACE
manifests:
  - inline: { apiVersion: v1, kind: ConfigMap, metadata: { name: kept }, data: { text: hello } }
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
            containers: [{ name: app, image: "example.com/app:1" }]
protect: [manifest.ConfigMap/kept]
"#;

const LONELY_SERVICE: &str = r#"stack: codes
namespace: NAMESPACE
manifests:
  - inline:
      apiVersion: v1
      kind: Service
      metadata: { name: lonely }
      spec: { selector: { app: nobody }, ports: [{ port: 80 }] }
checks:
  somebody answers: { endpoints: manifest.Service/lonely }
"#;

fn with_stack(server: &Server, namespace: &str) -> TestEnv {
    let environment = server.environment(User::Admin);
    environment.write("stack.yaml", &STACK.replace("NAMESPACE", namespace));
    environment
}

/// A reader that goes away before the plan is written keeps nothing from being applied.
fn zero_only_for_what_was_done(server: &Server) {
    let namespace = server.namespace("code-zero");
    let environment = with_stack(server, namespace.name());
    let script = "{ \"$0\" apply stack.yaml --auto-approve --no-wait; echo \"code $?\" >&2; } | exec 0<&-";
    environment.program("sh", ["-c", script, env!("CARGO_BIN_EXE_mathison")]).finish().expect_text(&["code 0"]);
    assert!(namespace.get("configmap", "kept").is_some());
}

/// What was cut short is not made good by being run again.
fn one_where_something_unchanged_is_not_ready(server: &Server) {
    let namespace = server.namespace("code-one");
    let environment = with_stack(server, namespace.name());
    environment.run("apply stack.yaml --auto-approve --no-wait").expect_code(0);
    environment.run("plan stack.yaml --detailed-exitcode").expect_code(0).expect_text(&["but not ready"]);
    environment.run("apply stack.yaml --auto-approve --timeout 2s").expect_code(1).expect_text(&["NOT READY after"]);
}

fn three_where_a_check_failed(server: &Server) {
    let namespace = server.namespace("code-three");
    let environment = with_stack(server, namespace.name());
    environment.write("stack.yaml", &LONELY_SERVICE.replace("NAMESPACE", namespace.name()));
    environment.run("apply stack.yaml --auto-approve --skip-checks").expect_code(0);
    environment.run("verify stack.yaml").expect_code(3).expect_text(&["somebody answers", "FAILED", "1 failed"]);
    // An apply with nothing to do asks all the same.
    environment.run("apply stack.yaml --auto-approve").expect_code(3).expect_text(&["somebody answers", "FAILED"]);
}

fn four_where_the_plan_is_not_the_reviewed_one(server: &Server) {
    let namespace = server.namespace("code-four");
    let environment = with_stack(server, namespace.name());
    let planned: serde_json::Value =
        serde_json::from_str(&environment.run("plan stack.yaml --json").expect_code(0).stdout)
            .expect("the plan is JSON");
    let digest = planned["plan_digest"].as_str().expect("it has its digest").to_owned();
    let other = format!("sha256:{}", "0".repeat(64));
    environment
        .run(&format!("apply stack.yaml --auto-approve --no-wait --plan-digest {other}"))
        .expect_code(4)
        .expect_text(&["as was reviewed", "nothing was written", "hint:"]);
    assert!(namespace.get("configmap", "kept").is_none());
    environment.run(&format!("apply stack.yaml --auto-approve --no-wait --plan-digest {digest}")).expect_code(0);
    assert!(namespace.get("configmap", "kept").is_some());
}

fn five_where_another_run_holds_the_state(server: &Server) {
    let namespace = server.namespace("code-five");
    let environment = with_stack(server, namespace.name());
    // The first waits for what is never ready; the second comes while it does.
    let first = environment.mathison("apply stack.yaml --auto-approve --timeout 60s".split(' ')).start();
    let is_begun = || namespace.get("deployment", "never").is_some();
    eventually("the first is on its way", Duration::from_secs(60), is_begun);
    let second = environment.run("apply stack.yaml --auto-approve");
    drop(first);
    second.expect_code(5).expect_text(&["is locked by", "mathison apply stack.yaml", "hint:"]);
}

fn six_where_a_protection_refuses(server: &Server) {
    let namespace = server.namespace("code-six");
    let environment = with_stack(server, namespace.name());
    environment.run("apply stack.yaml --auto-approve --no-wait").expect_code(0);
    // Also after it left the file, protection and all.
    environment.edit(
        "stack.yaml",
        "  - inline: { apiVersion: v1, kind: ConfigMap, metadata: { name: kept }, data: { text: hello } }\n",
        "",
    );
    environment.edit("stack.yaml", "protect: [manifest.ConfigMap/kept]\n", "");
    for line in ["apply stack.yaml --auto-approve", "destroy stack.yaml --auto-approve --allow-data-loss all"] {
        environment.run(line).expect_code(6).expect_text(&["manifest.ConfigMap/kept", "nothing was written"]);
    }
    assert!(namespace.get("configmap", "kept").is_some() && namespace.get("deployment", "never").is_some());
}
