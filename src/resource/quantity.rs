//! Quantities (`500m`, `1Gi`) as `k8s.io/apimachinery/pkg/api/resource` reads and writes them.
//!
//! The API server stores the text that was written where it deems that text canonical enough, and its own spelling
//! otherwise: `1000Mi` stays, `1024Mi` becomes `1Gi`. All arithmetic is on integers of a billionth (nano).

use std::cmp::Ordering;
use std::fmt;

use thiserror::Error;

/// How many billionths make one.
const NANO: i128 = 1_000_000_000;
/// The most decimal digits that the server's short path holds.
const SHORT_DIGITS: i64 = 18;

/// Why a text is no quantity.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum QuantityError {
    /// Nothing is written, or something else than digits and a suffix.
    #[error("`{0}` is no quantity: it must be a number with an optional suffix, such as `500m`, `2` or `1Gi`")]
    Format(String),
    /// The number has a suffix that Kubernetes does not know.
    #[error("`{text}` is no quantity: the suffix `{suffix}` is unknown")]
    Suffix {
        /// The whole text.
        text: String,
        /// Its suffix.
        suffix: String,
    },
    /// The number is beyond what is counted here.
    #[error("`{0}` is too large a quantity")]
    TooLarge(String),
}

/// The family of suffixes that a quantity was written in; the server keeps to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Notation {
    /// `m`, none, `k`, `M`, …
    Decimal,
    /// `e3`.
    Exponent,
    /// `Ki`, `Mi`, …
    Binary,
}

/// An amount of something: processor time, memory, storage, a count.
///
/// Two quantities are equal if they are the same amount, however they are written.
#[derive(Debug, Clone)]
pub struct Quantity {
    nano: i128,
    notation: Notation,
    /// The text as it was written, where the server keeps it.
    kept: Option<String>,
}

impl Quantity {
    /// Reads a quantity.
    ///
    /// # Errors
    /// See [`QuantityError`].
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        let trimmed = text.trim();
        let parts = Parts::split(trimmed).ok_or_else(|| QuantityError::Format(text.to_owned()))?;
        let Some((notation, exponent)) = suffix(parts.suffix) else {
            return Err(QuantityError::Suffix { text: text.to_owned(), suffix: parts.suffix.to_owned() });
        };
        let too_large = || QuantityError::TooLarge(text.to_owned());
        let digits = format!("{}{}", parts.whole, parts.fraction);
        let unscaled: i128 = digits.parse().map_err(|_| too_large())?;
        let places = i64::try_from(parts.fraction.len()).map_err(|_| too_large())?;
        let magnitude = match notation {
            Notation::Decimal | Notation::Exponent => scaled(unscaled, exponent - places + 9),
            Notation::Binary => u32::try_from(exponent)
                .ok()
                .and_then(|shift| unscaled.checked_mul(1_i128.checked_shl(shift)?))
                .and_then(|all| scaled(all, 9 - places)),
        }
        .ok_or_else(too_large)?;
        let magnitude = if notation == Notation::Binary && !on_short_path(&parts, notation, exponent) {
            magnitude.min(i128::from(i64::MAX) * NANO)
        } else {
            magnitude
        };
        let kept = is_kept(&parts, notation, exponent, &digits).then(|| trimmed.to_owned());
        // Below one there is no binary spelling.
        let notation = if notation == Notation::Binary && magnitude < NANO { Notation::Decimal } else { notation };
        Ok(Self { nano: if parts.negative { -magnitude } else { magnitude }, notation, kept })
    }

    /// Returns the text that the API server stores.
    #[must_use]
    pub fn canonical(&self) -> String {
        match &self.kept {
            Some(text) => text.clone(),
            None => self.spelled(),
        }
    }

    /// Returns the amount in billionths.
    #[must_use]
    pub fn nano(&self) -> i128 {
        self.nano
    }

    /// Returns the amount in whole units (bytes, processors), rounded away from zero as Kubernetes does.
    #[must_use]
    pub fn value(&self) -> i128 {
        rounded_up(self.nano, NANO)
    }

    /// Returns the amount rounded up to thousandths, which is how the server stores the entries of resource lists.
    #[must_use]
    pub fn rounded_to_milli(&self) -> Self {
        let unit = NANO / 1000;
        if self.nano % unit == 0 {
            return self.clone();
        }
        Self { nano: rounded_up(self.nano, unit).saturating_mul(unit), notation: self.notation, kept: None }
    }

    fn spelled(&self) -> String {
        if self.nano == 0 {
            return "0".to_owned();
        }
        let is_binary = self.notation == Notation::Binary && self.nano.abs() >= 1024 * NANO && self.nano % NANO == 0;
        if is_binary {
            let (number, times) = without_factor(self.nano / NANO, 1024);
            let suffix = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"].get(times).copied().unwrap_or_default();
            return format!("{number}{suffix}");
        }
        let (mut number, times) = without_factor(self.nano, 10);
        let mut exponent = i64::try_from(times).unwrap_or_default() - 9;
        while exponent % 3 != 0 {
            number *= 10;
            exponent -= 1;
        }
        match self.notation {
            Notation::Exponent if exponent == 0 => number.to_string(),
            Notation::Exponent => format!("{number}e{exponent}"),
            Notation::Decimal | Notation::Binary => format!("{number}{}", decimal_suffix(exponent)),
        }
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.nano == other.nano
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.nano.cmp(&other.nano)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.canonical())
    }
}

