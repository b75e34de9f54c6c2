//! What a plan is decided on.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::graph::DependencyGraph;
use crate::live::{Observation, Prediction};
use crate::resource::{Address, Digest, Manifest, ObjectRef};
use crate::ssa::{Path, Schema};
use crate::stack::{Grant, Stack};
use crate::state::State;

/// What the operator allows beyond the stack file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// Objects to take into our care although somebody else made them.
    pub adopt: BTreeSet<Address>,
    /// Objects whose data may be lost.
    pub data_loss: BTreeSet<Address>,
    /// All of them.
    pub all_data_loss: bool,
    /// What may be taken over from whom, beside what the stack grants.
    pub grants: Vec<Grant>,
    /// Nothing is desired any more: everything recorded goes, but for what is kept.
    pub destroy: bool,
}

impl Policy {
    /// Tells whether the data of this object may be lost.
    #[must_use]
    pub fn allows_data_loss(&self, address: &Address) -> bool {
        self.all_data_loss || self.data_loss.contains(address)
    }
}

/// Everything that a decision may look at. No clock, no randomness.
pub struct Inputs<'a> {
    /// What should run, the values of Secrets filled in.
    pub stack: &'a Stack,
    /// What was recorded.
    pub state: &'a State,
    /// True if the state was saved before.
    pub state_exists: bool,
    /// What the cluster has.
    pub observation: &'a Observation,
    /// The order of what is desired.
    pub graph: &'a DependencyGraph,
    /// Answers of the server to dry runs, where it was asked.
    pub predictions: &'a BTreeMap<ObjectRef, Prediction>,
    /// The schema of a kind, by API version and kind.
    pub schema: &'a (dyn Fn(&str, &str) -> Option<Schema> + Sync),
    /// Replaces every value of a Secret by its keyed digest; other objects are returned as they are.
    pub keyed: &'a (dyn Fn(&Value) -> Value + Sync),
    /// What the operator allows.
    pub policy: &'a Policy,
}

impl Inputs<'_> {
    /// Returns the digest of what the file asks for, keyed for Secrets. Fields that are left to others are part of it:
    /// where they are ours again, the file asks for something else, though the manifest is the same.
    #[must_use]
    pub fn desired_digest(&self, manifest: &Manifest, ignored: &[Path]) -> Digest {
        let digest =
            if manifest.is_secret() { Digest::of(&(self.keyed)(manifest.object())) } else { manifest.digest() };
        if ignored.is_empty() {
            return digest;
        }
        let ignored: BTreeSet<String> = ignored.iter().map(ToString::to_string).collect();
        Digest::of(&json!([digest.to_string(), ignored]))
    }
}
