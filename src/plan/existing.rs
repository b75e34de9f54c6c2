//! Deciding about a desired object that exists: ours or not, changed by whom, and what an apply would make of it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::ignore::{config_to_send, ignored_paths};
use super::{Action, Certainty, Change, Conflict, Consequence, Inputs, Precondition, Reason, field_change};
use crate::diff::Attribution;
use crate::live::{Live, Prediction};
use crate::resource::{Digest, FIELD_MANAGER, Manifest, STACK_LABEL, stack_label};
use crate::ssa::{self, FieldSet, ManagedEntry, Path, Schema};
use crate::stack::{Desired, Grant};
use crate::state::Entry;

/// Decides what to do with a desired object that exists. `blank` has everything filled in that does not depend on it.
pub(super) fn decide_existing(inputs: &Inputs<'_>, desired: &Desired, live: &Live, blank: Change) -> Change {
    if live.is_deleting() {
        return Change { action: Action::Refuse, reason: Reason::BeingDeleted, ..blank };
    }
    let recorded = inputs.state.entries.get(&blank.object).filter(|entry| entry.uid == live.uid());
    let why = match recorded {
        Some(_) => None,
        None => match adoption(inputs, live, &blank) {
            Adoption::Because(reason) => Some(reason),
            Adoption::Used => return Change { reason: Reason::UsedNamespace, ..blank },
            Adoption::Refused(owner) => {
                return Change { action: Action::Refuse, reason: Reason::TakenByOthers { owner }, ..blank };
            }
        },
    };
    let desired_digest = inputs.desired_digest(&desired.manifest);
    let blank = Change {
        desired: Some(desired_digest),
        precondition: Precondition {
            uid: Some(live.uid().to_owned()),
            resource_version: Some(live.resource_version().to_owned()),
            concerned: None,
        },
        ..blank
    };
    if let Some(entry) = recorded
        && entry.desired == desired_digest
        && is_as_recorded(inputs, entry, live, desired.manifest.is_secret())
    {
        let stale = entry.protect != desired.protect
            || entry.address != blank.address
            || entry.depends_on != blank.depends_on_objects;
        return Change { reason: if stale { Reason::RecordOnly } else { Reason::UpToDate }, ..blank };
    }
    predict(inputs, desired, live, recorded, why, blank)
}

enum Adoption {
    Because(Reason),
    Used,
    Refused(String),
}

fn adoption(inputs: &Inputs<'_>, live: &Live, blank: &Change) -> Adoption {
    if inputs.policy.adopt.contains(&blank.address) {
        return Adoption::Because(Reason::AdoptionAsked);
    }
    let label = live.label(STACK_LABEL);
    let ours = stack_label(&inputs.stack.name, &inputs.stack.namespace);
    if label == Some(ours.as_str()) && ssa::owned_by(&live.object, FIELD_MANAGER).is_some() {
        let recorded = inputs.state.entries.contains_key(&blank.object);
        return Adoption::Because(if recorded { Reason::Recreated } else { Reason::OursByLabel });
    }
    match label {
        // Also one that another stack made: several stacks may live in it.
        _ if blank.object.kind == "Namespace" && blank.object.group.is_empty() => Adoption::Used,
        Some(other) if other != ours => Adoption::Refused(format!("stack `{other}` (label {STACK_LABEL})")),
        _ => Adoption::Refused(owners(live)),
    }
}

/// Names the managers of an object that is not ours.
fn owners(live: &Live) -> String {
    let entries = ssa::managed_fields(&live.object).unwrap_or_default();
    let managers: BTreeSet<String> = entries.into_iter().map(|entry| format!("`{}`", entry.manager)).collect();
    if managers.is_empty() {
        "somebody who left no trace in its managed fields".to_owned()
    } else {
        format!("field manager {}", managers.into_iter().collect::<Vec<_>>().join(", "))
    }
}

/// Tells whether the fields we own, and their values, are those that were recorded after the last apply.
fn is_as_recorded(inputs: &Inputs<'_>, entry: &Entry, live: &Live, secret: bool) -> bool {
    let Some(raw) = ssa::raw_fields_of(&live.object, FIELD_MANAGER) else { return false };
    let Ok(fields) = FieldSet::from_fields_v1(raw) else { return false };
    let own = ssa::extract(&live.object, &fields);
    let own = if secret { (inputs.keyed)(&own) } else { own };
    Entry::owned_digest(raw, &own) == entry.owned
}