/// A quantity's text, taken apart as the server does it: leading zeros are gone from the whole part.
struct Parts<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    suffix: &'a str,
}

impl<'a> Parts<'a> {
    fn split(text: &'a str) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        let (negative, unsigned) = match text.as_bytes()[0] {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let stripped = unsigned.trim_start_matches('0');
        if stripped.is_empty() {
            return Some(Self { negative, whole: "0", fraction: "", suffix: "" });
        }
        let (whole, rest) = stripped.split_at(digits_at_start(stripped));
        let whole = if whole.is_empty() { "0" } else { whole };
        let (fraction, suffix) = match rest.strip_prefix('.') {
            Some(rest) => rest.split_at(digits_at_start(rest)),
            None => ("", rest),
        };
        // A suffix alone is no number; the server's own scanner lets `.` through and takes it for zero.
        let has_digit = unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.');
        (has_digit && suffix_is_well_formed(suffix)).then_some(Self { negative, whole, fraction, suffix })
    }
}

fn digits_at_start(text: &str) -> usize {
    text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len())
}

fn suffix_is_well_formed(suffix: &str) -> bool {
    let rest = suffix.trim_start_matches(|character: char| "eEinumkKMGTP".contains(character));
    let rest = rest.strip_prefix(['-', '+']).unwrap_or(rest);
    rest.bytes().all(|byte| byte.is_ascii_digit())
}

fn suffix(text: &str) -> Option<(Notation, i64)> {
    Some(match text {
        "n" => (Notation::Decimal, -9),
        "u" => (Notation::Decimal, -6),
        "m" => (Notation::Decimal, -3),
        "" => (Notation::Decimal, 0),
        "k" => (Notation::Decimal, 3),
        "M" => (Notation::Decimal, 6),
        "G" => (Notation::Decimal, 9),
        "T" => (Notation::Decimal, 12),
        "P" => (Notation::Decimal, 15),
        "E" => (Notation::Decimal, 18),
        "Ki" => (Notation::Binary, 10),
        "Mi" => (Notation::Binary, 20),
        "Gi" => (Notation::Binary, 30),
        "Ti" => (Notation::Binary, 40),
        "Pi" => (Notation::Binary, 50),
        "Ei" => (Notation::Binary, 60),
        _ => {
            let exponent = text.strip_prefix(['e', 'E'])?;
            (Notation::Exponent, i64::from(exponent.parse::<i32>().ok()?))
        }
    })
}

fn decimal_suffix(exponent: i64) -> String {
    match exponent {
        -9 => "n".to_owned(),
        -6 => "u".to_owned(),
        -3 => "m".to_owned(),
        0 => String::new(),
        3 => "k".to_owned(),
        6 => "M".to_owned(),
        9 => "G".to_owned(),
        12 => "T".to_owned(),
        15 => "P".to_owned(),
        18 => "E".to_owned(),
        // Nothing is called so; the server drops the suffix here, which would be another amount.
        other => format!("e{other}"),
    }
}

/// Multiplies by a power of ten; what falls below one is rounded up, so that some never becomes none.
fn scaled(number: i128, exponent: i64) -> Option<i128> {
    if number == 0 {
        return Some(0);
    }
    if exponent < 0 {
        let power = u32::try_from(-exponent).ok().and_then(|exponent| 10_i128.checked_pow(exponent));
        return Some(power.map_or(1, |power| rounded_up(number, power)));
    }
    10_i128.checked_pow(u32::try_from(exponent).ok()?)?.checked_mul(number)
}

fn rounded_up(number: i128, unit: i128) -> i128 {
    let quotient = number / unit;
    if number % unit == 0 { quotient } else { quotient + number.signum() }
}

