//! Example values and strategies for the tests of this folder.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::journal::{Intent, IntentAction, JournalHeader, JournalResult, Outcome, Recording};
use super::{Entry, Lineage, LockRecord, Serial, State};
use crate::resource::{Address, Digest, ObjectRef};

pub(super) const CLUSTER: &str = "1a2b3c4d-0000-4000-8000-000000000000";

pub(super) fn lock_record() -> LockRecord {
    LockRecord {
        user: "ada".to_owned(),
        host: "laptop".to_owned(),
        pid: 4711,
        process_started: "2026-01-02T03:04:04.25Z".parse().unwrap(),
        command: "mathison apply stacks/mathison.yaml".to_owned(),
        since: "2026-01-02T03:04:05Z".parse().unwrap(),
        run_id: "r-7f3a".to_owned(),
        expires: None,
    }
}

pub(super) fn service() -> ObjectRef {
    ObjectRef::new("", "Service", Some("mathison-system"), "redis")
}

pub(super) fn stateful_set() -> ObjectRef {
    ObjectRef::new("apps", "StatefulSet", Some("mathison-system"), "redis")
}

pub(super) fn entry(object: &ObjectRef, depends_on: &[ObjectRef]) -> Entry {
    Entry {
        address: Address::of("redis", object, "mathison-system"),
        api_version: if object.group.is_empty() { "v1".to_owned() } else { format!("{}/v1", object.group) },
        uid: format!("uid-of-{}", object.kind),
        desired: Digest::of(&json!("desired")),
        owned: Digest::of(&json!("owned")),
        fields: json!({"f:spec": {"f:replicas": {}}}).into(),
        applied: json!({"spec": {"replicas": 1}}).into(),
        depends_on: depends_on.to_vec(),
        protect: false,
    }
}

/// A state of two resources, number 3.
pub(super) fn state() -> State {
    let mut state = State::new("mathison", "mathison-system", CLUSTER, Lineage("l-1".to_owned()));
    state.serial = Serial(3);
    state.entries.insert(service(), entry(&service(), &[]));
    state.entries.insert(stateful_set(), entry(&stateful_set(), &[service()]));
    state
}

/// The header of a run on [`state`].
pub(super) fn header() -> JournalHeader {
    JournalHeader {
        stack: "mathison".to_owned(),
        namespace: "mathison-system".to_owned(),
        cluster: CLUSTER.to_owned(),
        lineage: Lineage("l-1".to_owned()),
        serial: Serial(3),
        run_id: "r-7f3a".to_owned(),
        command: "mathison apply stacks/mathison.yaml".to_owned(),
        started: "2026-01-02T03:04:05Z".parse().unwrap(),
        with_extra_manifests: false,
    }
}

pub(super) fn intent(object: &ObjectRef, action: IntentAction) -> Intent {
    let stays = action != IntentAction::Delete;
    Intent {
        object: object.clone(),
        address: Address::of("redis", object, "mathison-system"),
        api_version: "v1".to_owned(),
        action,
        desired: stays.then(|| Digest::of(&json!("desired"))),
        uid: Some(format!("uid-of-{}", object.kind)),
        resource_version: Some("42".to_owned()),
        recorded: true,
        depends_on: Vec::new(),
        protect: false,
    }
}

pub(super) fn done(object: &ObjectRef, recording: Recording) -> JournalResult {
    JournalResult {
        object: object.clone(),
        uid: Some(format!("uid-of-{}", object.kind)),
        outcome: Outcome::Done,
        recording,
    }
}

/// Any JSON, of a depth as objects have it, with all kinds of numbers and letters.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(".{0,8}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn any_object() -> impl Strategy<Value = ObjectRef> {
    ("[a-z.]{0,6}", ".{1,6}", proptest::option::of(".{0,6}"), ".{1,8}")
        .prop_map(|(group, kind, namespace, name)| ObjectRef { group, kind, namespace, name })
}

fn any_digest() -> impl Strategy<Value = Digest> {
    any::<[u8; 32]>().prop_map(Digest::from_bytes)
}

fn any_entry() -> impl Strategy<Value = Entry> {
    let texts = (".{0,12}", ".{0,8}", ".{0,8}");
    let dependencies = proptest::collection::vec(any_object(), 0..3);
    (texts, any_digest(), any_digest(), any_json(), any_json(), dependencies, any::<bool>()).prop_map(
        |((address, api_version, uid), desired, owned, fields, applied, depends_on, protect)| Entry {
            address: Address::from_text(address),
            api_version,
            uid,
            desired,
            owned,
            fields: fields.into(),
            applied: applied.into(),
            depends_on,
            protect,
        },
    )
}

/// Any state.
pub(super) fn any_state() -> impl Strategy<Value = State> {
    let entries = proptest::collection::btree_map(any_object(), any_entry(), 0..4);
    (".{0,8}", ".{0,8}", ".{0,8}", ".{0,8}", any::<u64>(), any::<bool>(), entries).prop_map(
        |(stack, namespace, cluster, lineage, serial, with_extra_manifests, entries)| State {
            stack,
            namespace,
            cluster,
            lineage: Lineage(lineage),
            serial: Serial(serial),
            with_extra_manifests,
            entries,
        },
    )
}

/// A journal's intents, and results for some of them in any order.
pub(super) fn any_run() -> impl Strategy<Value = (Vec<Intent>, Vec<JournalResult>)> {
    let action = proptest::sample::select(vec![
        IntentAction::Create,
        IntentAction::Update,
        IntentAction::Adopt,
        IntentAction::Replace,
        IntentAction::Delete,
        IntentAction::Forget,
    ]);
    let outcome = proptest::sample::select(vec![Outcome::Done, Outcome::Failed, Outcome::Unknown]);
    let recording = prop_oneof![
        any_entry().prop_map(|entry| Recording::Put(Box::new(entry))),
        Just(Recording::Remove),
        Just(Recording::Unchanged),
    ];
    let result = (outcome, recording, proptest::option::of(".{0,6}"));
    proptest::collection::btree_map(any_object(), (action, proptest::option::of(result)), 1..6).prop_map(
        |objects: BTreeMap<_, _>| {
            let mut run = (Vec::new(), Vec::new());
            for (object, (action, result)) in objects {
                run.0.push(intent(&object, action));
                run.1.extend(result.map(|(outcome, recording, uid)| JournalResult { object, uid, outcome, recording }));
            }
            run
        },
    )
}
