//! Checks custom resources as the server does, in its order: the schema, what the scale subresource needs, embedded
//! resources, lists that are sets or maps, the rules. What was wrong before and has not changed may stay.

mod embedded;
mod formats;
mod lists;
mod names;
mod numbers;
mod patterns;
mod problems;
mod ratchet;
mod scale;
mod schema;

use serde_json::Value;

use self::embedded::check_embedded;
use self::lists::check_lists;
use super::rules::{check_rules, has_rules};
use super::scale::ScalePaths;
use crate::sandbox::kind::Custom;
use crate::sandbox::refusal::{FieldProblem, ProblemSort};

pub(super) use self::formats::{is_request_uri, is_unrecognized};
pub(super) use self::names::{dns_1035_label, dns_1123_subdomain};
pub(super) use self::patterns::compiled;
pub(super) use self::ratchet::{Pair, counterpart};

/// What there is to say of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Why it is refused, in the server's order; none if it is accepted.
    pub problems: Vec<FieldProblem>,
    /// What the answer warns of: rules that an unchanged value breaks, and rules that could not be evaluated here.
    pub warnings: Vec<String>,
}

/// Checks a write of the object itself; `live` is what it would replace.
#[must_use]
pub fn validate(custom: &Custom, object: &Value, live: Option<&Value>) -> Vec<FieldProblem> {
    verdict(custom, object, live).problems
}

/// Checks a write of the object itself, and says what to warn of.
#[must_use]
pub fn verdict(custom: &Custom, object: &Value, live: Option<&Value>) -> Verdict {
    let schema = &custom.structural;
    let pair = live.map(|old| Pair { new: object, old, schema });
    let mut problems = schema::check(schema, object, pair, "").into_problems("");
    if let Some(paths) = ScalePaths::of(custom) {
        scale::check_spec(&paths, object, &mut problems);
        scale::check_status(&paths, object, &mut problems);
    }
    concluded(custom, object, live, problems)
}

/// Checks a write of the status subresource.
#[must_use]
pub fn status_verdict(custom: &Custom, object: &Value, live: &Value) -> Verdict {
    let schema = &custom.structural;
    let pair = Pair { new: object, old: live, schema }.key("status");
    let status_schema = schema.pointer("/properties/status");
    let mut problems = match (object.get("status"), status_schema) {
        (Some(status), Some(schema)) => schema::check(schema, status, pair, "").into_problems("status"),
        _ => Vec::new(),
    };
    if let Some(paths) = ScalePaths::of(custom) {
        scale::check_status(&paths, object, &mut problems);
    }
    concluded(custom, object, Some(live), problems)
}

/// Checks what does not depend on the endpoint.
fn concluded(custom: &Custom, object: &Value, live: Option<&Value>, mut problems: Vec<FieldProblem>) -> Verdict {
    let schema = &custom.structural;
    check_embedded(schema, object, "", &mut problems);
    let mut repeated = Vec::new();
    if let Some(live) = live {
        check_lists(schema, live, "", &mut repeated);
    }
    if repeated.is_empty() {
        check_lists(schema, object, "", &mut problems);
    }
    let mut warnings = Vec::new();
    if has_rules(schema) && problems.iter().any(hides_rules) {
        problems.push(FieldProblem::invalid(
            "<nil>",
            &Value::Null,
            "some validation rules were not checked because the object was invalid; correct the existing errors to \
             complete validation",
        ));
    } else {
        check_rules(schema, object, live, &mut problems, &mut warnings);
    }
    Verdict { problems, warnings }
}

/// Checks a default of a schema.
pub(super) fn check_default(schema: &Value, default: &Value, path: &str) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    check_embedded(schema, default, path, &mut problems);
    if problems.is_empty() {
        problems = schema::check(schema, default, None, "").into_problems(path);
    }
    problems
}

fn hides_rules(problem: &FieldProblem) -> bool {
    use ProblemSort::{NotSupported, Required, TooLong, TooMany, TypeInvalid};
    matches!(problem.sort, NotSupported | Required | TooLong | TooMany | TypeInvalid)
}
