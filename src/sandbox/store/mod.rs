//! What is stored: objects under their keys, each with the revision that wrote it, and the changes that led there.
//!
//! One counter numbers every write, as in etcd; an object's `resourceVersion` is the number of its last one. The changes
//! of the near past are kept, so that a watch can go on from a revision and a list can be paged as of one.

mod history;
mod key;
mod stored;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::{Arc, OnceLock};

use serde_json::Value;

pub use self::history::{Change, TooOld};
pub use self::key::{Key, prefix_of};
pub use self::stored::{Copies, Stored};

use self::history::History;
use super::access::Rights;

/// How many objects stay taken apart without being needed: those that were written last, and the first that were read.
const APART: usize = 300;

/// All objects.
#[derive(Debug)]
pub struct Store {
    revision: u64,
    objects: BTreeMap<Key, Stored>,
    /// Whose owners are whose: keys by the uid of each owner.
    owned: BTreeMap<String, BTreeSet<Key>>,
    /// What the roles and bindings say, until one of them changes.
    pub(in crate::sandbox) rights: OnceLock<Arc<Rights>>,
    history: History,
}

impl Store {
    /// Makes a store of what was kept: objects, and the revision of the last write.
    pub fn new(revision: u64, objects: impl IntoIterator<Item = (Key, Stored)>) -> Self {
        // etcd starts at 1, and clients take 0 for "any".
        let revision = revision.max(1);
        let history = History::starting_at(revision);
        let (objects_by_key, owned, rights) = (BTreeMap::new(), BTreeMap::new(), OnceLock::new());
        let mut store = Self { revision, objects: objects_by_key, owned, rights, history };
        for (key, stored) in objects {
            store.restore(key, stored);
        }
        store
    }

    /// Takes back an object that was kept.
    pub fn restore(&mut self, key: Key, mut stored: Stored) {
        self.forget_rights(&key);
        for owner in owners(stored.original().unwrap_or_else(|| stored.object())) {
            self.owned.entry(owner.to_owned()).or_default().insert(key.clone());
        }
        if self.objects.len() >= APART {
            stored.fold();
        }
        self.objects.insert(key, stored);
    }

    /// Goes on from a revision, once what was kept of it is taken back.
    pub fn resume(&mut self, revision: u64) {
        self.revision = self.revision.max(revision);
        self.history = History::starting_at(self.revision);
    }

    /// Returns the objects that name a uid among their owners, in the order of their keys.
    pub fn owned_by(&self, uid: &str) -> impl Iterator<Item = &Stored> {
        self.owned.get(uid).into_iter().flatten().filter_map(move |key| self.objects.get(key))
    }

    fn forget_rights(&mut self, key: &Key) {
        if key.resource().0 == "rbac.authorization.k8s.io" {
            self.rights.take();
        }
    }

    fn note_owners(&mut self, change: &Change) {
        for owner in change.before.iter().flat_map(|before| owners(before.object())) {
            if let Some(keys) = self.owned.get_mut(owner) {
                keys.remove(&change.key);
                if keys.is_empty() {
                    self.owned.remove(owner);
                }
            }
        }
        for owner in change.after.iter().flat_map(|after| owners(after.object())) {
            self.owned.entry(owner.to_owned()).or_default().insert(change.key.clone());
        }
    }

