//! Replaces what changes from run to run, so that the rest can be a snapshot.

use std::sync::LazyLock;

use regex::Regex;

/// Patterns that change in every run, and what stands for them. The order matters: a time holds what looks like a duration.
static PATTERNS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "[uid]"),
        (r"\b\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})?", "[time]"),
        (r"127\.0\.0\.1:\d+", "127.0.0.1:[port]"),
        (r"\b(sha256:)?[0-9a-f]{64}\b", "[digest]"),
        (r"\b(\d+m ?)?\d+(\.\d+)? ?(ms|µs|s)\b", "[duration]"),
    ]
    .map(|(pattern, shown)| (Regex::new(pattern).expect("a pattern of this table compiles"), shown))
    .into()
});

/// The texts of one environment, beside the patterns that hold everywhere.
#[derive(Debug, Clone, Default)]
pub struct Redactions {
    texts: Vec<(String, String)>,
}

impl Redactions {
    /// Shows `text` as `shown`. Longer texts go first, so that a path inside another is not cut.
    pub fn replace(&mut self, text: &str, shown: &str) {
        self.texts.push((text.to_owned(), shown.to_owned()));
        self.texts.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
    }

    /// Returns the text with all of them replaced.
    pub fn apply(&self, text: &str) -> String {
        let text = self.texts.iter().fold(text.to_owned(), |text, (found, shown)| text.replace(found, shown));
        PATTERNS.iter().fold(text, |text, (pattern, shown)| pattern.replace_all(&text, *shown).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_from_run_to_run_is_replaced() {
        let mut redactions = Redactions::default();
        redactions.replace("/scratch/a", "[root]");
        redactions.replace("/scratch/a/work", "[work]");
        let text = "uid 0c9c6d4a-2f9b-4c0e-9a5d-2a8a3f6f1b11 at 2026-11-22T05:46:08.514Z on https://127.0.0.1:43133 \
                    took 1m 3s, waited 250ms, in /scratch/a/work and /scratch/a/home";
        insta::assert_snapshot!(redactions.apply(text), @"uid [uid] at [time] on https://127.0.0.1:[port] took [duration], waited [duration], in [work] and [root]/home");
    }

    #[test]
    fn what_stays_the_same_is_left_alone() {
        let text = "postgres.StatefulSet/postgres  250m 512Mi 10Gi  resources: 12, v16s, 3 sets";
        assert_eq!(Redactions::default().apply(text), text);
    }
}
