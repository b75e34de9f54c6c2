//! How a command ends: one exit code, one message, its causes and what to type next.

use std::error::Error;

use crate::report::message;

/// Exit codes, as scripts rely on them. clap's own code for bad usage (2) is mapped to [`ExitStatus::Usage`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum ExitStatus {
    /// Done; nothing is left to change.
    Done = 0,
    /// An error, or a resource that failed.
    Error = 1,
    /// Changes are pending (`plan --detailed-exitcode`), or drift was found (`drift`).
    Pending = 2,
    /// A check failed.
    VerificationFailed = 3,
    /// A live object is no longer what the plan saw.
    Stale = 4,
    /// Another run holds the state.
    Locked = 5,
    /// A protection refused it: `protect`, or data that would be lost.
    Protected = 6,
    /// The command line or the stack file is wrong.
    Usage = 64,
    /// Interrupted by the user.
    Interrupted = 130,
}

impl From<ExitStatus> for std::process::ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status as u8)
    }
}

/// A command that could not do its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The exit code.
    pub status: ExitStatus,
    /// What failed, and the causes below it, outermost first.
    pub chain: Vec<String>,
    /// What to type or look at next.
    pub hints: Vec<String>,
    /// Text that is shown as it is before the message, such as rendered problems of a file.
    pub details: String,
}

impl Failure {
    /// Makes a failure out of one sentence.
    #[must_use]
    pub fn new(status: ExitStatus, message: impl Into<String>) -> Self {
        Self { status, chain: vec![message.into()], hints: Vec::new(), details: String::new() }
    }

    /// Makes a failure out of what was being done and the error that prevented it, with all its sources.
    #[must_use]
    pub fn because(status: ExitStatus, doing: impl Into<String>, error: &dyn Error) -> Self {
        let mut chain = vec![doing.into()];
        let mut next = Some(error);
        while let Some(error) = next {
            let text = error.to_string();
            // Some libraries repeat their source in their own text.
            if chain.last().is_none_or(|last| !last.ends_with(&text)) {
                chain.push(text);
            }
            next = error.source();
        }
        Self { status, chain, hints: Vec::new(), details: String::new() }
    }

    /// Adds a hint.
    #[must_use]
    pub fn hinted(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds a hint where there is one.
    #[must_use]
    pub fn maybe_hinted(self, hint: Option<String>) -> Self {
        match hint {
            Some(hint) => self.hinted(hint),
            None => self,
        }
    }

    /// Adds text to show before the message.
    #[must_use]
    pub fn with_details(mut self, details: impl Into<String>) -> Self {
        self.details = details.into();
        self
    }

    /// Returns the message as it is shown: `error: WHAT`, its causes, and the hints. It is wrapped at `width` columns;
    /// `usize::MAX` never wraps.
    #[must_use]
    pub fn render(&self, width: usize) -> String {
        let mut text = self.details.clone();
        for (index, line) in self.chain.iter().enumerate() {
            let label = if index == 0 { "error" } else { "  caused by" };
            text.push_str(&message(label, line, width));
        }
        for hint in &self.hints {
            text.push_str(&message("hint", hint, width));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_what_scripts_rely_on() {
        let codes = [
            (ExitStatus::Done, 0),
            (ExitStatus::Error, 1),
            (ExitStatus::Pending, 2),
            (ExitStatus::VerificationFailed, 3),
            (ExitStatus::Stale, 4),
            (ExitStatus::Locked, 5),
            (ExitStatus::Protected, 6),
            (ExitStatus::Usage, 64),
            (ExitStatus::Interrupted, 130),
        ];
        for (status, code) in codes {
            assert_eq!(status as u8, code);
        }
    }

    #[test]
    fn the_chain_is_told_once_and_hints_come_last() {
        #[derive(Debug, thiserror::Error)]
        #[error("outer: inner")]
        struct Outer(#[source] Inner);
        #[derive(Debug, thiserror::Error)]
        #[error("inner")]
        struct Inner;
        let failure = Failure::because(ExitStatus::Error, "failed to read `x`", &Outer(Inner)).hinted("try `y`");
        insta::assert_snapshot!(failure.render(usize::MAX), @r"
        error: failed to read `x`
          caused by: outer: inner
        hint: try `y`
        ");
        let failure = Failure::new(ExitStatus::Error, "cannot use the kubeconfig: there is no file `~/.kube/config`")
            .hinted("set `KUBECONFIG`; `kubectl config view` shows what is found");
        insta::assert_snapshot!(failure.render(40), @r"
        error: cannot use the kubeconfig: there
          is no file `~/.kube/config`
        hint: set `KUBECONFIG`;
          `kubectl config view` shows what is
          found
        ");
    }
}
