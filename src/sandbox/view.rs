//! What is stored, as controllers, admission and access reviews may see it. Reading only.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

/// The objects at one moment. Objects are in their storage version, with `apiVersion` and `kind`.
pub trait View {
    /// Returns one object; `namespace` is empty for cluster-scoped kinds.
    fn get(&self, group: &str, kind: &str, namespace: &str, name: &str) -> Option<Arc<Value>>;

    /// Returns all objects of a kind in a namespace, or in all of them, ordered by namespace and name.
    fn list(&self, group: &str, kind: &str, namespace: Option<&str>) -> Vec<Arc<Value>>;

    /// The time.
    fn now(&self) -> Timestamp;
}
