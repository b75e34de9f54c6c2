//! Asking for approval: only the word `yes` approves, and without a terminal nobody is asked.

use std::io::{self, BufRead as _};

use super::apply::Call;
use super::talk::Streams;
use crate::failure::{ExitStatus, Failure};
use crate::report;

/// Asks whether to go on. An error where nobody can be asked.
pub(super) fn approve(question: &str, call: &Call, streams: &Streams) -> Result<bool, Failure> {
    if !streams.talk.can_ask {
        return Err(Failure::new(ExitStatus::Usage, "approval is needed, and standard input is no terminal to ask on")
            .hinted(format!(
                "nothing was written; `mathison {} {} --auto-approve` goes on without asking",
                call.word(),
                call.stack.file.display()
            )));
    }
    streams.insist(question);
    let mut line = String::new();
    io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|error| Failure::because(ExitStatus::Error, "failed to read the answer", &error))?;
    Ok(report::is_yes(&line))
}
