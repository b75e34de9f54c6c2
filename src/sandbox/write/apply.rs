//! Server-side apply.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Place, Written, create, defaulted, metadata, shown, update};
use crate::sandbox::convert::Served;
use crate::sandbox::decode::{self, Empties, WriteOptions};
use crate::sandbox::kind::Kind;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::state::State;
use crate::ssa::tracking::{self, ApplyRefused, Writer, conflict_message};

/// Applies a configuration.
///
/// # Errors
/// As the server turns it down.
pub fn apply(state: &mut State, place: &Place, body: &[u8], options: &WriteOptions) -> Result<Written, Refusal> {
    let kind = &place.kind;
    let (config, repeated) = decode::yaml_or_json(body)?;
    check_kind(kind, &config)?;
    let key = state.key(kind, &place.namespace, &place.name);
    let live = state.store.get(&key).map(|stored| shown(kind, &Arc::clone(&stored.object)));
    if live.is_none() && place.subresource.is_some() && !update::is_made_by_put(kind) {
        return Err(Refusal::not_found(kind, &place.name));
    }
    let time = metadata::seconds(state.clock.now());
    let api_version = kind.api_version();
    let writer =
        Writer { manager: &place.manager, api_version: &api_version, subresource: place.subresource(), time: &time };
    let reset = super::reset_fields(place);
    let force = options.force.unwrap_or(false);
    let versions = Served { kinds: &state.kinds, kind };
    let applied = tracking::apply_as_in(&versions, &kind.schema, live.as_ref(), &config, &writer, force, &reset);
    let applied = applied.map_err(refusal)?;
    if applied.changed {
        decode::check_applied(kind, &config, &applied.object)?;
    }
    let warnings = repeated.judged(options.field_validation)?;
    let mut object = applied.object;
    if kind.custom.is_some() {
        defaulted(kind, &mut object);
    }
    let mut empties = Empties::default();
    if let Some(merged) = &applied.merged {
        empties = read_merged(kind, &config, merged, &mut object)?;
    }
    let given_uid = metadata::text(&config, "uid");
    let mut written = match live {
        None => {
            if !given_uid.is_empty() {
                let why = format!(
                    "uid mismatch: the provided object specified uid {given_uid}, and no existing object was found"
                );
                return Err(Refusal::conflict(kind, &place.name, &why));
            }
            metadata::settle_name(place, &object)?;
            metadata::settle_namespace(place, &mut object)?;
            metadata::wipe(&mut object);
            if let Some(metadata) = metadata::of(&mut object) {
                metadata.remove("resourceVersion");
            }
            create::finish(state, place, object, &empties, options)?
        }
        Some(live) => {
            metadata::settle_name(place, &object)?;
            metadata::settle_namespace(place, &mut object)?;
            if let Some(metadata) = metadata::of(&mut object) {
                for field in ["resourceVersion", "uid"] {
                    let given = metadata::text(&config, field);
                    let kept = if given.is_empty() { metadata::text(&live, field) } else { given };
                    metadata.insert(field.to_owned(), Value::from(kept));
                }
            }
            update::finish(state, place, &live, object, &empties, options)?
        }
    };
    written.warnings.splice(0..0, warnings);
    Ok(written)
}

/// Reads what was merged as the structure that it is; bytes are respelled by that.
fn read_merged(kind: &Kind, config: &Value, merged: &Value, object: &mut Value) -> Result<Empties, Refusal> {
    let refuse = |mistake: String| {
        let text = |field: &str| metadata::text(config, field);
        let what = format!("{}, Kind={}", printed(&kind.api_version()), kind.kind);
        Refusal::plain(format!(
            "failed to convert new object ({}/{}; {what}) to proper version: unable to convert unstructured object to \
             {what}: {mistake}",
            text("namespace"),
            text("name")
        ))
    };
    let (_, empties) = decode::merged(kind, merged).map_err(refuse)?;
    if kind.custom.is_none() {
        let (read, _) = decode::merged(kind, object).map_err(refuse)?;
        *object = read;
    }
    Ok(empties)
}

pub(super) fn refusal(refused: ApplyRefused) -> Refusal {
    match refused {
        ApplyRefused::ManagedFieldsSet => Refusal::bad_request("metadata.managedFields must be nil"),
        ApplyRefused::Typing { message } => Refusal::plain(message),
        ApplyRefused::Live => Refusal::plain(refused.to_string()),
        ApplyRefused::Conflicts(conflicts) => {
            let (message, causes) = conflict_message(&conflicts);
            let causes: Vec<Value> = causes
                .into_iter()
                .map(|(message, field)| json!({"reason": "FieldManagerConflict", "message": message, "field": field}))
                .collect();
            let mut refusal = Refusal::new(409, "Conflict", message);
            refusal.details = json!({"causes": causes}).as_object().cloned();
            refusal
        }
    }
}

/// A configuration says what it is, and it is what the path leads to.
fn check_kind(kind: &Kind, config: &Value) -> Result<(), Refusal> {
    let text = |field: &str| config.get(field).and_then(Value::as_str).unwrap_or_default();
    let (api_version, name) = (text("apiVersion"), text("kind"));
    let wanted = kind.api_version();
    if (api_version, name) == (wanted.as_str(), kind.kind.as_str()) {
        return Ok(());
    }
    if api_version.is_empty() || name.is_empty() {
        let message = format!("invalid object type: {}, Kind={name}", printed(api_version));
        return Err(Refusal::bad_request(message));
    }
    let message = format!(
        "patch object has wrong type: {}, Kind={name}, expected {}, Kind={}",
        printed(api_version),
        printed(&wanted),
        kind.kind
    );
    Err(Refusal::bad_request(message))
}

/// An API version as Go prints it: group, slash, version.
fn printed(api_version: &str) -> String {
    match api_version.contains('/') {
        true => api_version.to_owned(),
        false => format!("/{api_version}"),
    }
}
