//! `mathison sandbox serve --faults`: what fails on purpose is said, and what was applied through it ends well all the same.

use std::time::Duration;

use rustix::process::Signal;

use crate::support::api::Api;
use crate::support::cluster::eventually;
use crate::support::environment::TestEnv;

/// Longer than a run that tries everything again takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(300);

const STACK: &str = r#"stack: tried
namespace: tried
manifests:
  - inline: { apiVersion: v1, kind: ConfigMap, metadata: { name: a }, data: { mode: calm } }
  - inline: { apiVersion: v1, kind: ConfigMap, metadata: { name: b }, data: { mode: calm } }
  - inline: { apiVersion: v1, kind: ServiceAccount, metadata: { name: web } }
"#;

const FAULTS: &str = "error=15%,lost-request=5%,lost-reply=5%,conflict=5%,watch-cut=20%,delay=1ms..20ms@20%";

#[test]
fn a_run_through_faults_ends_well_and_what_they_are_is_said() {
    for seed in ["1", "2"] {
        let environment = TestEnv::new();
        environment.write("stack.yaml", STACK);
        let words = ["sandbox", "serve", "--faults", FAULTS, "--seed", seed];
        let mut served = environment.mathison(words).within(PATIENCE).start();
        let said = format!("it fails on purpose: --faults {FAULTS} --seed {seed}");
        eventually("the faults are said", PATIENCE, || served.has_ended() || served.said(&said));
        // What was tried again often enough may still fail; then the run says so, and the next one goes on.
        let mut codes = Vec::new();
        while codes.last() != Some(&0) && codes.len() < 10 {
            codes.push(environment.run("apply stack.yaml --sandbox --auto-approve").code);
        }
        assert_eq!(codes.last(), Some(&0), "{codes:?}");
        served.signal(Signal::TERM);
        served.finish().expect_code(0);
        // Without faults, everything is there and recorded.
        environment.run("plan stack.yaml --sandbox --detailed-exitcode").expect_code(0).expect_text(&["No changes."]);
        environment.run("drift stack.yaml --sandbox").expect_code(0);
    }
}

#[test]
fn what_is_to_fail_each_time_fails_each_time() {
    let environment = TestEnv::new();
    let words = ["sandbox", "serve", "--kubeconfig", "for-kubectl", "--faults", "error=100%"];
    let mut served = environment.mathison(words).within(PATIENCE).start();
    eventually("it is served", PATIENCE, || served.has_ended() || served.said("it fails on purpose"));
    let api = Api::with_kubeconfig(&environment.read("for-kubectl"));
    for _ in 0..20 {
        let code = api.send("GET", "/api/v1/namespaces", None).code;
        assert!([429, 500, 503, 504].contains(&code), "{code}");
    }
    served.signal(Signal::TERM);
    served.finish().expect_code(0);
}

#[test]
fn a_fault_that_does_not_exist_is_refused_before_anything_is_made() {
    let environment = TestEnv::new();
    for (spec, why) in [
        ("errors=5%", "there is no fault `errors`; there are error, lost,"),
        ("error=5%,error=6%", "`error` is said twice"),
        ("error=500%", "`500%` is no share"),
        ("delay=soon", "`soon` is no delay"),
        ("error", "`error` is no fault: write it as NAME=SHARE"),
    ] {
        let output = environment.mathison(["sandbox", "serve", "--faults", spec]).finish();
        output.expect_code(64).expect_text(&["--faults", why]);
    }
    assert!(environment.files().is_empty(), "{:?}", environment.files());
}
