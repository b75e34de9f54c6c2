//! Writing down what an apply does: intents before the first write, each result right after it, the snapshot at the end.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::prepare::Prepared;
use super::session::{Session, state_failure};
use crate::apply::{Fact, FindSecret, Record, recorded_entry};
use crate::failure::Failure;
use crate::live::Observation;
use crate::plan::{Action, Change, Plan, Reason};
use crate::resource::{Manifest, ObjectRef};
use crate::secret::SecretValue;
use crate::stack::Stack;
use crate::state::{
    Intent, IntentAction, JournalHeader, JournalResult, LockRecord, LockedStore, Outcome, Recording, Run, State,
};

/// Who runs it and as what; handed into the lock and the journal.
pub(super) struct Identity {
    pub(super) user: String,
    pub(super) host: String,
    pub(super) command: String,
    pub(super) run_id: String,
    pub(super) started: Timestamp,
}

impl Identity {
    /// The lock's record of this process.
    pub(super) fn lock_record(&self) -> LockRecord {
        LockRecord {
            user: self.user.clone(),
            host: self.host.clone(),
            pid: std::process::id(),
            process_started: self.started,
            command: self.command.clone(),
            since: self.started,
            run_id: self.run_id.clone(),
            expires: None,
        }
    }
}

/// Keeps the state of a run while it goes on.
pub(super) struct Recorder {
    run: Run,
    state: State,
}

impl Recorder {
    /// Puts the intents of the whole plan on the disk. After this, writes to the cluster may begin.
    pub(super) fn begin(
        locked: LockedStore,
        session: &Session,
        plan: &Plan,
        identity: &Identity,
    ) -> Result<Self, Failure> {
        let mut state = session.state.clone();
        if session.interrupted.as_ref().is_some_and(|run| !run.alive) {
            // The results of the dead run become a snapshot of their own, so that this run's journal stands on it.
            state.serial = state.serial.next();
            locked.save(&state).map_err(|error| state_failure(&error))?;
        }
        let header = JournalHeader {
            stack: state.stack.clone(),
            namespace: state.namespace.clone(),
            cluster: state.cluster.clone(),
            lineage: state.lineage.clone(),
            serial: state.serial,
            run_id: identity.run_id.clone(),
            command: identity.command.clone(),
            started: identity.started,
            with_extra_manifests: plan.with_extra_manifests,
        };
        let intents: Vec<Intent> = plan
            .changes
            .iter()
            .filter_map(|change| intent(change, state.entries.contains_key(&change.object)))
            .collect();
        let run = locked.begin_run(&header, &intents).map_err(|error| state_failure(&error))?;
        Ok(Self { run, state })
    }

    /// Writes one result down.
    pub(super) fn record(&mut self, record: Record) -> Result<(), String> {
        self.run.append(&take(&mut self.state, record)).map_err(|error| {
            let failure = state_failure(&error);
            failure.chain.join(": ")
        })
    }

    /// Saves the snapshot and ends the journal. Where it is not known what came of a write (`settled` is false), both stay
    /// as they are: the next run takes the results from the journal, and looks at what is not known.
    pub(super) fn finish(mut self, prepared: &Prepared, settled: bool) -> Result<(), Failure> {
        if !settled {
            return Ok(());
        }
        conclude(&mut self.state, prepared);
        let gone = prepared.plan.destroy && self.state.is_empty();
        let locked = self.run.finish(&self.state).map_err(|error| state_failure(&error))?;
        if gone { locked.discard().map_err(|error| state_failure(&error)) } else { Ok(()) }
    }
}

/// Takes what happened into a state, and returns the line of it for the journal.
pub(super) fn take(state: &mut State, record: Record) -> JournalResult {
    let Record { object, fact } = record;
    let (outcome, recording, uid) = match fact {
        Fact::Applied(entry) => {
            let uid = entry.uid.clone();
            state.entries.insert(object.clone(), (*entry).clone());
            (Outcome::Done, Recording::Put(entry), Some(uid))
        }
        Fact::Removed => {
            let uid = state.entries.remove(&object).map(|entry| entry.uid);
            (Outcome::Done, Recording::Remove, uid)
        }
        Fact::Failed(_) => (Outcome::Failed, Recording::Unchanged, None),
        Fact::Unknown(_) => (Outcome::Unknown, Recording::Unchanged, None),
    };
    JournalResult { object, uid, outcome, recording }
}

/// Makes the next snapshot of a state out of what a run took into it.
pub(super) fn conclude(state: &mut State, prepared: &Prepared) {
    let plan = &prepared.plan;
    for change in plan.changes.iter().filter(|change| change.reason == Reason::RecordOnly) {
        refresh(state, change, prepared);
    }
    state.with_extra_manifests = plan.with_extra_manifests;
    state.serial = state.serial.next();
}

/// Makes the record anew of an object that needed no write, as it was read for the plan: its address or its protection may
/// be others, or the key of its digests.
fn refresh(state: &mut State, change: &Change, prepared: &Prepared) {
    if let Some(observed) = prepared.observation.objects.get(&change.object) {
        state.entries.insert(change.object.clone(), recorded_entry(change, &observed.live(), &*prepared.keyed));
    }
}

fn intent(change: &Change, recorded: bool) -> Option<Intent> {
    let action = match change.action {
        Action::Create => IntentAction::Create,
        Action::Update => IntentAction::Update,
        Action::Adopt => IntentAction::Adopt,
        Action::Delete => IntentAction::Delete,
        Action::Forget => IntentAction::Forget,
        Action::NoChange | Action::Keep | Action::Refuse => return None,
    };
    Some(Intent {
        object: change.object.clone(),
        address: change.address.clone(),
        api_version: change.api_version.clone(),
        action,
        desired: change.desired,
        uid: change.precondition.uid.clone(),
        resource_version: change.precondition.resource_version.clone(),
        recorded,
        depends_on: change.depends_on_objects.clone(),
        protect: change.protect,
    })
}

/// Finds values of Secrets among what was read, for checks that need one.
pub(super) fn live_secrets(observation: &Observation) -> FindSecret {
    let secrets: BTreeMap<ObjectRef, BTreeMap<String, SecretValue>> = observation
        .objects
        .iter()
        .filter(|(object, _)| object.is_secret())
        .map(|(object, observed)| (object.clone(), values(&observed.live().object)))
        .collect();
    Arc::new(move |object, key| secrets.get(object)?.get(key).cloned())
}

/// Finds values of Secrets in what the stack applies.
pub(super) fn desired_secrets(stack: &Stack) -> FindSecret {
    let secrets: BTreeMap<ObjectRef, BTreeMap<String, SecretValue>> = stack
        .resources
        .values()
        .filter(|desired| desired.manifest.is_secret())
        .map(|desired| (desired.manifest.object_ref().clone(), values(desired.manifest.object())))
        .collect();
    Arc::new(move |object, key| secrets.get(object)?.get(key).cloned())
}

fn values(secret: &serde_json::Value) -> BTreeMap<String, SecretValue> {
    let data = secret.get("data").and_then(|data| data.as_object());
    data.into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((key.clone(), SecretValue::from_base64(value.as_str()?)?)))
        .collect()
}

/// The stack's manifests by identity; those of Secrets are of no use to a check.
pub(super) fn declared(stack: &Stack) -> BTreeMap<ObjectRef, Manifest> {
    stack
        .resources
        .values()
        .filter(|desired| !desired.manifest.is_secret())
        .map(|desired| (desired.manifest.object_ref().clone(), desired.manifest.clone()))
        .collect()
}
