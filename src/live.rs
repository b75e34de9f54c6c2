//! What was read from a cluster, as plain data: live objects and what an apply would make of them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::resource::{GroupKind, ObjectRef};

/// Which cluster this is: the uid of its namespace `kube-system`, which lives as long as the cluster does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClusterIdentity(pub String);

impl ClusterIdentity {
    /// Returns the first eight characters, as they stand in the names of state files.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.get(..8).unwrap_or(&self.0)
    }
}

/// One object as the cluster has it, managed fields included.
#[derive(Clone, PartialEq)]
pub struct Live {
    /// The whole object. That of a Secret has its values; they go nowhere but into comparisons.
    pub object: Value,
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = self.object.get("kind").and_then(Value::as_str).unwrap_or_default();
        write!(f, "Live({kind} {} uid {})", self.name(), self.uid())
    }
}

impl Live {
    // Looked up by name: these are asked of every object, and a pointer is split and copied first.
    fn of_metadata(&self, key: &str) -> Option<&Value> {
        self.object.get("metadata")?.get(key)
    }

    fn text_of_metadata(&self, key: &str) -> &str {
        self.of_metadata(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.text_of_metadata("name")
    }

    /// Returns the namespace, where it has one.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        self.of_metadata("namespace")?.as_str()
    }

    /// Returns the uid.
    #[must_use]
    pub fn uid(&self) -> &str {
        self.text_of_metadata("uid")
    }

    /// Returns the resource version.
    #[must_use]
    pub fn resource_version(&self) -> &str {
        self.text_of_metadata("resourceVersion")
    }

    /// Returns the value of a label.
    #[must_use]
    pub fn label(&self, key: &str) -> Option<&str> {
        self.of_metadata("labels")?.get(key)?.as_str()
    }

    /// Tells whether the object is being deleted.
    #[must_use]
    pub fn is_deleting(&self) -> bool {
        self.of_metadata("deletionTimestamp").is_some_and(|stamp| !stamp.is_null())
    }
}

/// What came of asking the server for a dry run. What is computed without it is no prediction of this kind.
#[derive(Clone, PartialEq)]
pub enum Prediction {
    /// The server's answer to a dry run.
    Server(Value),
    /// Known only once it is applied; the reason is a fragment such as `defaults` or `its definition does not exist yet`.
    AfterApply(String),
    /// The server refused the dry run, with its message.
    Rejected(String),
}

impl std::fmt::Debug for Prediction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Server(_) => f.write_str("Server"),
            Self::AfterApply(why) => write!(f, "AfterApply({why})"),
            Self::Rejected(why) => write!(f, "Rejected({why})"),
        }
    }
}

/// What the cluster says about everything that is desired or recorded, read once at the start of a run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observation {
    /// The objects that exist: all that carry the stack's label, and those others that were asked for by name.
    pub objects: BTreeMap<ObjectRef, Live>,
    /// Kinds that the server does not know (a custom resource whose definition is not there yet).
    pub unknown_kinds: BTreeSet<GroupKind>,
    /// Objects that could not be read, with the server's words. They are errors of the plan, never taken for absent.
    pub unreadable: BTreeMap<ObjectRef, String>,
    /// Namespaces that do not exist, so that nothing in them does.
    pub missing_namespaces: BTreeSet<String>,
    /// Which cluster answered.
    pub cluster: Option<ClusterIdentity>,
}
