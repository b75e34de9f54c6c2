//! Limits of numbers. An integer is compared with the whole part of a limit, and so is told in whole numbers.

use serde_json::{Number, Value};

use super::problems::{At, Outcome, go_number};
use super::schema::shown;
use crate::sandbox::custom::structural::flag;

/// A limit beside the number that it is compared with, both whole or both not.
enum Compared {
    Whole(i64, i64),
    Real(f64, f64),
}

impl Compared {
    fn of(number: &Number, limit: f64) -> Self {
        match number.as_i64() {
            // The server cuts the fraction off.
            Some(whole) => Self::Whole(whole, limit as i64),
            None => Self::Real(number.as_f64().unwrap_or_default(), limit),
        }
    }

    fn is_above(&self) -> bool {
        match self {
            Self::Whole(number, limit) => number > limit,
            Self::Real(number, limit) => number > limit,
        }
    }

    fn is_below(&self) -> bool {
        match self {
            Self::Whole(number, limit) => number < limit,
            Self::Real(number, limit) => number < limit,
        }
    }

    fn is_equal(&self) -> bool {
        !self.is_above() && !self.is_below()
    }

    fn limit(&self) -> String {
        match self {
            Self::Whole(_, limit) => limit.to_string(),
            Self::Real(_, limit) => go_number(*limit),
        }
    }
}

pub(super) fn check_number(schema: &Value, number: &Number, at: At<'_>, outcome: &mut Outcome) {
    let limit = |key: &str| schema.get(key).and_then(Value::as_f64).map(|limit| Compared::of(number, limit));
    if let Some(factor) = limit("multipleOf") {
        check_multiple(&factor, number, at, outcome);
    }
    if let Some(least) = limit("minimum") {
        let exclusive = flag(schema, "exclusiveMinimum");
        if least.is_below() || (exclusive && least.is_equal()) {
            let or_equal = if exclusive { "" } else { " or equal to" };
            at.wrong(outcome, shown(number), &format!("should be greater than{or_equal} {}", least.limit()));
        }
    }
    if let Some(most) = limit("maximum") {
        let exclusive = flag(schema, "exclusiveMaximum");
        if most.is_above() || (exclusive && most.is_equal()) {
            let or_equal = if exclusive { "" } else { " or equal to" };
            at.wrong(outcome, shown(number), &format!("should be less than{or_equal} {}", most.limit()));
        }
    }
}

fn check_multiple(factor: &Compared, number: &Number, at: At<'_>, outcome: &mut Outcome) {
    let (is_positive, is_multiple) = match factor {
        Compared::Whole(number, factor) => (*factor > 0, *factor > 0 && number % factor == 0),
        Compared::Real(number, factor) => {
            let quotient = if *factor < 1.0 { 1.0 / factor * number } else { number / factor };
            (*factor > 0.0, is_whole(quotient))
        }
    };
    if !is_positive {
        let limit = factor.limit();
        let detail = format!("factor MultipleOf declared for {} must be positive: {limit}", at.0);
        at.says(outcome, limit, detail);
    } else if !is_multiple {
        at.wrong(outcome, shown(number), &format!("should be a multiple of {}", factor.limit()));
    }
}

/// Whole up to the error of a division.
fn is_whole(number: f64) -> bool {
    if !number.is_finite() || number.abs() >= 9_007_199_254_740_991.0 {
        return false;
    }
    let (rounded, difference) = (number.round(), (number - number.round()).abs());
    difference == 0.0 || difference / (number.abs() + rounded.abs()) < 1e-9
}
