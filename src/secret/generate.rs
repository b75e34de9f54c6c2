//! Random values. The source of randomness is handed in, so that a test can script it and nothing here decides which.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use thiserror::Error;
use zeroize::Zeroizing;

use super::{Entropy, SecretValue};

/// Fills a buffer with random bytes fit for secrets.
pub type Random<'a> = dyn FnMut(&mut [u8]) + 'a;

/// The most bytes or characters that are drawn: far above any need, far below what a Secret holds.
pub const LONGEST: usize = 1024;

/// Why nothing can be drawn.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EntropyError {
    /// Nothing, or too much, is asked for.
    #[error("the length must be from 1 to {LONGEST}, not {0}")]
    Length(usize),
    /// With fewer than two characters there is nothing to choose.
    #[error("the alphabet needs at least two characters")]
    AlphabetTooSmall,
    /// A byte could not choose among more.
    #[error("the alphabet has at most 256 characters, this has {0}")]
    AlphabetTooLarge(usize),
    /// A character that stands twice would be drawn twice as often.
    #[error("`{0}` stands twice in the alphabet")]
    Repeated(char),
}

impl Entropy {
    /// Checks that a value can be drawn.
    ///
    /// # Errors
    /// See [`EntropyError`].
    pub fn check(&self) -> Result<(), EntropyError> {
        let length = match self {
            Self::Bytes(length) | Self::Characters { length, .. } => *length,
        };
        if !(1..=LONGEST).contains(&length) {
            return Err(EntropyError::Length(length));
        }
        if let Self::Characters { alphabet, .. } = self {
            let mut seen = BTreeSet::new();
            if let Some(repeated) = alphabet.chars().find(|character| !seen.insert(*character)) {
                return Err(EntropyError::Repeated(repeated));
            }
            match seen.len() {
                0 | 1 => return Err(EntropyError::AlphabetTooSmall),
                2..=256 => {}
                more => return Err(EntropyError::AlphabetTooLarge(more)),
            }
        }
        Ok(())
    }
}

/// Draws a value.
///
/// Bytes are written in URL-safe base64 without padding: `/`, `+` and `=` break an address that somebody assembles by
/// hand.
///
/// # Errors
/// See [`Entropy::check`].
pub fn generate(entropy: &Entropy, random: &mut Random<'_>) -> Result<SecretValue, EntropyError> {
    entropy.check()?;
    Ok(match entropy {
        Entropy::Bytes(length) => {
            let mut bytes = Zeroizing::new(vec![0; *length]);
            random(&mut bytes);
            SecretValue::from(URL_SAFE_NO_PAD.encode(&bytes[..]))
        }
        Entropy::Characters { length, alphabet } => {
            let alphabet: Vec<char> = alphabet.chars().collect();
            characters(*length, &alphabet, random)
        }
    })
}

/// Draws characters without preferring any: a byte that falls into the incomplete last round of the alphabet is thrown
/// away, where a remainder would favour the alphabet's beginning.
fn characters(length: usize, alphabet: &[char], random: &mut Random<'_>) -> SecretValue {
    let fair = 256 - 256 % alphabet.len();
    // Room for all of it: a growing buffer would leave copies behind that nobody overwrites.
    let mut text = String::with_capacity(length * 4);
    let mut drawn = 0;
    let mut bytes = Zeroizing::new([0_u8; 64]);
    while drawn < length {
        random(&mut bytes[..]);
        for byte in bytes.iter().map(|byte| usize::from(*byte)).filter(|byte| *byte < fair).take(length - drawn) {
            text.push(alphabet[byte % alphabet.len()]);
            drawn += 1;
        }
    }
    SecretValue::from(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A small generator that reaches every byte; good enough to look at shapes.
    fn counting(mut state: u64) -> impl FnMut(&mut [u8]) {
        move |buffer| {
            for byte in buffer {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                *byte = state.to_be_bytes()[0];
            }
        }
    }

    fn text(value: &SecretValue) -> String {
        String::from_utf8(value.expose().to_vec()).unwrap()
    }

    #[test]
    fn bytes_are_written_without_what_breaks_an_address() {
        let mut random = |buffer: &mut [u8]| buffer.fill(0xff);
        let value = generate(&Entropy::Bytes(4), &mut random).unwrap();
        assert_eq!(text(&value), "_____w");
    }

    #[test]
    fn every_byte_asked_for_is_drawn() {
        let mut asked = 0;
        let mut random = |buffer: &mut [u8]| asked += buffer.len();
        generate(&Entropy::Bytes(24), &mut random).unwrap();
        assert_eq!(asked, 24);
    }

    #[test]
    fn no_character_is_preferred() {
        // All 256 bytes once each: with 100 letters the bytes from 200 on are thrown away and each letter comes twice.
        let alphabet: String = (0..100_u8).map(|index| char::from_u32(0x100 + u32::from(index)).unwrap()).collect();
        let mut next = 0_u8;
        let mut random = |buffer: &mut [u8]| {
            for byte in buffer {
                *byte = next;
                next = next.wrapping_add(1);
            }
        };
        let entropy = Entropy::Characters { length: 200, alphabet: alphabet.clone() };
        let drawn = text(&generate(&entropy, &mut random).unwrap());
        for letter in alphabet.chars() {
            assert_eq!(drawn.chars().filter(|character| *character == letter).count(), 2, "{letter}");
        }
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        let characters = |length, alphabet: &str| Entropy::Characters { length, alphabet: alphabet.to_owned() }.check();
        assert_eq!(Entropy::Bytes(0).check(), Err(EntropyError::Length(0)));
        assert_eq!(characters(LONGEST, "ab"), Ok(()));
        assert_eq!(characters(LONGEST + 1, "ab"), Err(EntropyError::Length(LONGEST + 1)));
        assert_eq!(characters(8, "a"), Err(EntropyError::AlphabetTooSmall));
        assert_eq!(characters(8, "abca"), Err(EntropyError::Repeated('a')));
    }

    proptest! {
        #[test]
        fn length_and_alphabet_are_kept(
            seed: u64,
            length in 1_usize..200,
            alphabet in proptest::collection::btree_set(proptest::char::any(), 2..100),
        ) {
            let entropy = Entropy::Characters { length, alphabet: alphabet.iter().collect() };
            let drawn = text(&generate(&entropy, &mut counting(seed)).unwrap());
            prop_assert_eq!(drawn.chars().count(), length);
            prop_assert!(drawn.chars().all(|character| alphabet.contains(&character)));
        }

        #[test]
        fn generated_bytes_need_no_percent_encoding(seed: u64, length in 1_usize..64) {
            let value = generate(&Entropy::Bytes(length), &mut counting(seed)).unwrap();
            prop_assert!(text(&value).chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'));
            prop_assert_eq!(value.expose().len(), (length * 4).div_ceil(3));
        }
    }
}
