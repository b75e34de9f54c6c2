//! Templates of derived secrets: `postgresql://mathison:${urlencode(POSTGRES_PASSWORD)}@host/db`.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use thiserror::Error;
use zeroize::Zeroizing;

use super::{SecretValue, TemplatePart};

/// What RFC 3986 calls unreserved stays as it is; everything else is encoded.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The one function that a template knows.
const URLENCODE: &str = "urlencode";

/// What is wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{problem}")]
pub struct TemplateError {
    /// Byte offset in the text where the trouble begins.
    pub offset: usize,
    /// What it is.
    pub problem: TemplateProblem,
}

/// A kind of mistake in a template.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TemplateProblem {
    /// `${` without its `}`.
    #[error("`${{` is not closed with `}}`")]
    NotClosed,
    /// Nothing between the braces.
    #[error("`${{}}` names no key")]
    Empty,
    /// A function that does not exist.
    #[error("there is no function `{0}`; the only one is `urlencode`")]
    UnknownFunction(String),
    /// A function's `(` without its `)`.
    #[error("`(` is not closed with `)`")]
    ParenthesisNotClosed,
    /// A word that is no key of a Secret.
    #[error("`{0}` is no key of a Secret")]
    NoKey(String),
}

/// Reads a template. `$${` stands for `${` as it is.
///
/// # Errors
/// The first mistake, with its place.
pub fn parse_template(text: &str) -> Result<Vec<TemplatePart>, TemplateError> {
    let mut parts = Vec::new();
    let mut plain = String::new();
    let mut position = 0;
    while let Some(found) = text[position..].find("${") {
        let start = position + found;
        if text[position..start].ends_with('$') {
            plain.push_str(&text[position..start]);
            plain.push('{');
            position = start + 2;
            continue;
        }
        plain.push_str(&text[position..start]);
        let inner_start = start + 2;
        let Some(length) = text[inner_start..].find('}') else {
            return Err(TemplateError { offset: start, problem: TemplateProblem::NotClosed });
        };
        if !plain.is_empty() {
            parts.push(TemplatePart::Text(std::mem::take(&mut plain)));
        }
        parts.push(parse_reference(&text[inner_start..inner_start + length], inner_start)?);
        position = inner_start + length + 1;
    }
    plain.push_str(&text[position..]);
    if !plain.is_empty() {
        parts.push(TemplatePart::Text(plain));
    }
    Ok(parts)
}

fn parse_reference(inner: &str, inner_start: usize) -> Result<TemplatePart, TemplateError> {
    let leading = inner.len() - inner.trim_start().len();
    let word = inner.trim();
    let offset = inner_start + leading;
    let fail = |offset, problem| Err(TemplateError { offset, problem });
    if word.is_empty() {
        return fail(inner_start, TemplateProblem::Empty);
    }
    let Some((function, rest)) = word.split_once('(') else {
        return parse_key(word, offset).map(|key| TemplatePart::Key { key, urlencode: false });
    };
    if function.trim_end() != URLENCODE {
        return fail(offset, TemplateProblem::UnknownFunction(function.trim_end().to_owned()));
    }
    let argument_offset = offset + function.len() + 1;
    let Some(argument) = rest.strip_suffix(')') else {
        return fail(argument_offset - 1, TemplateProblem::ParenthesisNotClosed);
    };
    let argument_leading = argument.len() - argument.trim_start().len();
    parse_key(argument.trim(), argument_offset + argument_leading).map(|key| TemplatePart::Key { key, urlencode: true })
}

fn parse_key(word: &str, offset: usize) -> Result<String, TemplateError> {
    if word.is_empty() {
        return Err(TemplateError { offset, problem: TemplateProblem::Empty });
    }
    if word.chars().all(|character| character.is_ascii_alphanumeric() || "-_.".contains(character)) {
        Ok(word.to_owned())
    } else {
        Err(TemplateError { offset, problem: TemplateProblem::NoKey(word.to_owned()) })
    }
}

/// Puts a template together.
///
/// # Errors
/// The first key that has no value.
pub(super) fn render<'a>(
    parts: &'a [TemplatePart],
    values: &BTreeMap<String, SecretValue>,
) -> Result<SecretValue, &'a str> {
    // Measured first, so that the buffer never grows and leaves a copy behind.
    let mut bytes = Vec::with_capacity(assemble(parts, values, None)?);
    assemble(parts, values, Some(&mut bytes))?;
    Ok(SecretValue::new(bytes))
}

