//! Watches: the changes of a collection since a revision, as one watcher sees them.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{ListOptions, Selection};
use crate::sandbox::kind::Kind;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::store::{Change, Store, TooOld, prefix_of};

/// What a watcher is told.
#[derive(Debug, Clone)]
pub enum WatchEvent {
    /// Something appeared, to this watcher.
    Added(Arc<Value>),
    /// Something changed.
    Modified(Arc<Value>),
    /// Something is gone, to this watcher.
    Deleted(Arc<Value>),
    /// All up to this revision was told; `true` after the first state.
    Bookmark(u64, bool),
    /// The watch is over.
    Error(Value),
}

/// One watch.
#[derive(Debug)]
pub struct Watcher {
    prefix: String,
    selection: Selection,
    /// What was told goes up to here.
    told: u64,
    /// Whether the first state is still to be told, and whether its end as well.
    first: Option<bool>,
    /// Whether it wants bookmarks.
    pub bookmarks: bool,
}

impl Watcher {
    /// Begins a watch.
    ///
    /// # Errors
    /// As the server answers before the first event.
    pub fn new(store: &Store, kind: &Kind, namespace: Option<&str>, options: &ListOptions) -> Result<Self, Refusal> {
        let from_start = match options.initial_events {
            Some(wanted) => wanted,
            None => matches!(options.revision, None | Some(0)),
        };
        let known = options.revision.filter(|revision| !from_start && *revision > 0);
        Ok(Self {
            prefix: prefix_of(kind, namespace),
            selection: options.selection.clone(),
            told: known.unwrap_or(store.revision()),
            first: from_start.then_some(options.initial_events == Some(true) && options.bookmarks),
            bookmarks: options.bookmarks,
        })
    }

    /// The revision up to which everything was told.
    #[must_use]
    pub fn told(&self) -> u64 {
        self.told
    }

    /// Returns what there is to tell, and goes on from there.
    pub fn events(&mut self, store: &Store) -> Vec<WatchEvent> {
        let mut events = Vec::new();
        if let Some(with_end) = self.first.take() {
            let objects = store.range(&self.prefix, None).map(|(_, stored)| stored.look());
            events.extend(objects.filter(|object| self.selection.takes(object)).map(WatchEvent::Added));
            self.told = store.revision();
            if with_end {
                events.push(WatchEvent::Bookmark(self.told, true));
            }
            return events;
        }
        match store.changes_since(self.told) {
            Ok(changes) => {
                let changes = changes.filter(|change| change.key.text().starts_with(&self.prefix));
                events.extend(changes.filter_map(|change| self.event(change)));
                self.told = self.told.max(store.revision());
            }
            Err(error) => events.push(WatchEvent::Error(too_old(error))),
        }
        events
    }

    fn event(&self, change: &Change) -> Option<WatchEvent> {
        let was = change.before.as_ref().is_some_and(|before| self.selection.takes(before.object()));
        let is = change.after.as_ref().filter(|after| self.selection.takes(after.object()));
        match (was, is) {
            (false, Some(after)) => Some(WatchEvent::Added(Arc::clone(after.object()))),
            (true, Some(after)) => Some(WatchEvent::Modified(Arc::clone(after.object()))),
            (true, None) => Some(WatchEvent::Deleted(left(change)?)),
            (false, None) => None,
        }
    }
}

/// What is gone is shown as it last was, under the revision of the change that took it away.
fn left(change: &Change) -> Option<Arc<Value>> {
    if let Some(last) = &change.last {
        return Some(Arc::clone(last));
    }
    let mut object = Value::clone(change.before.as_ref()?.object());
    object["metadata"]["resourceVersion"] = Value::from(change.revision.to_string());
    Some(Arc::new(object))
}

fn too_old(error: TooOld) -> Value {
    Refusal::expired(error.to_string()).status()
}

impl WatchEvent {
    /// Returns the event as it is sent, its object written by `shown`.
    #[must_use]
    pub fn written(&self, kind: &Kind, shown: impl Fn(&Value) -> Value) -> Value {
        match self {
            Self::Added(object) => json!({"type": "ADDED", "object": shown(object)}),
            Self::Modified(object) => json!({"type": "MODIFIED", "object": shown(object)}),
            Self::Deleted(object) => json!({"type": "DELETED", "object": shown(object)}),
            Self::Error(status) => json!({"type": "ERROR", "object": status}),
            Self::Bookmark(revision, end_of_first) => {
                let mut metadata = json!({"resourceVersion": revision.to_string()});
                if *end_of_first {
                    metadata["annotations"] = json!({"k8s.io/initial-events-end": "true"});
                }
                json!({"type": "BOOKMARK", "object": {
                    "kind": kind.kind, "apiVersion": kind.api_version(), "metadata": metadata
                }})
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::read::LabelSelector;
    use crate::sandbox::store::Key;

    fn write(store: &mut Store, name: &str, app: Option<&str>) {
        let key = Key::new("", "configmaps", Some("a"), name);
        let object = app.map(|app| json!({"metadata": {"name": name, "labels": {"app": app}}}));
        let change = store.prepare(key, object);
        store.commit(change);
    }

    fn told(watcher: &mut Watcher, store: &Store) -> Vec<String> {
        let name = |object: &Value| {
            format!(
                "{}@{}",
                object["metadata"]["name"].as_str().unwrap(),
                object["metadata"]["resourceVersion"].as_str().unwrap()
            )
        };
        let told = watcher.events(store).into_iter().map(|event| match event {
            WatchEvent::Added(object) => format!("+{}", name(&object)),
            WatchEvent::Modified(object) => format!("~{}", name(&object)),
            WatchEvent::Deleted(object) => format!("-{}", name(&object)),
            WatchEvent::Bookmark(revision, end) => format!("b{revision} {end}"),
            WatchEvent::Error(status) => status["message"].as_str().unwrap().to_owned(),
        });
        told.collect()
    }

    #[test]
    fn leaving_a_selection_reads_as_a_deletion_and_entering_it_as_an_addition() {
        let mut store = Store::new(0, []);
        write(&mut store, "x", Some("web"));
        write(&mut store, "y", Some("db"));
        let selection = Selection { labels: LabelSelector::read("app=web").unwrap(), ..Selection::default() };
        let mut watcher =
            Watcher { prefix: "/configmaps/".to_owned(), selection, told: 0, first: Some(true), bookmarks: true };
        assert_eq!(told(&mut watcher, &store), ["+x@2", "b3 true"]);
        write(&mut store, "y", Some("web"));
        write(&mut store, "x", Some("db"));
        write(&mut store, "x", Some("other"));
        write(&mut store, "y", Some("web"));
        write(&mut store, "y", None);
        assert_eq!(told(&mut watcher, &store), ["+y@4", "-x@5", "~y@7", "-y@8"]);
        write(&mut store, "y", Some("web"));
        store.compact();
        assert_eq!(told(&mut watcher, &store), ["too old resource version: 8 (9)"]);
    }
}
