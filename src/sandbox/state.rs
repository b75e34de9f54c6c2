//! All that a request is answered from and may change. Whoever holds it is alone with it.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::access::Rights;
use super::clock::Clock;
use super::custom;
use super::disk::{self, Disk};
use super::kind::Kind;
use super::kinds::Kinds;
use super::random::Random;
use super::refusal::Refusal;
use super::store::{Change, Key, Store, Stored, prefix_of};
use super::view::View;

/// The state of the control plane.
#[derive(Debug)]
pub struct State {
    /// What is stored.
    pub store: Store,
    /// What is served.
    pub kinds: Kinds,
    /// Names and identities to come.
    pub random: Random,
    /// The time.
    pub clock: Clock,
    /// Where it is kept; nowhere if it lives in memory only.
    pub disk: Option<Disk>,
    /// Definitions whose status is still to follow what was written.
    pub unsettled: BTreeSet<String>,
    /// Objects that the server would have stored in another form than the one in which it writes what it read: their next
    /// write is one even if it changes nothing.
    pub rough: BTreeSet<Key>,
}

impl State {
    /// Stores an object, or takes it away: on disk first, so that nothing is answered that could be lost.
    ///
    /// # Errors
    /// 500 if it cannot be kept; nothing has changed then.
    pub fn write(&mut self, key: Key, object: Option<Value>) -> Result<Change, Refusal> {
        let mut change = self.store.prepare(key, object);
        if let Some(disk) = &self.disk {
            let kept = kept(&change.key, change.after.as_ref(), change.revision);
            disk.write(std::slice::from_ref(&kept)).map_err(|error| Refusal::internal(error.to_string()))?;
            change.after = change.after.zip(kept.value).map(|(after, text)| after.kept(text));
        }
        self.store.commit(change.clone());
        self.rough.remove(&change.key);
        if change.key.resource() == ("apiextensions.k8s.io", "customresourcedefinitions") {
            self.serve_definition(&change);
        } else if change.after.is_none() {
            self.note_emptied(&change.key);
        }
        Ok(change)
    }

    /// Serves what a definition defines, once it is established.
    fn serve_definition(&mut self, change: &Change) {
        let Some(definition) = change.after.as_ref().or(change.before.as_ref()).map(|stored| stored.object()) else {
            return;
        };
        let text = |pointer: &str| definition.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        self.unsettled.insert(text("/metadata/name").to_owned());
        self.kinds.remove(text("/spec/group"), text("/spec/names/plural"));
        if change.after.is_some() && custom::is_established(definition) {
            for kind in custom::kinds_of(definition) {
                self.kinds.add_custom(kind);
            }
        }
    }

    /// A custom resource that is gone may have been the last that its definition waited for.
    fn note_emptied(&mut self, key: &Key) {
        let (group, plural) = key.resource();
        if self.kinds.custom().any(|kind| kind.group == group && kind.plural == plural) {
            let name = format!("{plural}.{group}");
            self.unsettled.insert(name);
        }
    }

    /// Serves what all stored definitions define.
    pub fn serve_definitions(&mut self) {
        for definition in self.list("apiextensions.k8s.io", "CustomResourceDefinition", None) {
            if custom::is_established(&definition) {
                for kind in custom::kinds_of(&definition) {
                    self.kinds.add_custom(kind);
                }
            }
        }
    }

    /// The key of an object of a kind, whatever version of the kind is spoken of.
    #[must_use]
    pub fn key(&self, kind: &Kind, namespace: &str, name: &str) -> Key {
        Key::of(self.stored_kind(kind), namespace, name)
    }

    /// The kind under which objects of a kind are stored.
    #[must_use]
    pub fn stored_kind<'a>(&'a self, kind: &'a Kind) -> &'a Kind {
        // The Events of both groups are the same objects.
        if kind.is("events.k8s.io", "Event") {
            return self.kinds.storage(&kind.group, &kind.kind).map_or(kind, |stored| stored);
        }
        kind
    }
}

/// A change as it is kept on disk.
pub(super) fn kept(key: &Key, after: Option<&Stored>, revision: u64) -> disk::Change {
    let value = after.map(|after| serde_json::to_vec(&**after.object()).unwrap_or_default().into());
    disk::Change { key: key.text().to_owned(), value, resource_version: revision }
}

impl View for State {
    fn get(&self, group: &str, kind: &str, namespace: &str, name: &str) -> Option<Arc<Value>> {
        let kind = self.kinds.by_kind(group, kind)?;
        self.store.get(&self.key(kind, namespace, name)).map(|stored| Arc::clone(stored.object()))
    }

    fn list(&self, group: &str, kind: &str, namespace: Option<&str>) -> Vec<Arc<Value>> {
        let Some(kind) = self.kinds.by_kind(group, kind) else { return Vec::new() };
        let prefix = prefix_of(self.stored_kind(kind), namespace);
        self.store.range(&prefix, None).map(|(_, stored)| Arc::clone(stored.object())).collect()
    }

    fn chosen(&self, group: &str, kind: &str, is_wanted: &dyn Fn(&Value) -> bool) -> Vec<Arc<Value>> {
        let Some(kind) = self.kinds.by_kind(group, kind) else { return Vec::new() };
        let prefix = prefix_of(self.stored_kind(kind), None);
        let objects = self.store.range(&prefix, None).map(|(_, stored)| stored);
        let wanted = objects.filter(|stored| is_wanted(stored.original().unwrap_or_else(|| stored.object())));
        wanted.map(|stored| Arc::clone(stored.object())).collect()
    }

    fn kinds(&self) -> Vec<(String, String, bool)> {
        let mut kinds: Vec<_> = self
            .kinds
            .iter()
            .filter(|kind| kind.verbs.contains(&"list"))
            .map(|kind| (kind.group.clone(), kind.kind.clone(), kind.namespaced))
            .collect();
        kinds.sort();
        kinds.dedup();
        kinds
    }

    fn dependents(&self, uid: &str) -> Vec<Arc<Value>> {
        self.store.owned_by(uid).map(|stored| Arc::clone(stored.object())).collect()
    }

    fn rights(&self) -> Arc<Rights> {
        Arc::clone(self.store.rights.get_or_init(|| Arc::new(Rights::of(self))))
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