fn assemble<'a>(
    parts: &'a [TemplatePart],
    values: &BTreeMap<String, SecretValue>,
    mut output: Option<&mut Vec<u8>>,
) -> Result<usize, &'a str> {
    let mut length = 0;
    let mut add = |bytes: &[u8]| {
        length += bytes.len();
        if let Some(output) = &mut output {
            output.extend_from_slice(bytes);
        }
    };
    for part in parts {
        match part {
            TemplatePart::Text(text) => add(text.as_bytes()),
            TemplatePart::Key { key, urlencode } => {
                let value = values.get(key).ok_or(key.as_str())?;
                if *urlencode {
                    add(percent_encoded(value.expose()).as_bytes());
                } else {
                    add(value.expose());
                }
            }
        }
    }
    Ok(length)
}

fn percent_encoded(bytes: &[u8]) -> Zeroizing<String> {
    // Three characters a byte at most.
    let mut text = Zeroizing::new(String::with_capacity(bytes.len() * 3));
    percent_encode(bytes, RESERVED).for_each(|piece| text.push_str(piece));
    text
}

#[cfg(test)]
mod tests {
    use percent_encoding::percent_decode;
    use proptest::prelude::*;

    use super::*;

    fn key(key: &str, urlencode: bool) -> TemplatePart {
        TemplatePart::Key { key: key.to_owned(), urlencode }
    }

    fn text(text: &str) -> TemplatePart {
        TemplatePart::Text(text.to_owned())
    }

    #[test]
    fn text_keys_and_the_function_are_told_apart() {
        assert_eq!(
            parse_template("pg://u:${urlencode(PASSWORD)}@h/${ NAME }").unwrap(),
            [text("pg://u:"), key("PASSWORD", true), text("@h/"), key("NAME", false)]
        );
        assert_eq!(parse_template("${A}${B}").unwrap(), [key("A", false), key("B", false)]);
        assert_eq!(parse_template("").unwrap(), []);
        assert_eq!(parse_template("5 $ and {}").unwrap(), [text("5 $ and {}")]);
    }

    #[test]
    fn a_doubled_dollar_stands_for_itself() {
        assert_eq!(parse_template("a$${B}c${D}").unwrap(), [text("a${B}c"), key("D", false)]);
    }

    #[test]
    fn mistakes_are_placed() {
        let mistake = |text| parse_template(text).map_err(|error| (error.offset, error.problem)).unwrap_err();
        assert_eq!(mistake("ab${KEY"), (2, TemplateProblem::NotClosed));
        assert_eq!(mistake("ab${}"), (4, TemplateProblem::Empty));
        assert_eq!(mistake("${urlencode()}"), (12, TemplateProblem::Empty));
        assert_eq!(mistake("${ upper(KEY)}"), (3, TemplateProblem::UnknownFunction("upper".to_owned())));
        assert_eq!(mistake("${urlencode(KEY}"), (11, TemplateProblem::ParenthesisNotClosed));
        assert_eq!(mistake("${A B}"), (2, TemplateProblem::NoKey("A B".to_owned())));
        assert_eq!(mistake("${urlencode( a b )}"), (13, TemplateProblem::NoKey("a b".to_owned())));
    }

    #[test]
    fn a_base64_password_does_not_break_an_address() {
        let values = BTreeMap::from([("PASSWORD".to_owned(), SecretValue::from("a/b+c=:@%é".to_owned()))]);
        let parts = parse_template("postgresql://u:${urlencode(PASSWORD)}@h/d").unwrap();
        let url = render(&parts, &values).unwrap();
        assert_eq!(url.expose(), b"postgresql://u:a%2Fb%2Bc%3D%3A%40%25%C3%A9@h/d");
    }

    #[test]
    fn a_key_without_value_is_named() {
        let parts = parse_template("${A}${B}").unwrap();
        let values = BTreeMap::from([("A".to_owned(), SecretValue::from("x".to_owned()))]);
        assert_eq!(render(&parts, &values), Err("B"));
    }

    proptest! {
        #[test]
        fn percent_encoding_is_undone_by_decoding(bytes: Vec<u8>) {
            let encoded = percent_encoded(&bytes);
            prop_assert!(encoded.chars().all(|c| c.is_ascii_alphanumeric() || "-._~%".contains(c)));
            let decoded: Vec<u8> = percent_decode(encoded.as_bytes()).collect();
            prop_assert_eq!(decoded, bytes);
        }

        #[test]
        fn any_text_is_read_or_refused_within_itself(text: String) {
            if let Err(error) = parse_template(&text) {
                prop_assert!(error.offset <= text.len() && text.is_char_boundary(error.offset));
            }
        }
    }
}
