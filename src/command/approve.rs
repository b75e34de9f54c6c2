//! Asking for approval: only the word `yes` approves, and without a terminal nobody is asked.

use std::io::{self, BufRead as _};

use super::talk::Streams;
use crate::failure::{ExitStatus, Failure};
use crate::report;

/// Why a run does not even begin. The command is not spelled out: without its other flags it would be another one.
pub(super) fn nobody_to_ask() -> Failure {
    Failure::new(
        ExitStatus::Usage,
        "approval is needed, and there is no terminal to ask on (standard input and standard error); nothing was written",
    )
    .hinted("add `--auto-approve` to go on without being asked")
}

/// Asks whether to go on.
pub(super) fn approve(question: &str, streams: &Streams) -> Result<bool, Failure> {
    streams.insist(question);
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(|error| {
        Failure::because(ExitStatus::Error, "failed to read the answer; nothing was written", &error)
    })?;
    Ok(report::is_yes(&line))
}
