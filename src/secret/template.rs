//! Templates of derived secrets: `postgresql://mathison:${urlencode(POSTGRES_PASSWORD)}@host/db`.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use thiserror::Error;
use zeroize::Zeroizing;

use super::{SecretValue, TemplatePart};
use crate::resource::is_data_key;

/// What RFC 3986 calls unreserved stays as it is; everything else is encoded.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The one function that a template knows.
const URLENCODE: &str = "urlencode";

/// What is wrong with what stands between `${` and `}` in a template.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TemplateError {
    /// Nothing between the braces, or between the parentheses.
    #[error("no key is named")]
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

impl TemplatePart {
    /// Reads what stands between `${` and `}`: `KEY` or `urlencode(KEY)`.
    ///
    /// # Errors
    /// See [`TemplateError`].
    pub fn parse(expression: &str) -> Result<Self, TemplateError> {
        let (key, urlencode) = match expression.split_once('(') {
            None => (expression, false),
            Some((function, rest)) if function.trim() == URLENCODE => {
                (rest.trim_end().strip_suffix(')').ok_or(TemplateError::ParenthesisNotClosed)?, true)
            }
            Some((function, _)) => return Err(TemplateError::UnknownFunction(function.trim().to_owned())),
        };
        match key.trim() {
            "" => Err(TemplateError::Empty),
            key if is_data_key(key) => Ok(Self::Key { key: key.to_owned(), urlencode }),
            word => Err(TemplateError::NoKey(word.to_owned())),
        }
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
    fn a_key_and_the_function_over_one_are_told_apart() {
        assert_eq!(TemplatePart::parse("urlencode(PASSWORD)"), Ok(key("PASSWORD", true)));
        assert_eq!(TemplatePart::parse(" urlencode ( A ) "), Ok(key("A", true)));
        assert_eq!(TemplatePart::parse(" tls.key "), Ok(key("tls.key", false)));
    }

    #[test]
    fn every_mistake_has_its_words() {
        let mistake = |text| TemplatePart::parse(text).unwrap_err();
        assert_eq!(mistake(" "), TemplateError::Empty);
        assert_eq!(mistake("urlencode()"), TemplateError::Empty);
        assert_eq!(mistake(" upper(KEY)"), TemplateError::UnknownFunction("upper".to_owned()));
        assert_eq!(mistake("urlencode(KEY"), TemplateError::ParenthesisNotClosed);
        assert_eq!(mistake("A B"), TemplateError::NoKey("A B".to_owned()));
        assert_eq!(mistake("urlencode( a b )"), TemplateError::NoKey("a b".to_owned()));
    }

    #[test]
    fn a_base64_password_does_not_break_an_address() {
        let values = BTreeMap::from([("PASSWORD".to_owned(), SecretValue::from("a/b+c=:@%é".to_owned()))]);
        let parts = [text("postgresql://u:"), key("PASSWORD", true), text("@h/d")];
        let url = render(&parts, &values).unwrap();
        assert_eq!(url.expose(), b"postgresql://u:a%2Fb%2Bc%3D%3A%40%25%C3%A9@h/d");
    }

    #[test]
    fn a_key_without_value_is_named() {
        let parts = [key("A", false), key("B", false)];
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

    }
}
