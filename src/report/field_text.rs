//! One changed field as text: on one line where it fits, one value a line where it does not, line by line for a script.

use serde_json::Value;

use super::line::Line;
use super::style::{Meaning, Options};
use super::value_text::{shortened, shown_text};
use crate::diff::{DiffLine, FieldChange, Shown, is_multi_line, line_diff};

/// Unchanged lines around a changed one in a script.
const CONTEXT: usize = 2;

/// A value is never shortened below this, however narrow the terminal.
const LEAST_WIDTH: usize = 24;

/// Writes field changes and remembers whether it had to shorten one.
pub(super) struct FieldWriter<'a> {
    pub(super) options: &'a Options,
    pub(super) shortened: bool,
}

impl<'a> FieldWriter<'a> {
    pub(super) fn new(options: &'a Options) -> Self {
        Self { options, shortened: false }
    }

    /// Writes what becomes of a field, from `before` to `after`.
    pub(super) fn write(&mut self, out: &mut String, change: &FieldChange, indent: usize) {
        let (symbol, meaning) = match (&change.before, &change.after) {
            (None, _) => ("+", Meaning::Create),
            (Some(_), None) => ("-", Meaning::Delete),
            (Some(_), Some(_)) => ("~", Meaning::Update),
        };
        let path = if change.path.is_empty() { "." } else { &change.path };
        let head = Line::new().paint(meaning, symbol).text(format!(" {path}:"));
        if let Some(lines) = text_difference(change) {
            head.write(out, self.options, indent, indent + 2);
            self.write_lines(out, &lines, indent + 4);
            return;
        }
        let whole = head.clone().text(format!(" {}", values_text(change)));
        if whole.width().saturating_add(indent) <= self.options.width {
            whole.write(out, self.options, indent, indent);
            return;
        }
        head.write(out, self.options, indent, indent + 2);
        for (sign, meaning, value) in [("- ", Meaning::Delete, &change.before), ("+ ", Meaning::Create, &change.after)]
        {
            if let Some(value) = value {
                let text = self.fitting(shown_text(value), indent + 6);
                Line::new().paint(meaning, sign).text(text).write(out, &self.unwrapped(), indent + 4, 0);
            }
        }
    }

    fn write_lines(&mut self, out: &mut String, lines: &[DiffLine], indent: usize) {
        for line in lines {
            let (meaning, text) = match line {
                DiffLine::Place(place) => (Meaning::Quiet, place.clone()),
                DiffLine::Same(text) => (Meaning::Plain, format!("  {text}")),
                DiffLine::Removed(text) => (Meaning::Delete, format!("- {text}")),
                DiffLine::Added(text) => (Meaning::Create, format!("+ {text}")),
                DiffLine::NoNewline => (Meaning::Quiet, "\\ no newline at the end".to_owned()),
            };
            let text = self.fitting(crate::diff::visible(&text).into_owned(), indent);
            Line::new().paint(meaning, text.trim_end()).write(out, &self.unwrapped(), indent, 0);
        }
    }

    /// A value is shortened or stands whole; wrapped it could not be told where it ends.
    fn unwrapped(&self) -> Options {
        Options { width: usize::MAX, ..*self.options }
    }

    fn fitting(&mut self, text: String, indent: usize) -> String {
        let room = self.options.width.saturating_sub(indent).max(LEAST_WIDTH);
        match shortened(&text, room) {
            Some(short) => {
                self.shortened = true;
                short
            }
            None => text,
        }
    }
}

/// Returns the values of a change on one line: `1 → 2`, or the only one there is.
fn values_text(change: &FieldChange) -> String {
    match (&change.before, &change.after) {
        (Some(Shown::Sensitive), Some(Shown::Sensitive)) => shown_text(&Shown::Sensitive),
        (Some(before), Some(after)) => format!("{} → {}", shown_text(before), shown_text(after)),
        (Some(only), None) | (None, Some(only)) => shown_text(only),
        (None, None) => String::new(),
    }
}

/// Returns the change line by line, if it is about a text of several lines.
fn text_difference(change: &FieldChange) -> Option<Vec<DiffLine>> {
    let plain = |shown: &'_ Option<Shown>| match shown {
        Some(Shown::Plain(value @ Value::String(text))) => Some((text.clone(), is_multi_line(value))),
        None => Some((String::new(), false)),
        Some(_) => None,
    };
    let (before, before_is_long) = plain(&change.before)?;
    let (after, after_is_long) = plain(&change.after)?;
    if !before_is_long && !after_is_long {
        return None;
    }
    let mut lines = line_diff(&before, &after, CONTEXT);
    if change.before.is_none() || change.after.is_none() {
        // The whole text comes or goes; where its lines stand tells nothing.
        lines.retain(|line| !matches!(line, DiffLine::Place(_)));
    }
    Some(lines)
}
