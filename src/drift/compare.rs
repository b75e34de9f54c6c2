//! Comparing: each recorded resource with the live one, field by field, and with what the file asks for now.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{DriftKind, DriftReport, FieldDrift, ResourceDrift, ResourceState};

use crate::live::{Live, Observation, Observed};
use crate::plan::{Base, Scaled, attribution, field_change, ignored_paths};
use crate::resource::{Address, FIELD_MANAGER, Manifest, ObjectRef};
use crate::ssa::{self, FieldSet, ManagedEntry, Path, PathElement, Schema, ValueChange};
use crate::stack::{Desired, Mute, Stack};
use crate::state::{Entry, State};

/// Everything that is compared.
pub struct Inputs<'a> {
    /// What should run now; Secrets need no values.
    pub stack: &'a Stack,
    /// What was recorded.
    pub state: &'a State,
    /// What the cluster has.
    pub observation: &'a Observation,
    /// The schema of a kind, by API version and kind.
    pub schema: &'a dyn Fn(&str, &str) -> Option<Schema>,
    /// Replaces every value of a Secret by its keyed digest.
    pub keyed: &'a dyn Fn(&Value) -> Value,
    /// Today (`2026-12-31`, UTC): mutes count until their day is over.
    pub today: &'a str,
}

/// Managers of the control plane, whose fields are its business and no drift.
const CONTROL_PLANE: [&str; 6] = [
    "kube-controller-manager",
    "kube-scheduler",
    "kube-apiserver",
    "kubelet",
    "cloud-controller-manager",
    "cluster-autoscaler",
];

/// Compares recorded, live and desired.
#[must_use]
pub fn compare(inputs: &Inputs<'_>, base: Base) -> DriftReport {
    let desired: BTreeMap<ObjectRef, (&Address, &Desired)> = inputs
        .stack
        .resources
        .iter()
        .map(|(address, desired)| (desired.manifest.object_ref().clone(), (address, desired)))
        .collect();
    let scaled = Scaled::of(inputs.stack);
    let mut resources: Vec<ResourceDrift> = inputs
        .state
        .entries
        .iter()
        .map(|(object, entry)| {
            let wanted = desired.get(object).copied();
            ResourceDrift {
                // A resource that got another address in the file is spoken of by that one.
                address: wanted.map_or(&entry.address, |(address, _)| address).clone(),
                object: object.clone(),
                state: stand(inputs, &scaled, object, entry, wanted),
                exclusive: wanted.is_some_and(|(_, desired)| desired.exclusive),
            }
        })
        .collect();
    let unrecorded = desired.iter().filter(|(object, _)| !inputs.state.entries.contains_key(object));
    resources.extend(unrecorded.filter(|(object, _)| !is_used_namespace(inputs, object)).map(
        |(object, (address, desired))| ResourceDrift {
            address: (*address).clone(),
            object: object.clone(),
            state: ResourceState::NotApplied,
            exclusive: desired.exclusive,
        },
    ));
    resources.sort_by(|left, right| left.address.cmp(&right.address));
    DriftReport { base, resources }
}

/// A namespace that somebody else made is used, never recorded.
fn is_used_namespace(inputs: &Inputs<'_>, object: &ObjectRef) -> bool {
    object.kind == "Namespace" && object.group.is_empty() && inputs.observation.objects.contains_key(object)
}

fn stand(
    inputs: &Inputs<'_>,
    scaled: &Scaled<'_>,
    object: &ObjectRef,
    entry: &Entry,
    desired: Option<(&Address, &Desired)>,
) -> ResourceState {
    if let Some(why) = inputs.observation.unreadable.get(object) {
        return ResourceState::Unreadable(why.clone());
    }
    let Some(live) = inputs.observation.objects.get(object).map(Observed::live) else { return ResourceState::Deleted };
    if live.uid() != entry.uid {
        return ResourceState::Recreated;
    }
    if live.is_deleting() {
        return ResourceState::Deleted;
    }
    let fields = fields(inputs, scaled, object, entry, &live, desired);
    match (fields.is_empty(), desired) {
        (true, None) => ResourceState::LeftTheFile,
        (true, Some(_)) => ResourceState::Clean,
        (false, _) => ResourceState::Changed(fields),
    }
}

