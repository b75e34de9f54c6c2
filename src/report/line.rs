//! A line on its way to the reader: the one place where text is made visible, coloured and wrapped.

use unicode_width::UnicodeWidthStr as _;

use super::style::{Meaning, Options};
use crate::diff::visible;

/// Some text of one meaning.
#[derive(Debug, Clone, PartialEq)]
struct Piece {
    meaning: Meaning,
    text: String,
    /// False for what somebody may copy: it stays on one line.
    breaks: bool,
}

/// Pieces of text with their meanings. Whatever is put in is made visible first, so a line never holds a control
/// character, whoever wrote its text.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Line {
    pieces: Vec<Piece>,
}

impl Line {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Adds text without a meaning of its own.
    pub(super) fn text(self, text: impl AsRef<str>) -> Self {
        self.paint(Meaning::Plain, text)
    }

    /// Adds text with a meaning.
    pub(super) fn paint(self, meaning: Meaning, text: impl AsRef<str>) -> Self {
        self.with(meaning, text.as_ref(), true)
    }

    /// Adds text that is never broken: somebody may want to copy it.
    pub(super) fn unbroken(self, text: impl AsRef<str>) -> Self {
        self.with(Meaning::Plain, text.as_ref(), false)
    }

    fn with(mut self, meaning: Meaning, text: &str, breaks: bool) -> Self {
        self.pieces.push(Piece { meaning, text: visible(text).into_owned(), breaks });
        self
    }

    /// Returns the columns it takes.
    pub(super) fn width(&self) -> usize {
        self.pieces.iter().map(|piece| piece.text.width()).sum()
    }

    /// Returns it on one line, however long, without a newline.
    pub(super) fn one_line(&self, options: &Options) -> String {
        self.pieces.iter().map(|piece| options.palette.paint(piece.meaning, &piece.text)).collect()
    }

    /// Writes it to `out`, `indent` columns in, and wraps it between words with `hanging` columns before the further lines.
    /// A word that is longer than the width stands whole.
    pub(super) fn write(&self, out: &mut String, options: &Options, indent: usize, hanging: usize) {
        let spaces = |count: usize| " ".repeat(count);
        out.push_str(&spaces(indent));
        if self.width().saturating_add(indent) <= options.width {
            out.push_str(&self.one_line(options));
            out.push('\n');
            return;
        }
        let mut column = indent;
        let mut run = String::new();
        let mut pending_spaces = 0;
        let mut at_start = true;
        for Piece { meaning, text, breaks } in &self.pieces {
            let words: Vec<&str> = if *breaks { text.split(' ').collect() } else { vec![text] };
            for (index, word) in words.into_iter().enumerate() {
                pending_spaces += usize::from(index > 0);
                if word.is_empty() {
                    continue;
                }
                // Between two pieces there may be no space, and so no place to break.
                let needed = word.width() + pending_spaces;
                if pending_spaces > 0 && !at_start && column + needed > options.width {
                    out.push_str(&options.palette.paint(*meaning, &run));
                    run.clear();
                    out.push('\n');
                    out.push_str(&spaces(hanging));
                    column = hanging;
                } else {
                    run.push_str(&spaces(pending_spaces));
                    column += pending_spaces;
                }
                run.push_str(word);
                column += word.width();
                pending_spaces = 0;
                at_start = false;
            }
            out.push_str(&options.palette.paint(*meaning, &run));
            run.clear();
        }
        out.push('\n');
    }
}

/// Writes a sentence without a meaning of its own.
pub(super) fn sentence(out: &mut String, options: &Options, indent: usize, text: impl AsRef<str>) {
    Line::new().text(text).write(out, options, indent, indent);
}

/// Writes the line that sums up, for scripts to look for: it is never wrapped.
pub(super) fn last_line(out: &mut String, options: &Options, text: impl AsRef<str>) {
    out.push_str(&Line::new().paint(Meaning::Strong, text).one_line(options));
    out.push('\n');
}

/// Returns a message after its label, wrapped between words. What stands in backticks is to be typed or looked for, and
/// stays on one line.
#[must_use]
pub fn message(label: &str, text: &str, width: usize) -> String {
    let mut out = String::new();
    let hanging = label.len() - label.trim_start().len() + 2;
    for (index, text) in text.trim_end().lines().enumerate() {
        let start = if index == 0 { format!("{label}: ") } else { String::new() };
        let mut line = Line::new().text(start);
        for (place, part) in text.split('`').enumerate() {
            line = match place {
                0 => line.text(part),
                _ if place % 2 == 1 => line.unbroken(format!("`{part}")),
                _ => line.unbroken("`").text(part),
            };
        }
        line.write(&mut out, &Options::plain(width), 0, hanging);
    }
    out
}

/// Returns `1 check` or `3 checks`.
#[must_use]
pub fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(line: &Line, width: usize, indent: usize, hanging: usize) -> String {
        let mut out = String::new();
        line.write(&mut out, &Options::plain(width), indent, hanging);
        out
    }

    #[test]
    fn a_line_that_fits_stands_as_it_is() {
        assert_eq!(written(&Line::new().text("one  two"), 10, 2, 4), "  one  two\n");
    }

    #[test]
    fn a_longer_one_wraps_between_words_and_hangs() {
        let line = Line::new().text("one two three ").paint(Meaning::Strong, "four five");
        assert_eq!(written(&line, 12, 2, 4), "  one two\n    three\n    four\n    five\n");
        assert_eq!(
            written(&Line::new().text("short muchtoolongaword end"), 10, 0, 2),
            "short\n  muchtoolongaword\n  end\n"
        );
    }

    #[test]
    fn what_is_to_be_copied_stays_on_one_line() {
        let line = Line::new().text("to take it: ").unbroken("grant: [a, b]").text(" or so");
        assert_eq!(written(&line, 16, 0, 2), "to take it:\n  grant: [a, b]\n  or so\n");
    }

    #[test]
    fn wide_characters_count_as_two_columns() {
        assert_eq!(written(&Line::new().text("数据 数据"), 8, 0, 0), "数据\n数据\n");
    }

    #[test]
    fn control_characters_never_get_through() {
        assert_eq!(written(&Line::new().text("a\u{1b}[2Jb\nc"), 80, 0, 0), "a\\u{1b}[2Jb\\nc\n");
    }
}
