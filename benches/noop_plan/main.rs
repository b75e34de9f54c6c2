//! What a plan of an unchanged stack costs, beside the least it could and what kubectl takes: `cargo bench --bench noop_plan`.
//!
//! A stack of 1,000 objects in a namespace that holds 2,000 foreign ConfigMaps, on the testbed's API server. In one run, in
//! turns: `mathison plan` (release build), the floor (a bare client that fetches and parses the same lists; see [`floor`]),
//! and `kubectl diff --server-side --concurrency=8` of the same objects. Each is a process of its own, so that its start
//! counts on all sides. Exits 1 if a budget is missed.
//!
//! `cargo bench --bench noop_plan -- generate FOLDER [COUNT]` only writes such a stack.
#![allow(clippy::print_stdout, reason = "a benchmark reports on standard output")]

mod cost;
mod floor;
#[path = "../../tests/suite/support/mod.rs"]
mod support;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use cost::{Cost, Sample};
use support::cluster::{Account, Namespace, Rights, Server};
use support::environment::TestEnv;
use support::generate::{self, STACK_FILE};

const OBJECTS: usize = 1000;
const FOREIGN: usize = 2000;
const STACK: &str = "big";
const ROUNDS: usize = 9;
const KUBECTL_ROUNDS: usize = 2;
const PATIENCE: Duration = Duration::from_secs(900);

/// All kinds lie in one namespace. Pages are counted too: each list is one here.
const MOST_REQUESTS: usize = generate::KINDS.len() + 10;
/// Wall-clock time and CPU time of ours, at most so many times the floor's.
const WALL: f64 = 2.0;
const CPU: f64 = 2.5;
/// CPU time of kubectl, at least so many times ours.
const KUBECTL_CPU: f64 = 20.0;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["floor", kubeconfig, namespace, label] => floor::fetch(Path::new(kubeconfig), namespace, label),
        ["generate", folder, count @ ..] => {
            let count = count.first().map_or(OBJECTS, |count| count.parse().expect("COUNT is a number"));
            generate::write(&generate::stack(STACK, "generated", count), Path::new(folder));
        }
        _ if !std::env::args().any(|word| word == "--bench") => println!("noop_plan: skipped, `cargo bench` runs it"),
        _ => return compare(&Server::real()),
    }
    ExitCode::SUCCESS
}

/// The three that are compared, in one environment.
struct Scene<'server> {
    server: &'server Server,
    operator: Account,
    environment: TestEnv,
    namespace: Namespace<'server>,
}

impl Scene<'_> {
    fn sample(&self, program: impl AsRef<std::ffi::OsStr>, line: &str, codes: &[i32]) -> Sample {
        let run = self.environment.program(program, line.split_whitespace()).within(PATIENCE);
        cost::sample(|| {
            let output = run.finish();
            assert!(codes.contains(&output.code), "{line}: {output}");
        })
    }

    fn plan(&self) -> Sample {
        self.sample(env!("CARGO_BIN_EXE_mathison"), &format!("plan {STACK_FILE} --detailed-exitcode"), &[0])
    }

    fn floor(&self) -> Sample {
        let kubeconfig = self.environment.root().join("home/.kube/config");
        let label = format!("{STACK}.{}", self.namespace.name());
        let line = format!("floor {} {} {label}", kubeconfig.display(), self.namespace.name());
        self.sample(std::env::current_exe().expect("this program has a path"), &line, &[0])
    }

    fn kubectl(&self) -> Sample {
        // 1 says that it found differences: it compares with other eyes, and that is not what is measured.
        let line = "diff --server-side --concurrency=8 --field-manager=mathison -R -f rendered";
        self.sample(self.server.kubectl_path(), line, &[0, 1])
    }

    fn requests(&self, agent: &str, measured: impl FnOnce(&Self) -> Sample) -> usize {
        let mark = self.server.mark();
        measured(self);
        self.server.requests(&self.operator.user, agent, mark).count()
    }
}

fn compare(server: &Server) -> ExitCode {
    let namespace = server.namespace("bench");
    namespace.create_foreign_config_maps(FOREIGN);
    let operator = namespace.account("operator", &Rights::Everything);
    let environment = operator.environment();
    generate::write(&generate::stack(STACK, namespace.name(), OBJECTS), &environment.work());
    let scene = Scene { server, operator, environment, namespace };
    let mathison = |line: &str| scene.sample(env!("CARGO_BIN_EXE_mathison"), line, &[0]);
    mathison(&format!("apply {STACK_FILE} --auto-approve --no-wait"));
    mathison(&format!("render {STACK_FILE} --out rendered"));

    // The first of each warms what it keeps between runs, and is counted in the server's log instead.
    let requests = [
        scene.requests("mathison", Scene::plan),
        scene.requests("floor", Scene::floor),
        scene.requests("kubectl", Scene::kubectl),
    ];
    let (mut ours, mut floor, mut kubectl) = (Cost::default(), Cost::default(), Cost::default());
    for round in 0..ROUNDS {
        ours.push(scene.plan());
        floor.push(scene.floor());
        if round < KUBECTL_ROUNDS {
            kubectl.push(scene.kubectl());
        }
    }

    println!(
        "a plan without changes: {OBJECTS} objects, {FOREIGN} foreign ConfigMaps; medians of {ROUNDS} ({KUBECTL_ROUNDS})"
    );
    println!("{:<34}{:>10}{:>10}{:>10}", "", "requests", "wall", "CPU");
    for ((name, cost), requests) in
        [("mathison plan", &ours), ("floor", &floor), ("kubectl diff --server-side", &kubectl)].iter().zip(requests)
    {
        println!("{name:<34}{requests:>10}{:>9.3}s{:>9.3}s", cost.wall(), cost.cpu());
    }
    let kept = [
        judge(
            "requests of mathison plan",
            format!("{}", requests[0]),
            "at most",
            format!("{MOST_REQUESTS}"),
            requests[0] <= MOST_REQUESTS,
        ),
        at_most("wall, of the floor's", ours.wall() / floor.wall(), WALL),
        at_most("CPU, of the floor's", ours.cpu() / floor.cpu(), CPU),
        at_least("kubectl's CPU, of ours", kubectl.cpu() / ours.cpu(), KUBECTL_CPU),
    ];
    if kept.contains(&false) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn at_most(what: &str, ratio: f64, budget: f64) -> bool {
    judge(what, format!("{ratio:.2}×"), "at most", format!("{budget}×"), ratio <= budget)
}

fn at_least(what: &str, ratio: f64, budget: f64) -> bool {
    judge(what, format!("{ratio:.1}×"), "at least", format!("{budget}×"), ratio >= budget)
}

fn judge(what: &str, found: String, bound: &str, budget: String, kept: bool) -> bool {
    println!("{what:<34}{found:>10}  {bound} {budget}{}", if kept { "" } else { "  missed" });
    kept
}
