//! POST, and every other way in which an object comes to be.

use std::sync::Arc;

use serde_json::Value;

use super::{Place, Written, as_stored, check_rights, defaulted, judged, metadata, pruned, shown};
use crate::sandbox::admission::{self, Operation};
use crate::sandbox::convert::{self, Served};
use crate::sandbox::custom;
use crate::sandbox::decode::{Decoded, Empties, WriteOptions};
use crate::sandbox::refusal::Refusal;
use crate::sandbox::state::State;
use crate::sandbox::strategy::{self, Requester};
use crate::ssa::tracking::{self, Writer};

/// Makes an object out of a decoded body.
///
/// # Errors
/// As the server turns it down.
pub fn create(state: &mut State, place: &Place, decoded: Decoded, options: &WriteOptions) -> Result<Written, Refusal> {
    let Decoded { object, warnings, empties, .. } = pruned(state, &place.kind, decoded, options)?;
    let mut written = from_body(state, place, object, &empties, options).map_err(|refusal| refusal.after(&warnings))?;
    written.warnings.splice(0..0, warnings);
    Ok(written)
}

/// Goes on with an object that was made out of a body.
pub(super) fn from_body(
    state: &mut State,
    place: &Place,
    mut object: Value,
    empties: &Empties,
    options: &WriteOptions,
) -> Result<Written, Refusal> {
    metadata::settle_namespace(place, &mut object)?;
    metadata::wipe(&mut object);
    if !metadata::text(&object, "resourceVersion").is_empty() {
        return Err(Refusal::plain("resourceVersion should not be set on objects to be created"));
    }
    let labels_follow = strategy::labels_follow_template(&place.kind, &object);
    defaulted(&place.kind, &mut object);
    track(state, place, &mut object);
    if labels_follow && let Some(metadata) = metadata::of(&mut object) {
        metadata.remove("labels");
    }
    finish(state, place, object, empties, options)
}

/// A request for a certificate says who sent it, whatever its body says.
fn record_requester(place: &Place, object: &mut Value) {
    if !place.kind.is("certificates.k8s.io", "CertificateSigningRequest") {
        return;
    }
    let user = place.asked.as_ref().map(|asked| asked.user.clone()).unwrap_or_default();
    let requester = Requester { username: user.name, uid: user.uid, groups: user.groups, extra: user.extra };
    strategy::record_requester(&requester, object);
}

fn track(state: &State, place: &Place, object: &mut Value) {
    let time = metadata::seconds(state.clock.now());
    let api_version = place.kind.api_version();
    let writer =
        Writer { manager: &place.manager, api_version: &api_version, subresource: place.subresource(), time: &time };
    let reset = super::reset_fields(place);
    let versions = Served { kinds: &state.kinds, kind: &place.kind };
    tracking::track_update_in(&versions, &place.kind.schema, None, object, &writer, &reset);
}

/// Takes an object whose owners are settled to where it is stored.
pub(super) fn finish(
    state: &mut State,
    place: &Place,
    mut object: Value,
    empties: &Empties,
    options: &WriteOptions,
) -> Result<Written, Refusal> {
    let kind = &place.kind;
    let now = state.clock.now();
    let mut random = std::mem::take(&mut state.random);
    let admitted = admission::admit_create(state, kind, None, &mut object, &mut |length| random.suffix(length));
    state.random = random;
    let mut warnings = admitted?;
    if kind.custom.is_some() && !kind.verbs.contains(&"create") {
        let why = "create not allowed while custom resource definition is terminating";
        return Err(Refusal::forbidden(kind, metadata::text(&object, "name"), why).after(&warnings));
    }
    check_rights(state, place, &object, None).map_err(|refusal| refusal.after(&warnings))?;
    warnings.extend(metadata::dedupe_owners(&mut object));
    metadata::identify(&mut object, &mut state.random, now);
    // What is made by a write of its status gets no addresses.
    if place.subresource.is_none() {
        let mut random = std::mem::take(&mut state.random);
        let allocated =
            strategy::allocate(state, kind, None, &mut object, options.dry_run, &mut |length| random.suffix(length));
        state.random = random;
        allocated.map_err(|refusal| refusal.after(&warnings))?;
    }
    record_requester(place, &mut object);
    strategy::prepare_for_create(kind, &mut object);
    if super::is_definition(kind) {
        custom::prepare_definition(&mut object, None);
    }
    as_stored(kind, &mut object);
    let name = metadata::text(&object, "name").to_owned();
    let (problems, told) = judged(place, None, &empties.restored(&object));
    if !problems.is_empty() {
        return Err(super::invalid(kind, &name, &problems).after(&warnings));
    }
    warnings.extend(told);
    let reviewed = admission::review(state, kind, None, Operation::Create, &object);
    warnings.extend(reviewed.map_err(|refusal| refusal.after(&warnings))?);
    let key = state.key(kind, &place.namespace, &name);
    if let Some(existing) = state.store.get(&key) {
        let mut refusal = Refusal::already_exists(kind, &name);
        if !metadata::text(existing.object(), "deletionTimestamp").is_empty() {
            refusal.message = format!("object is being deleted: {}", refusal.message);
        }
        return Err(refusal.after(&warnings));
    }
    if options.dry_run {
        if let Some(metadata) = metadata::of(&mut object) {
            metadata.remove("resourceVersion");
        }
        return Ok(Written { code: 201, object: Arc::new(object), warnings });
    }
    let stored = convert::to_storage(&state.kinds, kind, object);
    let change = state.write(key.clone(), Some(stored))?;
    // What the server stores of a new claim is not what it stores of one that it read.
    if kind.is("", "PersistentVolumeClaim") {
        state.rough.insert(key);
    }
    let object = change.after.map(|after| shown(kind, after.object())).unwrap_or_default();
    Ok(Written { code: 201, object, warnings })
}
