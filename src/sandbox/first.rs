//! What a new control plane begins with.
//!
//! These objects take the way of every write, and the controllers do with them what they do at once, one time in a process;
//! each control plane takes a copy, with its own times, identities and certificate authority in it. So a test may have a
//! control plane of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::OnceLock;

use jiff::Timestamp;
use serde_json::Value;

use super::access;
use super::clock::Clock;
use super::controllers::{self, Bootstrap};
use super::error::SandboxError;
use super::kinds::Kinds;
use super::random::Random;
use super::runner;
use super::state::State;
use super::store::{Key, Store, Stored};

/// Where the node of the sandbox says it is.
const NODE_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);

/// What stands in the model for the certificate authority.
const AUTHORITY: &str = "(the certificate authority of a control plane)";

/// When the model was made.
const MADE: Timestamp = Timestamp::UNIX_EPOCH;

/// What is written into an empty store.
struct Model {
    revision: u64,
    objects: Vec<(Key, Stored)>,
    /// Whether controllers have nothing to do with them, now or later.
    is_settled: bool,
}

/// The models of control planes without and with controllers.
static MODELS: [OnceLock<Result<Model, String>>; 2] = [OnceLock::new(), OnceLock::new()];

/// Returns all that is there from the start.
fn first(controllers: bool, now: Timestamp, authority: &str) -> Vec<Value> {
    // No pod will ever call it, and Endpoints may not name a loopback address: the node's own stands for it.
    let known = Bootstrap { certificate_authority: authority, address: SocketAddr::from((NODE_ADDRESS, 6443)) };
    let mut first = runner::first_namespaces();
    first.extend(access::bootstrap_objects());
    if controllers {
        first.extend(controllers::bootstrap_objects(now, &known));
    }
    first
}

/// Brings a state to what every control plane begins with: makes what is missing, and leaves the rest as it is. Tells whether
/// its controllers have nothing to do with it, since there is nothing else yet.
///
/// # Errors
/// If an object is refused, or cannot be kept.
pub fn begin(state: &mut State, controllers: bool, authority: &str) -> Result<bool, SandboxError> {
    if state.store.range("", None).next().is_some() {
        let first = first(controllers, state.clock.now(), authority);
        return runner::bootstrap(state, first)
            .map(|()| false)
            .map_err(|refusal| SandboxError::Bootstrap { why: refusal.message });
    }
    let model = MODELS[usize::from(controllers)].get_or_init(|| model(controllers));
    let model = model.as_ref().map_err(|why| SandboxError::Bootstrap { why: why.clone() })?;
    let copies = model.copies(&mut state.random, state.clock.now(), authority);
    if let Some(disk) = &state.disk {
        disk.write(
            &copies
                .iter()
                .map(|(key, stored)| super::state::kept(key, Some(stored), stored.revision))
                .collect::<Vec<_>>(),
        )?;
    }
    state.store = Store::new(model.revision, copies);
    Ok(model.is_settled)
}

fn model(controllers: bool) -> Result<Model, String> {
    let mut state = State {
        store: Store::new(0, []),
        kinds: Kinds::new(),
        random: Random::new(0),
        clock: Clock::stopped_at(MADE),
        disk: None,
        unsettled: BTreeSet::new(),
        rough: BTreeSet::new(),
    };
    runner::bootstrap(&mut state, first(controllers, MADE, AUTHORITY)).map_err(|refusal| refusal.message)?;
    let is_settled = controllers && runner::settle(&mut state);
    let objects = state.store.range("", None).map(|(key, stored)| (key.clone(), stored.clone())).collect();
    Ok(Model { revision: state.store.revision(), objects, is_settled })
}

impl Model {
    fn copies(&self, random: &mut Random, now: Timestamp, authority: &str) -> Vec<(Key, Stored)> {
        let seconds = |time: Timestamp| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let mut texts = BTreeMap::from([(seconds(MADE), seconds(now)), (AUTHORITY.to_owned(), authority.to_owned())]);
        for (_, stored) in &self.objects {
            if let Some(uid) = stored.object().pointer("/metadata/uid").and_then(Value::as_str) {
                texts.insert(uid.to_owned(), random.uid());
            }
        }
        let copy = |(key, stored): &(Key, Stored)| {
            let mut object = Value::clone(stored.object());
            replace(&mut object, &texts);
            (key.clone(), Stored::new(object, stored.revision))
        };
        self.objects.iter().map(copy).collect()
    }
}

/// Replaces whole texts wherever they stand.
fn replace(value: &mut Value, texts: &BTreeMap<String, String>) {
    match value {
        Value::String(text) => {
            if let Some(other) = texts.get(text) {
                text.clone_from(other);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, texts)),
        Value::Object(map) => map.values_mut().for_each(|item| replace(item, texts)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::view::View as _;

    fn empty(seed: u64, now: Timestamp) -> State {
        State {
            store: Store::new(0, []),
            kinds: Kinds::new(),
            random: Random::new(seed),
            clock: Clock::stopped_at(now),
            disk: None,
            unsettled: BTreeSet::new(),
            rough: BTreeSet::new(),
        }
    }

    fn begun(seed: u64) -> State {
        let mut state = empty(seed, "2026-11-22T12:00:00Z".parse().unwrap());
        begin(&mut state, true, "PEM").unwrap();
        state
    }

    #[test]
    fn a_copy_is_what_the_way_of_every_write_would_have_made() {
        let now = "2026-11-22T12:00:00Z".parse().unwrap();
        let copied = begun(3);
        let mut written = empty(3, now);
        runner::bootstrap(&mut written, first(true, now, "PEM")).unwrap();
        assert!(runner::settle(&mut written), "or each control plane would have to look at all of it again");
        assert_eq!(copied.store.revision(), written.store.revision());
        let shown = |state: &State| -> Vec<(String, Value)> {
            let all = state.store.range("", None);
            all.map(|(key, stored)| {
                let mut object = Value::clone(stored.object());
                object["metadata"]["uid"].take();
                (key.text().to_owned(), object)
            })
            .collect()
        };
        assert_eq!(shown(&copied), shown(&written));
    }

    #[test]
    fn the_seed_decides_who_is_who() {
        let uid = |state: &State| state.get("", "Namespace", "", "kube-system").unwrap()["metadata"]["uid"].clone();
        assert_eq!(uid(&begun(1)), uid(&begun(1)));
        assert_ne!(uid(&begun(1)), uid(&begun(2)));
    }
}
