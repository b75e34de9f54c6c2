//! Everything that is random, from one seed: the same requests in the same order get the same answers.

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

/// The letters of generated names: no vowels, so that no words come out (`k8s.io/apimachinery/pkg/util/rand`).
const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// A source of names and identities.
#[derive(Debug)]
pub struct Random(StdRng);

impl Default for Random {
    /// Stands in while the real one is lent out.
    fn default() -> Self {
        Self::new(0)
    }
}

impl Random {
    /// Makes one from a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    /// Returns the random end of a generated name.
    pub fn suffix(&mut self, length: usize) -> String {
        (0..length).map(|_| char::from(LETTERS[self.0.random_range(0..LETTERS.len())])).collect()
    }

    /// Returns a new identity of an object.
    pub fn uid(&mut self) -> String {
        uuid::Builder::from_random_bytes(self.0.random()).into_uuid().to_string()
    }

    /// Returns random bytes.
    pub fn bytes<const COUNT: usize>(&mut self) -> [u8; COUNT] {
        self.0.random()
    }

    /// Returns a number below a bound; 0 for a bound of 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.0.random_range(0..bound) }
    }
}
