//! The results of checks as text.

use super::line::{Line, last_line};
use super::style::{Meaning, Options};
use super::words::duration_words;
use crate::verify::{CheckOutcome, CheckResult};

/// How many checks ended how. What could not be asked never counts as passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct CheckCounts {
    /// The answer was the expected one.
    pub(super) passed: usize,
    /// It was not.
    pub(super) failed: usize,
    /// It could not be asked.
    pub(super) skipped: usize,
}

impl CheckCounts {
    /// Counts results.
    pub(super) fn of(results: &[CheckResult]) -> Self {
        let mut counts = Self::default();
        results.iter().for_each(|result| counts.add(&result.outcome));
        counts
    }

    /// Counts one more.
    pub(super) fn add(&mut self, outcome: &CheckOutcome) {
        match outcome {
            CheckOutcome::Passed => self.passed += 1,
            CheckOutcome::Failed(_) => self.failed += 1,
            CheckOutcome::Skipped(_) => self.skipped += 1,
        }
    }
}

/// Returns how a check ended as a line: `check postgres answers: FAILED: no pod is ready`.
pub(super) fn check_line(name: &str, outcome: &CheckOutcome) -> Line {
    let line = Line::new().text(format!("check {name}: "));
    match outcome {
        CheckOutcome::Passed => line.paint(Meaning::Good, "passed"),
        CheckOutcome::Failed(why) => line.paint(Meaning::Bad, "FAILED").text(format!(": {why}")),
        CheckOutcome::Skipped(why) => line.paint(Meaning::Warning, "SKIPPED").text(format!(": {why}")),
    }
}

/// Returns the results one a line, in the order given. The last line, `Checks: 1 passed, …`, counts them.
#[must_use]
pub fn verify_text(results: &[CheckResult], options: &Options) -> String {
    let mut out = String::new();
    for result in results {
        let time = format!(" ({})", duration_words(result.elapsed));
        check_line(&result.name, &result.outcome).paint(Meaning::Quiet, time).write(&mut out, options, 0, 4);
    }
    if !results.is_empty() {
        out.push('\n');
    }
    last_line(&mut out, options, verify_summary(results));
    out
}

/// Returns the last line, which scripts may look for.
fn verify_summary(results: &[CheckResult]) -> String {
    let CheckCounts { passed, failed, skipped } = CheckCounts::of(results);
    format!("Checks: {passed} passed, {failed} failed, {skipped} skipped.")
}

#[cfg(test)]
pub(super) fn sample_results() -> Vec<CheckResult> {
    let result = |name: &str, outcome, milliseconds| CheckResult {
        name: name.to_owned(),
        outcome,
        elapsed: std::time::Duration::from_millis(milliseconds),
    };
    vec![
        result("claims are bound", CheckOutcome::Passed, 120),
        result("postgres answers", CheckOutcome::Skipped("no container can be asked here".to_owned()), 4),
        result("redis answers", CheckOutcome::Failed("expected `PONG`, got `NOAUTH\u{1b}[2J`".to_owned()), 2300),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_told_one_a_line_and_counted_apart() {
        insta::assert_snapshot!(verify_text(&sample_results(), &Options::plain(80)), @r#"
        check claims are bound: passed (120ms)
        check postgres answers: SKIPPED: no container can be asked here (4ms)
        check redis answers: FAILED: expected `PONG`, got `NOAUTH\u{1b}[2J` (2s)

        Checks: 1 passed, 1 failed, 1 skipped.
        "#);
        assert_eq!(verify_text(&[], &Options::plain(80)), "Checks: 0 passed, 0 failed, 0 skipped.\n");
    }
}
