//! SHA-256 of canonical JSON: the same value gives the same digest, whatever order its keys were written in.

use std::fmt;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// A SHA-256 digest; prints as `sha256:HEX`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Returns the digest of `bytes`.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Returns the digest of a value's canonical JSON; see [`canonical_json`].
    #[must_use]
    pub fn of(value: &impl Serialize) -> Self {
        Self::of_bytes(&canonical_json(value))
    }

    /// Wraps 32 bytes that are a digest already, such as a keyed one.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads what [`Display`](fmt::Display) wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let hex = text.strip_prefix("sha256:")?;
        if hex.len() != 64 || !hex.is_ascii() {
            return None;
        }
        let mut bytes = [0; 32];
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&hex[index * 2..index * 2 + 2], 16).ok()?;
        }
        Some(Self(bytes))
    }

    /// Returns the 64 hexadecimal digits without the prefix.
    #[must_use]
    pub fn hex(&self) -> String {
        const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
        let halves = self.0.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        halves.map(|half| DIGITS[usize::from(half)]).collect()
    }

    /// Returns the first eight hexadecimal digits, for people.
    #[must_use]
    pub fn short(&self) -> String {
        self.hex()[..8].to_owned()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Returns JSON without white space and with the keys of every map sorted bytewise.
///
/// `serde_json` keeps its maps sorted as long as nobody in the tree turns on `preserve_order`; a test would fail if
/// somebody did. A type that is no [`Value`](serde_json::Value) names its fields in their order.
#[must_use]
pub fn canonical_json(value: &impl Serialize) -> Vec<u8> {
    // Most objects fit.
    let mut bytes = Vec::with_capacity(2048);
    write_canonical_json(value, &mut bytes);
    bytes
}

/// Appends what [`canonical_json`] returns.
pub fn write_canonical_json(value: &impl Serialize, bytes: &mut Vec<u8>) {
    let start = bytes.len();
    if serde_json::to_writer(&mut *bytes, value).is_err() {
        bytes.truncate(start);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn the_order_of_keys_does_not_matter() {
        let one: Value = serde_json::from_str(r#"{"b":1,"a":{"d":2,"c":3}}"#).unwrap();
        let other: Value = serde_json::from_str(r#"{"a":{"c":3,"d":2},"b":1}"#).unwrap();
        assert_eq!(Digest::of(&one), Digest::of(&other));
        assert_eq!(canonical_json(&one), br#"{"a":{"c":3,"d":2},"b":1}"#);
    }

    #[test]
    fn text_form_is_read_back() {
        let digest = Digest::of(&json!({"a": 1}));
        assert_eq!(Digest::parse(&digest.to_string()), Some(digest));
        assert_eq!(Digest::parse("sha256:zz"), None);
        assert_eq!(Digest::parse("md5:00"), None);
    }
}
