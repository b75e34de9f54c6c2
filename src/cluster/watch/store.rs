//! The newest state of each object of one kind in one namespace, and who waits for it.
//!
//! Every entry remembers the resource version that it shows and takes nothing older: resource versions are comparable
//! numbers since Kubernetes 1.35, and were so in fact before.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tokio::sync::watch;

use crate::cluster::error::ClusterError;
use crate::live::Live;
use crate::resource::at;

/// What is known of one object.
#[derive(Debug, Clone)]
pub(super) enum State {
    Unknown,
    Live(Arc<Value>),
    Gone,
    Failed(ClusterError),
}

#[derive(Default)]
pub(super) struct Store {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// Resource version of the last whole list; `None` before the first.
    listed: Option<u64>,
    failed: Option<ClusterError>,
    entries: BTreeMap<String, Entry>,
}

struct Entry {
    version: u64,
    sender: watch::Sender<State>,
}

impl Entry {
    fn new() -> Self {
        Self { version: 0, sender: watch::Sender::new(State::Unknown) }
    }

    fn set(&mut self, version: u64, state: State) {
        // A version of 0 is one that is no number: then order of arrival decides.
        if version != 0 && version < self.version {
            return;
        }
        let is_known = matches!(*self.sender.borrow(), State::Live(_) | State::Gone);
        if version != 0 && version == self.version && is_known && !matches!(state, State::Failed(_)) {
            return;
        }
        self.version = version.max(self.version);
        self.sender.send_replace(state);
    }
}

/// Returns a resource version as a number, 0 if it is none.
pub(super) fn version_of(text: &str) -> u64 {
    text.parse().unwrap_or(0)
}

fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    at(object, pointer).and_then(Value::as_str).unwrap_or_default()
}

impl Store {
    /// Returns a receiver that has something new at once if anything is known.
    pub(super) fn subscribe(&self, name: &str, written: Option<&Live>) -> watch::Receiver<State> {
        let mut inner = self.inner();
        let (listed, failed) = (inner.listed, inner.failed.clone());
        let entry = inner.entries.entry(name.to_owned()).or_insert_with(Entry::new);
        if let Some(listed) = listed
            && matches!(*entry.sender.borrow(), State::Unknown)
        {
            entry.version = listed;
            entry.sender.send_replace(State::Gone);
        }
        if let Some(written) = written {
            entry.set(version_of(written.resource_version()), State::Live(Arc::new(written.object.clone())));
        }
        if let Some(error) = failed {
            entry.sender.send_replace(State::Failed(error));
        }
        let mut receiver = entry.sender.subscribe();
        receiver.mark_changed();
        receiver
    }

    /// Takes an object that was added or modified.
    pub(super) fn put(&self, object: Value) {
        let (name, version) = name_and_version(&object);
        self.inner().entries.entry(name).or_insert_with(Entry::new).set(version, State::Live(Arc::new(object)));
    }

    /// Takes the last state of an object that was deleted, or left the selection.
    pub(super) fn remove(&self, object: &Value) {
        let (name, version) = name_and_version(object);
        self.inner().entries.entry(name).or_insert_with(Entry::new).set(version, State::Gone);
    }

    /// Takes a whole list: what is not in it does not exist, unless it was written after the list was made.
    pub(super) fn replace(&self, items: Vec<Value>, resource_version: &str) {
        let version = version_of(resource_version);
        let names: BTreeSet<String> = items.iter().map(|item| text(item, "/metadata/name").to_owned()).collect();
        for item in items {
            self.put(item);
        }
        let mut inner = self.inner();
        inner.listed = Some(version);
        for (name, entry) in &mut inner.entries {
            if !names.contains(name) && !matches!(*entry.sender.borrow(), State::Gone) {
                entry.set(version, State::Gone);
            }
        }
    }

    /// Takes the answer of a single read.
    pub(super) fn settle(&self, name: &str, live: Option<Live>) {
        match live {
            Some(live) => self.put(live.object),
            None => {
                let mut inner = self.inner();
                let entry = inner.entries.entry(name.to_owned()).or_insert_with(Entry::new);
                if !matches!(*entry.sender.borrow(), State::Gone) {
                    entry.set(0, State::Gone);
                }
            }
        }
    }

    /// Tells all who wait that there is nothing to wait for any more.
    pub(super) fn fail(&self, error: &ClusterError) {
        let mut inner = self.inner();
        inner.failed = Some(error.clone());
        for entry in inner.entries.values() {
            entry.sender.send_replace(State::Failed(error.clone()));
        }
    }

    pub(super) fn has_failed(&self) -> bool {
        self.inner().failed.is_some()
    }

    /// Returns the names that somebody waits for.
    pub(super) fn followed(&self) -> Vec<String> {
        let inner = self.inner();
        let followed = inner.entries.iter().filter(|(_, entry)| entry.sender.receiver_count() > 0);
        followed.map(|(name, _)| name.clone()).collect()
    }

    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn name_and_version(object: &Value) -> (String, u64) {
    (text(object, "/metadata/name").to_owned(), version_of(text(object, "/metadata/resourceVersion")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(name: &str, version: u64) -> Value {
        json!({"metadata": {"name": name, "resourceVersion": version.to_string()}})
    }

    fn show(receiver: &mut watch::Receiver<State>) -> String {
        match &*receiver.borrow_and_update() {
            State::Unknown => "unknown".to_owned(),
            State::Live(object) => format!("live {}", text(object, "/metadata/resourceVersion")),
            State::Gone => "gone".to_owned(),
            State::Failed(error) => error.to_string(),
        }
    }

    #[test]
    fn a_watch_that_lags_behind_cannot_hide_what_was_written() {
        let store = Store::default();
        store.replace(vec![object("a", 3)], "5");
        let written = |version| Live { object: object("b", version) };
        let mut receiver = store.subscribe("b", Some(&written(8)));
        assert_eq!(show(&mut receiver), "live 8");
        store.replace(vec![object("a", 3)], "7");
        assert_eq!(show(&mut receiver), "live 8", "the list was made before the write");
        store.put(object("b", 6));
        assert_eq!(show(&mut receiver), "live 8");
        store.put(object("b", 9));
        assert_eq!(show(&mut receiver), "live 9");
        store.remove(&object("b", 10));
        assert_eq!(show(&mut receiver), "gone");
        let mut late = store.subscribe("b", Some(&written(9)));
        assert_eq!(show(&mut late), "gone", "it was deleted after the write");
    }

    #[test]
    fn before_the_first_list_nothing_is_known() {
        let store = Store::default();
        let mut receiver = store.subscribe("a", None);
        assert_eq!(show(&mut receiver), "unknown");
        store.replace(Vec::new(), "5");
        assert_eq!(show(&mut receiver), "gone");
    }

    #[test]
    fn an_equal_state_wakes_nobody() {
        let store = Store::default();
        let mut receiver = store.subscribe("a", None);
        store.put(object("a", 3));
        assert_eq!(show(&mut receiver), "live 3");
        store.put(object("a", 3));
        store.replace(vec![object("a", 3)], "9");
        assert!(!receiver.has_changed().unwrap());
    }
}
