//! What a new control plane begins with.
//!
//! These objects take the way of every write, and the controllers do with them what they do at once, one time in a process;
//! each control plane takes a copy, with its own times, identities and certificate authority in it. So a test may have a
//! control plane of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock};

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
use super::store::{Copies, Key, Store, Stored};

/// Where the node of the sandbox says it is.
const NODE_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);

/// What stands in the model for the certificate authority.
const AUTHORITY: &str = "(the certificate authority of a control plane)";

/// When the model was made.
const MADE: Timestamp = Timestamp::UNIX_EPOCH;

/// What is written into an empty store.
#[derive(Debug)]
struct Model {
    revision: u64,
    objects: Vec<(Key, Original)>,
    /// Whether controllers have nothing to do with them, now or later.
    is_settled: bool,
}

/// An object of the model.
#[derive(Debug)]
struct Original {
    stored: Stored,
    /// Where its texts differ from control plane to control plane.
    places: Vec<(Vec<Step>, Text)>,
    has_uid: bool,
    has_owners: bool,
}

/// One step into an object.
#[derive(Debug, Clone)]
enum Step {
    Field(String),
    Item(usize),
}

/// A text that each control plane has of its own.
#[derive(Debug, Clone, Copy)]
enum Text {
    Time,
    Authority,
    /// The uid of the object of that number.
    Uid(usize),
}

/// What one control plane has of its own.
#[derive(Debug)]
struct Own {
    model: &'static Model,
    time: String,
    authority: String,
    uids: Vec<String>,
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
    let mut texts = BTreeMap::from([(seconds(MADE), Text::Time), (AUTHORITY.to_owned(), Text::Authority)]);
    for (index, (_, stored)) in state.store.range("", None).enumerate() {
        if let Some(uid) = stored.object().pointer("/metadata/uid").and_then(Value::as_str) {
            texts.insert(uid.to_owned(), Text::Uid(index));
        }
    }
    let original = |(key, stored): (&Key, &Stored)| {
        let (mut places, mut way) = (Vec::new(), Vec::new());
        find(stored.object(), &texts, &mut way, &mut places);
        let has = |field: &str| stored.object().pointer("/metadata").and_then(|metadata| metadata.get(field)).is_some();
        let (has_uid, has_owners) = (has("uid"), has("ownerReferences"));
        (key.clone(), Original { stored: stored.clone(), places, has_uid, has_owners })
    };
    let objects = state.store.range("", None).map(original).collect();
    Ok(Model { revision: state.store.revision(), objects, is_settled })
}

fn seconds(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Finds whole texts wherever they stand.
fn find(value: &Value, texts: &BTreeMap<String, Text>, way: &mut Vec<Step>, places: &mut Vec<(Vec<Step>, Text)>) {
    let mut further = |step: Step, value: &Value| {
        way.push(step);
        find(value, texts, way, places);
        way.pop();
    };
    match value {
        Value::String(text) => places.extend(texts.get(text).map(|text| (way.clone(), *text))),
        Value::Array(items) => items.iter().enumerate().for_each(|(index, item)| further(Step::Item(index), item)),
        Value::Object(map) => map.iter().for_each(|(field, item)| further(Step::Field(field.clone()), item)),
        _ => {}
    }
}

impl Model {
    /// Returns the objects as a control plane has them. Few are ever looked at, so most of them are never copied.
    fn copies(&'static self, random: &mut Random, now: Timestamp, authority: &str) -> Vec<(Key, Stored)> {
        let uid = |original: &Original| if original.has_uid { random.uid() } else { String::new() };
        let uids = self.objects.iter().map(|(_, original)| original).map(uid);
        let own = Own { model: self, uids: uids.collect(), time: seconds(now), authority: authority.to_owned() };
        let own: Arc<dyn Copies> = Arc::new(own);
        let copy = |(index, (key, original)): (usize, &(Key, Original))| {
            let revision = original.stored.revision;
            let stored = match original.has_owners {
                true => Stored::new(own.copy(index), revision),
                false => Stored::copied(Arc::clone(&own), index, revision),
            };
            (key.clone(), stored)
        };
        self.objects.iter().enumerate().map(copy).collect()
    }
}

impl Copies for Own {
    fn original(&self, index: usize) -> &Value {
        self.model.objects.get(index).map_or(&Value::Null, |(_, original)| original.stored.object())
    }

    fn copy(&self, index: usize) -> Value {
        let Some((_, original)) = self.model.objects.get(index) else { return Value::Null };
        let mut object = Value::clone(original.stored.object());
        for (way, text) in &original.places {
            let place = way.iter().try_fold(&mut object, |value, step| match step {
                Step::Field(field) => value.get_mut(field),
                Step::Item(index) => value.get_mut(index),
            });
            let text = match text {
                Text::Time => Some(&self.time),
                Text::Authority => Some(&self.authority),
                Text::Uid(index) => self.uids.get(*index),
            };
            if let (Some(place), Some(text)) = (place, text) {
                *place = Value::from(text.as_str());
            }
        }
        object
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

    #[test]
    fn what_nobody_looks_at_is_not_copied() {
        let state = begun(1);
        let roles =
            state.chosen("rbac.authorization.k8s.io", "ClusterRole", &|role| role["metadata"]["name"] == "admin");
        let made: Vec<&Value> = roles.iter().map(|role| &role["metadata"]["creationTimestamp"]).collect();
        assert_eq!(made, ["2026-11-22T12:00:00Z"]);
        let copied = state.store.range("", None).filter(|(_, stored)| stored.original().is_none());
        let names: Vec<&str> =
            copied.map(|(_, stored)| stored.object()["metadata"]["name"].as_str().unwrap()).collect();
        assert!(names.contains(&"admin") && names.len() < 10, "{names:?}");
    }
}
