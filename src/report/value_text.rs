//! A value of a field on one line: JSON in all but its escapes, which say what cannot be seen.

use std::fmt::Write as _;

use serde_json::Value;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::diff::{Shown, is_invisible, visible};

/// Returns a value as a reader sees it.
pub(super) fn shown_text(shown: &Shown) -> String {
    match shown {
        Shown::Plain(value) => value_text(value),
        Shown::Sensitive => "(sensitive)".to_owned(),
        Shown::Unknown => "(known after the apply)".to_owned(),
    }
}

/// Returns a JSON value on one line, strings in quotes.
pub(super) fn value_text(value: &Value) -> String {
    let mut out = String::new();
    write_value(&mut out, value);
    out
}

fn write_value(out: &mut String, value: &Value) {
    match value {
        Value::String(text) => write_string(out, text),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                write_value(out, item);
            }
            out.push(']');
        }
        Value::Object(map) => {
            out.push('{');
            for (index, (key, item)) in map.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                write_string(out, key);
                out.push_str(": ");
                write_value(out, item);
            }
            out.push('}');
        }
        // Writing to a string cannot fail.
        scalar => drop(write!(out, "{scalar}")),
    }
}

fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            _ if is_invisible(character) => out.push_str(&visible(character.encode_utf8(&mut [0; 4]))),
            _ => out.push(character),
        }
    }
    out.push('"');
}

/// Returns `text` in at most `width` columns: whole, or with its middle left out, since both ends of an image name or a
/// path tell it from another.
pub(super) fn shortened(text: &str, width: usize) -> Option<String> {
    if text.width() <= width {
        return None;
    }
    let room = width.saturating_sub(1);
    let head = take_columns(text.chars(), room.div_ceil(2));
    let tail: String = take_columns(text.chars().rev(), room / 2).chars().rev().collect();
    Some(format!("{head}…{tail}"))
}

fn take_columns(characters: impl Iterator<Item = char>, columns: usize) -> String {
    let mut taken = 0;
    characters
        .take_while(|character| {
            taken += character.width().unwrap_or(0);
            taken <= columns
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_read_like_json() {
        let value = json!({"image": "redis:7", "ports": [6379, null, true], "note": "a \"b\" \\ \n\u{1b}"});
        assert_eq!(
            value_text(&value),
            r#"{"image": "redis:7", "note": "a \"b\" \\ \n\u{1b}", "ports": [6379, null, true]}"#
        );
    }

    #[test]
    fn what_is_secret_or_unknown_says_so() {
        assert_eq!(shown_text(&Shown::Sensitive), "(sensitive)");
        assert_eq!(shown_text(&Shown::Unknown), "(known after the apply)");
    }

    #[test]
    fn long_values_keep_both_ends() {
        assert_eq!(shortened("0123456789", 10), None);
        assert_eq!(shortened("0123456789", 7).as_deref(), Some("012…789"));
        assert_eq!(shortened("数据库数据库", 6).as_deref(), Some("数…库"));
    }
}
