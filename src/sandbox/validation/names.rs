//! Rules for names of all sorts, each with the server's words for what is wrong.

use super::Problems;
use super::path::Path;

const LABEL: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN: &str = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
const KEY: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";

/// A rule for a text: what is wrong with it.
pub(super) type Rule = fn(&str) -> Vec<String>;

/// Which sort of name an object bears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NameRule {
    /// Dots allowed.
    Subdomain,
    /// No dots.
    Label,
    /// Anything that fits into a path.
    Segment,
    /// A label that begins with a letter.
    Label1035,
}

impl NameRule {
    /// What is wrong with a name.
    pub(super) fn of_name(self, name: &str) -> Vec<String> {
        match self {
            Self::Subdomain => subdomain(name),
            Self::Label => label(name),
            Self::Segment => segment(name),
            Self::Label1035 => label_1035(name),
        }
    }

    /// What is wrong with the beginning of a generated name.
    pub(super) fn of_prefix(self, prefix: &str) -> Vec<String> {
        // The last dash will not be the last: a digit or letter follows. The server looks at one byte less, too.
        let masked = match prefix.strip_suffix('-') {
            Some(rest) if !rest.is_empty() => {
                let mut kept = rest.to_owned();
                kept.pop();
                kept.push('a');
                kept
            }
            _ => prefix.to_owned(),
        };
        match self {
            Self::Subdomain => subdomain(&masked),
            Self::Label => label(&masked),
            Self::Segment => segment(prefix),
            Self::Label1035 => label_1035(&masked),
        }
    }
}

/// Words for a text that does not match an expression.
pub(super) fn unmatched(message: &str, expression: &str, examples: &[&str]) -> String {
    if examples.is_empty() {
        return format!("{message} (regex used for validation is '{expression}')");
    }
    let examples: Vec<String> = examples.iter().map(|example| format!("'{example}', ")).collect();
    format!("{message} (e.g. {}regex used for validation is '{expression}')", examples.join(" or "))
}

fn too_long(text: &str, most: usize, unit: &str) -> Option<String> {
    (text.len() > most).then(|| format!("must be no more than {most} {unit}"))
}

fn is_alphanumeric_at_ends(text: &str, inner: impl Fn(u8) -> bool, ends: impl Fn(u8) -> bool) -> bool {
    let bytes = text.as_bytes();
    matches!((bytes.first(), bytes.last()), (Some(first), Some(last)) if ends(*first) && ends(*last))
        && bytes.iter().all(|byte| inner(*byte) || ends(*byte))
}

