//! PUT, and every other way in which a stored object changes.

use std::sync::Arc;

use serde_json::Value;

use super::{
    Apart, Place, Written, as_stored_over, check_rights, create, defaulted_over, identity, judged, metadata, pruned,
    shown,
};
use crate::sandbox::admission::{self, Operation};
use crate::sandbox::convert::{self, Served};
use crate::sandbox::custom;
use crate::sandbox::decode::{Decoded, Empties, WriteOptions};
use crate::sandbox::kind::Kind;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::state::State;
use crate::sandbox::strategy;
use crate::ssa::tracking::{self, Writer};

/// Kinds of which a PUT makes what is not there (`AllowCreateOnUpdate`).
const MADE_BY_PUT: &[(&str, &str)] = &[
    ("coordination.k8s.io", "Lease"),
    ("coordination.k8s.io", "LeaseCandidate"),
    ("", "Event"),
    ("events.k8s.io", "Event"),
    ("", "Endpoints"),
    ("", "Service"),
    ("", "LimitRange"),
    ("rbac.authorization.k8s.io", "Role"),
    ("rbac.authorization.k8s.io", "RoleBinding"),
    ("rbac.authorization.k8s.io", "ClusterRole"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
    ("node.k8s.io", "RuntimeClass"),
];

/// Replaces an object, or one of its subresources, by a decoded body.
///
/// # Errors
/// As the server turns it down.
pub fn update(state: &mut State, place: &Place, decoded: Decoded, options: &WriteOptions) -> Result<Written, Refusal> {
    let Decoded { object, warnings, empties, .. } = pruned(state, &place.kind, decoded, options)?;
    let mut written = replace(state, place, object, &empties, options).map_err(|refusal| refusal.after(&warnings))?;
    written.warnings.splice(0..0, warnings);
    Ok(written)
}

fn replace(
    state: &mut State,
    place: &Place,
    mut object: Value,
    empties: &Empties,
    options: &WriteOptions,
) -> Result<Written, Refusal> {
    metadata::settle_namespace(place, &mut object)?;
    metadata::settle_name(place, &object)?;
    let key = state.key(&place.kind, &place.namespace, &place.name);
    let Some(live) = state.store.get(&key).map(|stored| Arc::clone(stored.object())) else {
        return create_by_put(state, place, object, empties, options);
    };
    let live = shown(&place.kind, &live);
    defaulted_over(&place.kind, &live, &mut object);
    identity::check_uid(place, Some(&live), &object, options.dry_run)?;
    from_body(state, place, &live, object, empties, options)
}

/// Tells whether a PUT or an apply makes what is not there, even if it only means its status.
pub(super) fn is_made_by_put(kind: &Kind) -> bool {
    MADE_BY_PUT.iter().any(|(group, name)| kind.is(group, name))
}

fn create_by_put(
    state: &mut State,
    place: &Place,
    mut object: Value,
    empties: &Empties,
    options: &WriteOptions,
) -> Result<Written, Refusal> {
    let kind = &place.kind;
    if !is_made_by_put(kind) {
        return Err(Refusal::not_found(kind, &place.name));
    }
    identity::check_uid(place, None, &object, options.dry_run)?;
    let revision = metadata::of(&mut object).and_then(|metadata| metadata.remove("resourceVersion"));
    let mut written = create::from_body(state, place, object, empties, options)?;
    // What is not stored keeps what the body said.
    if options.dry_run
        && let (Some(revision), Some(metadata)) = (revision, metadata::of(Arc::make_mut(&mut written.object)))
    {
        metadata.insert("resourceVersion".to_owned(), revision);
    }
    Ok(written)
}

/// Goes on with an object that was made out of the body of a PUT or patch: tracks who wrote what.
pub(super) fn from_body(
    state: &mut State,
    place: &Place,
    live: &Value,
    mut object: Value,
    empties: &Empties,
    options: &WriteOptions,
) -> Result<Written, Refusal> {
    let time = metadata::seconds(state.clock.now());
    let api_version = place.kind.api_version();
    let writer =
        Writer { manager: &place.manager, api_version: &api_version, subresource: place.subresource(), time: &time };
    let reset = super::reset_fields(place);
    // An empty list is no list but here.
    if empties.disown()
        && let Some(metadata) = metadata::of(&mut object)
    {
        metadata.insert("managedFields".to_owned(), Value::Array(Vec::new()));
    }
    let versions = Served { kinds: &state.kinds, kind: &place.kind };
    let otherwise = empties.held_otherwise();
    let apart = if otherwise.is_empty() { Apart::take_owned(&place.kind, live, &mut object) } else { Apart::default() };
    let rest = apart.rest_of(live);
    tracking::track_update_of(&versions, &place.kind.schema, Some(&rest), &mut object, &writer, &reset, otherwise);
    apart.give_back(&mut object);
    finish(state, place, live, object, empties, options)
}

/// Takes an object whose owners are settled to where it is stored.
pub(super) fn finish(
    state: &mut State,
    place: &Place,
    live: &Value,
    mut object: Value,
    empties: &Empties,
    options: &WriteOptions,
) -> Result<Written, Refusal> {
    let kind = &place.kind;
    let name = place.name.as_str();
    let mut warnings = admission::admit_update(state, kind, place.subresource(), live, &mut object)?;
    check_rights(state, place, &object, Some(live)).map_err(|refusal| refusal.after(&warnings))?;
    warnings.extend(metadata::dedupe_owners(&mut object));
    identity::check_revision(kind, name, live, &object).map_err(|refusal| refusal.after(&warnings))?;
    metadata::carry_over(live, &mut object);
    if place.subresource.is_none() {
        let mut random = std::mem::take(&mut state.random);
        let mut draw = |length| random.suffix(length);
        let allocated = strategy::allocate(state, kind, Some(live), &mut object, options.dry_run, &mut draw);
        state.random = random;
        allocated.map_err(|refusal| refusal.after(&warnings))?;
    }
    strategy::prepare_for_update(kind, place.subresource(), live, &mut object, state.clock.now());
    if place.subresource.is_none() {
        count_empties(kind, live, &mut object, empties);
    }
    if super::is_definition(kind) && place.subresource.is_none() {
        custom::prepare_definition(&mut object, Some(live));
    }
    as_stored_over(kind, live, &mut object);
    let (problems, told) = judged(place, Some(live), &empties.restored(&object));
    if !problems.is_empty() {
        return Err(super::invalid(kind, name, &problems).after(&warnings));
    }
    warnings.extend(told);
    let reviewed = admission::review(state, kind, place.subresource(), Operation::Update(live), &object);
    warnings.extend(reviewed.map_err(|refusal| refusal.after(&warnings))?);
    tracking::keep_times_if_equal(live, &mut object);
    if let Some(metadata) = metadata::of(&mut object) {
        metadata.insert("resourceVersion".to_owned(), Value::from(metadata::text(live, "resourceVersion")));
    }
    let key = state.key(kind, &place.namespace, name);
    let is_finished = is_finished(kind, &object);
    if is_finished {
        // It is answered as it was written, for nothing is read back from where it is stored.
        let written = empties.restored(&object).into_owned();
        tell_empty(&written, &mut object);
    }
    if options.dry_run || !super::is_change(state, kind, &key, live, &object) {
        return Ok(Written { code: 200, object: Arc::new(object), warnings });
    }
    if is_finished {
        state.write(key, None)?;
        return Ok(Written { code: 200, object: Arc::new(object), warnings });
    }
    let stored = convert::to_storage(&state.kinds, kind, object);
    let change = state.write(key, Some(stored))?;
    let object = change.after.map(|after| shown(kind, after.object())).unwrap_or_default();
    Ok(Written { code: 200, object, warnings })
}

/// Tells what is empty as it was written, where it is told though it is empty; the store has no such difference.
fn tell_empty(written: &Value, object: &mut Value) {
    match (written, object) {
        (Value::Object(written), Value::Object(object)) => {
            for (name, value) in object.iter_mut() {
                if let Some(written) = written.get(name) {
                    tell_empty(written, value);
                }
            }
        }
        (Value::Array(written), Value::Array(object)) => {
            written.iter().zip(object).for_each(|(written, value)| tell_empty(written, value));
        }
        (written, value @ Value::Null) => value.clone_from(written),
        _ => {}
    }
}

/// The lists and maps of NetworkPolicies and of configurations of webhooks.
const EXACT: [&str; 18] = [
    "admissionReviewVersions",
    "apiGroups",
    "apiVersions",
    "egress",
    "except",
    "from",
    "ingress",
    "matchConditions",
    "matchExpressions",
    "matchLabels",
    "operations",
    "policyTypes",
    "ports",
    "resources",
    "rules",
    "to",
    "values",
    "webhooks",
];

/// Of a few kinds the server tells what was given empty from what was not given when it looks for changes, and what is
/// stored was not given: each such write makes a new generation.
fn count_empties(kind: &Kind, live: &Value, object: &mut Value, empties: &Empties) {
    let is_counted = kind.is("networking.k8s.io", "NetworkPolicy")
        || kind.is("admissionregistration.k8s.io", "MutatingWebhookConfiguration")
        || kind.is("admissionregistration.k8s.io", "ValidatingWebhookConfiguration");
    if !is_counted || !empties.lost(object).any(|field| EXACT.contains(&field)) {
        return;
    }
    let generation = live.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or_default();
    if let Some(metadata) = metadata::of(object) {
        metadata.insert("generation".to_owned(), Value::from(generation + 1));
    }
}

/// Tells whether a deletion that waited for finalizers is over.
pub(super) fn is_finished(kind: &Kind, object: &Value) -> bool {
    let waits =
        object.pointer("/metadata/deletionGracePeriodSeconds").and_then(Value::as_i64).is_some_and(|grace| grace > 0);
    !metadata::text(object, "deletionTimestamp").is_empty() && !waits && !strategy::is_held(kind, object)
}
