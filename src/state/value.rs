//! The [`State`] value: what we recorded of what we did.

use std::collections::BTreeMap;
use std::fmt;

use super::Recorded;
use serde::Serialize;
use serde_json::Value;

use crate::resource::{Address, Digest, ObjectRef, canonical_json, write_canonical_json};

/// Which line of snapshots a state belongs to: a random word made with the first one. Two states of different lineage
/// never replace each other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lineage(pub String);

impl fmt::Display for Lineage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Counts the snapshots of a lineage, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Serial(pub u64);

impl Serial {
    /// Returns the number of the snapshot that follows this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// What was recorded of one resource after it was last applied.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its address at that time.
    pub address: Address,
    /// Its API version at that time.
    pub api_version: String,
    /// Its uid.
    pub uid: String,
    /// Digest of what the file asked for (keyed for Secrets).
    pub desired: Digest,
    /// Digest of the fields we own and their live values, as the server stored them; see [`Entry::owned_digest`].
    pub owned: Digest,
    /// The fields we own, in the `FieldsV1` encoding of managed fields.
    pub fields: Recorded,
    /// The live values of those fields after the apply. In a Secret every value of `data` is its keyed digest.
    pub applied: Recorded,
    /// The resources it was applied after: deletes walk this backwards.
    pub depends_on: Vec<ObjectRef>,
    /// Refuses delete and replace, also after it left the file.
    pub protect: bool,
}

impl Entry {
    /// Returns the digest of the fields we own (`FieldsV1`) and their values, keyed for Secrets. Comparing it tells whether
    /// an object is as it was recorded without reading the record's own copies.
    #[must_use]
    pub fn owned_digest(fields: &Value, values: &impl Serialize) -> Digest {
        let mut bytes = canonical_json(fields);
        bytes.push(b'\n');
        write_canonical_json(values, &mut bytes);
        Digest::of_bytes(&bytes)
    }
}

/// All that is recorded of one stack in one cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// The stack's name.
    pub stack: String,
    /// The stack's namespace.
    pub namespace: String,
    /// uid of the cluster's namespace `kube-system`.
    pub cluster: String,
    /// Line of snapshots.
    pub lineage: Lineage,
    /// Number of this snapshot; 0 before the first is saved.
    pub serial: Serial,
    /// True if the last apply had manifests from outside the stack file (`--manifests`).
    pub with_extra_manifests: bool,
    /// The resources, by identity.
    pub entries: BTreeMap<ObjectRef, Entry>,
}

impl State {
    /// Makes the state of a stack of which nothing is recorded yet. The lineage is handed in: nothing here is random.
    #[must_use]
    pub fn new(
        stack: impl Into<String>,
        namespace: impl Into<String>,
        cluster: impl Into<String>,
        lineage: Lineage,
    ) -> Self {
        Self {
            stack: stack.into(),
            namespace: namespace.into(),
            cluster: cluster.into(),
            lineage,
            serial: Serial::default(),
            with_extra_manifests: false,
            entries: BTreeMap::new(),
        }
    }

    /// Returns what is recorded of an object.
    #[must_use]
    pub fn entry(&self, object: &ObjectRef) -> Option<&Entry> {
        self.entries.get(object)
    }

    /// Returns what is recorded under an address, with its identity.
    #[must_use]
    pub fn by_address(&self, address: &Address) -> Option<(&ObjectRef, &Entry)> {
        self.entries.iter().find(|(_, entry)| entry.address == *address)
    }

    /// Tells whether nothing is recorded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::example::{state, stateful_set};

    #[test]
    fn an_entry_is_found_by_identity_and_by_address() {
        let state = state();
        let (object, entry) = state.by_address(&Address::from_text("redis.StatefulSet/redis")).unwrap();
        assert_eq!((object, state.entry(object)), (&stateful_set(), Some(entry)));
        assert_eq!(state.by_address(&Address::from_text("redis.StatefulSet/other")), None);
    }

    #[test]
    fn a_new_state_stands_before_its_first_snapshot() {
        let state = State::new("mathison", "mathison-system", "cluster", Lineage("l-1".to_owned()));
        assert!(state.is_empty());
        assert_eq!((state.serial, state.serial.next()), (Serial(0), Serial(1)));
    }
}
