//! The versions of a kind: an entry is held to the version that its manager spoke.

use serde_json::Value;

use super::autoscaler;
use crate::ssa::schema::{Schema, builtin};

/// The versions in which objects of a kind can be read.
pub trait Versions {
    /// Returns the schema of a version; `None` if it is not served. Entries of such versions are dropped.
    fn schema(&self, api_version: &str) -> Option<Schema>;

    /// Returns the object as it reads in a version that is served.
    fn convert(&self, object: &Value, api_version: &str) -> Value;

    /// Tells in the server's words why an object that was merged cannot be brought into any other version: the structure of
    /// its kind cannot hold it. `None` where it can, or where nothing is known of that.
    fn unconvertible(&self, _object: &Value) -> Option<String> {
        None
    }
}

/// A kind whose versions have the same fields, so that to convert is to name the version; `HorizontalPodAutoscaler`, the one of
/// Kubernetes' own for which that is not so, is converted.
#[derive(Debug, Clone, Copy)]
pub struct SameFields<'a>(
    /// The schema of the version that is written.
    pub &'a Schema,
);

impl Versions for SameFields<'_> {
    fn schema(&self, api_version: &str) -> Option<Schema> {
        let Some(kind) = self.0.kind() else { return Some(self.0.clone()) };
        if kind.api_version() == api_version {
            return Some(self.0.clone());
        }
        let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
        if kind.group != group {
            return None;
        }
        if self.0.is_builtin() { builtin(group, version, &kind.kind) } else { Some(self.0.clone()) }
    }

    fn convert(&self, object: &Value, api_version: &str) -> Value {
        if self.0.kind().is_some_and(|kind| kind.kind == "HorizontalPodAutoscaler") && self.0.is_builtin() {
            return autoscaler::converted(object, api_version);
        }
        named(object, api_version)
    }
}

/// Returns the object under another version's name.
fn named(object: &Value, api_version: &str) -> Value {
    let mut object = object.clone();
    if let Some(map) = object.as_object_mut() {
        map.insert("apiVersion".to_owned(), Value::from(api_version));
    }
    object
}
