//! Runs the controllers: keeps the queue of what is worth a look, and does what they want through the API's own writes.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::api::Api;
use super::controllers::{self, Deed, Key, event};
use super::decode::{self, Decoded, FieldValidation, WriteOptions};
use super::kind::Kind;
use super::refusal::Refusal;
use super::state::State;
use super::strategy::Propagation;
use super::view::View as _;
use super::write::{self, DeleteOptions, Place};

/// How many keys are looked at before others may have the state.
const AT_ONCE: usize = 64;

/// What is refused is tried again after 10 ms, then after twice as long each time, up to about three minutes.
const MOST_DOUBLINGS: u32 = 15;

/// The queue.
#[derive(Debug, Default)]
struct Queue {
    due: BTreeSet<Key>,
    later: BTreeMap<Timestamp, BTreeSet<Key>>,
    refused: BTreeMap<Key, u32>,
    seen: u64,
}

impl Queue {
    /// Takes what changed since the last look.
    fn gather(&mut self, state: &State) {
        let now = state.now();
        while let Some(entry) = self.later.first_entry().filter(|entry| *entry.key() <= now) {
            self.due.extend(entry.remove());
        }
        let revision = state.store.revision();
        match state.store.changes_since(self.seen) {
            Ok(changes) => {
                // What one change left is what the next of the same object found.
                let mut known = BTreeSet::new();
                for stored in changes.flat_map(|change| change.before.iter().chain(&change.after)) {
                    if known.insert(Arc::as_ptr(stored.object())) {
                        self.due.extend(controllers::affected(state, stored.object()));
                    }
                }
            }
            // Too far behind, or just begun: everything is worth a look.
            Err(_) => self.everything(state),
        }
        self.seen = revision;
    }

    fn everything(&mut self, state: &State) {
        for (_, stored) in state.store.range("", None) {
            self.due.extend(controllers::affected(state, &stored.look()));
        }
    }
}

/// Lets the controllers do all that they would do at once. Tells whether nothing is left that they would do later.
pub fn settle(state: &mut State) -> bool {
    let mut queue = Queue { seen: state.store.revision(), ..Queue::default() };
    queue.everything(state);
    while !queue.due.is_empty() {
        look(state, &mut queue);
        queue.gather(state);
    }
    queue.later.is_empty()
}