fn without_factor(mut number: i128, factor: i128) -> (i128, usize) {
    let mut times = 0;
    while number.abs() >= factor && number % factor == 0 {
        number /= factor;
        times += 1;
    }
    (number, times)
}

/// Tells whether the server's parser takes its path for short numbers, the only one that keeps the text.
fn on_short_path(parts: &Parts<'_>, notation: Notation, exponent: i64) -> bool {
    let whole = i64::try_from(parts.whole.len()).unwrap_or(i64::MAX);
    let fraction = i64::try_from(parts.fraction.len()).unwrap_or(i64::MAX);
    match notation {
        Notation::Decimal | Notation::Exponent => {
            SHORT_DIGITS.saturating_sub(whole).saturating_sub(fraction) >= 0 && exponent - fraction >= -9
        }
        Notation::Binary => fraction == 0 && 14_i64.saturating_sub(whole) >= exponent * 3 / 10,
    }
}

fn is_kept(parts: &Parts<'_>, notation: Notation, exponent: i64, digits: &str) -> bool {
    if !on_short_path(parts, notation, exponent) {
        return false;
    }
    match notation {
        Notation::Binary => digits.parse::<i64>().is_ok_and(|number| number & 7 != 0),
        Notation::Decimal | Notation::Exponent => {
            let scale = exponent - i64::try_from(parts.fraction.len()).unwrap_or_default();
            scale % 3 == 0 && !digits.ends_with("000") && !digits.starts_with('0')
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stored(text: &str) -> String {
        Quantity::parse(text).unwrap().canonical()
    }

    #[test]
    fn texts_are_respelled_as_the_server_does() {
        for (given, expected) in [
            ("1000", "1k"),
            ("1000k", "1M"),
            ("1.0", "1"),
            ("0.1", "100m"),
            (".5", "500m"),
            ("1024Mi", "1Gi"),
            ("1.5Gi", "1536Mi"),
            ("0Gi", "0"),
            ("-0", "0"),
            ("0", "0"),
            ("1024", "1024"),
            ("0.5Mi", "512Ki"),
            ("0.5Ki", "512"),
            ("8Gi", "8Gi"),
            ("1000m", "1"),
            ("10e3", "10e3"),
            ("1e4", "10e3"),
            ("0.1n", "1n"),
            ("1.23456789n", "2n"),
            ("-0.5", "-500m"),
        ] {
            assert_eq!(stored(given), expected, "{given}");
        }
    }

    #[test]
    fn texts_that_the_server_keeps_are_kept() {
        for text in
            ["1000Mi", "5000Ki", "1500m", "1e3", "1E3", "12e6", "01", "+1", "100m", "250m", "1Gi", "64Mi", "1073741824"]
        {
            assert_eq!(stored(text), text);
        }
    }

    #[test]
    fn what_is_no_quantity_is_refused_with_its_text() {
        for text in ["", "abc", "1Gib", "1 Gi", "1gi", "--1", "1.2.3", "Mi", "1e"] {
            assert!(Quantity::parse(text).is_err(), "{text}");
        }
        insta::assert_snapshot!(Quantity::parse("1KiB").unwrap_err(), @"`1KiB` is no quantity: it must be a number with an optional suffix, such as `500m`, `2` or `1Gi`");
        insta::assert_snapshot!(Quantity::parse("1K").unwrap_err(), @"`1K` is no quantity: the suffix `K` is unknown");
    }

    #[test]
    fn amounts_compare_whatever_their_spelling() {
        let parse = |text| Quantity::parse(text).unwrap();
        assert_eq!(parse("1Gi"), parse("1073741824"));
        assert!(parse("1G") < parse("1Gi"));
        assert_eq!(parse("100m").value(), 1);
        assert_eq!(parse("-1500m").value(), -2);
        assert_eq!(parse("1Ki").value(), 1024);
        assert_eq!(parse("100u").rounded_to_milli().canonical(), "1m");
        let most = parse("170141183460469231731687303715.884105727");
        assert_eq!(most.rounded_to_milli().nano(), i128::MAX);
    }

    proptest! {
        #[test]
        fn respelling_keeps_the_amount_and_settles_at_once(
            sign in "[+-]?", number in "[0-9]{1,6}(\\.[0-9]{0,4})?", suffix in "(m|u|n|k|M|G|T|Ki|Mi|Gi|Ti|e3|E-3|e2)?"
        ) {
            let quantity = Quantity::parse(&format!("{sign}{number}{suffix}")).unwrap();
            let again = Quantity::parse(&quantity.canonical()).unwrap();
            prop_assert_eq!(quantity.nano(), again.nano());
            prop_assert_eq!(quantity.canonical(), again.canonical());
        }
    }
}
