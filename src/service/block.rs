//! What a typed block is given, and what it gives back.

use std::fmt;

use serde_json::Value;

use super::Check;
use crate::resource::{Manifest, ObjectRef};

/// Where a block stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceContext<'a> {
    /// Name of the stack.
    pub stack: &'a str,
    /// Namespace of the stack.
    pub namespace: &'a str,
    /// Name of the service: its key in the file.
    pub name: &'a str,
}

/// What a block turns into.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Expansion {
    /// The objects, in the order in which a person would read them.
    pub manifests: Vec<Manifest>,
    /// What is verified about them.
    pub checks: Vec<Check>,
    /// The object that does the work: who talks to the service waits for it.
    pub workload: Option<ObjectRef>,
    /// Where the service listens.
    pub endpoint: Option<Endpoint>,
    /// What will work, but deserves a second look.
    pub warnings: Vec<Remark>,
}

/// Where a service listens inside the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// `NAME.NAMESPACE.svc.cluster.local`.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl Endpoint {
    /// Returns the endpoint of the Service `name`.
    pub(super) fn of_service(name: &str, namespace: &str, port: u16) -> Self {
        Self { host: format!("{name}.{namespace}.svc.cluster.local"), port }
    }
}

impl fmt::Display for Endpoint {
    /// `HOST:PORT`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// A problem or a warning about one place in a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// JSON pointer within the block, empty for the block itself. It may name a key that is not written: then it is
    /// about the default.
    pub pointer: String,
    /// What is wrong, a fragment.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// True if a secret may stand at that place, so that it must not be shown.
    pub concealed: bool,
}

impl Remark {
    pub(super) fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), message: message.into(), hint: None, concealed: false }
    }

    pub(super) fn hinted(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(super) fn concealed(mut self) -> Self {
        self.concealed = true;
        self
    }
}

/// Appends a key to a JSON pointer.
pub(super) fn below(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// Takes an object that a block made. A refusal would be a mistake of the block; it is reported like any other problem
/// rather than by a panic.
pub(super) fn manifest(object: Value) -> Result<Manifest, Remark> {
    Manifest::new(object).map_err(|error| Remark::new("", format!("the service made an object that is none: {error}")))
}

/// Takes several objects; see [`manifest`].
pub(super) fn manifests(objects: impl IntoIterator<Item = Value>) -> Result<Vec<Manifest>, Vec<Remark>> {
    objects.into_iter().map(|object| manifest(object).map_err(|remark| vec![remark])).collect()
}
