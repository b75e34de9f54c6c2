//! What is stored, as controllers, admission and access reviews may see it. Reading only.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::access::Rights;

/// The objects at one moment. Objects are in their storage version, with `apiVersion` and `kind`.
pub trait View {
    /// Returns one object; `namespace` is empty for cluster-scoped kinds.
    fn get(&self, group: &str, kind: &str, namespace: &str, name: &str) -> Option<Arc<Value>>;

    /// Returns all objects of a kind in a namespace, or in all of them, ordered by namespace and name.
    fn list(&self, group: &str, kind: &str, namespace: Option<&str>) -> Vec<Arc<Value>>;

    /// Returns those of all objects of a kind that are wanted, whatever their times and uids are: a store need not make
    /// copies of the others.
    fn chosen(&self, group: &str, kind: &str, is_wanted: &dyn Fn(&Value) -> bool) -> Vec<Arc<Value>> {
        let mut objects = self.list(group, kind, None);
        objects.retain(|object| is_wanted(object));
        objects
    }

    /// Returns all kinds that are served, each once, as group, kind and whether it is namespaced.
    fn kinds(&self) -> Vec<(String, String, bool)>;

    /// Returns all objects of any kind that name this uid among their owners. A store with an index answers faster.
    fn dependents(&self, uid: &str) -> Vec<Arc<Value>> {
        let names_it = |object: &Arc<Value>| {
            let owners = object.pointer("/metadata/ownerReferences").and_then(Value::as_array);
            owners.is_some_and(|owners| owners.iter().any(|owner| owner.get("uid").is_some_and(|owner| owner == uid)))
        };
        let kinds = self.kinds();
        kinds.iter().flat_map(|(group, kind, _)| self.list(group, kind, None)).filter(names_it).collect()
    }

    /// Returns what the roles and bindings say. A store may keep it as long as they stay as they are.
    fn rights(&self) -> Arc<Rights> {
        Arc::new(Rights::of(self))
    }

    /// The time.
    fn now(&self) -> Timestamp;
}