/// Runs the controllers until the API is dropped; what was there at the revision `settled` needs nothing from them.
pub async fn run(api: Arc<Api>, settled: Option<u64>) {
    let mut queue = Queue::default();
    let mut changes = api.changes();
    api.with(|state| match settled {
        Some(revision) => queue.seen = revision,
        None => {
            queue.seen = state.store.revision();
            queue.everything(state);
        }
    });
    loop {
        changes.borrow_and_update();
        let (idle, next, clock) = api.with(|state| {
            queue.gather(state);
            look(state, &mut queue);
            (queue.due.is_empty(), queue.later.keys().next().copied(), state.clock)
        });
        if !idle {
            tokio::task::yield_now().await;
            continue;
        }
        let timer = async {
            match next {
                Some(time) => tokio::time::sleep_until(clock.instant_of(time)).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            changed = changes.changed() => {
                if changed.is_err() {
                    return;
                }
            }
            () = timer => {}
        }
    }
}

fn look(state: &mut State, queue: &mut Queue) {
    for _ in 0..AT_ONCE {
        let Some(key) = queue.due.pop_first() else { return };
        let looked = catch_unwind(AssertUnwindSafe(|| {
            let outcome = controllers::reconcile(state, &key);
            (outcome.again_at, outcome.deeds.into_iter().any(|deed| !done(state, &key, deed)))
        }));
        // A defect of one controller stops none of the others: it is tried again like what is refused.
        let (again_at, refused) = looked.unwrap_or((None, true));
        if let Some(at) = again_at {
            queue.later.entry(at).or_default().insert(key.clone());
        }
        if refused {
            let tries = queue.refused.entry(key.clone()).or_default();
            *tries += 1;
            let wait = SignedDuration::from_millis(5 << (*tries).min(MOST_DOUBLINGS));
            let at = state.now().saturating_add(wait).unwrap_or(Timestamp::MAX);
            queue.later.entry(at).or_default().insert(key);
        } else {
            queue.refused.remove(&key);
        }
    }
}

/// Does one thing for a controller. Tells whether the next may follow.
fn done(state: &mut State, key: &Key, deed: Deed) -> bool {
    let wanted = match &deed {
        Deed::Create { object, .. } => Some(object.clone()),
        // What cannot be told stops nobody.
        Deed::Event(_) => {
            let _ = perform(state, deed);
            return true;
        }
        _ => None,
    };
    let Err(refusal) = perform(state, deed) else { return true };
    if let Some(wanted) = wanted {
        for deed in controllers::refused(state, key, &wanted, &refusal.message).deeds {
            let _ = perform(state, deed);
        }
    }
    false
}

fn perform(state: &mut State, deed: Deed) -> Result<(), Refusal> {
    let options =
        WriteOptions { dry_run: false, field_manager: None, field_validation: FieldValidation::Ignore, force: None };
    match deed {
        Deed::Create { object, manager } => {
            let place = place(state, &object, manager, None)?;
            let decoded = read(&place.kind, object)?;
            match write::create(state, &Place { name: String::new(), ..place }, decoded, &options) {
                Err(refusal) if refusal.code == 409 => Ok(()),
                other => other.map(|_| ()),
            }
        }
        Deed::Update { object, manager } => {
            let place = place(state, &object, manager, None)?;
            write::update(state, &place, read(&place.kind, object)?, &options).map(|_| ())
        }
        Deed::Status { object, manager } => {
            let place = place(state, &object, manager, Some("status"))?;
            write::update(state, &place, read(&place.kind, object)?, &options).map(|_| ())
        }
        Deed::Finalize { object, manager } => {
            let place = place(state, &object, manager, Some("finalize"))?;
            write::update(state, &place, read(&place.kind, object)?, &options).map(|_| ())
        }
        Deed::Bind { pod, node } => {
            let place = place(state, &pod, "kube-scheduler", Some("binding"))?;
            write::bind(state, &place, &node, false)
        }
        Deed::Delete { key, uid, propagation, grace } => {
            let kind = kind_of(state, &key.group, &key.kind)?;
            let place = Place {
                kind,
                namespace: key.namespace,
                name: key.name,
                subresource: None,
                manager: String::new(),
                asked: None,
            };
            let how = DeleteOptions {
                uid: Some(uid),
                grace_seconds: grace,
                propagation: Some(match propagation {
                    controllers::Propagation::Background => Propagation::Background,
                    controllers::Propagation::Foreground => Propagation::Foreground,
                }),
                ..DeleteOptions::default()
            };
            match write::delete(state, &place, &how) {
                Err(refusal) if refusal.code == 404 => Ok(()),
                other => other.map(|_| ()),
            }
        }
        Deed::Event(notice) => {
            let deed = event::record(state, &notice);
            perform(state, deed)
        }
    }
}

/// Reads what a controller wants written as the server reads what clients send.
fn read(kind: &Kind, object: Value) -> Result<Decoded, Refusal> {
    decode::object(kind, object)
}

fn kind_of(state: &State, group: &str, kind: &str) -> Result<Arc<Kind>, Refusal> {
    state.kinds.by_kind(group, kind).cloned().ok_or_else(Refusal::no_such_path)
}

fn place(state: &State, object: &Value, manager: &str, subresource: Option<&str>) -> Result<Place, Refusal> {
    let key = Key::of(object);
    Ok(Place {
        kind: kind_of(state, &key.group, &key.kind)?,
        namespace: key.namespace,
        name: key.name,
        subresource: subresource.map(str::to_owned),
        manager: manager.to_owned(),
        asked: None,
    })
}

/// Makes the objects that a new control plane has. What is there already stays as it is.
pub fn bootstrap(state: &mut State, objects: impl IntoIterator<Item = Value>) -> Result<(), Refusal> {
    for object in objects {
        let key = Key::of(&object);
        if state.get(&key.group, &key.kind, &key.namespace, &key.name).is_none() {
            perform(state, Deed::Create { object, manager: "kube-apiserver" })?;
        }
    }
    Ok(())
}

/// The namespaces that every control plane has.
#[must_use]
pub fn first_namespaces() -> Vec<Value> {
    ["kube-system", "kube-public", "kube-node-lease", "default"]
        .iter()
        .map(|name| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}))
        .collect()
}
