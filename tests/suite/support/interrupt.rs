//! An apply that somebody ends on the way.

use std::time::Duration;

use super::cluster::Server;
use super::environment::TestEnv;
use super::output::Output;

/// Starts an apply, waits with `kubectl wait` for what `awaited` says, and then sends it these signals, one right after the
/// other. The exit code is the apply's, as a shell tells it.
pub fn end_apply(server: &Server, environment: &TestEnv, namespace: &str, awaited: &str, signals: &[&str]) -> Output {
    let kills: String = signals.iter().map(|signal| format!("kill -{signal} $run; ")).collect();
    let script = format!(
        "\"$0\" apply stack.yaml --auto-approve --skip-checks --timeout 5s & run=$!
         {} --namespace {namespace} wait {awaited} --timeout=60s > $DISCARD 2>&1
         {kills} wait $run",
        server.kubectl_path().display(),
    );
    let run = environment.program("sh", ["-c", &script, env!("CARGO_BIN_EXE_mathison")]);
    run.set("DISCARD", "/dev/null").within(Duration::from_secs(90)).finish()
}
