//! Deciding about what is recorded and no longer desired: delete, keep, or forget.

use std::collections::{BTreeMap, BTreeSet};

use super::{Action, Certainty, Change, Consequence, Inputs, Precondition, Reason, is_of_another_stack};
use crate::graph::NodeId;
use crate::live::{Live, Observed};
use crate::resource::{Address, FIELD_MANAGER, ObjectRef, stack_label};
use crate::ssa;
use crate::state::Entry;

/// Decides about everything that is recorded and not desired, in the order in which it goes: what depends on others
/// first. `changes` are the decisions about what is desired.
pub(super) fn decide(inputs: &Inputs<'_>, changes: &[Change]) -> Vec<Change> {
    let desired: BTreeSet<&ObjectRef> = changes.iter().map(|change| &change.object).collect();
    let leaving: BTreeMap<&ObjectRef, &Entry> =
        inputs.state.entries.iter().filter(|(object, _)| !desired.contains(object)).collect();
    let protected: BTreeSet<&ObjectRef> = inputs
        .stack
        .resources
        .values()
        .filter(|desired| desired.protect)
        .map(|desired| desired.manifest.object_ref())
        .collect();
    let mut waits = used_by(inputs, changes);
    let mut decided = Vec::new();
    for object in backwards(&leaving) {
        let entry = leaving[object];
        let protect = entry.protect || protected.contains(object);
        let depends_on = waits.remove(object).unwrap_or_default().into_iter().map(NodeId::Resource).collect();
        decided.push(decide_one(inputs, object, entry, protect, depends_on));
        for dependency in &entry.depends_on {
            waits.entry(dependency).or_default().insert(entry.address.clone());
        }
    }
    warn_of_locked_volumes(&mut decided);
    decided
}

/// Says of each Secret that goes whose claims stay without it: a password made anew does not open old data.
fn warn_of_locked_volumes(decided: &mut [Change]) {
    let mut opened: BTreeMap<ObjectRef, BTreeSet<String>> = BTreeMap::new();
    for change in decided.iter() {
        if change.consequences.iter().any(|consequence| matches!(consequence, Consequence::VolumeKept { .. })) {
            for used in &change.depends_on_objects {
                opened.entry(used.clone()).or_default().insert(change.address.to_string());
            }
        }
    }
    for change in decided.iter_mut().filter(|change| change.action == Action::Delete && change.object.is_secret()) {
        for workload in opened.get(&change.object).into_iter().flatten() {
            change.consequences.push(Consequence::Note(format!(
                "the claims of {workload} stay, and may open with nothing but the values that go with this Secret: keep a \
                 copy of it, or the data is locked away"
            )));
        }
    }
}

/// What stays and used each object before: it is written first, so that it no longer uses what goes.
fn used_by<'a>(inputs: &Inputs<'a>, changes: &[Change]) -> BTreeMap<&'a ObjectRef, BTreeSet<Address>> {
    let mut waits: BTreeMap<&ObjectRef, BTreeSet<Address>> = BTreeMap::new();
    for change in changes {
        for dependency in inputs.state.entries.get(&change.object).into_iter().flat_map(|entry| &entry.depends_on) {
            waits.entry(dependency).or_default().insert(change.address.clone());
        }
    }
    waits
}

/// Orders what goes: an object after everything that was applied after it. What is left of a cycle, which runs that died
/// on the way from one order to the other can leave behind, follows in the order of identities.
fn backwards<'a>(leaving: &BTreeMap<&'a ObjectRef, &'a Entry>) -> Vec<&'a ObjectRef> {
    let mut waiting: BTreeMap<&ObjectRef, usize> = leaving.keys().map(|object| (*object, 0)).collect();
    for entry in leaving.values() {
        for dependency in &entry.depends_on {
            if let Some(count) = waiting.get_mut(dependency) {
                *count += 1;
            }
        }
    }
    let mut free: BTreeSet<(&Address, &ObjectRef)> = waiting
        .iter()
        .filter(|(_, count)| **count == 0)
        .map(|(object, _)| (&leaving[object].address, *object))
        .collect();
    let mut order = Vec::new();
    while let Some((_, object)) = free.pop_last() {
        order.push(object);
        waiting.remove(object);
        for dependency in &leaving[object].depends_on {
            if let Some(count) = waiting.get_mut(dependency) {
                *count -= 1;
                if *count == 0
                    && let Some((key, entry)) = leaving.get_key_value(dependency)
                {
                    free.insert((&entry.address, *key));
                }
            }
        }
    }
    order.extend(waiting.into_keys().filter_map(|object| leaving.get_key_value(object).map(|(key, _)| *key)));
    order
}