fn predict(
    inputs: &Inputs<'_>,
    desired: &Desired,
    live: &Live,
    recorded: Option<&Entry>,
    adopted: Option<Reason>,
    blank: Change,
) -> Change {
    let secret = desired.manifest.is_secret();
    let kind = blank.object.group_kind();
    let known = (inputs.schema)(&blank.api_version, &blank.object.kind);
    let schema = known.clone().unwrap_or_else(Schema::deduced);
    let config = config_to_send(desired, live, &ignored_paths(inputs, desired));
    let applied = match ssa::apply(&schema, Some(&live.object), config.object(), FIELD_MANAGER) {
        Ok(applied) => applied,
        Err(error) => {
            return Change { action: Action::Refuse, reason: Reason::Rejected(error.to_string()), ..blank };
        }
    };
    let recorded_fields = recorded.and_then(|entry| FieldSet::from_fields_v1(&entry.fields).ok()).unwrap_or_default();
    let mut refused = Vec::new();
    let mut forced = Vec::new();
    let mut takes_back = false;
    for conflict in &applied.conflicts {
        let told = Conflict { field: conflict.path.to_string(), by: attribution(&conflict.entry) };
        if recorded_fields.contains(&conflict.path) {
            takes_back = true;
            forced.push(told);
        } else if adopted == Some(Reason::AdoptionAsked) || is_granted(inputs, desired, &told) {
            forced.push(told);
        } else {
            refused.push(told);
        }
    }
    let (predicted, certainty) = match inputs.predictions.get(&blank.object) {
        Some(Prediction::Rejected(why)) => {
            return Change { action: Action::Refuse, reason: Reason::Rejected(why.clone()), ..blank };
        }
        Some(Prediction::Server(object)) => (object, Certainty::Server),
        Some(Prediction::AfterApply(why)) => (&applied.object, Certainty::AfterApply(why.clone())),
        Some(Prediction::Proved(_) | Prediction::SchemaOnly(_)) | None => (&applied.object, Certainty::SchemaOnly),
    };
    let values = ssa::changes(known.as_ref(), &live.object, predicted);
    let paths: Vec<&Path> = values.iter().map(|change| &change.path).collect();
    let drifted = recorded.is_some_and(|entry| drifted_since(inputs, entry, live, secret));
    let diff = values
        .iter()
        .map(|change| {
            let by = forced.iter().find(|conflict| touches(&conflict.field, &change.path));
            field_change(&kind, change, by.map(|conflict| conflict.by.clone()))
        })
        .collect::<Vec<_>>();
    let ownership_changes = ssa::raw_fields_of(&live.object, FIELD_MANAGER) != Some(&applied.fields.to_fields_v1());
    let changed = !diff.is_empty() || ownership_changes;
    let desired_changed = recorded.is_none_or(|entry| Some(entry.desired) != blank.desired);
    let (action, reason) = match (adopted, changed) {
        _ if !refused.is_empty() => (Action::Refuse, Reason::Conflict(refused)),
        (Some(reason), _) => (Action::Adopt, reason),
        (None, false) => (Action::NoChange, if desired_changed { Reason::RecordOnly } else { Reason::UpToDate }),
        (None, true) => (
            Action::Update,
            match (desired_changed, drifted || takes_back) {
                (true, true) => Reason::DesiredChangedAndTakeBack,
                (false, true) => Reason::TakeBack,
                (_, false) => Reason::DesiredChanged,
            },
        ),
    };
    let mut consequences = Vec::new();
    if action == Action::Update && diff.is_empty() {
        consequences.push(Consequence::Note("only the ownership of fields is restored; no value changes".to_owned()));
    }
    let concerned = Some(concerned_digest(inputs, &live.object, &paths, secret));
    Change {
        action,
        reason,
        diff,
        forced,
        consequences,
        certainty: if changed { certainty } else { Certainty::Proved },
        precondition: Precondition { concerned, ..blank.precondition.clone() },
        manifest: Some(config),
        ..blank
    }
}

fn touches(field: &str, path: &Path) -> bool {
    let path = path.to_string();
    path.starts_with(field) || field.starts_with(&path)
}

/// Tells whether somebody changed what we recorded.
fn drifted_since(inputs: &Inputs<'_>, entry: &Entry, live: &Live, secret: bool) -> bool {
    let Ok(fields) = FieldSet::from_fields_v1(&entry.fields) else { return true };
    let now = ssa::extract(&live.object, &fields);
    let now = if secret { (inputs.keyed)(&now) } else { now };
    Entry::owned_digest(&entry.fields, &now) != entry.owned
}

/// Digest of the live values at the paths that a change is about: it must be the same right before the write.
fn concerned_digest(inputs: &Inputs<'_>, live: &Value, paths: &[&Path], secret: bool) -> Digest {
    let mut fields = FieldSet::default();
    for path in paths {
        fields.insert(path);
    }
    let part = ssa::extract(live, &fields);
    if secret { Digest::of(&(inputs.keyed)(&part)) } else { Digest::of(&part) }
}

fn is_granted(inputs: &Inputs<'_>, desired: &Desired, conflict: &Conflict) -> bool {
    inputs.policy.grants.iter().chain(&desired.grants).any(|grant: &Grant| {
        grant.manager.as_ref().is_none_or(|manager| *manager == conflict.by.manager)
            && grant.field.as_ref().is_none_or(|field| conflict.field.starts_with(field.as_str()))
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