fn fields(
    inputs: &Inputs<'_>,
    scaled: &Scaled<'_>,
    object: &ObjectRef,
    entry: &Entry,
    live: &Live,
    desired: Option<(&Address, &Desired)>,
) -> Vec<FieldDrift> {
    let address = desired.map_or(&entry.address, |(address, _)| address);
    let desired = desired.map(|(_, desired)| desired);
    let ignored = desired.map(|desired| ignored_paths(scaled, desired)).unwrap_or_default();
    let left_to_others = |change: &ValueChange| ignored.iter().any(|path| change.path.starts_with(path));
    let secret = object.is_secret();
    let kind = object.group_kind();
    let schema = (inputs.schema)(&entry.api_version, &object.kind);
    let entries = ssa::managed_fields(&live.object).unwrap_or_default();
    let recorded = fields_of(&entry.fields);
    let now = ssa::extract(&live.object, &recorded);
    let now = if secret { (inputs.keyed)(&now) } else { now };
    let mut pending = pending(inputs, entry, desired, schema.as_ref(), secret);
    pending.retain(|change| !left_to_others(change) && !is_key_left_out(change));
    let mut found: Vec<FieldDrift> = ssa::changes(schema.as_ref(), &entry.applied, &now)
        .iter()
        .filter(|change| !left_to_others(change))
        .map(|change| {
            let by = whose_hand(&entries, change).map(attribution);
            let wanted = pending.iter().find(|other| other.path == change.path);
            FieldDrift {
                kind: if wanted.is_some() { DriftKind::Both } else { DriftKind::Drift },
                change: field_change(&kind, change, by),
                desired: wanted.and_then(|other| field_change(&kind, other, None).after),
                muted: None,
            }
        })
        .collect();
    let drifted: BTreeSet<String> = found.iter().map(|field| field.change.path.clone()).collect();
    found.extend(pending.iter().filter(|change| !drifted.contains(&change.path.to_string())).map(|change| {
        let shown = field_change(&kind, change, None);
        FieldDrift { kind: DriftKind::Pending, desired: shown.after.clone(), change: shown, muted: None }
    }));
    let added = added(&entries, live, &recorded).into_iter().filter(|(change, _)| !left_to_others(change));
    found.extend(added.map(|(change, entry)| FieldDrift {
        kind: DriftKind::Added,
        change: field_change(&kind, &change, Some(attribution(entry))),
        desired: None,
        muted: None,
    }));
    for field in &mut found {
        field.muted = mute(inputs, address, field);
    }
    found.sort_by(|left, right| left.change.path.cmp(&right.change.path));
    found
}

/// What the file asks for now that differs from what was recorded. The keys of a Secret that we fill are left out:
/// drift never needs their sources.
fn pending(
    inputs: &Inputs<'_>,
    entry: &Entry,
    desired: Option<&Desired>,
    schema: Option<&Schema>,
    secret: bool,
) -> Vec<ValueChange> {
    let Some(manifest) = desired.map(|desired| &desired.manifest) else { return Vec::new() };
    if secret || manifest.digest() == entry.desired {
        return Vec::new();
    }
    let mut changes = ssa::changes(schema, &entry.applied, &declared(manifest, inputs));
    changes.retain(|change| !is_filled_in(change));
    changes
}

/// Tells whether a change is only that the file leaves out what the server filled in, in an item of a list that it owns as
/// a whole (the `status` of a claim template).
fn is_filled_in(change: &ValueChange) -> bool {
    let within_item = change.path.iter().rev().skip(1).any(|element| matches!(element, PathElement::Index(_)));
    change.after.is_none() && within_item
}

/// Tells whether a change is only that the file leaves out a part of an item's key (a port's protocol), which the server
/// fills in.
fn is_key_left_out(change: &ValueChange) -> bool {
    match &change.path[..] {
        [.., PathElement::Key(keys), PathElement::Field(name)] => change.after.is_none() && keys.has(name),
        _ => false,
    }
}

/// The fields of a manifest that an apply would own, as the server would store them.
fn declared(manifest: &Manifest, inputs: &Inputs<'_>) -> Value {
    let mut object = manifest.object().clone();
    if let Some(schema) = (inputs.schema)(manifest.api_version(), manifest.kind()) {
        ssa::canonicalise(&schema, &mut object);
        if let Ok(fields) = ssa::set_of(&schema, &object) {
            // Identity is nobody's field.
            object = ssa::extract(&object, &fields);
        }
    }
    if let Some(map) = object.as_object_mut() {
        map.remove("apiVersion");
        map.remove("kind");
        map.remove("status");
        if let Some(metadata) = map.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("name");
            metadata.remove("namespace");
            if metadata.is_empty() {
                map.remove("metadata");
            }
        }
    }
    object
}

