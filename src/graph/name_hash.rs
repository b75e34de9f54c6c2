//! A quick hash for names. The names are the stack author's own, so nobody gains by making them collide.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A map with names as keys. Its order of iteration is never used.
pub(super) type NameMap<K, V> = HashMap<K, V, BuildHasherDefault<NameHasher>>;

/// Takes eight bytes at a time: rotate, mix in, multiply.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct NameHasher(u64);

/// An odd number without pattern: the golden ratio in 64 bits.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

impl Hasher for NameHasher {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 = (self.0.rotate_left(5) ^ u64::from_le_bytes(word)).wrapping_mul(FACTOR);
        }
    }

    /// The map takes its buckets from the low bits, and multiplying leaves the good ones on top.
    fn finish(&self) -> u64 {
        (self.0 ^ (self.0 >> 32)).wrapping_mul(FACTOR).rotate_left(32)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::hash::Hash;

    use super::*;

    #[test]
    fn names_that_differ_in_a_digit_spread_over_the_buckets() {
        let low_bits: HashSet<u64> = (0..1024)
            .map(|number| {
                let mut hasher = NameHasher::default();
                format!("manifest.ConfigMap/object-{number}").hash(&mut hasher);
                hasher.finish() % 1024
            })
            .collect();
        // Random numbers would hit about 647 of 1024.
        assert!(low_bits.len() > 550, "{}", low_bits.len());
    }
}
