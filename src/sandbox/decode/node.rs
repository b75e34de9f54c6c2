//! JSON as it was written: keys in their order and as often as they are there, numbers as text. Mistakes are told in
//! the words of Go's `encoding/json`.

use std::collections::BTreeSet;

use serde_json::{Map, Number, Value};

/// How many maps and lists may stand in each other. No object is that deep, and no walk over one that is runs out of stack.
/// It also leaves room for what an object is stored and sent with: its managed fields are a little deeper than itself, a
/// list deeper than its items, and whoever reads them (this program too, when it opens a store) refuses 128.
pub(crate) const DEEPEST: usize = 100;

/// The server keeps no more unknown and repeated fields of one body than this.
pub(crate) const MOST_STRICT: usize = 100;

/// A value as it was written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    Null,
    Bool(bool),
    /// The number's text.
    Number(String),
    String(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Node {
    /// Reads one JSON value.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, String> {
        let mut reader = Reader { bytes, at: 0, depth: 0 };
        reader.skip_space();
        let node = reader.value()?;
        reader.skip_space();
        match reader.peek() {
            None => Ok(node),
            Some(byte) => Err(unexpected(byte, "after top-level value")),
        }
    }

    /// Takes a value that is in memory; keys are sorted, as Go writes maps.
    pub(crate) fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => Self::Number(number.to_string()),
            Value::String(text) => Self::String(text.clone()),
            Value::Array(items) => Self::List(items.iter().map(Self::of).collect()),
            Value::Object(map) => {
                let mut entries: Vec<_> = map.iter().map(|(key, value)| (key.clone(), Self::of(value))).collect();
                entries.sort_by(|(left, _), (right, _)| left.cmp(right));
                Self::Map(entries)
            }
        }
    }

    /// Returns the value that Go reads where it knows no type: of equal keys the last counts, numbers are `int64` where
    /// they can be and `float64` otherwise.
    pub(crate) fn to_value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Number(text) => number(text),
            Self::String(text) => Value::String(text.clone()),
            Self::List(items) => items.iter().map(Self::to_value).collect(),
            Self::Map(entries) => {
                let entries = entries.iter().map(|(key, value)| (key.clone(), value.to_value()));
                Value::Object(entries.collect::<Map<_, _>>())
            }
        }
    }

    /// Returns the value under a key; of equal keys the last one's.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(entries) => entries.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// Names the value in Go's words.
    pub(crate) fn describe(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Number(_) => "number",
            Self::String(_) => "string",
            Self::List(_) => "array",
            Self::Map(_) => "object",
        }
    }

    /// Returns the paths of keys that stand more than once in one map (`data.b`), each once, in order; no more than the
    /// server tells of.
    pub(crate) fn equal_keys(&self) -> Vec<String> {
        let mut found = Vec::new();
        self.find_equal_keys(&mut String::new(), &mut found);
        found
    }

    fn find_equal_keys(&self, path: &mut String, found: &mut Vec<String>) {
        let length = path.len();
        match self {
            Self::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    path.push_str(&format!("[{index}]"));
                    item.find_equal_keys(path, found);
                    path.truncate(length);
                }
            }
            Self::Map(entries) => {
                let mut seen = BTreeSet::new();
                for (key, value) in entries {
                    path.push_str(if length > 0 { "." } else { "" });
                    path.push_str(key);
                    if !seen.insert(key) && found.len() < MOST_STRICT && !found.contains(path) {
                        found.push(path.clone());
                    }
                    value.find_equal_keys(path, found);
                    path.truncate(length);
                }
            }
            _ => {}
        }
    }

    /// Returns the first number that is too large to be one where Go knows no type.
    pub(crate) fn unreadable_number(&self) -> Option<&str> {
        match self {
            Self::Number(text) => text.parse::<f64>().is_ok_and(f64::is_infinite).then_some(text.as_str()),
            Self::List(items) => items.iter().find_map(Self::unreadable_number),
            Self::Map(entries) => entries.iter().find_map(|(_, value)| value.unreadable_number()),
            _ => None,
        }
    }

    /// Returns how many maps and lists stand in each other, this one included.
    pub(crate) fn depth(&self) -> usize {
        match self {
            Self::List(items) => 1 + items.iter().map(Self::depth).max().unwrap_or_default(),
            Self::Map(entries) => 1 + entries.iter().map(|(_, value)| value.depth()).max().unwrap_or_default(),
            _ => 0,
        }
    }
}

