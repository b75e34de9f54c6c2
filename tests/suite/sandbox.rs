//! `--sandbox` and `mathison sandbox`: a first try without a cluster, as a newcomer makes it, and what may not go wrong there.

use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::api::{Api, JSON, plain};
use crate::support::cluster::eventually;
use crate::support::environment::{Started, TestEnv};
use crate::support::output::Output;

const FOLDER: &str = ".mathison/sandbox";

/// Longer than an apply takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Small, with an order: what a run does first and last is known.
const STACK: &str = r#"stack: tried
namespace: tried
manifests:
  - inline: { apiVersion: v1, kind: ConfigMap, metadata: { name: settings }, data: { mode: calm } }
  - inline: { apiVersion: v1, kind: ServiceAccount, metadata: { name: web } }
  - inline: { apiVersion: v1, kind: Service, metadata: { name: web }, spec: { selector: { app: web }, ports: [{ port: 80 }] } }
  - inline:
      apiVersion: apps/v1
      kind: Deployment
      metadata: { name: web }
      spec:
        replicas: 2
        selector: { matchLabels: { app: web } }
        template:
          metadata: { labels: { app: web } }
          spec:
            serviceAccountName: web
            containers: [{ name: app, image: "example.com/web:1", envFrom: [{ configMapRef: { name: settings } }] }]
checks:
  somebody answers: { endpoints: manifest.Service/web }
"#;

/// A new folder with a small stack.
fn with_stack() -> TestEnv {
    let environment = TestEnv::new();
    environment.write("stack.yaml", STACK);
    environment
}

fn shipped(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("stacks").join(name).display().to_string()
}

/// A process that serves a sandbox.
struct Serving {
    process: Started,
    kubeconfig: PathBuf,
}

impl Serving {
    fn of(environment: &TestEnv) -> Self {
        let kubeconfig = environment.path("for-kubectl");
        let _ = fs::remove_file(&kubeconfig);
        let words = ["sandbox", "serve", "--kubeconfig", "for-kubectl"];
        let process = environment.mathison(words).within(Duration::from_secs(600)).start();
        let serving = Self { process, kubeconfig };
        eventually("the sandbox is served", PATIENCE, || serving.is_there(environment));
        serving
    }

    fn is_there(&self, environment: &TestEnv) -> bool {
        let facts = status(environment);
        facts["serving"].is_object() && self.kubeconfig.is_file()
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.kubeconfig).expect("read the kubeconfig")
    }

    fn api(&self) -> Api {
        Api::with_kubeconfig(&self.text())
    }

    fn killed(self) -> Output {
        self.process.signal(Signal::KILL);
        self.process.finish()
    }
}

fn status(environment: &TestEnv) -> Value {
    let output = environment.run("sandbox status --json").expect_code(0);
    serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}\n{output}"))
}

fn config_map(name: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name }, "data": { "name": name } })
}

const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";

/// The README's own command.
#[test]
fn the_main_job_ends_well_in_an_empty_folder() {
    let environment = TestEnv::new();
    let stack = shipped("mathison.yaml");
    let run = |line: &str| {
        let (command, flags) = line.split_once(' ').unwrap_or((line, ""));
        let words = [command, &stack, "--sandbox"].into_iter().chain(flags.split_whitespace());
        environment.mathison(words).finish()
    };
    let applied = run("apply --auto-approve").expect_code(0).expect_text(&[
        "context  mathison-sandbox (sandbox in .mathison/sandbox, runs no containers)",
        "Apply complete",
        " 0 updated",
    ]);
    // What needs a container was not asked, and does not count as if it had been.
    applied
        .expect_text(&[
            "check postgres answers: SKIPPED",
            "check redis answers: SKIPPED",
            "the sandbox runs no containers",
            "check postgres is ready: passed",
            "check mathison may do what it needs and no more: passed",
        ])
        .expect_no_text(&["check postgres answers: passed", "check redis persists: passed", "FAILED"]);
    run("plan --detailed-exitcode")
        .expect_code(0)
        .expect_text(&["No changes.", "context  mathison-sandbox (sandbox in .mathison/sandbox, runs no containers)"]);
    run("apply --auto-approve").expect_code(0).expect_text(&["No changes."]);
    run("drift").expect_code(0).expect_text(&["No drift."]);
    run("verify").expect_code(0).expect_text(&["check postgres answers: SKIPPED", " 0 failed"]);
    run("verify --require-all-checks").expect_code(3);
    run("destroy --auto-approve").expect_code(0).expect_text(&["Destroy complete"]);
    run("destroy --auto-approve").expect_code(0).expect_text(&["Nothing to destroy."]);
}

