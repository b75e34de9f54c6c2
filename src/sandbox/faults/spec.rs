//! Which faults there are to be, and how they are written down: `error=5%,delay=10ms..200ms@20%`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

/// A probability in hundredths of a percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Share(u32);

/// What is certain.
const WHOLE: u32 = 10_000;

impl Share {
    /// Tells whether a number that was drawn below [`Share::BOUND`] is within the share.
    pub(super) fn has(self, drawn: u64) -> bool {
        drawn < u64::from(self.0)
    }

    /// What numbers are drawn below.
    pub(super) const BOUND: u64 = WHOLE as u64;
}

/// How long answers are held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Delay {
    /// At least.
    pub least: Duration,
    /// At most.
    pub most: Duration,
    /// How many answers.
    pub share: Share,
}

/// How often what goes wrong. Nothing does by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Faults {
    /// 429 with `Retry-After`, 500, 503 or 504 instead of doing what was asked.
    pub error: Share,
    /// The connection breaks before anything is done.
    pub lost_request: Share,
    /// The connection breaks after everything is done.
    pub lost_reply: Share,
    /// 409, as if somebody else had written in between. Of PUT and PATCH only.
    pub conflict: Share,
    /// 401, as if the token had run out.
    pub unauthorized: Share,
    /// 410: a watch is told that its revision is too old, at once or after a while.
    pub watch_expired: Share,
    /// The connection of a watch breaks after a while.
    pub watch_cut: Share,
    /// Answers come late.
    pub delay: Delay,
}

/// Why a specification of faults is none.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SpecError {
    /// No `=`.
    #[error("`{0}` is no fault: write it as NAME=SHARE, such as `error=5%`")]
    NoShare(String),
    /// Not one of ours.
    #[error("there is no fault `{0}`; there are {names}", names = NAMES.join(", "))]
    Unknown(String),
    /// Said twice.
    #[error("`{0}` is said twice")]
    Twice(String),
    /// Not a percentage.
    #[error("`{0}` is no share: write a percentage from 0% to 100%, such as `5%` or `0.25%`")]
    BadShare(String),
    /// Not a delay.
    #[error("`{0}` is no delay: write it as `50ms`, `50ms@20%` or `10ms..200ms@20%`")]
    BadDelay(String),
}

const NAMES: &[&str] =
    &["error", "lost", "lost-request", "lost-reply", "conflict", "unauthorized", "watch-expired", "watch-cut", "delay"];

impl FromStr for Faults {
    type Err = SpecError;

    /// Reads a list such as `error=5%,lost=1%,delay=10ms..200ms@20%`. `lost` is half `lost-request`, half `lost-reply`.
    fn from_str(text: &str) -> Result<Self, SpecError> {
        let mut faults = Self::default();
        let mut said: Vec<&str> = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').ok_or_else(|| SpecError::NoShare(part.to_owned()))?;
            let (name, value) = (name.trim(), value.trim());
            let about_loss = |name: &str| matches!(name, "lost" | "lost-request" | "lost-reply");
            let repeats = |other: &&str| {
                *other == name || (about_loss(name) && about_loss(other) && [name, *other].contains(&"lost"))
            };
            if said.iter().any(repeats) {
                return Err(SpecError::Twice(name.to_owned()));
            }
            said.push(name);
            match name {
                "error" => faults.error = share(value)?,
                "lost" => {
                    let Share(both) = share(value)?;
                    (faults.lost_request, faults.lost_reply) = (Share(both / 2), Share(both - both / 2));
                }
                "lost-request" => faults.lost_request = share(value)?,
                "lost-reply" => faults.lost_reply = share(value)?,
                "conflict" => faults.conflict = share(value)?,
                "unauthorized" => faults.unauthorized = share(value)?,
                "watch-expired" => faults.watch_expired = share(value)?,
                "watch-cut" => faults.watch_cut = share(value)?,
                "delay" => faults.delay = delay(value)?,
                _ => return Err(SpecError::Unknown(name.to_owned())),
            }
        }
        Ok(faults)
    }
}

