//! Go's regular expressions (RE2) read by the crate `regex`, which differs from them in a few places.

use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex};

use regex::{Regex, RegexBuilder};

/// Patterns, each compiled once; `None` for one that cannot be read.
static COMPILED: LazyLock<Mutex<BTreeMap<String, Option<Regex>>>> = LazyLock::new(Mutex::default);

/// Definitions have fewer. Rules may take patterns from objects, of which there is no end.
const MOST_KEPT: usize = 2048;

/// Tells whether a text has a match; `None` if the pattern cannot be read.
pub(in crate::sandbox::custom) fn matches(pattern: &str, text: &str) -> Option<bool> {
    compiled(pattern).map(|regex| regex.is_match(text))
}

/// Returns a Go pattern, compiled.
pub(in crate::sandbox::custom) fn compiled(pattern: &str) -> Option<Regex> {
    let Ok(mut known) = COMPILED.lock() else { return compile(pattern) };
    if let Some(regex) = known.get(pattern) {
        return regex.clone();
    }
    let regex = compile(pattern);
    if known.len() >= MOST_KEPT {
        known.clear();
    }
    known.insert(pattern.to_owned(), regex.clone());
    regex
}

fn compile(pattern: &str) -> Option<Regex> {
    // Go allows a thousand repetitions of anything.
    RegexBuilder::new(&translated(pattern)).size_limit(64 << 20).build().ok()
}

/// Writes a Go pattern so that `regex` understands the same: its classes are ASCII, `[` in a class and a `{` that is no
/// repetition stand for themselves.
fn translated(pattern: &str) -> String {
    let mut result = String::with_capacity(pattern.len() + 16);
    let mut rest = pattern;
    let mut in_class = false;
    while let Some(next) = rest.chars().next() {
        let after = &rest[next.len_utf8()..];
        rest = after;
        match next {
            '\\' => rest = escape(after, in_class, &mut result),
            '[' if in_class => match after.starts_with(':').then(|| after.find(":]")).flatten() {
                Some(end) => {
                    let (name, behind) = after.split_at(end + 2);
                    result.push('[');
                    result.push_str(name);
                    rest = behind;
                }
                None => result.push_str("\\["),
            },
            '[' => {
                in_class = true;
                result.push('[');
                if let Some(behind) = rest.strip_prefix('^') {
                    result.push('^');
                    rest = behind;
                }
                // A bracket that comes first is one of the characters.
                if let Some(behind) = rest.strip_prefix(']') {
                    result.push_str("\\]");
                    rest = behind;
                }
            }
            ']' => {
                in_class = false;
                result.push(']');
            }
            '&' | '~' if in_class => {
                result.push('\\');
                result.push(next);
            }
            '{' if !in_class && !is_repetition(after) => result.push_str("\\{"),
            '}' if !in_class && !closes_repetition(&result) => result.push_str("\\}"),
            next => result.push(next),
        }
    }
    result
}

/// Translates what follows a backslash and returns what follows that.
fn escape<'a>(after: &'a str, in_class: bool, result: &mut String) -> &'a str {
    let Some(letter) = after.chars().next() else {
        result.push('\\');
        return after;
    };
    let rest = &after[letter.len_utf8()..];
    let bare = match letter {
        'd' => "0-9",
        'w' => "0-9A-Za-z_",
        's' => "\\t\\n\\f\\r ",
        'D' => "^0-9",
        'W' => "^0-9A-Za-z_",
        'S' => "^\\t\\n\\f\\r ",
        'b' if !in_class => {
            result.push_str("(?-u:\\b)");
            return rest;
        }
        'Q' if !in_class => {
            let (literal, behind) = rest.split_once("\\E").unwrap_or((rest, ""));
            result.push_str(&regex::escape(literal));
            return behind;
        }
        _ => {
            result.push('\\');
            result.push(letter);
            return rest;
        }
    };
    if in_class && !bare.starts_with('^') {
        result.push_str(bare);
    } else {
        result.push('[');
        result.push_str(bare);
        result.push(']');
    }
    rest
}

fn is_repetition(after: &str) -> bool {
    let Some((inside, _)) = after.split_once('}') else { return false };
    let (least, most) = inside.split_once(',').unwrap_or((inside, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    !least.is_empty() && digits(least) && digits(most)
}

fn closes_repetition(before: &str) -> bool {
    let Some((_, inside)) = before.rsplit_once('{') else { return false };
    !inside.is_empty() && inside.bytes().all(|byte| byte.is_ascii_digit() || byte == b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_they_mean_in_go() {
        let holds = |pattern: &str, text: &str| matches(pattern, text).unwrap();
        assert!(holds(r"^\d+$", "12") && !holds(r"^\d+$", "١٢"));
        assert!(holds(r"^[\w.-]+$", "a_b.c-d") && !holds(r"^[\w.-]+$", "é"));
        assert!(holds(r"^[[a]+$", "[a[") && holds(r"^[]a]+$", "]a") && holds(r"^[^\d]$", "x"));
        assert!(holds("^a{$", "a{") && holds("^{}$", "{}") && holds("^a{2,3}$", "aaa") && !holds("^a{2}$", "a"));
        assert!(holds(r"^\Qa.b\E$", "a.b") && !holds(r"^\Qa.b\E$", "axb"));
        assert!(holds("^[[:alpha:]]+$", "ab") && holds("(?i)^AB$", "ab") && !holds("^a$", "a\n"));
        assert_eq!(matches("(", "x"), None);
    }
}
