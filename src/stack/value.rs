//! The [`Stack`] value: all that the file says, resolved and checked, as the later stages see it.

use std::collections::{BTreeMap, BTreeSet};

use crate::resource::{Address, Digest, Manifest, ObjectRef};
use crate::secret::SecretSpec;
use crate::service::Check;
use crate::yaml::Position;

/// One resource that should exist.
#[derive(Debug, Clone, PartialEq)]
pub struct Desired {
    /// The object, its namespace and our labels set.
    pub manifest: Manifest,
    /// Explicit dependencies (`dependsOn`); the inferred ones are the graph's.
    pub depends_on: Vec<Dependency>,
    /// Addresses of the services' workloads named in this object through `${services.X.…}`: whoever consumes the object
    /// connects to them.
    pub mentions: BTreeSet<Address>,
    /// Refuses delete and replace.
    pub protect: bool,
    /// Fields left to others: sent when the object is made, and after that no difference.
    pub ignore: Vec<String>,
    /// Managers whose fields may be taken over without asking.
    pub grants: Vec<Grant>,
    /// Fields that others add are removed by an apply, and are drift.
    pub exclusive: bool,
    /// Where it was declared.
    pub position: Position,
}

/// An explicit edge.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dependency {
    /// The resource to wait for.
    pub on: Address,
    /// Why, as shown on the edge.
    pub reason: String,
}

/// What may be taken from whom.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grant {
    /// Field manager, or `None` for all.
    pub manager: Option<String>,
    /// Field path such as `.spec.replicas`, or `None` for all.
    pub field: Option<String>,
}

/// Drift that is known and expected for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mute {
    /// The resource.
    pub address: Address,
    /// The field path; the fields below it too.
    pub field: String,
    /// Why.
    pub reason: String,
    /// The last day (`2026-12-31`, UTC) on which it counts.
    pub until: String,
}

/// Where an output's value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutputSource {
    /// A text computed from the file.
    Text(String),
    /// A key of a Secret: shown masked unless asked.
    SecretKey {
        /// The Secret.
        secret: ObjectRef,
        /// The key.
        key: String,
    },
}

/// A whole stack, resolved for one set of inputs.
#[derive(Debug, Clone, PartialEq)]
pub struct Stack {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// The file, as it was named.
    pub file: String,
    /// Digest of all that the file says with its inputs resolved; holds no secret value.
    pub digest: Digest,
    /// The resources, by address.
    pub resources: BTreeMap<Address, Desired>,
    /// The Secrets whose values are made or fetched by us, by the address of the Secret.
    pub secrets: BTreeMap<Address, SecretSpec>,
    /// The checks, by name.
    pub checks: BTreeMap<String, Check>,
    /// Known drift.
    pub mutes: Vec<Mute>,
    /// The outputs, by name.
    pub outputs: BTreeMap<String, OutputSource>,
    /// True if `--manifests` added to it.
    pub with_extra_manifests: bool,
}
