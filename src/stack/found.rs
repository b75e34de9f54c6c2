//! One object on its way into the stack.

use std::collections::BTreeSet;

use super::origin::Origin;
use crate::resource::{Address, Manifest};

/// An object with all that was said about it where it was declared.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// The service that made it, or the word that stands for plain ones.
    pub service: String,
    /// The object.
    pub manifest: Manifest,
    /// Where it was declared.
    pub origin: Origin,
    /// Services whose endpoint its text names.
    pub mentions: BTreeSet<String>,
    /// What it waits for: addresses or names of services.
    pub depends_on: Vec<String>,
    /// Where that list stands in the stack file.
    pub depends_on_pointer: String,
    /// Refuses delete and replace.
    pub protect: bool,
    /// Fields left to others.
    pub ignore: Vec<String>,
}

impl Found {
    /// Makes one with nothing said about it.
    pub(super) fn new(service: &str, manifest: Manifest, origin: Origin) -> Self {
        Self {
            service: service.to_owned(),
            manifest,
            origin,
            mentions: BTreeSet::new(),
            depends_on: Vec::new(),
            depends_on_pointer: String::new(),
            protect: false,
            ignore: Vec::new(),
        }
    }

    /// Returns its address.
    pub(super) fn address(&self, stack_namespace: &str) -> Address {
        Address::of(&self.service, self.manifest.object_ref(), stack_namespace)
    }
}