fn share(text: &str) -> Result<Share, SpecError> {
    let bad = || SpecError::BadShare(text.to_owned());
    let number = text.strip_suffix('%').ok_or_else(bad)?;
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > 2 {
        return Err(bad());
    }
    let hundredths = format!("{part:0<2}").parse::<u32>().map_err(|_| bad())?;
    let whole = whole.parse::<u32>().ok().and_then(|whole| whole.checked_mul(100)).ok_or_else(bad)?;
    Some(whole + hundredths).filter(|share| *share <= WHOLE).map(Share).ok_or_else(bad)
}

fn delay(text: &str) -> Result<Delay, SpecError> {
    let bad = || SpecError::BadDelay(text.to_owned());
    let (times, part) = text.split_once('@').unwrap_or((text, "100%"));
    let (least, most) = times.split_once("..").unwrap_or((times, times));
    let (least, most) = (duration(least).ok_or_else(bad)?, duration(most).ok_or_else(bad)?);
    if least > most {
        return Err(bad());
    }
    Ok(Delay { least, most, share: share(part)? })
}

fn duration(text: &str) -> Option<Duration> {
    match text.strip_suffix("ms") {
        Some(number) => number.parse().ok().map(Duration::from_millis),
        None => text.strip_suffix('s')?.parse().ok().map(Duration::from_secs),
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / 100, self.0 % 100);
        match part {
            0 => write!(f, "{whole}%"),
            _ => write!(f, "{whole}.{}%", format!("{part:02}").trim_end_matches('0')),
        }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shares = [
            ("error", self.error),
            ("lost-request", self.lost_request),
            ("lost-reply", self.lost_reply),
            ("conflict", self.conflict),
            ("unauthorized", self.unauthorized),
            ("watch-expired", self.watch_expired),
            ("watch-cut", self.watch_cut),
        ];
        let mut parts: Vec<String> = shares
            .iter()
            .filter(|(_, share)| *share > Share::default())
            .map(|(name, share)| format!("{name}={share}"))
            .collect();
        if self.delay.share > Share::default() {
            let Delay { least, most, share } = self.delay;
            parts.push(format!("delay={}ms..{}ms@{share}", least.as_millis(), most.as_millis()));
        }
        f.write_str(&parts.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_specification_is_read_and_said_back() {
        let faults: Faults = "error=5%, lost=1%,delay=10ms..2s@20%,watch-expired=0.25%".parse().unwrap();
        assert_eq!(
            faults.to_string(),
            "error=5%,lost-request=0.5%,lost-reply=0.5%,watch-expired=0.25%,delay=10ms..2000ms@20%"
        );
        assert_eq!(faults.to_string().parse(), Ok(faults));
        assert_eq!("".parse(), Ok(Faults::default()));
        assert_eq!("delay=50ms".parse::<Faults>().unwrap().to_string(), "delay=50ms..50ms@100%");
    }

    #[test]
    fn what_cannot_be_read_is_told_in_words() {
        let told = |text: &str| text.parse::<Faults>().unwrap_err().to_string();
        assert_eq!(told("error"), "`error` is no fault: write it as NAME=SHARE, such as `error=5%`");
        assert_eq!(
            told("eror=5%"),
            "there is no fault `eror`; there are error, lost, lost-request, lost-reply, conflict, unauthorized, \
             watch-expired, watch-cut, delay"
        );
        for bad in ["5", "101%", "100.01%", "-1%", "1.234%", "%", "99999999999%"] {
            let expected = format!("`{bad}` is no share: write a percentage from 0% to 100%, such as `5%` or `0.25%`");
            assert_eq!(told(&format!("error={bad}")), expected);
        }
        for bad in ["soon", "20ms..10ms", "5m", "1..2ms"] {
            let expected = format!("`{bad}` is no delay: write it as `50ms`, `50ms@20%` or `10ms..200ms@20%`");
            assert_eq!(told(&format!("delay={bad}")), expected);
        }
        assert_eq!(told("error=1%,error=2%"), "`error` is said twice");
        assert_eq!(told("lost=1%,lost-reply=2%"), "`lost-reply` is said twice");
    }
}