#[test]
fn a_change_is_planned_and_applied() {
    let environment = with_stack();
    environment.run("plan stack.yaml --sandbox --detailed-exitcode").expect_code(2).expect_text(&["5 to create"]);
    environment.run("apply stack.yaml --sandbox --auto-approve").expect_code(0).expect_text(&["1 passed"]);
    environment.edit("stack.yaml", "mode: calm", "mode: brisk");
    environment
        .run("plan stack.yaml --sandbox --detailed-exitcode")
        .expect_code(2)
        .expect_text(&["manifest.ConfigMap/settings", "1 to update"]);
    environment.run("apply stack.yaml --sandbox --auto-approve").expect_code(0);
    environment.run("drift stack.yaml --sandbox").expect_code(0);
}

#[test]
fn nothing_is_recorded_or_readable_outside_its_folder() {
    let environment = with_stack();
    environment.run("apply stack.yaml --sandbox --auto-approve").expect_code(0);
    let serving = Serving::of(&environment);
    environment.run("plan stack.yaml --sandbox").expect_code(0);
    let folder = environment.path(FOLDER);
    let mode = |path: &Path| fs::metadata(path).expect("look at a file").permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(&serving.kubeconfig), 0o600);
    let mut seen = 0;
    for path in environment.files() {
        if path.starts_with(&folder) {
            seen += 1;
            assert_eq!(mode(&path), 0o600, "{}", path.display());
        } else {
            let known = ["work/stack.yaml", "work/for-kubectl"];
            assert!(known.iter().any(|name| path.ends_with(name)), "{} was written", path.display());
        }
    }
    assert!(seen >= 5, "{seen} files in its folder");
    assert!(!environment.path("state").exists(), "the state of a sandbox is no cluster's");
}

#[test]
fn a_sandbox_in_another_folder_is_another_sandbox() {
    let environment = with_stack();
    environment.run("apply stack.yaml --sandbox --auto-approve").expect_code(0);
    let plan = environment.run("plan stack.yaml --sandbox=other --detailed-exitcode").expect_code(2);
    plan.expect_text(&["5 to create", "sandbox in other, runs no containers"]);
    environment.run("plan stack.yaml --sandbox --detailed-exitcode").expect_code(0);
}

#[test]
fn it_can_be_looked_after_and_removed() {
    let environment = with_stack();
    environment.run("sandbox status").expect_code(0).expect_text(&["there is no sandbox in .mathison/sandbox"]);
    environment.run("sandbox reset --auto-approve").expect_code(0).expect_text(&["there is no sandbox"]);
    assert!(!environment.path(".mathison").exists(), "who only looks makes nothing");
    environment.run("apply stack.yaml --sandbox --auto-approve").expect_code(0);
    environment.run("sandbox status").expect_code(0).expect_text(&["nobody serves it"]);
    assert_eq!((&status(&environment)["exists"], &status(&environment)["serving"]), (&json!(true), &json!(null)));
    // Not without an approval.
    environment.run("sandbox reset").expect_code(64).expect_text(&["--auto-approve"]);
    environment.run("plan stack.yaml --sandbox --detailed-exitcode").expect_code(0);
    environment.run("sandbox reset --auto-approve").expect_code(0).expect_text(&["removed the sandbox"]);
    let left: Vec<_> = environment.files().into_iter().filter(|path| !path.ends_with("work/stack.yaml")).collect();
    assert!(left.iter().all(|path| path.ends_with(format!("{FOLDER}/sandbox.lock"))), "{left:?}");
    environment.run("plan stack.yaml --sandbox --detailed-exitcode").expect_code(2).expect_text(&["5 to create"]);
}