    /// The revision of the last write.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Returns one object.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&Stored> {
        self.objects.get(key)
    }

    /// Returns the objects under a prefix that come after `after`, in the order of their keys.
    pub fn range<'a>(&'a self, prefix: &'a str, after: Option<&Key>) -> impl Iterator<Item = (&'a Key, &'a Stored)> {
        let start = match after {
            Some(key) => Bound::Excluded(key.clone()),
            None => Bound::Included(Key::from_text(prefix)),
        };
        self.objects.range((start, Bound::Unbounded)).take_while(move |(key, _)| key.text().starts_with(prefix))
    }

    /// Counts the objects under a prefix.
    #[must_use]
    pub fn count(&self, prefix: &str) -> usize {
        self.range(prefix, None).count()
    }

    /// Returns the objects under a prefix as they were at a revision.
    ///
    /// # Errors
    /// If the changes since then are not kept any more.
    pub fn range_at(&self, prefix: &str, revision: u64) -> Result<BTreeMap<Key, Stored>, TooOld> {
        let since = self.history.since(revision)?;
        let mut objects: BTreeMap<Key, Stored> =
            self.range(prefix, None).map(|(key, stored)| (key.clone(), stored.clone())).collect();
        let mut seen = BTreeSet::new();
        for change in since.filter(|change| change.key.text().starts_with(prefix)) {
            // The first change after the revision knows what was there at it.
            if seen.insert(&change.key) {
                match &change.before {
                    Some(before) => objects.insert(change.key.clone(), before.clone()),
                    None => objects.remove(&change.key),
                };
            }
        }
        Ok(objects)
    }

    /// Returns what storing an object, or taking it away, would be.
    ///
    /// The object's `metadata.resourceVersion` is set to the new revision; of a deleted one the change holds the last
    /// state under the revision that deleted it, as a watch shows it.
    #[must_use]
    pub fn prepare(&self, key: Key, object: Option<Value>) -> Change {
        let revision = self.revision + 1;
        let written = |mut object: Value| {
            set_revision(&mut object, revision);
            object
        };
        let before = self.objects.get(&key).cloned();
        let last = match (&before, &object) {
            (Some(before), None) => Some(Arc::new(written(Value::clone(before.object())))),
            _ => None,
        };
        let after = object.map(|object| Stored::new(written(object), revision));
        Change { revision, key, before, after, last }
    }

    /// Makes a prepared change, if nothing was written since it was prepared.
    pub fn commit(&mut self, change: Change) {
        if change.revision != self.revision + 1 {
            return;
        }
        self.revision = change.revision;
        self.forget_rights(&change.key);
        self.note_owners(&change);
        match &change.after {
            Some(after) => self.objects.insert(change.key.clone(), after.clone()),
            None => self.objects.remove(&change.key),
        };
        self.history.push(change);
        if let Some((key, revision)) = self.history.fold(APART)
            && let Some(stored) = self.objects.get_mut(key).filter(|stored| stored.revision == revision)
        {
            stored.fold();
        }
    }

    /// Returns the changes after a revision, oldest first.
    ///
    /// # Errors
    /// If they are not all kept any more.
    pub fn changes_since(&self, revision: u64) -> Result<impl Iterator<Item = &Change>, TooOld> {
        self.history.since(revision)
    }

    /// Forgets the changes up to now: whoever asks for older ones is told that they are too old.
    pub fn compact(&mut self) {
        self.history = History::starting_at(self.revision);
    }
}

/// The uids of an object's owners.
fn owners(object: &Value) -> impl Iterator<Item = &str> {
    let owners = object.get("metadata").and_then(|metadata| metadata.get("ownerReferences")).and_then(Value::as_array);
    owners.into_iter().flatten().filter_map(|owner| owner.get("uid")?.as_str())
}

