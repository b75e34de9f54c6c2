//! The results of checks for programs.

use serde::Serialize;

use super::json::{FORMAT_VERSION, document_text};
use super::verify_text::CheckCounts;
use crate::verify::{CheckOutcome, CheckResult};

#[derive(Serialize)]
struct VerifyJson<'a> {
    format_version: &'static str,
    counts: CountsJson,
    checks: Vec<ResultJson<'a>>,
}

#[derive(Serialize)]
pub(super) struct CountsJson {
    passed: usize,
    failed: usize,
    skipped: usize,
}

impl From<CheckCounts> for CountsJson {
    fn from(CheckCounts { passed, failed, skipped }: CheckCounts) -> Self {
        Self { passed, failed, skipped }
    }
}

#[derive(Serialize)]
struct ResultJson<'a> {
    name: &'a str,
    #[serde(flatten)]
    outcome: OutcomeJson<'a>,
    elapsed_ms: u128,
}

/// `outcome` is `passed`, `failed` or `skipped`; the last two say why.
#[derive(Serialize)]
pub(super) struct OutcomeJson<'a> {
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
}

impl<'a> From<&'a CheckOutcome> for OutcomeJson<'a> {
    fn from(outcome: &'a CheckOutcome) -> Self {
        let (outcome, why) = match outcome {
            CheckOutcome::Passed => ("passed", None),
            CheckOutcome::Failed(why) => ("failed", Some(why.as_str())),
            CheckOutcome::Skipped(why) => ("skipped", Some(why.as_str())),
        };
        Self { outcome, why }
    }
}

/// Returns the results as a JSON document of format 1.0, in the order given.
#[must_use]
pub fn verify_json(results: &[CheckResult]) -> String {
    document_text(&VerifyJson {
        format_version: FORMAT_VERSION,
        counts: CheckCounts::of(results).into(),
        checks: results
            .iter()
            .map(|result| ResultJson {
                name: &result.name,
                outcome: (&result.outcome).into(),
                elapsed_ms: result.elapsed.as_millis(),
            })
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::verify_text::sample_results;

    #[test]
    fn results_are_told_with_their_reasons() {
        insta::assert_snapshot!(verify_json(&sample_results()), @r#"
        {
          "format_version": "1.0",
          "counts": {
            "passed": 1,
            "failed": 1,
            "skipped": 1
          },
          "checks": [
            {
              "name": "claims are bound",
              "outcome": "passed",
              "elapsed_ms": 120
            },
            {
              "name": "postgres answers",
              "outcome": "skipped",
              "why": "no container can be asked here",
              "elapsed_ms": 4
            },
            {
              "name": "redis answers",
              "outcome": "failed",
              "why": "expected `PONG`, got `NOAUTH\u001b[2J`",
              "elapsed_ms": 2300
            }
          ]
        }
        "#);
    }
}
