//! What stands in the graph.

use std::fmt;

use crate::resource::{Address, Manifest, ObjectRef};

/// The name of a node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeId {
    /// A resource.
    Resource(Address),
    /// One key of a Secret that we fill: generated, fetched or derived.
    SecretKey {
        /// The Secret's address.
        secret: Address,
        /// The key.
        key: String,
    },
    /// A check, by name.
    Check(String),
}

impl fmt::Display for NodeId {
    /// `postgres.StatefulSet/postgres`, `secrets.Secret/mathison-secrets#POSTGRES_PASSWORD`, `check/vector works`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resource(address) => write!(f, "{address}"),
            Self::SecretKey { secret, key } => write!(f, "{secret}#{key}"),
            Self::Check(name) => write!(f, "check/{name}"),
        }
    }
}

/// A node as the graph is given it.
#[derive(Debug, Clone)]
pub struct NodeInput<'a> {
    /// Its name.
    pub id: NodeId,
    /// The object, for resources: references in it become edges.
    pub manifest: Option<&'a Manifest>,
    /// Edges known to whoever declared the node, with their reasons (`dependsOn`, a check's subject, a secret's key).
    pub depends_on: Vec<(NodeId, String)>,
    /// Workloads of services that this object's text names: whoever consumes the object connects to them.
    pub mentions: Vec<Address>,
    /// The objects a check is about.
    pub about: Vec<ObjectRef>,
}
