//! What the sandbox costs: `cargo bench --bench sandbox`.
//!
//! The stack that we ship: a whole run in memory on a clock that stands still, an apply from nothing and a plan of what is
//! there, each of the two a process of its own. Then a sandbox of 10,000 objects: opened for a plan, served and listed, and
//! the memory that takes. Exits 1 if a budget is missed.
#![allow(clippy::print_stdout, reason = "a benchmark reports on standard output")]

#[path = "noop_plan/cost.rs"]
mod cost;
#[path = "../tests/suite/support/mod.rs"]
mod support;

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use cost::Cost;
use mathison::command::simulation::{Beginning, Simulation};
use mathison::failure::ExitStatus;
use mathison::stack::{self, Settings};
use rustix::process::Signal;
use support::api::Api;
use support::cluster::eventually;
use support::environment::{Started, TestEnv};
use support::generate::{self, STACK_FILE};

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 15;
const SIMULATIONS: usize = 101;
const OBJECTS: usize = 10_000;
const PLANS: usize = 7;
const KUBECONFIG: &str = "for-the-list";
const PATIENCE: Duration = Duration::from_secs(1800);

/// A plan of what exists: the whole process, in seconds.
const PLAN: f64 = 0.100;
/// An apply from nothing: CPU time in seconds. Its wall-clock time is mostly that pods take a moment to start.
const APPLY: f64 = 1.0;
/// A whole run in memory, in seconds.
const SIMULATION: f64 = 0.010;
/// Memory of a process that holds 10,000 objects, in bytes.
const MEMORY: u64 = 300 * 1_000_000;

fn main() -> ExitCode {
    if !std::env::args().any(|word| word == "--bench") {
        println!("sandbox: skipped, `cargo bench` runs it");
        return ExitCode::SUCCESS;
    }
    println!("{:<54}{:>12}{:>10}", "", "found", "at most");
    let kept = [simulated(), shipped(), many()];
    if kept == [true; 3] { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn simulated() -> bool {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("stacks/mathison.yaml");
    let stack = stack::load(&file, &Settings::default()).expect("the stack that we ship").stack;
    let mut times: Vec<f64> = (0..SIMULATIONS)
        .map(|seed| {
            let began = Instant::now();
            let mut runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = runtime.enable_all().start_paused(true).build().expect("a runtime");
            let beginning = Beginning {
                seed: seed as u64,
                now: "2026-01-01T00:00:00Z".parse().expect("a time"),
                faults: None,
                timeout: Duration::from_secs(600),
                parallelism: 10,
            };
            let status = runtime.block_on(async {
                let mut world = Simulation::begin(beginning).await.expect("a world");
                world.apply(&stack).await.expect("a run").status
            });
            assert_eq!(status, ExitStatus::Done);
            began.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    seconds("a whole run in memory", times[SIMULATIONS / 2], Some(SIMULATION))
}

fn shipped() -> bool {
    let stack = Path::new(env!("CARGO_MANIFEST_DIR")).join("stacks/mathison.yaml").display().to_string();
    let run = |environment: &TestEnv, line: &str, code: i32| {
        let words: Vec<&str> = line.split(' ').chain([stack.as_str()]).collect();
        let run = environment.mathison(words).within(PATIENCE);
        cost::sample(|| {
            run.finish().expect_code(code);
        })
    };
    let (mut applies, mut plans) = (Cost::default(), Cost::default());
    for _ in 0..ROUNDS {
        let environment = TestEnv::new();
        applies.push(run(&environment, "apply --sandbox --auto-approve", 0));
        // The first warms the kernel's cache of the files.
        run(&environment, "plan --sandbox --detailed-exitcode", 0);
        plans.push(run(&environment, "plan --sandbox --detailed-exitcode", 0));
    }
    seconds("apply from nothing, wall", applies.wall(), None);
    let applied = seconds("apply from nothing, CPU", applies.cpu(), Some(APPLY));
    seconds("plan without changes, CPU", plans.cpu(), None);
    seconds("plan without changes, wall", plans.wall(), Some(PLAN)) && applied
}

fn many() -> bool {
    let environment = TestEnv::new();
    generate::write(&generate::stack("big", "big", OBJECTS), &environment.work());
    let start = |line: &str| environment.mathison(line.split(' ')).within(PATIENCE).start();
    let apply = format!("apply {STACK_FILE} --sandbox --auto-approve --no-wait --skip-checks");
    let plan = format!("plan {STACK_FILE} --sandbox --detailed-exitcode");

    let (served, _) = serve(&environment);
    let began = Instant::now();
    start(&apply).finish().expect_code(0);
    seconds("10,000 objects applied to a sandbox that is served", began.elapsed().as_secs_f64(), None);
    end(served);

    let (served, took) = serve(&environment);
    seconds("10,000 objects opened to be served", took, None);
    let began = Instant::now();
    start(&plan).finish().expect_code(0);
    seconds("  planned there", began.elapsed().as_secs_f64(), None);
    let api = Api::with_kubeconfig(&environment.read(KUBECONFIG));
    let began = Instant::now();
    let list = api.send("GET", "/api/v1/namespaces/big/configmaps", None);
    seconds("  a list of 1,111", began.elapsed().as_secs_f64(), None);
    drop(list);
    let serving = memory("  memory of who serves them", served.peak_memory().unwrap_or(u64::MAX));
    end(served);

    // Runs of one binary differ by some megabytes: one is no measure of the next.
    let (mut times, mut most) = (Vec::new(), 0);
    for _ in 0..PLANS {
        let began = Instant::now();
        let mut planned = start(&plan);
        while !planned.has_ended() {
            most = planned.peak_memory().map_or(most, |now| now.max(most));
            std::thread::sleep(Duration::from_millis(1));
        }
        planned.finish().expect_code(0);
        times.push(began.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    seconds("10,000 objects planned in one process", times[PLANS / 2], None);
    memory(&format!("  memory of that process, the most of {PLANS}"), most) && serving
}

/// Serves the sandbox, and tells how many seconds it took until it said so.
fn serve(environment: &TestEnv) -> (Started, f64) {
    let began = Instant::now();
    let line = format!("sandbox serve --no-controllers --kubeconfig {KUBECONFIG}");
    let mut served = environment.mathison(line.split(' ')).within(PATIENCE).start();
    eventually("the sandbox is served", PATIENCE, || served.has_ended() || served.said("serving the sandbox in"));
    (served, began.elapsed().as_secs_f64())
}

fn end(served: Started) {
    served.signal(Signal::TERM);
    served.finish().expect_code(0);
}

fn seconds(what: &str, found: f64, budget: Option<f64>) -> bool {
    tell(what, format!("{found:.4} s"), budget.map(|budget| (format!("{budget} s"), found <= budget)))
}

fn memory(what: &str, found: u64) -> bool {
    let megabytes = |bytes: u64| format!("{} MB", bytes / 1_000_000);
    tell(what, megabytes(found), Some((megabytes(MEMORY), found <= MEMORY)))
}

fn tell(what: &str, found: String, budget: Option<(String, bool)>) -> bool {
    let (budget, kept) = budget.unwrap_or((String::new(), true));
    println!("{what:<54}{found:>12}{budget:>10}{}", if kept { "" } else { "  missed" });
    kept
}