/// Fields that others set beside ours, and who: an item of a list as a whole, and of several owners the latest.
fn added<'a>(entries: &'a [ManagedEntry], live: &Live, recorded: &FieldSet) -> Vec<(ValueChange, &'a ManagedEntry)> {
    let mut found: BTreeMap<Path, &ManagedEntry> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| {
        entry.manager != FIELD_MANAGER
            && entry.subresource.is_none()
            && !CONTROL_PLANE.contains(&entry.manager.as_str())
    }) {
        for path in entry.fields.iter().filter(|path| is_leaf(&entry.fields, path) && !recorded.covers(path)) {
            if matches!(path.first(), Some(PathElement::Field(name)) if name == "status") || is_map_of_names(&path) {
                continue;
            }
            let path = whole_item(&entry.fields, recorded, &path).unwrap_or(path);
            let latest = found.entry(path).or_insert(entry);
            if latest.time < entry.time {
                *latest = entry;
            }
        }
    }
    let valued = |(path, entry): (Path, &'a ManagedEntry)| {
        let after = Some(ssa::value_at(&live.object, &path)?.clone());
        Some((ValueChange { path, before: None, after }, entry))
    };
    found.into_iter().filter_map(valued).collect()
}

/// Labels and annotations as such are everybody's.
fn is_map_of_names(path: &Path) -> bool {
    *path == Path::of_fields(&["metadata", "labels"]) || *path == Path::of_fields(&["metadata", "annotations"])
}

/// Returns the outermost list item around a path that was added as a whole.
fn whole_item(fields: &FieldSet, recorded: &FieldSet, path: &Path) -> Option<Path> {
    (1..path.len()).map(|length| Path::from(path[..length].to_vec())).find(|outer| {
        matches!(outer.last(), Some(PathElement::Key(_))) && fields.contains(outer) && recorded.below(outer).is_none()
    })
}

/// Recorded fields; those of a record that somebody edited are none.
fn fields_of(encoded: &Value) -> FieldSet {
    FieldSet::from_fields_v1(encoded).unwrap_or_default()
}

fn is_leaf(fields: &FieldSet, path: &Path) -> bool {
    fields.below(path).is_none_or(FieldSet::is_empty)
}

/// Whose hand a changed field is in: the manager that has it now, another before ourselves (for ourselves only where
/// another run of Mathison wrote it). Of a field that is gone nobody has a trace: then it is the one that last wrote the
/// object after us.
fn whose_hand<'a>(entries: &'a [ManagedEntry], change: &ValueChange) -> Option<&'a ManagedEntry> {
    let ours = entries.iter().find(|entry| entry.is_applied_by(FIELD_MANAGER));
    if change.after.is_some() {
        let owners = ssa::owners_of(entries, &change.path);
        let other = owners.iter().find(|entry| !entry.is_applied_by(FIELD_MANAGER));
        return other.or(owners.first()).copied();
    }
    let after_us = |entry: &&ManagedEntry| {
        !entry.is_applied_by(FIELD_MANAGER)
            && entry.subresource.is_none()
            && !CONTROL_PLANE.contains(&entry.manager.as_str())
            && ours.is_none_or(|ours| entry.time >= ours.time)
    };
    entries.iter().filter(after_us).max_by(|left, right| left.time.cmp(&right.time))
}

fn mute(inputs: &Inputs<'_>, address: &Address, field: &FieldDrift) -> Option<(String, String)> {
    let covers = |mute: &&Mute| {
        mute.address == *address
            && is_within(&field.change.path, &mute.field)
            && inputs.today <= mute.until.as_str()
            && field.kind != DriftKind::Pending
    };
    inputs.stack.mutes.iter().find(covers).map(|mute| (mute.reason.clone(), mute.until.clone()))
}

/// Tells whether a path, as it is shown, is `field` or lies below it.
fn is_within(path: &str, field: &str) -> bool {
    match (Path::parse(path), Path::parse(field)) {
        (Ok(path), Ok(field)) => path.starts_with(&field),
        _ => false,
    }
}

impl ResourceDrift {
    /// Tells whether a field of this resource counts as drift: somebody else changed it, and no mute covers it. Added
    /// fields count only where the stack says `exclusive`; what is pending never does.
    #[must_use]
    pub fn counts(&self, field: &FieldDrift) -> bool {
        field.muted.is_none()
            && match field.kind {
                DriftKind::Drift | DriftKind::Both => true,
                DriftKind::Added => self.exclusive,
                DriftKind::Pending => false,
            }
    }
}

impl DriftReport {
    /// Tells whether anything counts as drift: a resource that is gone or made anew, or a field of one.
    #[must_use]
    pub fn has_drift(&self) -> bool {
        self.resources.iter().any(|resource| match &resource.state {
            ResourceState::Deleted | ResourceState::Recreated => true,
            ResourceState::Changed(fields) => fields.iter().any(|field| resource.counts(field)),
            ResourceState::Clean
            | ResourceState::NotApplied
            | ResourceState::LeftTheFile
            | ResourceState::Unreadable(_) => false,
        })
    }

    /// Returns the resources that could not be read: a report with one is no answer.
    pub fn unreadable(&self) -> impl Iterator<Item = (&ResourceDrift, &str)> {
        self.resources.iter().filter_map(|resource| match &resource.state {
            ResourceState::Unreadable(why) => Some((resource, why.as_str())),
            _ => None,
        })
    }
}
