//! Times in RFC 3339, with the mistakes that Go's `time.Parse` tells.

use jiff::Timestamp;
use jiff::civil::DateTime;

use super::scalar::quoted;

/// How a time is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// `Time`: seconds; a fraction may be there, and is dropped.
    Seconds,
    /// `MicroTime`: six decimals.
    Microseconds,
}

impl Layout {
    fn text(self) -> &'static str {
        match self {
            Self::Seconds => "2006-01-02T15:04:05Z07:00",
            Self::Microseconds => "2006-01-02T15:04:05.000000Z07:00",
        }
    }
}

/// Tells of most times, without reckoning, that they are written as the server writes them.
pub(super) fn is_usual(layout: Layout, text: &str) -> bool {
    let pattern: &[u8] = match layout {
        Layout::Seconds => b"dddd-dd-ddTdd:dd:ddZ",
        Layout::Microseconds => b"dddd-dd-ddTdd:dd:dd.ddddddZ",
    };
    let is_like = |(byte, like): (u8, &u8)| if *like == b'd' { byte.is_ascii_digit() } else { byte == *like };
    let part =
        |at: usize, least: &str, most: &str| text.get(at..at + 2).is_some_and(|part| part >= least && part <= most);
    text.len() == pattern.len()
        && text.bytes().zip(pattern).all(is_like)
        && text > "0002"
        && part(5, "01", "12")
        && part(8, "01", "28")
        && part(11, "00", "23")
        && part(14, "00", "59")
        && part(17, "00", "59")
}

struct Reader<'t> {
    layout: Layout,
    text: &'t str,
    rest: &'t str,
}

/// Reads a time and writes it as the server does, in UTC; the zero time is nothing.
pub(super) fn parse(layout: Layout, text: &str) -> Result<Option<String>, String> {
    let mut reader = Reader { layout, text, rest: text };
    let year = reader.digits("2006", 4, 4)?;
    reader.mark("-")?;
    let month = reader.number("01", 2, 1..=12, "month")?;
    reader.mark("-")?;
    let day = reader.digits("02", 2, 2)?;
    reader.mark("T")?;
    let hour = reader.number("15", 1, 0..=23, "hour")?;
    reader.mark(":")?;
    let minute = reader.number("04", 2, 0..=59, "minute")?;
    reader.mark(":")?;
    let second = reader.number("05", 2, 0..=59, "second")?;
    let nanosecond = match layout {
        Layout::Seconds => reader.fraction(),
        Layout::Microseconds => reader.six_decimals()?,
    };
    let offset = reader.zone()?;
    if !reader.rest.is_empty() {
        return Err(format!("parsing time {}: extra text: {}", quoted(text), quoted(reader.rest)));
    }
    let small = |number: i32| i8::try_from(number).unwrap_or_default();
    let year = i16::try_from(year).unwrap_or_default();
    let local = DateTime::new(year, small(month), small(day), small(hour), small(minute), small(second), nanosecond)
        .map_err(|_| reader.out_of_range("day"))?;
    let zone = jiff::tz::Offset::from_seconds(offset).map_err(|_| reader.out_of_range("time zone offset hour"))?;
    let time = zone.to_timestamp(local).map_err(|_| reader.out_of_range("day"))?;
    Ok(written(layout, time))
}

fn written(layout: Layout, time: Timestamp) -> Option<String> {
    if time.strftime("%Y-%m-%dT%H:%M:%S.%9f").to_string() == "0001-01-01T00:00:00.000000000" {
        return None;
    }
    let pattern = match layout {
        Layout::Seconds => "%Y-%m-%dT%H:%M:%SZ",
        Layout::Microseconds => "%Y-%m-%dT%H:%M:%S.%6fZ",
    };
    Some(time.strftime(pattern).to_string())
}

impl<'t> Reader<'t> {
    fn cannot(&self, at: &str, element: &str) -> String {
        let (text, layout) = (quoted(self.text), quoted(self.layout.text()));
        format!("parsing time {text} as {layout}: cannot parse {} as {}", quoted(at), quoted(element))
    }

    fn out_of_range(&self, what: &str) -> String {
        format!("parsing time {}: {what} out of range", quoted(self.text))
    }

    fn mark(&mut self, mark: &str) -> Result<(), String> {
        self.rest = self.rest.strip_prefix(mark).ok_or_else(|| self.cannot(self.rest, mark))?;
        Ok(())
    }

    /// Reads as many digits as there are, up to `most`.
    fn digits(&mut self, element: &str, least: usize, most: usize) -> Result<i32, String> {
        let length = self.rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
        if length < least {
            return Err(self.cannot(self.rest, element));
        }
        let (digits, rest) = self.rest.split_at(length);
        self.rest = rest;
        Ok(digits.parse().unwrap_or_default())
    }

