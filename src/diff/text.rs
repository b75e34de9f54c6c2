//! How a text of several lines changed, such as a script in a ConfigMap.

use serde_json::Value;
use similar::{ChangeTag, TextDiff};

/// One line of a unified difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DiffLine {
    /// Where the next lines stand: `@@ -1,3 +1,4 @@`.
    Place(String),
    /// A line that both have.
    Same(String),
    /// A line that only the text before has.
    Removed(String),
    /// A line that only the text after has.
    Added(String),
    /// The line above ends the text and has no newline.
    NoNewline,
}

/// Tells whether a value is a text that is better compared line by line.
#[must_use]
pub fn is_multi_line(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.trim_end_matches('\n').contains('\n'))
}

/// Returns the unified difference of two texts, with `context` unchanged lines around each change. Two equal texts have
/// none. Lines come without their newline.
#[must_use]
pub fn line_diff(before: &str, after: &str, context: usize) -> Vec<DiffLine> {
    let difference = TextDiff::from_lines(before, after);
    let mut lines = Vec::new();
    for hunk in difference.unified_diff().context_radius(context).iter_hunks() {
        lines.push(DiffLine::Place(hunk.header().to_string()));
        for change in hunk.iter_changes() {
            let text = change.value();
            let line = text.strip_suffix('\n').unwrap_or(text).to_owned();
            lines.push(match change.tag() {
                ChangeTag::Equal => DiffLine::Same(line),
                ChangeTag::Delete => DiffLine::Removed(line),
                ChangeTag::Insert => DiffLine::Added(line),
            });
            if change.missing_newline() {
                lines.push(DiffLine::NoNewline);
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_changed_lines_and_their_neighbours_are_told() {
        let lines = line_diff("a\nb\nc\nd\ne\n", "a\nb\nc\nD\ne\n", 1);
        assert_eq!(
            lines,
            [
                DiffLine::Place("@@ -3,3 +3,3 @@".to_owned()),
                DiffLine::Same("c".to_owned()),
                DiffLine::Removed("d".to_owned()),
                DiffLine::Added("D".to_owned()),
                DiffLine::Same("e".to_owned()),
            ]
        );
    }

    #[test]
    fn a_lost_newline_at_the_end_is_a_difference() {
        let lines = line_diff("a\nb\n", "a\nb", 0);
        assert_eq!(lines[1..], [DiffLine::Removed("b".into()), DiffLine::Added("b".into()), DiffLine::NoNewline]);
        assert_eq!(line_diff("a\n", "a\n", 3), []);
    }

    #[test]
    fn one_line_with_a_newline_at_its_end_is_no_text_of_several_lines() {
        assert!(is_multi_line(&json!("a\nb")));
        assert!(!is_multi_line(&json!("a\n")));
        assert!(!is_multi_line(&json!(3)));
    }
}