fn set_revision(object: &mut Value, revision: u64) {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.insert("resourceVersion".to_owned(), Value::from(revision.to_string()));
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::json;

    use super::*;

    fn key(name: &str) -> Key {
        Key::new("", "configmaps", Some("a"), name)
    }

    impl Store {
        fn write(&mut self, key: Key, object: Option<Value>) -> Change {
            let change = self.prepare(key, object);
            self.commit(change.clone());
            change
        }
    }

    fn object(name: &str, value: i64) -> Value {
        json!({"metadata": {"name": name, "namespace": "a"}, "data": {"v": value.to_string()}})
    }

    #[test]
    fn a_list_can_be_read_as_of_an_older_revision() {
        let mut store = Store::new(0, []);
        store.write(key("x"), Some(object("x", 1)));
        store.write(key("y"), Some(object("y", 1)));
        let then = store.revision();
        store.write(key("x"), Some(object("x", 2)));
        store.write(key("x"), Some(object("x", 3)));
        store.write(key("y"), None);
        store.write(key("z"), Some(object("z", 1)));
        let names: Vec<_> = store
            .range_at("/configmaps/a/", then)
            .unwrap()
            .iter()
            .map(|(key, stored)| format!("{} {}", key.text(), stored.object()["data"]["v"]))
            .collect();
        assert_eq!(names, ["/configmaps/a/x \"1\"", "/configmaps/a/y \"1\""]);
        store.compact();
        assert!(store.range_at("/configmaps/a/", then).is_err());
        assert!(store.changes_since(store.revision()).is_ok());
    }

    #[test]
    fn who_owns_what_is_known_without_looking_at_everything() {
        let owned = |uids: &[&str]| {
            let owners: Vec<Value> = uids.iter().map(|uid| json!({"uid": uid})).collect();
            json!({"metadata": {"name": "x", "ownerReferences": owners}})
        };
        let count = |store: &Store, uid: &str| store.owned_by(uid).count();
        let mut store = Store::new(0, []);
        store.write(key("x"), Some(owned(&["a", "b"])));
        store.write(key("y"), Some(owned(&["a"])));
        assert_eq!([count(&store, "a"), count(&store, "b"), count(&store, "c")], [2, 1, 0]);
        store.write(key("x"), Some(owned(&["c"])));
        assert_eq!([count(&store, "a"), count(&store, "b"), count(&store, "c")], [1, 0, 1]);
        let again = Store::new(store.revision, store.objects.clone());
        assert_eq!(again.owned, store.owned);
        store.write(key("x"), None);
        store.write(key("y"), None);
        assert!(store.owned.is_empty());
    }

    #[test]
    fn what_was_written_long_ago_or_read_late_is_text_and_can_still_be_had() {
        let name = |number: usize| format!("x{number:04}");
        let text = |number: usize| {
            let mut object = object(&name(number), 1);
            set_revision(&mut object, 7);
            Bytes::from(object.to_string())
        };
        let mut store = Store::new(0, []);
        for number in 0..APART + 2 {
            store.restore(key(&name(number)), Stored::read(&text(number)).unwrap());
        }
        store.resume(7);
        let is_apart = |store: &Store, number: usize| store.get(&key(&name(number))).unwrap().is_apart();
        assert!(is_apart(&store, APART - 1) && !is_apart(&store, APART));
        for number in 0..=APART {
            let mut change = store.prepare(key(&name(number)), Some(object(&name(number), 2)));
            let text = Bytes::from(change.after.as_ref().unwrap().look().to_string());
            change.after = change.after.map(|after| after.kept(text));
            store.commit(change);
        }
        assert!(!is_apart(&store, 1) && is_apart(&store, APART));
        let changes: Vec<_> = store.changes_since(7).unwrap().collect();
        assert!(!changes[1].after.as_ref().unwrap().is_apart() && !changes[1].before.as_ref().unwrap().is_apart());
        assert_eq!(store.get(&key(&name(1))).unwrap().look()["data"]["v"], "2");
        assert_eq!(changes[1].before.as_ref().unwrap().look()["data"]["v"], "1");
    }

    #[test]
    fn a_deletion_shows_the_last_state_under_its_own_revision() {
        let mut store = Store::new(7, []);
        store.write(key("x"), Some(object("x", 1)));
        let change = store.write(key("x"), None);
        assert_eq!(change.last.unwrap()["metadata"]["resourceVersion"], "9");
        assert_eq!(change.before.unwrap().object()["metadata"]["resourceVersion"], "8");
        assert_eq!(store.count("/configmaps/"), 0);
    }
}
