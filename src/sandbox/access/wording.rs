//! How Go writes texts, where messages of this part quote them.

pub(super) use crate::sandbox::decode::scalar::quoted;

/// `%q` of a list of texts.
pub(super) fn quoted_list<T: AsRef<str>>(texts: &[T]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| quoted(text.as_ref())).collect();
    format!("[{}]", texts.join(" "))
}

/// Several errors as one: repeated ones once, brackets from two on. Nothing if there are none.
pub(super) fn aggregate(errors: &[String]) -> Option<String> {
    let mut distinct: Vec<&str> = Vec::new();
    for error in errors {
        if !distinct.contains(&error.as_str()) {
            distinct.push(error);
        }
    }
    match distinct.as_slice() {
        [] => None,
        [only] => Some((*only).to_owned()),
        several => Some(format!("[{}]", several.join(", "))),
    }
}

/// Keeps what looks like HTML from being taken for it.
pub(super) fn sanitized(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_quoted_as_go_does() {
        assert_eq!(quoted("q<&>'\"\\"), r#""q<&>'\"\\""#);
        assert_eq!(quoted("a\tö\u{1}\u{7f}\u{85}"), "\"a\\tö\\x01\\x7f\\u0085\"");
        assert_eq!(quoted_list(&["a", "b"]), r#"["a" "b"]"#);
    }
}
