//! The little languages inside arguments: assignments, grants, durations.

use std::time::Duration;

pub(super) fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write it as NAME=VALUE".to_owned()),
    }
}

/// Reads `MANAGER` or `MANAGER:.field.path`; the name of a manager may hold colons itself.
pub(super) fn grant(text: &str) -> Result<(String, Option<String>), String> {
    match text.split_once(":.") {
        Some(("", _) | (_, "")) => Err("write it as MANAGER or MANAGER:.field".to_owned()),
        Some((manager, field)) => Ok((manager.to_owned(), Some(format!(".{field}")))),
        None if text.is_empty() || text.ends_with(':') => Err("write it as MANAGER or MANAGER:.field".to_owned()),
        None => Ok((text.to_owned(), None)),
    }
}

pub(super) fn parallelism(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if (1..=256).contains(&number) => Ok(number),
        _ => Err("a number from 1 to 256".to_owned()),
    }
}

/// Reads `90s`, `5m`, `1h30m` as kubectl's flags take them.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let bad = || "write it as in 90s, 5m or 1h30m".to_owned();
    let (mut seconds, mut digits) = (0_u64, String::new());
    for character in text.chars() {
        if character.is_ascii_digit() {
            digits.push(character);
            continue;
        }
        let unit = match character {
            'h' => 3600,
            'm' => 60,
            's' => 1,
            _ => return Err(bad()),
        };
        let number: u64 = digits.parse().map_err(|_| bad())?;
        seconds = number.checked_mul(unit).and_then(|part| seconds.checked_add(part)).ok_or_else(bad)?;
        digits.clear();
    }
    if text.is_empty() || !digits.is_empty() || seconds == 0 { Err(bad()) } else { Ok(Duration::from_secs(seconds)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_in_kubectl() {
        assert_eq!(duration("1h30m"), Ok(Duration::from_secs(5400)));
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        for bad in ["", "5", "m", "5x", "0s", "-5s"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_grant_names_a_manager_and_perhaps_a_field() {
        assert_eq!(grant("kubectl-edit"), Ok(("kubectl-edit".to_owned(), None)));
        assert_eq!(grant("a:b:.spec.x"), Ok(("a:b".to_owned(), Some(".spec.x".to_owned()))));
        assert!(grant("").is_err() && grant(":.spec").is_err() && grant("foo:").is_err() && grant("foo:.").is_err());
    }
}
