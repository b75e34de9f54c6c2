//! A quick hash for names. The names are the stack author's own, so nobody gains by making them collide.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher};

use hashbrown::HashTable;

/// A map with names as keys. Its order of iteration is never used.
pub(super) type NameMap<K, V> = HashMap<K, V, BuildHasherDefault<NameHasher>>;

/// Numbers of things that lie elsewhere, found by a name that lies there too: no name is copied, and the table is small
/// enough to stay in the processor's cache.
#[derive(Debug, Clone, Default)]
pub(super) struct NameIndex(HashTable<u32>);

impl NameIndex {
    /// Numbers names, which are unique, from 0.
    pub(super) fn new<'n, N: Hash + 'n>(names: impl ExactSizeIterator<Item = &'n N>) -> Self {
        let mut table = HashTable::with_capacity(names.len());
        for (number, name) in (0u32..).zip(names) {
            // The table has room for all, so that nothing is hashed again.
            table.insert_unique(hash(name), number, |_| 0);
        }
        Self(table)
    }

    /// Finds the number of a name, given where the names lie.
    pub(super) fn find<'n, N: Hash + Eq + 'n>(&self, name: &N, at: impl Fn(u32) -> &'n N) -> Option<u32> {
        self.0.find(hash(name), |number| at(*number) == name).copied()
    }

    /// Tells where the names have moved to: what was `number` is at `places[number]`.
    pub(super) fn renumber(&mut self, places: impl Fn(u32) -> u32) {
        self.0.iter_mut().for_each(|number| *number = places(*number));
    }
}

fn hash(name: &impl Hash) -> u64 {
    BuildHasherDefault::<NameHasher>::default().hash_one(name)
}

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

    #[test]
    fn a_name_is_found_where_it_lies_now() {
        let names: Vec<String> = (0..100).map(|number| format!("object-{number}")).collect();
        let mut index = NameIndex::new(names.iter());
        assert_eq!(index.find(&names[42], |at| &names[at as usize]), Some(42));
        assert_eq!(index.find(&"object-100".to_owned(), |at| &names[at as usize]), None);

        let turned: Vec<String> = names.iter().rev().cloned().collect();
        index.renumber(|number| 99 - number);
        assert_eq!(index.find(&names[42], |at| &turned[at as usize]), Some(57));
    }
}