#[test]
fn commands_share_the_process_that_serves() {
    let environment = with_stack();
    let serving = Serving::of(&environment);
    environment.run("sandbox status").expect_code(0).expect_text(&["is served at https://127.0.0.1:", "by process"]);
    environment.run("apply stack.yaml --sandbox --auto-approve").expect_code(0).expect_text(&["mathison-sandbox"]);
    // What one command made the other sees, and so does every client.
    environment.run("plan stack.yaml --sandbox --detailed-exitcode").expect_code(0);
    let path = "/apis/apps/v1/namespaces/tried/deployments/web";
    let deployment = serving.api().send("GET", path, None).object(path);
    assert_eq!(deployment["status"]["readyReplicas"], 2);
    // With its kubeconfig it is one server as any other.
    environment.run("plan stack.yaml --sandbox --detailed-exitcode").expect_code(0);
    let output = environment
        .mathison(["plan", "stack.yaml", "--detailed-exitcode", "--state", ".mathison/sandbox/state"])
        .set("KUBECONFIG", &serving.kubeconfig)
        .finish();
    output.expect_code(0).expect_text(&["No changes.", "context  mathison-sandbox"]);
    // Whoever serves it keeps it.
    environment.run("sandbox reset --auto-approve").expect_code(5).expect_text(&["hint:"]);
    serving.process.signal(Signal::TERM);
    serving.process.finish().expect_code(0).expect_text(&["serving the sandbox in", "It runs no containers"]);
    environment.run("sandbox status").expect_code(0).expect_text(&["nobody serves it"]);
    environment.run("plan stack.yaml --sandbox --detailed-exitcode").expect_code(0);
}

#[test]
fn a_second_process_is_told_who_has_it() {
    let environment = with_stack();
    // The first waits for what is never ready.
    environment.edit("stack.yaml", "serviceAccountName: web", "nodeSelector: { kubernetes.io/os: none-such }");
    let first = environment.mathison("apply stack.yaml --sandbox --auto-approve --timeout 60s".split(' ')).start();
    eventually("the first has the sandbox", PATIENCE, || environment.path(FOLDER).join("store.redb").is_file());
    for line in ["plan stack.yaml --sandbox", "sandbox serve", "sandbox reset --auto-approve"] {
        environment.run(line).expect_code(5).expect_text(&[FOLDER, "in use", "hint:", "mathison sandbox serve"]);
    }
    drop(first);
    environment.run("plan stack.yaml --sandbox").expect_code(0);
}

#[test]
fn a_stopped_apply_does_not_wait_for_what_is_never_ready() {
    let environment = with_stack();
    environment.edit("stack.yaml", "serviceAccountName: web", "nodeSelector: { kubernetes.io/os: none-such }");
    for signal in [Signal::TERM, Signal::INT] {
        let line = "apply stack.yaml --sandbox --auto-approve --timeout 10m";
        let mut run = environment.mathison(line.split(' ')).within(Duration::from_secs(60)).start();
        // Its plan names the replicas that are missing too: only this is said while it waits.
        let waits = "manifest.Deployment/web: still ";
        eventually("it waits for the Deployment", PATIENCE, || run.has_ended() || run.said(waits));
        run.signal(signal);
        run.finish().expect_code(130).expect_text(&["stopping:", "the run was stopped; 0/2 replicas"]);
    }
    environment.edit("stack.yaml", "none-such", "linux");
    environment.run("apply stack.yaml --sandbox --auto-approve").expect_code(0);
}

#[test]
fn a_killed_apply_is_made_good_by_repeating_it() {
    let mut random = StdRng::seed_from_u64(4);
    let line = "apply stack.yaml --sandbox --auto-approve";
    let environment = with_stack();
    let whole = std::time::Instant::now();
    environment.run(line).expect_code(0);
    let mut span = whole.elapsed();
    let (mut killed, mut rounds) = (0, 0);
    while killed < 8 {
        let environment = with_stack();
        let run = environment.mathison(line.split(' ')).within(PATIENCE).start();
        // Any moment will do, so there is none to wait for.
        std::thread::sleep(span.mul_f64(random.random_range(0.02..0.98)));
        run.signal(Signal::KILL);
        if run.finish().code == 137 {
            killed += 1;
        } else {
            // It had ended by itself: the first run was slower than those after it, for nothing of it was in memory.
            span = span.mul_f64(0.7);
        }
        rounds += 1;
        assert!(rounds < 60, "only {killed} of {rounds} were still running when they were killed");
        let repeated = environment.run(line);
        assert_eq!(repeated.code, 0, "round {rounds}\n{repeated}");
        environment.run("plan stack.yaml --sandbox --detailed-exitcode").expect_code(0).expect_text(&["No changes."]);
    }
}

/// What is written down of a run is known after each of its lines.
#[test]
fn an_apply_that_is_killed_after_any_line_of_its_journal_is_made_good() {
    let line = "apply stack.yaml --sandbox --auto-approve";
    for lines in 1..=9 {
        let environment = with_stack();
        let mut run = environment.mathison(line.split(' ')).within(PATIENCE).start();
        let state = environment.path(FOLDER).join("state");
        while !run.has_ended() && journal_lines(&state) < lines {
            std::thread::yield_now();
        }
        run.signal(Signal::KILL);
        run.finish();
        environment.run(line).expect_code(0);
        environment.run("plan stack.yaml --sandbox --detailed-exitcode").expect_code(0).expect_text(&["No changes."]);
        environment.run("drift stack.yaml --sandbox").expect_code(0);
    }
}

