//! A secret value in memory.

use std::fmt;
use std::hint::black_box;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// The bytes of a secret. They are overwritten when the value goes, never shown by `Debug`, have no `Display`, cannot be
/// serialised, and are compared in a time that depends on their length only.
#[derive(Clone)]
pub struct SecretValue(Zeroizing<Vec<u8>>);

impl SecretValue {
    /// Takes bytes; they are not copied.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Reads a value of a Secret's `data`; `None` if it is no base64. Line breaks are skipped, as the API server does.
    #[must_use]
    pub fn from_base64(text: &str) -> Option<Self> {
        let bytes: Zeroizing<Vec<u8>> =
            Zeroizing::new(text.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r')).collect());
        STANDARD.decode(&bytes[..]).ok().map(Self::new)
    }

    /// Returns the value as a Secret's `data` holds it.
    #[must_use]
    pub fn to_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.expose()))
    }

    /// Returns the bytes: the one way out, easy to search for.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Tells whether there is nothing in it. An empty value is a placeholder and never counts as one that was set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<String> for SecretValue {
    fn from(text: String) -> Self {
        Self::new(text.into_bytes())
    }
}

impl PartialEq for SecretValue {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len()
            && black_box(self.0.iter().zip(other.0.iter()).fold(0, |differing, (one, other)| differing | (one ^ other)))
                == 0
    }
}

impl Eq for SecretValue {}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretValue(…)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn debug_shows_neither_content_nor_length() {
        assert_eq!(format!("{:?}", SecretValue::from("hunter2".to_owned())), "SecretValue(…)");
    }

    #[test]
    fn broken_lines_of_base64_are_joined() {
        assert_eq!(SecretValue::from_base64("aHVu\ndGVy\r\n").unwrap().expose(), b"hunter");
        assert_eq!(SecretValue::from_base64("!"), None);
    }

    proptest! {
        #[test]
        fn base64_is_read_back(bytes: Vec<u8>) {
            let value = SecretValue::new(bytes);
            prop_assert_eq!(SecretValue::from_base64(&value.to_base64()), Some(value));
        }

        #[test]
        fn values_are_equal_as_their_bytes_are(one: Vec<u8>, other: Vec<u8>) {
            prop_assert_eq!(SecretValue::new(one.clone()) == SecretValue::new(other.clone()), one == other);
        }
    }
}
