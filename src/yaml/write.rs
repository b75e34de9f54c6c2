//! Values as YAML text. The only place that names the writer.
//!
//! The writer leaves words such as `yes`, `on` and `1_000` bare, which YAML 1.1, and with it kubectl, reads as booleans
//! and numbers. Every text that any reader may take for something else is quoted here.

use serde_json::{Map, Value};

/// Returns the value as one YAML document, without the `---` before it.
#[must_use]
pub fn to_yaml(value: &Value) -> String {
    let Some((open, close)) = unused_marks(value) else {
        return write(value);
    };
    // The writer cannot be told to quote, so such texts pass it between two marks that stand nowhere else, and the marks
    // become quotes. The marked texts hold no character that would need escaping.
    write(&mark(value, open, close)).replace([open, close], "\"")
}

fn write(value: &Value) -> String {
    // Writing plain JSON values to a string has no way to fail.
    serde_yaml::to_string(value).unwrap_or_default()
}

fn unused_marks(value: &Value) -> Option<(char, char)> {
    let text = value.to_string();
    let mut unused = ('\u{e000}'..='\u{f8ff}').filter(|mark| !text.contains(*mark));
    Some((unused.next()?, unused.next()?))
}

fn mark(value: &Value, open: char, close: char) -> Value {
    let marked = |text: &String| if is_ambiguous(text) { format!("{open}{text}{close}") } else { text.clone() };
    match value {
        Value::String(text) => Value::String(marked(text)),
        Value::Array(items) => items.iter().map(|item| mark(item, open, close)).collect(),
        Value::Object(map) => {
            map.iter().map(|(key, value)| (marked(key), mark(value, open, close))).collect::<Map<_, _>>().into()
        }
        _ => value.clone(),
    }
}

/// Tells whether some reader may take the bare text for a boolean, nothing, a number, a time or a merge.
fn is_ambiguous(text: &str) -> bool {
    const WORDS: [&str; 11] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"];
    let plain = |character: char| character.is_ascii_alphanumeric() || "+-._:".contains(character);
    let numeric = |character: char| character.is_ascii_digit() || "+-.".contains(character);
    text == "<<"
        || text.chars().all(plain)
            && (WORDS.contains(&text.to_ascii_lowercase().as_str())
                || (text.starts_with(numeric) && text.chars().any(|c| c.is_ascii_alphanumeric())))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::yaml::read_plain;

    #[test]
    fn texts_that_another_reader_would_take_for_something_else_come_back_as_texts() {
        let value = json!({
            "octal": "0644", "yes": "yes", "on": "on", "null": "null", "tilde": "~", "float": "1e3", "time": "12:30:45",
            "empty": "", "lines": "a\nb\n", "space": " x ", "hash": "a #b", "colon": "a: b", "date": "2026-01-01",
            "hex": "0x1F", "underscore": "1_000", "number": 420, "y": "y", "n": "N", "dot": ".", "inf": ".inf", "merge": "<<",
            "binary": "0b11", "octal2": "0o17", "plus": "+1", "nan": ".NaN", "off": "Off", "star": "*a", "tab": "\t"
        });
        let text = to_yaml(&value);
        let (documents, problems) = read_plain("x", &text);
        assert!(problems.is_empty(), "{problems:?}\n{text}");
        assert_eq!(documents[0].value, value, "{text}");
    }
}
