//! What a run printed and how it ended, as a value and as one text for a snapshot.

use std::fmt;

use super::redact::Redactions;

/// Both streams and the exit code.
pub struct Output {
    /// Data.
    pub stdout: String,
    /// Talk.
    pub stderr: String,
    /// Exit code; 128 and its number after a signal.
    pub code: i32,
    pub(super) redactions: Redactions,
}

impl Output {
    /// Fails with all that was printed unless the exit code is this one.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "another exit code\n{self}");
        self
    }

    /// Fails with all that was printed unless each of these stands on one of the streams.
    #[track_caller]
    pub fn expect_text(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(self.stdout.contains(text) || self.stderr.contains(text), "`{text}` is nowhere in\n{self}");
        }
        self
    }

    /// Fails if any of these stands on one of the streams.
    #[track_caller]
    pub fn expect_no_text(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(!self.stdout.contains(text) && !self.stderr.contains(text), "`{text}` must not stand in\n{self}");
        }
        self
    }
}

impl fmt::Display for Output {
    /// Both streams and the exit code, with what changes from run to run replaced.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !text.is_empty() {
                let text = self.redactions.apply(text);
                let end = if text.ends_with('\n') { "" } else { "[no newline]\n" };
                write!(f, "----- {name} -----\n{text}{end}")?;
            }
        }
        write!(f, "----- exit code {} -----", self.code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(stdout: &str, stderr: &str, code: i32) -> Output {
        let (stdout, stderr) = (stdout.to_owned(), stderr.to_owned());
        Output { stdout, stderr, code, redactions: Redactions::default() }
    }

    #[test]
    fn one_snapshot_holds_both_streams_and_the_exit_code() {
        insta::assert_snapshot!(output("a: 1\n", "took 3.2s", 2), @"
        ----- stdout -----
        a: 1
        ----- stderr -----
        took [duration][no newline]
        ----- exit code 2 -----
        ");
    }

    #[test]
    fn a_silent_run_shows_its_exit_code_alone() {
        insta::assert_snapshot!(output("", "", 0), @"----- exit code 0 -----");
    }
}
