//! Deciding about a desired object that exists: ours or not, changed by whom, and what an apply would make of it.

use serde_json::Value;

use super::ignore::config_to_send;
use super::ownership::{Claim, claim};
use super::{Action, Certainty, Change, Conflict, Consequence, Inputs, Precondition, Reason, field_change};
use crate::diff::Attribution;
use crate::live::{Live, Prediction};
use crate::ready::{self, Readiness};
use crate::resource::{Digest, FIELD_MANAGER, Manifest};
use crate::ssa::{self, ApplyError, FieldConflict, FieldSet, ManagedEntry, Path, Schema};
use crate::stack::{Desired, Grant};
use crate::state::Entry;

/// Kinds that come to do what they should some time after they are stored.
const WAITED_FOR: [&str; 6] =
    ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CustomResourceDefinition"];

/// Decides what to do with a desired object that exists. `blank` has everything filled in that does not depend on it.
/// `ignored` is left to others.
pub(super) fn decide_existing(
    inputs: &Inputs<'_>,
    desired: &Desired,
    live: &Live,
    ignored: &[Path],
    blank: Change,
) -> Change {
    let change = compare(inputs, desired, live, ignored, blank);
    if change.reason == Reason::UpToDate && WAITED_FOR.contains(&change.object.kind.as_str()) {
        match ready::readiness(&live.object, None) {
            Readiness::Ready => {}
            Readiness::Waiting(why) | Readiness::Failed(why) => {
                return Change { reason: Reason::NotReady(why), ..change };
            }
        }
    }
    change
}

fn compare(inputs: &Inputs<'_>, desired: &Desired, live: &Live, ignored: &[Path], blank: Change) -> Change {
    if live.is_deleting() {
        return Change { action: Action::Refuse, reason: Reason::BeingDeleted, ..blank };
    }
    let (recorded, why) = match claim(inputs, live, &blank) {
        Claim::Recorded(entry) => (Some(entry), None),
        Claim::Adopted(reason) => (None, Some(reason)),
        Claim::Used => return used(inputs, blank),
        Claim::Taken(owner) => {
            return Change { action: Action::Refuse, reason: Reason::TakenByOthers { owner }, ..blank };
        }
    };
    let desired_digest = inputs.desired_digest(&desired.manifest, ignored);
    let blank = Change {
        desired: Some(desired_digest),
        precondition: Precondition {
            uid: Some(live.uid().to_owned()),
            resource_version: Some(live.resource_version().to_owned()),
            ..Precondition::default()
        },
        ..blank
    };
    if let Some(entry) = recorded
        && entry.desired == desired_digest
        && is_as_recorded(inputs, entry, live, desired.manifest.is_secret())
    {
        let stale = is_record_stale(entry, desired, &blank);
        return Change { reason: if stale { Reason::RecordOnly } else { Reason::UpToDate }, ..blank };
    }
    predict(inputs, desired, live, ignored, recorded, why, blank)
}

/// A namespace that somebody else made is used and never recorded; a record of one that was ours before it was made anew
/// is dropped.
fn used(inputs: &Inputs<'_>, blank: Change) -> Change {
    if inputs.state.entries.contains_key(&blank.object) {
        return Change { action: Action::Forget, reason: Reason::NoLongerOurs, ..blank };
    }
    Change { reason: Reason::UsedNamespace, ..blank }
}

/// Tells whether the fields we own, and their values, are those that were recorded after the last apply.
fn is_as_recorded(inputs: &Inputs<'_>, entry: &Entry, live: &Live, secret: bool) -> bool {
    let Some(raw) = ssa::raw_fields_of(&live.object, FIELD_MANAGER) else { return false };
    let Ok(own) = ssa::part_of_encoded(&live.object, raw) else { return false };
    let digest = if secret {
        Entry::owned_digest(raw, &(inputs.keyed)(&own.to_value()))
    } else {
        Entry::owned_digest(raw, &own)
    };
    digest == entry.owned
}