fn lower(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

fn is_label(text: &str) -> bool {
    is_alphanumeric_at_ends(text, |byte| byte == b'-', lower)
}

fn is_subdomain(text: &str) -> bool {
    text.split('.').all(is_label)
}

fn is_key(text: &str) -> bool {
    is_alphanumeric_at_ends(text, |byte| matches!(byte, b'-' | b'_' | b'.'), |byte| byte.is_ascii_alphanumeric())
}

/// A DNS label (RFC 1123).
pub(super) fn label(text: &str) -> Vec<String> {
    let mut messages: Vec<String> = too_long(text, 63, "characters").into_iter().collect();
    if is_label(text) {
        return messages;
    }
    messages.push(if is_subdomain(text) {
        "must not contain dots".to_owned()
    } else {
        unmatched(
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
            LABEL,
            &["my-name", "123-abc"],
        )
    });
    messages
}

/// A DNS label that begins with a letter (RFC 1035).
pub(in crate::sandbox) fn label_1035(text: &str) -> Vec<String> {
    let mut messages: Vec<String> = too_long(text, 63, "characters").into_iter().collect();
    if !is_label(text) || !text.starts_with(|first: char| first.is_ascii_lowercase()) {
        messages.push(unmatched(
            "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
            "[a-z]([-a-z0-9]*[a-z0-9])?",
            &["my-name", "abc-123"],
        ));
    }
    messages
}

/// A DNS subdomain (RFC 1123).
pub(in crate::sandbox) fn subdomain(text: &str) -> Vec<String> {
    subdomain_in(text, "characters")
}

/// The same; newer code of the server counts bytes where older code counts characters.
pub(super) fn subdomain_in(text: &str, unit: &str) -> Vec<String> {
    let mut messages: Vec<String> = too_long(text, 253, unit).into_iter().collect();
    if !is_subdomain(text) {
        messages.push(unmatched(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
            SUBDOMAIN,
            &["example.com"],
        ));
    }
    messages
}

/// A DNS subdomain in which underscores may be.
pub(super) fn subdomain_with_underscore(text: &str) -> Vec<String> {
    let mut messages: Vec<String> = too_long(text, 253, "characters").into_iter().collect();
    let is_part = |part: &str| {
        is_alphanumeric_at_ends(part.strip_prefix('_').unwrap_or(part), |byte| matches!(byte, b'-' | b'_'), lower)
    };
    if !text.split('.').all(is_part) {
        messages.push(unmatched(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character",
            r"_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*",
            &["example.com"],
        ));
    }
    messages
}

/// A DNS subdomain whose first label is `*`.
pub(super) fn wildcard_subdomain(text: &str) -> Vec<String> {
    let mut messages: Vec<String> = too_long(text, 253, "characters").into_iter().collect();
    if !text.strip_prefix("*.").is_some_and(is_subdomain) {
        messages.push(unmatched(
            "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
            &format!(r"\*\.{SUBDOMAIN}"),
            &["*.example.com"],
        ));
    }
    messages
}

/// A name that fits into a path.
pub(in crate::sandbox) fn segment(text: &str) -> Vec<String> {
    if matches!(text, "." | "..") {
        return vec![format!("may not be '{text}'")];
    }
    ["/", "%"].iter().filter(|part| text.contains(**part)).map(|part| format!("may not contain '{part}'")).collect()
}

/// The key of a label, annotation, finalizer, …: a name with or without a domain before it.
pub(in crate::sandbox) fn qualified(text: &str) -> Vec<String> {
    const WORDS: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
    let regex = || unmatched(WORDS, KEY, &["MyName", "my.name", "123-abc"]);
    let mut messages = Vec::new();
    let name = match text.split_once('/') {
        None => text,
        Some((_, name)) if name.contains('/') => {
            return vec![format!(
                "a valid label key {} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
                regex()
            )];
        }
        Some((prefix, name)) => {
            if prefix.is_empty() {
                messages.push("prefix part must be non-empty".to_owned());
            } else {
                messages.extend(subdomain_in(prefix, "bytes").into_iter().map(|text| format!("prefix part {text}")));
            }
            name
        }
    };
    if name.is_empty() {
        messages.push("name part must be non-empty".to_owned());
    } else if let Some(message) = too_long(name, 63, "bytes") {
        messages.push(format!("name part {message}"));
    }
    if !is_key(name) {
        messages.push(format!("name part {}", regex()));
    }
    messages
}

/// The value of a label.
pub(in crate::sandbox) fn label_value(text: &str) -> Vec<String> {
    let mut messages: Vec<String> = too_long(text, 63, "bytes").into_iter().collect();
    if !text.is_empty() && !is_key(text) {
        messages.push(unmatched(
            "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
            &format!("({KEY})?"),
            &["MyValue", "my_value", "12345"],
        ));
    }
    messages
}

/// A key of a ConfigMap or Secret.
pub(super) fn config_key(text: &str) -> Vec<String> {
    let mut messages: Vec<String> = too_long(text, 253, "characters").into_iter().collect();
    let fits = |byte: u8| matches!(byte, b'-' | b'.' | b'_') || byte.is_ascii_alphanumeric();
    if text.is_empty() || !text.bytes().all(fits) {
        messages.push(unmatched(
            "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
            "[-._a-zA-Z0-9]+",
            &["key.name", "KEY_NAME", "key-name"],
        ));
    }
    match text {
        "." => messages.push("must not be '.'".to_owned()),
        ".." => messages.push("must not be '..'".to_owned()),
        _ if text.starts_with("..") => messages.push("must not start with '..'".to_owned()),
        _ => {}
    }
    messages
}

/// The name of an environment variable.
pub(super) fn variable(text: &str) -> Vec<String> {
    let mut messages = Vec::new();
    if text.is_empty() {
        messages.push("environment variable name must be non-empty".to_owned());
    }
    if text.bytes().any(|byte| !(b' '..=b'~').contains(&byte) || byte == b'=') {
        messages.push(
            "a valid environment variable name must consist only of printable ASCII characters other than '='"
                .to_owned(),
        );
    }
    messages
}

/// The name of a port of a container, or one that refers to it.
pub(super) fn port(text: &str) -> Vec<String> {
    let mut messages: Vec<String> = too_long(text, 15, "characters").into_iter().collect();
    if text.is_empty() || !text.bytes().all(|byte| byte == b'-' || lower(byte)) {
        messages.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)".to_owned());
    }
    if !text.bytes().any(|byte| byte.is_ascii_lowercase()) {
        messages.push("must contain at least one letter (a-z)".to_owned());
    }
    if text.contains("--") {
        messages.push("must not contain consecutive hyphens".to_owned());
    }
    if text.starts_with('-') || text.ends_with('-') {
        messages.push("must not begin or end with a hyphen".to_owned());
    }
    messages
}

