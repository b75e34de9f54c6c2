//! Quantities as rules compare them: billionths, exactly.

use cel::objects::Opaque;

const NANO: i128 = 1_000_000_000;

/// A quantity such as `1.5Gi`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Quantity(pub(super) i128);

impl Opaque for Quantity {
    fn runtime_type_name(&self) -> &str {
        "kubernetes.Quantity"
    }
}

impl Quantity {
    /// Reads a quantity.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let end = unsigned.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(unsigned.len());
        let (number, suffix) = unsigned.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.len() + fraction.len() == 0 || fraction.contains('.') {
            return None;
        }
        let (factor, divisor) = factor_of(suffix)?;
        let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
        let scale = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?.checked_mul(divisor)?;
        let nanos = digits.checked_mul(factor)?.checked_mul(NANO)?;
        // What is smaller than a billionth is rounded up.
        let nanos = nanos.checked_add(scale - 1)? / scale;
        Some(Self(if text.starts_with('-') { -nanos } else { nanos }))
    }

    /// Returns the value, if it is whole.
    pub(super) fn whole(self) -> Option<i64> {
        (self.0 % NANO == 0).then(|| i64::try_from(self.0 / NANO).ok()).flatten()
    }

    /// Returns the value of a whole number.
    pub(super) fn of(whole: i64) -> Self {
        Self(i128::from(whole) * NANO)
    }

    // As an approximation.
    pub(super) fn approximately(self) -> f64 {
        self.0 as f64 / NANO as f64
    }
}

fn factor_of(suffix: &str) -> Option<(i128, i128)> {
    let binary = |power: u32| Some((1024_i128.checked_pow(power)?, 1));
    let decimal = |power: u32| Some((1000_i128.checked_pow(power)?, 1));
    match suffix {
        "" => Some((1, 1)),
        "n" => Some((1, 1_000_000_000)),
        "u" => Some((1, 1_000_000)),
        "m" => Some((1, 1000)),
        "k" => decimal(1),
        "M" => decimal(2),
        "G" => decimal(3),
        "T" => decimal(4),
        "P" => decimal(5),
        "E" => decimal(6),
        "Ki" => binary(1),
        "Mi" => binary(2),
        "Gi" => binary(3),
        "Ti" => binary(4),
        "Pi" => binary(5),
        "Ei" => binary(6),
        exponent => {
            let power: i32 = exponent.strip_prefix(['e', 'E'])?.parse().ok()?;
            let factor = 10_i128.checked_pow(power.unsigned_abs())?;
            Some(if power < 0 { (1, factor) } else { (factor, 1) })
        }
    }
}