/// Reads a number as Go does where it knows no type, in the form in which Go writes it again.
fn number(text: &str) -> Value {
    if let Ok(integer) = text.parse::<i64>() {
        return Value::from(integer);
    }
    let float: f64 = text.parse().unwrap_or_default();
    // Go writes 1e3 as 1000, and all digits of an integer up to 1e21, the least that tell it apart.
    if float.fract() == 0.0 && float.abs() < 1e19 {
        let shortest = format!("{float:e}");
        let (digits, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
        let digits = digits.replace('.', "");
        let length = digits.trim_start_matches('-').len();
        let zeros = exponent.parse::<usize>().unwrap_or_default().saturating_add(1).saturating_sub(length);
        let plain = format!("{digits}{}", "0".repeat(zeros));
        if let Ok(integer) = plain.parse::<i64>() {
            return Value::from(integer);
        }
        if let Ok(integer) = plain.parse::<u64>() {
            return Value::from(integer);
        }
    }
    Number::from_f64(float).map_or(Value::Null, Value::Number)
}

struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
    depth: usize,
}

fn ended() -> String {
    "unexpected end of JSON input".to_owned()
}

/// Says, as Go does, that a byte must not stand where it stands.
pub(crate) fn unexpected(byte: u8, where_: &str) -> String {
    let shown = match byte {
        b'\'' => "\\'".to_owned(),
        b'"' => "\"".to_owned(),
        b'\\' => "\\\\".to_owned(),
        b'\n' => "\\n".to_owned(),
        b'\r' => "\\r".to_owned(),
        b'\t' => "\\t".to_owned(),
        0x07 => "\\a".to_owned(),
        0x08 => "\\b".to_owned(),
        0x0b => "\\v".to_owned(),
        0x0c => "\\f".to_owned(),
        0x00..0x20 | 0x7f => format!("\\x{byte:02x}"),
        0x80..0xa0 | 0xad => format!("\\u{byte:04x}"),
        _ => char::from(byte).to_string(),
    };
    format!("invalid character '{shown}' {where_}")
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn next(&mut self) -> Result<u8, String> {
        let byte = self.peek().ok_or_else(ended)?;
        self.at += 1;
        Ok(byte)
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn value(&mut self) -> Result<Node, String> {
        match self.peek().ok_or_else(ended)? {
            b'{' => self.nested(b'{', Self::map),
            b'[' => self.nested(b'[', Self::list),
            b'"' => Ok(Node::String(self.string()?)),
            b't' => self.literal("true").map(|()| Node::Bool(true)),
            b'f' => self.literal("false").map(|()| Node::Bool(false)),
            b'n' => self.literal("null").map(|()| Node::Null),
            b'-' | b'0'..=b'9' => self.number(),
            other => Err(unexpected(other, "looking for beginning of value")),
        }
    }

    fn nested(&mut self, opening: u8, read: fn(&mut Self) -> Result<Node, String>) -> Result<Node, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(unexpected(opening, "exceeded max depth"));
        }
        self.at += 1;
        self.skip_space();
        let node = read(self);
        self.depth -= 1;
        node
    }

    fn map(&mut self) -> Result<Node, String> {
        let mut entries = Vec::new();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Node::Map(entries));
        }
        loop {
            self.skip_space();
            match self.peek().ok_or_else(ended)? {
                b'"' => {}
                other => return Err(unexpected(other, "looking for beginning of object key string")),
            }
            let key = self.string()?;
            self.skip_space();
            match self.next()? {
                b':' => {}
                other => return Err(unexpected(other, "after object key")),
            }
            self.skip_space();
            let value = self.value()?;
            entries.push((key, value));
            self.skip_space();
            match self.next()? {
                b',' => {}
                b'}' => return Ok(Node::Map(entries)),
                other => return Err(unexpected(other, "after object key:value pair")),
            }
        }
    }

    fn list(&mut self) -> Result<Node, String> {
        let mut items = Vec::new();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Node::List(items));
        }
        loop {
            self.skip_space();
            items.push(self.value()?);
            self.skip_space();
            match self.next()? {
                b',' => {}
                b']' => return Ok(Node::List(items)),
                other => return Err(unexpected(other, "after array element")),
            }
        }
    }

    fn literal(&mut self, word: &str) -> Result<(), String> {
        for expected in word.bytes() {
            let byte = self.next()?;
            if byte != expected {
                let expected = char::from(expected);
                return Err(unexpected(byte, &format!("in literal {word} (expecting '{expected}')")));
            }
        }
        Ok(())
    }

    fn digits(&mut self, where_: &str) -> Result<(), String> {
        match self.next()? {
            b'0'..=b'9' => {}
            other => return Err(unexpected(other, where_)),
        }
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<Node, String> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits("in numeric literal")?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits("after decimal point in numeric literal")?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits("in exponent of numeric literal")?;
        }
        let text = self.bytes.get(start..self.at).unwrap_or_default();
        Ok(Node::Number(String::from_utf8_lossy(text).into_owned()))
    }

    fn string(&mut self) -> Result<String, String> {
        self.at += 1;
        let mut text: Vec<u8> = Vec::new();
        let push = |text: &mut Vec<u8>, character: char| {
            text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        };
        loop {
            match self.next()? {
                b'"' => return Ok(String::from_utf8_lossy(&text).into_owned()),
                b'\\' => {
                    let character = match self.next()? {
                        b'b' => '\u{8}',
                        b'f' => '\u{c}',
                        b'n' => '\n',
                        b'r' => '\r',
                        b't' => '\t',
                        plain @ (b'"' | b'\\' | b'/') => char::from(plain),
                        b'u' => self.unicode()?,
                        other => return Err(unexpected(other, "in string escape code")),
                    };
                    push(&mut text, character);
                }
                byte @ 0..0x20 => return Err(unexpected(byte, "in string literal")),
                byte => text.push(byte),
            }
        }
    }

    fn hexadecimal(&mut self) -> Result<u32, String> {
        let mut code = 0;
        for _ in 0..4 {
            let byte = self.next()?;
            let digit = char::from(byte).to_digit(16);
            code = code * 16 + digit.ok_or_else(|| unexpected(byte, "in \\u hexadecimal character escape"))?;
        }
        Ok(code)
    }

    /// Reads what follows `\u`; half a pair is the replacement character.
    fn unicode(&mut self) -> Result<char, String> {
        let first = self.hexadecimal()?;
        if (0xd800..0xdc00).contains(&first) && self.bytes.get(self.at..self.at + 2) == Some(b"\\u".as_slice()) {
            let before = self.at;
            self.at += 2;
            let second = self.hexadecimal()?;
            if (0xdc00..0xe000).contains(&second) {
                let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = before;
        }
        Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn error(text: &str) -> String {
        Node::read(text.as_bytes()).unwrap_err()
    }

    #[test]
    fn mistakes_are_told_as_go_tells_them() {
        assert_eq!(error(""), "unexpected end of JSON input");
        assert_eq!(error(r#"{"a":"#), "unexpected end of JSON input");
        assert_eq!(error(r#"{} x"#), "invalid character 'x' after top-level value");
        assert_eq!(error(r#"{"a": tru}"#), "invalid character '}' in literal true (expecting 'e')");
        assert_eq!(error(r#"{"a": "\x"}"#), "invalid character 'x' in string escape code");
        assert_eq!(error(r#"{"a": 01}"#), "invalid character '1' after object key:value pair");
        assert_eq!(error(r#"{1: 01}"#), "invalid character '1' looking for beginning of object key string");
        assert_eq!(error(r#"{"a": 1, }"#), "invalid character '}' looking for beginning of object key string");
        assert_eq!(error(r#"[1,]"#), "invalid character ']' looking for beginning of value");
        assert_eq!(error("{\"a\": 'b'}"), "invalid character '\\'' looking for beginning of value");
        assert_eq!(error(&"[".repeat(100_000)), "invalid character '[' exceeded max depth");
    }

    #[test]
    fn numbers_read_as_go_reads_them_without_a_type() {
        let read = |text: &str| Node::read(text.as_bytes()).unwrap().to_value().to_string();
        assert_eq!(read("1.0"), "1");
        assert_eq!(read("1e3"), "1000");
        assert_eq!(read("-0.25"), "-0.25");
        assert_eq!(read("9223372036854775808"), "9223372036854776000");
    }

    #[test]
    fn texts_are_unescaped_and_equal_keys_are_found() {
        let node = Node::read(br#"{"a": "\u00e9\ud83d\ude00\ud83d!\n", "b": [{"c": 1, "c": 2}], "b": 3}"#).unwrap();
        assert_eq!(node.to_value(), json!({"a": "é😀\u{fffd}!\n", "b": 3}));
        assert_eq!(node.equal_keys(), ["b[0].c", "b"]);
    }

    #[test]
    fn of_many_equal_keys_a_hundred_are_told() {
        let twice: Vec<String> = (0..40_000).flat_map(|key| [key, key]).map(|key| format!("\"{key}\":1")).collect();
        let node = Node::read(format!("{{{}}}", twice.join(",")).as_bytes()).unwrap();
        let found = node.equal_keys();
        assert_eq!((found.len(), found[99].as_str()), (100, "99"));
    }
}