/// The name of an HTTP header.
pub(super) fn header(text: &str) -> Vec<String> {
    if !text.is_empty() && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_alphanumeric()) {
        return Vec::new();
    }
    vec![unmatched(
        "a valid HTTP header must consist of alphanumeric characters or '-'",
        "[-A-Za-z0-9]+",
        &["X-Header-Name"],
    )]
}

/// A domain, a slash and something after it.
pub(super) fn domain_path(text: &str, path: &Path, problems: &mut Problems) {
    if text.is_empty() {
        problems.push(path.required(""));
        return;
    }
    let Some((domain, rest)) = text.split_once('/').filter(|(domain, rest)| !domain.is_empty() && !rest.is_empty())
    else {
        problems.push(path.invalid(text, "must be a domain-prefixed path (such as \"acme.io/foo\")"));
        return;
    };
    problems.extend(path.each(domain, subdomain(domain)));
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:".contains(&byte);
    if !rest.bytes().all(fits) {
        problems.push(path.invalid(rest, &unmatched("Invalid path", r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+", &[])));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_refused_in_the_words_of_the_server() {
        insta::assert_debug_snapshot!(label("a.b"), @r#"
        [
            "must not contain dots",
        ]
        "#);
        insta::assert_debug_snapshot!(segment("a/b%c"), @r#"
        [
            "may not contain '/'",
            "may not contain '%'",
        ]
        "#);
        insta::assert_debug_snapshot!(port("-A--"), @r#"
        [
            "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
            "must contain at least one letter (a-z)",
            "must not contain consecutive hyphens",
            "must not begin or end with a hyphen",
        ]
        "#);
        assert_eq!(qualified("/x"), ["prefix part must be non-empty"]);
        assert_eq!(
            qualified("a.b/"),
            vec![
                "name part must be non-empty".to_owned(),
                format!(
                    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{KEY}')"
                ),
            ]
        );
    }

    #[test]
    fn good_names_pass() {
        for name in ["a", "a-b.c", "0", "a1.b2"] {
            assert!(subdomain(name).is_empty(), "{name}");
        }
        for key in ["a", "a.b/c_D", "k8s.io/x-1"] {
            assert!(qualified(key).is_empty(), "{key}");
        }
        assert!(label_value("").is_empty());
        assert!(variable("my var!").is_empty());
        assert!(NameRule::Subdomain.of_prefix("web-").is_empty());
        assert!(!NameRule::Subdomain.of_name("web-").is_empty());
    }
}