/// `depends_on` is what must be gone or written before the object may go: whatever was applied after it.
fn decide_one(
    inputs: &Inputs<'_>,
    object: &ObjectRef,
    entry: &Entry,
    protect: bool,
    depends_on: Vec<NodeId>,
) -> Change {
    let live = inputs.observation.objects.get(object).map(Observed::live);
    let live = live.as_deref();
    let unreadable = inputs.observation.unreadable.get(object);
    let (action, reason) = match (live, unreadable) {
        (_, Some(why)) => (Action::Refuse, Reason::Unreadable(why.clone())),
        (None, None) => (Action::Forget, Reason::Vanished),
        (Some(live), None) if !is_ours(inputs, entry, live) => (Action::Forget, Reason::NoLongerOurs),
        (Some(live), None) => match removal_of_ours(inputs, object, entry, live) {
            // What is kept anyway needs no protection.
            (Action::Delete, _) if protect => (Action::Refuse, Reason::Protected),
            decided => decided,
        },
    };
    let consequences = match (live, action, &reason) {
        (Some(live), Action::Delete, _) => volumes(live),
        (Some(live), Action::Refuse, Reason::HoldsData) => match object.kind.as_str() {
            "StatefulSet" => volumes(live),
            _ => vec![Consequence::Note("deleting it with all that is in it is not supported yet".to_owned())],
        },
        _ => Vec::new(),
    };
    Change {
        address: entry.address.clone(),
        object: object.clone(),
        // What it was read at: the recorded version may not be served any more.
        api_version: live
            .and_then(|live| live.object.get("apiVersion")?.as_str())
            .unwrap_or(&entry.api_version)
            .to_owned(),
        action,
        reason,
        diff: Vec::new(),
        forced: Vec::new(),
        consequences,
        certainty: Certainty::Proved,
        precondition: Precondition {
            uid: Some(entry.uid.clone()),
            resource_version: live.map(|live| live.resource_version().to_owned()),
            ..Precondition::default()
        },
        manifest: None,
        depends_on,
        depends_on_objects: entry.depends_on.clone(),
        desired: None,
        protect,
    }
}

/// Tells whether this very object was recorded, is still in our manager's hand, and was not taken by another stack.
fn is_ours(inputs: &Inputs<'_>, entry: &Entry, live: &Live) -> bool {
    entry.uid == live.uid()
        && ssa::owned_by(&live.object, FIELD_MANAGER).is_some()
        && !is_of_another_stack(live, &stack_label(&inputs.stack.name, &inputs.stack.namespace))
}

fn removal_of_ours(inputs: &Inputs<'_>, object: &ObjectRef, entry: &Entry, live: &Live) -> (Action, Reason) {
    let allowed = inputs.policy.allows_data_loss(&entry.address);
    match (object.group.as_str(), object.kind.as_str()) {
        ("", "PersistentVolumeClaim" | "PersistentVolume") if !allowed => (Action::Keep, Reason::HoldsData),
        // What else lies in a namespace, or which objects of a definition exist, is not looked at yet.
        ("", "Namespace") | ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            let asked = inputs.policy.data_loss.contains(&entry.address);
            (if asked { Action::Refuse } else { Action::Keep }, Reason::HoldsData)
        }
        ("apps", "StatefulSet") if !allowed && deletes_claims(live) => (Action::Refuse, Reason::HoldsData),
        _ if inputs.policy.destroy => (Action::Delete, Reason::Destroy),
        _ => (Action::Delete, Reason::LeftTheFile),
    }
}

/// Tells whether the claims of a StatefulSet go with it.
fn deletes_claims(live: &Live) -> bool {
    let when = live.object.pointer("/spec/persistentVolumeClaimRetentionPolicy/whenDeleted");
    when.and_then(|when| when.as_str()) == Some("Delete")
        && live.object.pointer("/spec/volumeClaimTemplates/0").is_some()
}

/// What happens to the claims of a StatefulSet that goes.
fn volumes(live: &Live) -> Vec<Consequence> {
    let text = |pointer: &str| live.object.pointer(pointer).and_then(|value| value.as_str());
    let Some(templates) = live.object.pointer("/spec/volumeClaimTemplates").and_then(|list| list.as_array()) else {
        return Vec::new();
    };
    let name = text("/metadata/name").unwrap_or_default();
    templates
        .iter()
        .filter_map(|template| template.pointer("/metadata/name")?.as_str())
        .map(|template| {
            let claim = format!("{template}-{name}-N");
            if deletes_claims(live) {
                Consequence::Note(format!("claims {claim} are deleted with it (whenDeleted: Delete), and their data"))
            } else {
                Consequence::VolumeKept { claim }
            }
        })
        .collect()
}