fn predict(
    inputs: &Inputs<'_>,
    desired: &Desired,
    live: &Live,
    ignored: &[Path],
    recorded: Option<&Entry>,
    adopted: Option<Reason>,
    blank: Change,
) -> Change {
    let secret = desired.manifest.is_secret();
    let kind = blank.object.group_kind();
    let known = (inputs.schema)(&blank.api_version, &blank.object.kind);
    let schema = known.clone().unwrap_or_else(Schema::deduced);
    let config = config_to_send(desired, live, ignored);
    let applied = match ssa::apply(&schema, Some(&live.object), config.object(), FIELD_MANAGER) {
        Ok(applied) => applied,
        Err(error) => {
            let reason = Reason::Rejected(why_not(&error, secret));
            return Change { action: Action::Refuse, reason, ..blank };
        }
    };
    let recorded_fields = recorded.and_then(|entry| FieldSet::from_fields_v1(&entry.fields).ok()).unwrap_or_default();
    let mut refused = Vec::new();
    let mut forced = Vec::new();
    for conflict in &applied.conflicts {
        let asked = adopted == Some(Reason::AdoptionAsked);
        if asked || recorded_fields.contains(&conflict.path) || is_granted(inputs, desired, conflict) {
            forced.push(conflict);
        } else {
            refused.push(told(conflict));
        }
    }
    let takes_back = forced.iter().any(|conflict| recorded_fields.contains(&conflict.path));
    let (predicted, certainty) = match inputs.predictions.get(&blank.object) {
        Some(Prediction::Rejected(why)) => {
            return Change { action: Action::Refuse, reason: Reason::Rejected(why.clone()), ..blank };
        }
        Some(Prediction::Server(object)) => (object, Certainty::Server),
        Some(Prediction::AfterApply(why)) => {
            let doubt = ssa::doubt(known.as_ref(), &live.object, &applied.object);
            let why = doubt.map_or_else(|| why.clone(), |doubt| format!("{why}, and {doubt}"));
            (&*applied.object, Certainty::AfterApply(why))
        }
        None => (&*applied.object, Certainty::SchemaOnly),
    };
    let values = ssa::changes(known.as_ref(), &live.object, predicted);
    let drifted = recorded.is_some_and(|entry| drifted_since(inputs, entry, live, secret, ignored));
    let diff = values
        .iter()
        .map(|change| {
            let by = forced.iter().find(|conflict| touches(&conflict.path, &change.path));
            field_change(&kind, change, by.map(|conflict| attribution(&conflict.entry)))
        })
        .collect::<Vec<_>>();
    let changed = !diff.is_empty() || applied.ownership_changed;
    let desired_changed = recorded.is_none_or(|entry| Some(entry.desired) != blank.desired);
    let record_is_stale = recorded.is_some_and(|entry| is_record_stale(entry, desired, &blank))
        || recorded.is_some_and(|entry| !is_as_recorded(inputs, entry, live, secret));
    let (action, reason) = match (adopted, changed) {
        _ if !refused.is_empty() => (Action::Refuse, Reason::Conflict(refused)),
        (Some(reason), _) => (Action::Adopt, reason),
        (None, false) if desired_changed || record_is_stale => (Action::NoChange, Reason::RecordOnly),
        (None, false) => (Action::NoChange, Reason::UpToDate),
        (None, true) => (
            Action::Update,
            match (desired_changed, drifted || takes_back) {
                (true, true) => Reason::DesiredChangedAndTakeBack,
                (true, false) => Reason::DesiredChanged,
                // Be it only whose a field is.
                (false, _) => Reason::TakeBack,
            },
        ),
    };
    let mut consequences = Vec::new();
    if action == Action::Update && diff.is_empty() {
        consequences.push(Consequence::Note("only the ownership of fields is restored; no value changes".to_owned()));
    }
    let concerned_fields: FieldSet = values.iter().map(|change| change.path.clone()).collect();
    let concerned = Some(concerned_digest(&live.object, &concerned_fields, secret.then_some(inputs.keyed)));
    Change {
        action,
        reason,
        diff,
        forced: forced.into_iter().map(told).collect(),
        consequences,
        certainty: if changed { certainty } else { Certainty::Proved },
        precondition: Precondition { concerned, concerned_fields, ..blank.precondition.clone() },
        manifest: Some(config),
        ..blank
    }
}

/// Why a manifest cannot be applied. What does not fit in a Secret is quoted by nobody.
fn why_not(error: &ApplyError, secret: bool) -> String {
    match error {
        ApplyError::Config(problem) if !secret => format!("{error}: {problem}"),
        _ => error.to_string(),
    }
}

fn told(conflict: &FieldConflict) -> Conflict {
    Conflict { field: conflict.path.to_string(), by: attribution(&conflict.entry) }
}

/// Tells whether one of the paths is the other, or lies within it.
fn touches(one: &Path, other: &Path) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

/// Tells whether a record says something else of an object than what its fields say.
fn is_record_stale(entry: &Entry, desired: &Desired, blank: &Change) -> bool {
    entry.protect != desired.protect || entry.address != blank.address || entry.depends_on != blank.depends_on_objects
}

/// Tells whether somebody changed what we recorded, outside of what is left to others.
fn drifted_since(inputs: &Inputs<'_>, entry: &Entry, live: &Live, secret: bool, ignored: &[Path]) -> bool {
    let Ok(fields) = FieldSet::from_fields_v1(&entry.fields) else { return true };
    let now = ssa::extract(&live.object, &fields);
    let now = if secret { (inputs.keyed)(&now) } else { now };
    let left_to_others = |path: &Path| ignored.iter().any(|ignored| path.starts_with(ignored));
    Entry::owned_digest(&entry.fields, &now) != entry.owned
        && ssa::changes(None, &entry.applied, &now).iter().any(|change| !left_to_others(&change.path))
}

/// Returns the digest of an object's values in some fields, keyed where `keyed` is given: what a plan is about must be
/// the same right before the write.
#[must_use]
pub fn concerned_digest(object: &Value, fields: &FieldSet, keyed: Option<&dyn Fn(&Value) -> Value>) -> Digest {
    let part = ssa::extract(object, fields);
    keyed.map_or_else(|| Digest::of(&part), |keyed| Digest::of(&keyed(&part)))
}

fn is_granted(inputs: &Inputs<'_>, desired: &Desired, conflict: &FieldConflict) -> bool {
    inputs.policy.grants.iter().chain(&desired.grants).any(|grant: &Grant| {
        let covers = |field: &String| Path::parse(field).is_ok_and(|field| conflict.path.starts_with(&field));
        grant.manager.as_ref().is_none_or(|manager| *manager == conflict.entry.manager)
            && grant.field.as_ref().is_none_or(covers)
    })
}

/// Tells whose a managed-fields entry is.
#[must_use]
pub fn attribution(entry: &ManagedEntry) -> Attribution {
    Attribution {
        manager: entry.manager.clone(),
        operation: entry.operation.to_string(),
        subresource: entry.subresource.clone(),
        time: entry.time.clone(),
    }
}

/// The manifest of a change, where it is to be sent.
#[must_use]
pub fn sends(change: &Change) -> Option<&Manifest> {
    match change.action {
        Action::Create | Action::Update | Action::Adopt => change.manifest.as_ref(),
        _ => None,
    }
}
