//! The numbers of an Indexed Job, as its status lists them: `0-2,5`.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::sandbox::controllers::fields::annotation;

pub(super) const INDEX: &str = "batch.kubernetes.io/job-completion-index";

/// Returns the number of a pod.
pub(super) fn of(pod: &Value) -> Option<i64> {
    annotation(pod, INDEX)?.parse().ok()
}

/// Reads a list.
pub(super) fn parse(text: &str) -> BTreeSet<i64> {
    let range = |part: &str| match part.split_once('-') {
        Some((first, last)) => Some(first.parse().ok()?..=last.parse().ok()?),
        None => part.parse().ok().map(|only| only..=only),
    };
    text.split(',').filter_map(range).flatten().collect()
}

/// Returns how many numbers a list has.
pub(super) fn count(text: &str) -> usize {
    parse(text).len()
}

/// Returns a list with more numbers.
pub(super) fn joined(text: &str, more: BTreeSet<i64>) -> String {
    let mut all = parse(text);
    all.extend(more);
    let mut ranges: Vec<(i64, i64)> = Vec::new();
    for index in all {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == index => *last = index,
            _ => ranges.push((index, index)),
        }
    }
    let shown = |(first, last): (i64, i64)| match last - first {
        0 => first.to_string(),
        1 => format!("{first},{last}"),
        _ => format!("{first}-{last}"),
    };
    ranges.into_iter().map(shown).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_numbers_are_written_as_ranges() {
        assert_eq!(joined("", BTreeSet::from([0, 1, 2, 5])), "0-2,5");
        assert_eq!(joined("0-2,5", BTreeSet::from([4, 7, 8])), "0-2,4,5,7,8");
        assert_eq!(count("0-2,4,5"), 5);
        assert_eq!(count(""), 0);
    }
}