    fn number(
        &mut self,
        element: &str,
        least: usize,
        range: std::ops::RangeInclusive<i32>,
        what: &str,
    ) -> Result<i32, String> {
        let number = self.digits(element, least, 2)?;
        if range.contains(&number) { Ok(number) } else { Err(self.out_of_range(what)) }
    }

    /// Reads decimals that the layout does not ask for.
    fn fraction(&mut self) -> i32 {
        let Some(decimals) = self.rest.strip_prefix(['.', ',']) else { return 0 };
        let length = decimals.bytes().take_while(u8::is_ascii_digit).count();
        if length == 0 {
            return 0;
        }
        let (decimals, rest) = decimals.split_at(length);
        self.rest = rest;
        let nano: String = decimals.chars().chain("000000000".chars()).take(9).collect();
        nano.parse().unwrap_or_default()
    }

    fn six_decimals(&mut self) -> Result<i32, String> {
        let start = self.rest;
        let decimals = start.strip_prefix(['.', ',']).and_then(|rest| rest.get(..6).zip(rest.get(6..)));
        match decimals {
            Some((decimals, rest)) if decimals.bytes().all(|byte| byte.is_ascii_digit()) => {
                self.rest = rest;
                Ok(decimals.parse::<i32>().unwrap_or_default() * 1000)
            }
            _ => Err(self.cannot(start, ".000000")),
        }
    }

    /// Reads `Z` or an offset, in seconds.
    fn zone(&mut self) -> Result<i32, String> {
        let start = self.rest;
        if let Some(rest) = start.strip_prefix('Z') {
            self.rest = rest;
            return Ok(0);
        }
        let cannot = || self.cannot(start, "Z07:00");
        let zone = start.get(..6).ok_or_else(cannot)?;
        let (hours, minutes) = zone.get(1..).and_then(|zone| zone.split_once(':')).ok_or_else(cannot)?;
        let number = |text: &str| {
            let is_number = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            if is_number { text.parse::<i32>().map_err(|_| cannot()) } else { Err(cannot()) }
        };
        let (hours, minutes) = (number(hours)?, number(minutes)?);
        if hours > 24 {
            return Err(self.out_of_range("time zone offset hour"));
        }
        if minutes > 60 {
            return Err(self.out_of_range("time zone offset minute"));
        }
        let offset = (hours * 60 + minutes) * 60;
        let offset = match zone.as_bytes() {
            [b'+', ..] => offset,
            [b'-', ..] => -offset,
            _ => return Err(cannot()),
        };
        self.rest = start.get(6..).unwrap_or_default();
        Ok(offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> String {
        parse(Layout::Seconds, text).map_or_else(|mistake| mistake, |time| time.unwrap_or_else(|| "nothing".to_owned()))
    }

    #[test]
    fn times_are_stored_in_utc() {
        assert_eq!(seconds("2026-01-02T04:04:05.5+01:00"), "2026-01-02T03:04:05Z");
        assert_eq!(seconds("0001-01-01T00:00:00Z"), "nothing");
        let micro = parse(Layout::Microseconds, "2026-01-02T03:04:05.500000Z");
        assert_eq!(micro, Ok(Some("2026-01-02T03:04:05.500000Z".to_owned())));
    }

    #[test]
    fn mistakes_are_told_as_go_tells_them() {
        const AS: &str = r#"as "2006-01-02T15:04:05Z07:00": cannot parse"#;
        assert_eq!(seconds("x"), format!(r#"parsing time "x" {AS} "x" as "2006""#));
        assert_eq!(seconds(""), format!(r#"parsing time "" {AS} "" as "2006""#));
        assert_eq!(seconds("2020-12-01"), format!(r#"parsing time "2020-12-01" {AS} "" as "T""#));
        assert_eq!(
            seconds("2020-12-01T00:00:00"),
            format!(r#"parsing time "2020-12-01T00:00:00" {AS} "" as "Z07:00""#)
        );
        assert_eq!(
            seconds("2020-02-11t00:00:00z"),
            format!(r#"parsing time "2020-02-11t00:00:00z" {AS} "t00:00:00z" as "T""#)
        );
        assert_eq!(seconds("2020-13-01T00:00:00Z"), r#"parsing time "2020-13-01T00:00:00Z": month out of range"#);
        assert_eq!(seconds("2020-12-01T25:00:00Z"), r#"parsing time "2020-12-01T25:00:00Z": hour out of range"#);
        assert_eq!(seconds("2020-02-31T00:00:00Z"), r#"parsing time "2020-02-31T00:00:00Z": day out of range"#);
        assert_eq!(seconds("2020-12-01T00:00:00Zx"), r#"parsing time "2020-12-01T00:00:00Zx": extra text: "x""#);
        assert_eq!(
            parse(Layout::Microseconds, "2020-01-01T00:00:00Z").unwrap_err(),
            r#"parsing time "2020-01-01T00:00:00Z" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "Z" as ".000000""#
        );
    }
}