fn journal_lines(state: &Path) -> usize {
    let Ok(entries) = fs::read_dir(state) else { return 0 };
    let journals = entries.flatten().map(|entry| entry.path());
    let journals = journals.filter(|path| path.extension().is_some_and(|extension| extension == "journal"));
    journals.map(|path| fs::read(path).map_or(0, |text| text.iter().filter(|byte| **byte == b'\n').count())).sum()
}

#[test]
fn what_was_answered_survives_a_killed_server() {
    let environment = TestEnv::new();
    let mut answered = Vec::new();
    for round in 0..3 {
        let serving = Serving::of(&environment);
        let api = serving.api();
        for name in &answered {
            assert_eq!(api.send("GET", &format!("{CONFIG_MAPS}/{name}"), None).code, 200, "{name} is gone");
        }
        // Four write until the server is no more.
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let api = api.clone();
                std::thread::spawn(move || {
                    let names = (0..2000).map(|count| format!("r{round}-w{writer}-{count}"));
                    let made = |name: &String| {
                        let answer = api.try_send("POST", CONFIG_MAPS, Some((JSON, &config_map(name))));
                        answer.is_ok_and(|answer| answer.code == 201)
                    };
                    names.take_while(made).collect::<Vec<_>>()
                })
            })
            .collect();
        eventually("there is something to lose", PATIENCE, || {
            let list = api.send("GET", &format!("{CONFIG_MAPS}?limit=500"), None).object("a list");
            let count = list["items"].as_array().map_or(0, Vec::len);
            count > 100 * (round + 1) || count == 500
        });
        serving.killed().expect_code(137);
        for writer in writers {
            answered.extend(writer.join().expect("a writer"));
        }
    }
    assert!(answered.len() > 200, "only {} were answered", answered.len());
    // Who was killed is not taken for one that serves, and what it kept is whole.
    environment.run("sandbox status").expect_code(0).expect_text(&["nobody serves it"]);
    let serving = Serving::of(&environment);
    for name in &answered {
        let object = serving.api().send("GET", &format!("{CONFIG_MAPS}/{name}"), None).object(name);
        assert_eq!(object["data"]["name"], *name);
    }
}

#[test]
fn it_answers_this_machine_only_and_nobody_without_its_token() {
    let environment = TestEnv::new();
    let serving = Serving::of(&environment);
    let config = plain(&serving.text()).remove(0);
    let url = config["clusters"][0]["cluster"]["server"].as_str().expect("a server");
    let port: u16 = url.strip_prefix("https://127.0.0.1:").and_then(|port| port.parse().ok()).expect("a loopback port");
    assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok());
    // Other loopback addresses stand for all that the machine has.
    assert!(TcpStream::connect((Ipv4Addr::new(127, 0, 0, 2), port)).is_err(), "it listens on more than 127.0.0.1");

    let with = |edit: &dyn Fn(&mut Value)| {
        let mut config = config.clone();
        edit(&mut config);
        Api::with_kubeconfig(&config.to_string()).try_send("GET", "/api/v1/namespaces", None)
    };
    assert_eq!(with(&|_| {}).expect("an answer").code, 200);
    let wrong = with(&|config| config["users"][0]["user"]["token"] = json!("guessed")).expect("an answer");
    assert_eq!((wrong.code, &wrong.body["reason"]), (401, &json!("Unauthorized")));
    // Nothing is said to who trusts another authority.
    let other = mathison::sandbox::server::Identity::make(jiff::Timestamp::now()).expect("make an authority").ca;
    let refused = with(&|config| {
        config["clusters"][0]["cluster"]["certificate-authority-data"] = json!(STANDARD.encode(&other));
    });
    assert!(refused.is_err(), "{refused:?}");
}

#[test]
fn it_says_what_it_is() {
    let environment = TestEnv::new();
    let serving = Serving::of(&environment);
    let config = plain(&serving.text()).remove(0);
    assert_eq!(config["current-context"], "mathison-sandbox");
    let version = serving.api().send("GET", "/version", None).object("the version");
    let text = version["gitVersion"].as_str().expect("a version");
    assert!(text.starts_with("v1.35.") && text.contains("mathison-sandbox"), "{text}");
}
