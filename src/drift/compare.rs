//! Comparing: each recorded resource with the live one, field by field, and with what the file asks for now.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{DriftKind, DriftReport, FieldDrift, ResourceDrift, ResourceState};

use crate::live::{Live, Observation};
use crate::plan::{Base, attribution, field_change};
use crate::resource::{FIELD_MANAGER, GroupKind, Manifest, ObjectRef};
use crate::ssa::{self, FieldSet, ManagedEntry, Path, Schema, ValueChange};
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
    let desired: BTreeMap<ObjectRef, (&crate::resource::Address, &Desired)> = inputs
        .stack
        .resources
        .iter()
        .map(|(address, desired)| (desired.manifest.object_ref(), (address, desired)))
        .collect();
    let mut resources: Vec<ResourceDrift> = inputs
        .state
        .entries
        .iter()
        .map(|(object, entry)| {
            let wanted = desired.get(object).map(|(_, desired)| *desired);
            ResourceDrift {
                address: entry.address.clone(),
                object: object.clone(),
                state: stand(inputs, object, entry, wanted),
                exclusive: wanted.is_some_and(|desired| desired.exclusive),
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

fn stand(inputs: &Inputs<'_>, object: &ObjectRef, entry: &Entry, desired: Option<&Desired>) -> ResourceState {
    if let Some(why) = inputs.observation.unreadable.get(object) {
        return ResourceState::Unreadable(why.clone());
    }
    let Some(live) = inputs.observation.objects.get(object) else { return ResourceState::Deleted };
    if live.uid() != entry.uid {
        return ResourceState::Recreated;
    }
    let fields = fields(inputs, object, entry, live, desired);
    match (fields.is_empty(), desired) {
        (true, None) => ResourceState::LeftTheFile,
        (true, Some(_)) => ResourceState::Clean,
        (false, _) => ResourceState::Changed(fields),
    }
}

fn fields(
    inputs: &Inputs<'_>,
    object: &ObjectRef,
    entry: &Entry,
    live: &Live,
    desired: Option<&Desired>,
) -> Vec<FieldDrift> {
    let secret = object.kind == "Secret" && object.group.is_empty();
    let kind = object.group_kind();
    let schema = (inputs.schema)(&entry.api_version, &object.kind);
    let entries = ssa::managed_fields(&live.object).unwrap_or_default();
    let recorded = fields_of(&entry.fields);
    let now = ssa::extract(&live.object, &recorded);
    let now = if secret { (inputs.keyed)(&now) } else { now };
    let pending = pending(inputs, entry, desired, schema.as_ref(), secret);
    let mut found: Vec<FieldDrift> = ssa::changes(schema.as_ref(), &entry.applied, &now)
        .iter()
        .map(|change| {
            let by = owner(&entries, &change.path).map(attribution);
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
    found.extend(added(&entries, live, &recorded, &kind));
    for field in &mut found {
        field.muted = mute(inputs, &entry.address, field);
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
    if secret || crate::resource::Digest::of(manifest.object()) == entry.desired {
        return Vec::new();
    }
    ssa::changes(schema, &entry.applied, &declared(manifest, inputs))
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

/// Fields that others set beside ours.
fn added(entries: &[ManagedEntry], live: &Live, recorded: &FieldSet, kind: &GroupKind) -> Vec<FieldDrift> {
    let mut found = Vec::new();
    for entry in entries.iter().filter(|entry| {
        entry.manager != FIELD_MANAGER
            && entry.subresource.is_none()
            && !CONTROL_PLANE.contains(&entry.manager.as_str())
    }) {
        for path in entry.fields.iter().filter(|path| is_leaf(&entry.fields, path) && !recorded.covers(path)) {
            let text = path.to_string();
            if text.starts_with(".status") || text == ".metadata.annotations" || text == ".metadata.labels" {
                continue;
            }
            let Some(value) = ssa::value_at(&live.object, &path) else { continue };
            let change = ValueChange { path: path.clone(), before: None, after: Some(value.clone()) };
            found.push(FieldDrift {
                kind: DriftKind::Added,
                change: field_change(kind, &change, Some(attribution(entry))),
                desired: None,
                muted: None,
            });
        }
    }
    found
}

/// Recorded fields; those of a record that somebody edited are none.
fn fields_of(encoded: &Value) -> FieldSet {
    FieldSet::from_fields_v1(encoded).unwrap_or_default()
}

fn is_leaf(fields: &FieldSet, path: &Path) -> bool {
    fields.below(path).is_none_or(FieldSet::is_empty)
}

/// Whose hand a field is in: the manager that owns it or, for a field that is gone, the one that last wrote beside it.
fn owner<'a>(entries: &'a [ManagedEntry], path: &Path) -> Option<&'a ManagedEntry> {
    let others = || entries.iter().filter(|entry| entry.manager != FIELD_MANAGER);
    others().find(|entry| entry.fields.contains(path)).or_else(|| {
        others().filter(|entry| entry.subresource.is_none()).max_by(|left, right| left.time.cmp(&right.time))
    })
}

fn mute(inputs: &Inputs<'_>, address: &crate::resource::Address, field: &FieldDrift) -> Option<(String, String)> {
    let covers = |mute: &&Mute| {
        mute.address == *address
            && field.change.path.starts_with(&mute.field)
            && inputs.today <= mute.until.as_str()
            && field.kind != DriftKind::Pending
    };
    inputs.stack.mutes.iter().find(covers).map(|mute| (mute.reason.clone(), mute.until.clone()))
}

impl DriftReport {
    /// Tells whether anything counts as drift: a resource that is gone or made anew, or a field that somebody else
    /// changed and no mute covers. Added fields count only where the stack says `exclusive`; what is pending never does.
    #[must_use]
    pub fn has_drift(&self) -> bool {
        self.resources.iter().any(|resource| match &resource.state {
            ResourceState::Deleted | ResourceState::Recreated => true,
            ResourceState::Changed(fields) => fields.iter().any(|field| {
                field.muted.is_none()
                    && match field.kind {
                        DriftKind::Drift | DriftKind::Both => true,
                        DriftKind::Added => resource.exclusive,
                        DriftKind::Pending => false,
                    }
            }),
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
