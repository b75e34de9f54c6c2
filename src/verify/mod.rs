//! Checks: how an answer is judged. Who asks is the command's business.

use std::time::Duration;

/// How one check ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckOutcome {
    /// The answer was the expected one.
    Passed,
    /// It was not; what came instead.
    Failed(String),
    /// It could not be asked; why. Never counts as passed.
    Skipped(String),
}

/// One check that ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckResult {
    /// Its name.
    pub name: String,
    /// How it ended.
    pub outcome: CheckOutcome,
    /// How long it took.
    pub elapsed: Duration,
}
