//! How long ago something was, in the few figures that people need.

use jiff::Timestamp;

/// Writes a duration of so many seconds as the server does: `5s`, `3m20s`, `4h`, `2d3h`, `1y40d`.
#[must_use]
pub fn human_duration(seconds: i64) -> String {
    const MINUTE: i64 = 60;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;
    const YEAR: i64 = 365 * DAY;
    let two = |large: i64, unit: char, small: i64, lesser: char| match small {
        0 => format!("{large}{unit}"),
        _ => format!("{large}{unit}{small}{lesser}"),
    };
    match seconds {
        // Clocks may differ by a little.
        ..-1 => "<invalid>".to_owned(),
        -1 => "0s".to_owned(),
        _ if seconds < 120 => format!("{seconds}s"),
        _ if seconds < 600 => two(seconds / MINUTE, 'm', seconds % MINUTE, 's'),
        _ if seconds < 10_800 => format!("{}m", seconds / MINUTE),
        _ if seconds < 28_800 => two(seconds / HOUR, 'h', seconds % HOUR / MINUTE, 'm'),
        _ if seconds < 172_800 => format!("{}h", seconds / HOUR),
        _ if seconds < 691_200 => two(seconds / DAY, 'd', seconds % DAY / HOUR, 'h'),
        _ if seconds < 2 * YEAR => format!("{}d", seconds / DAY),
        _ if seconds < 8 * YEAR => two(seconds / YEAR, 'y', seconds % YEAR / DAY, 'd'),
        _ => format!("{}y", seconds / YEAR),
    }
}

/// Returns how long ago a point in time was; a missing one is unknown.
pub(super) fn age(time: &str, now: Timestamp) -> String {
    match time.parse::<Timestamp>() {
        Ok(time) => human_duration(now.duration_since(time).as_secs()),
        Err(_) => "<unknown>".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_the_server_writes_them() {
        let written = |seconds: &[i64]| seconds.iter().map(|seconds| human_duration(*seconds)).collect::<Vec<_>>();
        assert_eq!(written(&[-2, -1, 0, 119, 120]), ["<invalid>", "0s", "0s", "119s", "2m"]);
        assert_eq!(written(&[125, 599, 600, 10_799, 10_800]), ["2m5s", "9m59s", "10m", "179m", "3h"]);
        assert_eq!(written(&[10_860, 28_799, 28_800, 172_799, 172_800]), ["3h1m", "7h59m", "8h", "47h", "2d"]);
        assert_eq!(written(&[176_400, 691_199, 691_200]), ["2d1h", "7d23h", "8d"]);
        let day = 86_400;
        assert_eq!(written(&[729 * day, 730 * day, 731 * day, 2919 * day]), ["729d", "2y", "2y1d", "7y364d"]);
        assert_eq!(written(&[2920 * day]), ["8y"]);
    }

    #[test]
    fn an_age_is_counted_from_a_point_in_time() {
        let now: Timestamp = "2026-11-22T12:00:00.9Z".parse().unwrap();
        assert_eq!(age("2026-11-22T11:59:00Z", now), "60s");
        assert_eq!(age("2026-11-22T12:00:01.5Z", now), "0s");
        assert_eq!(age("", now), "<unknown>");
    }
}
