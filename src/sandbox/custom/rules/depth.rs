//! How deep an expression goes, told before it is read: what is deep is read, evaluated and forgotten recursively.

/// The server reads nothing deeper.
pub(super) const DEEPEST: usize = 250;

/// Tells whether an expression may be deeper than the server reads: its brackets within each other, and the operators
/// of one term behind each other. Terms of `&&` and `||` stand beside each other, as arguments do.
pub(super) fn is_too_deep(expression: &str) -> bool {
    let bytes = expression.as_bytes();
    let (mut at, mut total, mut open) = (0, 0, vec![0_usize]);
    while let Some(byte) = bytes.get(at) {
        let rest = bytes.get(at..).unwrap_or_default();
        at += match byte {
            b'"' | b'\'' => {
                let is_raw = at > 0 && matches!(bytes.get(at - 1), Some(b'r' | b'R'));
                text_length(rest, *byte, is_raw)
            }
            b'/' if rest.starts_with(b"//") => rest.iter().take_while(|byte| **byte != b'\n').count(),
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                let length = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
                if rest.get(..length) == Some(b"in") {
                    total += deeper(&mut open);
                }
                length
            }
            b'+' | b'-' | b'*' | b'/' | b'%' | b'.' | b'<' | b'>' | b'=' | b'!' => {
                total += deeper(&mut open);
                1
            }
            b'(' | b'[' | b'{' => {
                total += deeper(&mut open);
                open.push(0);
                1
            }
            b')' | b']' | b'}' if open.len() > 1 => {
                total -= open.pop().unwrap_or_default();
                1
            }
            b',' | b'&' | b'|' | b'?' | b':' => {
                total -= open.last_mut().map(std::mem::take).unwrap_or_default();
                1
            }
            _ => 1,
        };
        if total > DEEPEST {
            return true;
        }
    }
    false
}

fn deeper(open: &mut [usize]) -> usize {
    open.last_mut().map_or(0, |count| {
        *count += 1;
        1
    })
}

/// Returns how long a text is that begins here, with its quotes.
fn text_length(rest: &[u8], quote: u8, is_raw: bool) -> usize {
    let quotes = if rest.starts_with(&[quote; 3]) { 3 } else { 1 };
    let mut at = quotes;
    while let Some(byte) = rest.get(at) {
        if *byte == b'\\' && !is_raw {
            at += 2;
        } else if rest.get(at..at + quotes).is_some_and(|end| end.iter().all(|byte| *byte == quote)) {
            return at + quotes;
        } else {
            at += 1;
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_and_brackets_count_and_what_stands_in_texts_does_not() {
        let chain = |count: usize, operator: &str| vec!["a"; count].join(operator);
        for operator in ["+", ".", " in "] {
            assert!(!is_too_deep(&chain(251, operator)) && is_too_deep(&chain(252, operator)), "{operator}");
        }
        assert!(is_too_deep(&format!("{}a", "(".repeat(251))));
        let nested = format!("a.b({}).c", chain(200, "+"));
        assert!(!is_too_deep(&nested) && is_too_deep(&format!("{nested}{}", ".a".repeat(250))));
        for flat in [chain(10_000, "&&"), format!("[{}]", chain(10_000, ",")), chain(10_000, "+b?c:")] {
            assert!(!is_too_deep(&flat));
        }
        let dots = ".".repeat(300);
        for text in [format!("'{dots}\\'{dots}'"), format!("r'{dots}\\'"), format!("\"\"\"{dots}\"{dots}\"\"\"")] {
            assert!(!is_too_deep(&text), "{text}");
        }
        assert!(!is_too_deep(&format!("a // {dots}\n+ b")));
        assert!(is_too_deep(&format!("r'\\'{dots}")) && !is_too_deep("'ends nowhere"));
    }
}
