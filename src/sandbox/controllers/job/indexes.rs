//! The numbers of an Indexed Job, as its status lists them: `0-2,5`.

use serde_json::Value;

use crate::sandbox::controllers::fields::annotation;

pub(super) const INDEX: &str = "batch.kubernetes.io/job-completion-index";

/// Returns the number of a pod.
pub(super) fn of(pod: &Value) -> Option<i64> {
    annotation(pod, INDEX)?.parse().ok()
}

/// Reads a list: ranges that are apart, in their order. Never more than there are in the text, however long they are.
pub(super) fn parse(text: &str) -> Vec<(i64, i64)> {
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some((first.parse().ok()?, last.parse().ok()?)).filter(|(first, last)| first <= last)
    };
    united(text.split(',').filter_map(range).collect())
}

fn united(mut ranges: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    ranges.sort_unstable();
    let mut united: Vec<(i64, i64)> = Vec::with_capacity(ranges.len());
    for (first, last) in ranges {
        match united.last_mut() {
            Some((_, before)) if first <= before.saturating_add(1) => *before = last.max(*before),
            _ => united.push((first, last)),
        }
    }
    united
}

/// Returns how many numbers a list has.
pub(super) fn count(text: &str) -> i64 {
    parse(text).iter().fold(0, |count, (first, last)| count.saturating_add(last - first).saturating_add(1))
}

/// Returns a list with more numbers.
pub(super) fn joined(text: &str, more: impl Iterator<Item = i64>) -> String {
    let mut all = parse(text);
    all.extend(more.map(|index| (index, index)));
    let shown = |(first, last): (i64, i64)| match last - first {
        0 => first.to_string(),
        1 => format!("{first},{last}"),
        _ => format!("{first}-{last}"),
    };
    united(all).into_iter().map(shown).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_numbers_are_written_as_ranges() {
        assert_eq!(joined("", [5, 0, 2, 1].into_iter()), "0-2,5");
        assert_eq!(joined("0-2,5", [4, 7, 8].into_iter()), "0-2,4,5,7,8");
        assert_eq!(count("0-2,4,5"), 5);
        assert_eq!(count(""), 0);
        assert_eq!(parse("7-9,3-1,x,0-2000000000,5"), [(0, 2_000_000_000)]);
        assert_eq!(count("0-9223372036854775807"), i64::MAX);
    }
}
