//! Values without fields: numbers, bytes, and the types that read their JSON by themselves.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::node::Node;
use super::time::{self, Layout};
use crate::resource::quantity::{Quantity, QuantityError};

/// Why a type that reads its JSON by itself cannot.
pub(super) enum Mistake {
    /// In these words.
    Said(String),
    /// It is of the wrong JSON type, for this Go type.
    Wrong(String, &'static str),
}

const QUANTITY_FORMAT: &str =
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

/// Reads a value of such a type, and writes it as the server does.
pub(super) fn opaque(name: &str, node: &Node) -> Result<Value, Mistake> {
    match name {
        "resource.Quantity" => {
            let text = match node {
                Node::String(text) | Node::Number(text) => text.as_str(),
                _ => return Err(Mistake::Said(QUANTITY_FORMAT.to_owned())),
            };
            // A point alone is nothing, and so zero.
            let (text, zero) = (text.trim(), "0");
            let text = if text == "." { zero } else { text };
            Quantity::parse(text).map(|quantity| Value::from(quantity.canonical())).map_err(|error| match error {
                QuantityError::Suffix { suffix, .. } if suffix.chars().all(is_of_suffix) => {
                    Mistake::Said("unable to parse quantity's suffix".to_owned())
                }
                QuantityError::Format(_) | QuantityError::Suffix { .. } => Mistake::Said(QUANTITY_FORMAT.to_owned()),
                QuantityError::TooLarge(_) => Mistake::Said("unable to parse numeric part of quantity".to_owned()),
            })
        }
        "meta.v1.Time" => time_of(node, Layout::Seconds),
        "meta.v1.MicroTime" => time_of(node, Layout::Microseconds),
        "meta.v1.Duration" => match node {
            Node::String(text) => Ok(Value::from(text.as_str())),
            _ => Err(Mistake::Wrong(node.describe().to_owned(), "string")),
        },
        "intstr.IntOrString" => match node {
            Node::String(text) => Ok(Value::from(text.as_str())),
            Node::Number(text) => match integer("int32", text) {
                Some(integer) => Ok(Value::from(integer)),
                None => Err(Mistake::Wrong(format!("number {text}"), "int32")),
            },
            _ => Err(Mistake::Wrong(node.describe().to_owned(), "int32")),
        },
        _ => Ok(node.to_value()),
    }
}

fn is_of_suffix(character: char) -> bool {
    "eEinumkKMGTP+-0123456789".contains(character)
}

fn time_of(node: &Node, layout: Layout) -> Result<Value, Mistake> {
    match node {
        Node::String(text) => match time::parse(layout, text).map_err(Mistake::Said)? {
            Some(time) => Ok(Value::from(time)),
            None => Ok(Value::Null),
        },
        _ => Err(Mistake::Wrong(node.describe().to_owned(), "string")),
    }
}

/// Returns what Go writes of such a type that nothing was read into.
pub(super) fn zero(name: &str) -> Value {
    match name {
        "resource.Quantity" => Value::from("0"),
        "meta.v1.Duration" => Value::from("0s"),
        "intstr.IntOrString" => Value::from(0),
        "apiextensions.v1.JSONSchemaPropsOrBool" => Value::from(false),
        _ => Value::Null,
    }
}

/// Lists of resources hold no less than thousandths.
pub(super) fn round_to_milli(resources: &mut Value) {
    for amount in resources.as_object_mut().into_iter().flat_map(|map| map.values_mut()) {
        let unusual = amount.as_str().filter(|text| !is_usual_amount(text));
        if let Some(quantity) = unusual.and_then(|text| Quantity::parse(text).ok()) {
            *amount = Value::from(quantity.rounded_to_milli().canonical());
        }
    }
}

/// Tells of most quantities, without reckoning, that they are spelled as the server spells and rounds them.
pub(super) fn is_usual_amount(text: &str) -> bool {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, suffix) = text.split_at(digits);
    let is_usual = (1..=3).contains(&digits) && !number.starts_with('0');
    text == "0" || is_usual && matches!(suffix, "" | "m" | "k" | "M" | "G" | "Ki" | "Mi" | "Gi" | "Ti")
}

/// Reads an integer of a Go type; `None` if it is none or does not fit.
pub(super) fn integer(basic: &str, text: &str) -> Option<i64> {
    text.parse().ok().filter(|integer| fits(basic, *integer))
}

/// Tells whether a Go type holds an integer.
pub(super) fn fits(basic: &str, integer: i64) -> bool {
    let (least, most) = match basic {
        "int32" => (i64::from(i32::MIN), i64::from(i32::MAX)),
        "uint8" => (0, i64::from(u8::MAX)),
        "uint32" => (0, i64::from(u32::MAX)),
        "uint64" => (0, i64::MAX),
        _ => (i64::MIN, i64::MAX),
    };
    (least..=most).contains(&integer)
}

