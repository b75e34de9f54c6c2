//! An apply that somebody ends on the way.

use std::time::Duration;

use rustix::process::Signal;

use super::cluster::eventually;
use super::environment::TestEnv;
use super::output::Output;

/// Starts an apply, waits until `is_reached`, and then sends it these signals, one right after the other. The exit code is
/// as a shell tells it.
pub fn end_apply(environment: &TestEnv, is_reached: impl FnMut() -> bool, signals: &[Signal]) -> Output {
    let words = ["apply", "stack.yaml", "--auto-approve", "--skip-checks", "--timeout", "5s"];
    let run = environment.mathison(words).within(Duration::from_secs(90)).start();
    eventually("the apply is on its way", Duration::from_secs(60), is_reached);
    for signal in signals {
        run.signal(*signal);
    }
    run.finish()
}
