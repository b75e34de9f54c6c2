//! How long the program takes to do next to nothing: `cargo bench --bench startup`.
//!
//! Medians of many runs of the release build, process start included. Exits 1 if a budget is missed.
#![allow(clippy::print_stdout, reason = "a benchmark reports on standard output")]

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

const RUNS: usize = 201;

/// What is run, and how long its median may take.
const BUDGETS: &[(&[&str], Duration)] =
    &[(&["--version"], Duration::from_millis(5)), (&["validate", "stacks/mathison.yaml"], Duration::from_millis(20))];

fn main() -> ExitCode {
    if !std::env::args().any(|word| word == "--bench") {
        println!("startup: skipped, `cargo bench` runs it");
        return ExitCode::SUCCESS;
    }
    let mut kept = true;
    println!("{:<34}{:>10}{:>10}{:>10}", "mathison …", "median", "p95", "budget");
    for (words, budget) in BUDGETS {
        let mut times: Vec<Duration> = (0..RUNS).map(|_| time(words)).collect();
        times.sort();
        let (median, high) = (times[RUNS / 2], times[RUNS * 95 / 100]);
        kept &= median <= *budget;
        let missed = if median <= *budget { "" } else { "  missed" };
        println!("{:<34}{:>10.2?}{:>10.2?}{:>10.2?}{missed}", words.join(" "), median, high, budget);
    }
    if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn time(words: &[&str]) -> Duration {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mathison"));
    command.args(words).current_dir(Path::new(env!("CARGO_MANIFEST_DIR"))).stdout(Stdio::null()).stderr(Stdio::piped());
    let began = Instant::now();
    let output = command.output().expect("start the release build");
    let elapsed = began.elapsed();
    assert!(output.status.success(), "mathison {words:?}: {}", String::from_utf8_lossy(&output.stderr));
    elapsed
}
