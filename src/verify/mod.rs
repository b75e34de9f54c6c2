//! Checks: what to ask and how an answer is judged, both pure. Who asks is the command's business.
//!
//! [`question()`] turns a check into what must be asked of the cluster, [`judge()`] turns the answer into an outcome.
//! Passwords pass between the two as names of Secret keys only: the asker feeds the value to the command's standard
//! input, so that no argument list and no message ever holds it.

mod access;
mod answer;
mod exec;
mod judge;
mod limits;
mod question;
mod requirements;
mod restart;

use std::time::Duration;

pub use crate::service::Check;
pub use access::AccessReview;
pub use answer::Answer;
pub use exec::{Command, SecretKey};
pub use judge::judge;
pub use question::{Question, question, subject};
pub use restart::{MarkedVolume, RestartScript};

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

#[cfg(test)]
mod tests;
