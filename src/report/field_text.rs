//! One changed field as text: on one line where it fits; where it does not, one value a line, field by field for a map or
//! list that comes or goes, line by line for a script.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::line::Line;
use super::style::{Meaning, Options};
use super::value_text::{shortened, shown_text};
use crate::diff::{DiffLine, FieldChange, Shown, is_multi_line, line_diff, visible};

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
        if let Some(parts) = parts(change) {
            parts.iter().for_each(|part| self.write(out, part, indent));
            return;
        }
        head.write(out, self.options, indent, indent + 2);
        let lines = [("- ", Meaning::Delete, &change.before), ("+ ", Meaning::Create, &change.after)]
            .into_iter()
            .filter_map(|(sign, meaning, value)| Some((meaning, sign, shown_text(value.as_ref()?))))
            .collect();
        self.write_fitting(out, lines, indent + 4);
    }

    fn write_lines(&mut self, out: &mut String, lines: &[DiffLine], indent: usize) {
        let lines = lines
            .iter()
            .map(|line| match line {
                DiffLine::Place(place) => (Meaning::Quiet, "", place.clone()),
                DiffLine::Same(text) => (Meaning::Plain, "  ", text.clone()),
                DiffLine::Removed(text) => (Meaning::Delete, "- ", text.clone()),
                DiffLine::Added(text) => (Meaning::Create, "+ ", text.clone()),
                DiffLine::NoNewline => (Meaning::Quiet, "\\ ", "no newline at the end".to_owned()),
            })
            .collect();
        self.write_fitting(out, lines, indent);
    }

    /// Writes lines of a sign and a text each, those that are too long shortened: but never two different ones so that
    /// they look the same.
    fn write_fitting(&mut self, out: &mut String, lines: Vec<(Meaning, &str, String)>, indent: usize) {
        let room = self.options.width.saturating_sub(indent + 2).max(LEAST_WIDTH);
        let lines: Vec<(Meaning, &str, String, Option<String>)> = lines
            .into_iter()
            .map(|(meaning, sign, text)| {
                let text = visible(&text).into_owned();
                let short = shortened(&text, room);
                (meaning, sign, text, short)
            })
            .collect();
        let mut meant: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (.., text, short) in &lines {
            meant.entry(short.as_ref().unwrap_or(text)).or_default().insert(text);
        }
        for (meaning, sign, text, short) in &lines {
            let shown = match short.as_ref().filter(|short| meant[short.as_str()].len() == 1) {
                Some(short) => {
                    self.shortened = true;
                    short
                }
                None => text,
            };
            let line = format!("{sign}{shown}");
            Line::new().paint(*meaning, line.trim_end()).write(out, &self.unwrapped(), indent, 0);
        }
    }

    /// A value is shortened or stands whole; wrapped it could not be told where it ends.
    fn unwrapped(&self) -> Options {
        Options { width: usize::MAX, ..*self.options }
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

/// Returns the fields or items of a map or list that comes or goes as a whole.
fn parts(change: &FieldChange) -> Option<Vec<FieldChange>> {
    let (value, comes) = match (&change.before, &change.after) {
        (None, Some(Shown::Plain(value))) => (value, true),
        (Some(Shown::Plain(value)), None) => (value, false),
        _ => return None,
    };
    let part = |step: String, value: &Value| {
        let shown = Some(Shown::Plain(value.clone()));
        let (before, after) = if comes { (None, shown) } else { (shown, None) };
        FieldChange { path: format!("{}{step}", change.path), before, after, by: None }
    };
    match value {
        Value::Object(map) if !map.is_empty() => {
            Some(map.iter().map(|(key, value)| part(format!(".{key}"), value)).collect())
        }
        Value::Array(items) if !items.is_empty() => {
            Some(items.iter().enumerate().map(|(index, value)| part(format!("[{index}]"), value)).collect())
        }
        _ => None,
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::report::samples::field;

    fn written(before: &str, after: &str) -> String {
        let (options, mut out) = (Options::plain(60), String::new());
        FieldWriter::new(&options).write(&mut out, &field(".image", json!(before), json!(after)), 4);
        out
    }

    #[test]
    fn what_is_created_can_be_read_field_by_field() {
        let spec = json!({"image": "redis:7", "command": ["sh", "-c", "set -e\nexec redis-server /etc/redis.conf\n"]});
        let (options, mut out) = (Options::plain(60), String::new());
        FieldWriter::new(&options).write(&mut out, &field(".spec", json!(null), spec), 0);
        insta::assert_snapshot!(out, @r#"
        + .spec.command[0]: "sh"
        + .spec.command[1]: "-c"
        + .spec.command[2]:
            + set -e
            + exec redis-server /etc/redis.conf
        + .spec.image: "redis:7"
        "#);
    }

    #[test]
    fn two_values_that_differ_never_look_the_same() {
        let image = |part: &str| format!("registry.example.com/team/{part}/application/server:2026.11.20-bookworm");
        let text = written(&image("good"), &image("evil"));
        assert!(text.contains("team/good/") && text.contains("team/evil/"), "{text}");
        let script = |part: &str| format!("set -e\n{}\n", image(part));
        let text = written(&script("good"), &script("evil"));
        assert!(text.contains("team/good/") && text.contains("team/evil/"), "{text}");
        let text = written(&image("good"), "redis:7");
        assert!(text.contains('…') && text.contains("redis:7"), "{text}");
    }
}