/// Decodes bytes and writes them again without line breaks.
pub(super) fn base64(text: &str) -> Result<String, String> {
    let is_break = |byte: &u8| matches!(byte, b'\n' | b'\r');
    let bytes = text.as_bytes();
    let next = |mut at: usize| {
        while bytes.get(at).is_some_and(is_break) {
            at += 1;
        }
        at
    };
    let (mut kept, mut in_group, mut at) = (String::new(), 0, 0);
    let illegal = |at: usize| Err(format!("illegal base64 data at input byte {at}"));
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\n' | b'\r' => {}
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => {
                kept.push(char::from(*byte));
                in_group = (in_group + 1) % 4;
            }
            b'=' if in_group >= 2 => {
                let mut end = next(at + 1);
                if in_group == 2 {
                    match bytes.get(end) {
                        None => return illegal(bytes.len()),
                        Some(b'=') => end = next(end + 1),
                        Some(_) => return illegal(end),
                    }
                }
                if end < bytes.len() {
                    return illegal(end);
                }
                return Ok(STANDARD.encode(decoded(&kept)));
            }
            _ => return illegal(at),
        }
        at += 1;
    }
    match in_group {
        0 => Ok(STANDARD.encode(decoded(&kept))),
        _ => illegal(bytes.len() - in_group),
    }
}

/// Decodes letters of the alphabet; bits that are too many are dropped.
fn decoded(letters: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(letters.len() * 3 / 4);
    let (mut bits, mut count) = (0_u32, 0_u32);
    for letter in letters.bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            _ => 63,
        };
        bits = (bits << 6 | u32::from(value)) & 0xffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 0xff) as u8);
        }
    }
    bytes
}

/// Names a value's Go type as it is without a schema.
pub(super) fn go_kind(node: &Node) -> &'static str {
    match node {
        Node::Null => "<nil>",
        Node::Bool(_) => "bool",
        Node::Number(text) if text.parse::<i64>().is_ok() => "int64",
        Node::Number(_) => "float64",
        Node::String(_) => "string",
        Node::List(_) => "[]interface {}",
        Node::Map(_) => "map[string]interface {}",
    }
}

/// Names the kind of that type: `slice`, `map`, …
pub(super) fn go_shape(node: &Node) -> &'static str {
    match node {
        Node::List(_) => "slice",
        Node::Map(_) => "map",
        other => go_kind(other),
    }
}

/// Quotes a text as Go does.
pub(crate) fn quoted(text: &str) -> String {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\')) {
        return ["\"", text, "\""].concat();
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{b}' => quoted.push_str("\\v"),
            '\u{c}' => quoted.push_str("\\f"),
            control @ ('\0'..' ' | '\u{7f}') => quoted.push_str(&format!("\\x{:02x}", u32::from(control))),
            other if is_printable(other) => quoted.push(other),
            other if u32::from(other) > 0xffff => quoted.push_str(&format!("\\U{:08x}", u32::from(other))),
            other => quoted.push_str(&format!("\\u{:04x}", u32::from(other))),
        }
    }
    quoted.push('"');
    quoted
}

/// Tells whether Go holds a character for printable, of spaces only the plain one.
pub(crate) fn is_printable(character: char) -> bool {
    !character.is_control()
        && (character == ' ' || !character.is_whitespace())
        && !matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_as_go_reads_it() {
        assert_eq!(base64("eA==").as_deref(), Ok("eA=="));
        assert_eq!(base64("eA=\n=").as_deref(), Ok("eA=="));
        assert_eq!(base64("eB==").as_deref(), Ok("eA=="));
        assert_eq!(base64("YWJj\r\nZGU=").as_deref(), Ok("YWJjZGU="));
        assert_eq!(base64("").as_deref(), Ok(""));
        let illegal = |at: usize| Err(format!("illegal base64 data at input byte {at}"));
        assert_eq!(base64("x%"), illegal(1));
        assert_eq!(base64("eA"), illegal(0));
        assert_eq!(base64("eA="), illegal(3));
        assert_eq!(base64("eA==x"), illegal(4));
        assert_eq!(base64("="), illegal(0));
    }

    #[test]
    fn usual_amounts_are_spelled_as_the_server_spells_them() {
        for suffix in ["", "m", "k", "M", "G", "Ki", "Mi", "Gi", "Ti"] {
            for number in 1..1000 {
                let text = format!("{number}{suffix}");
                let quantity = Quantity::parse(&text).unwrap();
                assert!(is_usual_amount(&text));
                assert_eq!((quantity.canonical(), quantity.rounded_to_milli().canonical()), (text.clone(), text));
            }
        }
        for unusual in ["", "01", "1000", "1000m", "1.5", "-1", "1u", "m", "1Pi", "00"] {
            assert!(!is_usual_amount(unusual), "{unusual}");
        }
        assert!(is_usual_amount("0") && Quantity::parse("0").unwrap().canonical() == "0");
    }

    #[test]
    fn texts_are_quoted_as_go_quotes_them() {
        assert_eq!(quoted("a\"b\\\u{1}é\u{200b}"), r#""a\"b\\\x01é\u200b""#);
    }
}
