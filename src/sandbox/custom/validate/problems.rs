//! Problems in the words of kube-openapi's validator, and how Go writes values.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::sandbox::refusal::{FieldProblem, ProblemSort};

/// The path of the object itself, as Go prints a path that is nil.
const NO_PATH: &str = "<nil>";

/// What the check of one value found.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// The problems, each with the text that tells it from others.
    found: Vec<(String, FieldProblem)>,
    /// These texts.
    known: BTreeSet<String>,
    /// How much of the schema was looked at: of several alternatives that fail, the one with the highest number is told.
    pub(super) looked_at: usize,
}

impl Outcome {
    pub(super) fn is_valid(&self) -> bool {
        self.found.is_empty()
    }

    pub(super) fn add(&mut self, text: String, problem: FieldProblem) {
        if self.known.insert(text.clone()) {
            self.found.push((text, problem));
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        let looked_at = self.looked_at + other.looked_at;
        if self.found.is_empty() {
            *self = other;
        } else {
            for (text, problem) in other.found {
                self.add(text, problem);
            }
        }
        self.looked_at = looked_at;
    }

    /// Drops the problems: the value is wrong, but was so before.
    pub(super) fn forgiven(self) -> Self {
        Self { looked_at: self.looked_at, ..Self::default() }
    }

    /// Returns the problems, their paths being below `base`.
    pub(super) fn into_problems(self, base: &str) -> Vec<FieldProblem> {
        let below = |field: String| match (base, field.trim_start_matches('.')) {
            (_, NO_PATH) if base.is_empty() || field == NO_PATH => or_nil(base),
            ("", field) => field.to_owned(),
            (base, field) => format!("{base}.{field}"),
        };
        let problems = self.found.into_iter().map(|(_, problem)| problem);
        problems.map(|problem| FieldProblem { field: below(problem.field), ..problem }).collect()
    }
}

fn or_nil(path: &str) -> String {
    if path.is_empty() { NO_PATH.to_owned() } else { path.to_owned() }
}

/// Where a value is, for the problems that it has.
#[derive(Debug, Clone, Copy)]
pub(super) struct At<'a>(pub(super) &'a str);

impl At<'_> {
    /// A problem whose detail is the validator's sentence.
    pub(super) fn wrong(self, outcome: &mut Outcome, value: String, says: &str) {
        self.says(outcome, value, format!("{} in body {says}", self.0));
    }

    /// A problem with a sentence of its own.
    pub(super) fn says(self, outcome: &mut Outcome, value: String, detail: String) {
        let problem = FieldProblem {
            sort: ProblemSort::Invalid,
            field: or_nil(self.0),
            detail: detail.clone(),
            value: Some(value),
        };
        outcome.add(detail, problem);
    }

    /// A value of another type or format than `wanted`; `is` is what the server shows of it.
    pub(super) fn mistyped(self, outcome: &mut Outcome, wanted: &str, is: &str) {
        let detail = format!("{} in body must be of type {wanted}: {is:?}", self.0);
        let problem = FieldProblem {
            sort: ProblemSort::TypeInvalid,
            field: or_nil(self.0),
            detail: detail.clone(),
            value: Some(format!("{is:?}")),
        };
        outcome.add(detail, problem);
    }

    /// None, or too many, of the alternatives of a schema: these problems name no field.
    pub(super) fn combination(self, outcome: &mut Outcome, says: &str) {
        let detail = format!("{:?} {says}", self.0);
        let problem = FieldProblem {
            sort: ProblemSort::Invalid,
            field: NO_PATH.to_owned(),
            detail: detail.clone(),
            value: Some("\"\"".to_owned()),
        };
        outcome.add(detail, problem);
    }

    pub(super) fn missing(self, outcome: &mut Outcome, key: &str) {
        let path = format!("{}.{key}", self.0);
        let problem = FieldProblem::required(path.trim_start_matches('.'), "");
        outcome.add(format!("{path} in body is required"), problem);
    }

    pub(super) fn too_long(self, outcome: &mut Outcome, most: i64) {
        let problem = FieldProblem::too_long(or_nil(self.0), usize::try_from(most).unwrap_or_default());
        outcome.add(format!("{} in body should be at most {most} chars long", self.0), problem);
    }

    pub(super) fn too_many(self, outcome: &mut Outcome, what: &str, actual: usize, most: i64) {
        let problem = FieldProblem::too_many(or_nil(self.0), actual, usize::try_from(most).unwrap_or_default());
        outcome.add(format!("{} in body should have at most {most} {what}", self.0), problem);
    }

    pub(super) fn not_one_of(self, outcome: &mut Outcome, value: &Value, supported: &[Value]) {
        let texts: Vec<String> =
            supported.iter().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let problem = FieldProblem::not_supported(or_nil(self.0), value, &texts);
        outcome.add(format!("{} in body should be one of {texts:?}", self.0), problem);
    }
}

/// A number as Go prints it with `%v`.
pub(super) fn go_number(number: f64) -> String {
    if number == 0.0 || (1e-4..1e21).contains(&number.abs()) {
        return number.to_string();
    }
    let text = format!("{number:e}");
    match text.split_once('e') {
        Some((mantissa, exponent)) => match exponent.strip_prefix('-') {
            Some(digits) => format!("{mantissa}e-{digits:0>2}"),
            None => format!("{mantissa}e+{exponent:0>2}"),
        },
        None => text,
    }
}
