//! Hashes in names: stable over runs, in the letters that Kubernetes uses (no vowels, so that no words come out).
//!
//! They are not the real server's hashes, which depend on how Go prints its structures.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::resource::canonical_json;

const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// Hashes a value, and a count that makes another hash where one is taken.
pub(super) fn of(value: &Value, collisions: i64) -> String {
    let mut hasher = Sha256::new();
    hasher.update(canonical_json(value));
    if collisions > 0 {
        hasher.update(collisions.to_be_bytes());
    }
    letters(&hasher.finalize(), 9)
}

/// Makes the end of a generated name from what makes it unique.
pub(super) fn suffix(parts: &[&str]) -> String {
    letters(&digest(parts), 5)
}

/// Makes sixteen hexadecimal digits, as Events have them in their names.
pub(super) fn hexadecimal(parts: &[&str]) -> String {
    digest(parts).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn digest(parts: &[&str]) -> Vec<u8> {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.as_bytes());
        hasher.update([0]);
    }
    hasher.finalize().to_vec()
}

fn letters(bytes: &[u8], count: usize) -> String {
    bytes
        .iter()
        .take(count)
        .filter_map(|byte| LETTERS.get(usize::from(*byte) % LETTERS.len()))
        .map(|byte| char::from(*byte))
        .collect()
}
