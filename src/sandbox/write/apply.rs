//! Server-side apply.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Place, Written, create, defaulted, defaulted_over, held, metadata, shown, update};
use crate::sandbox::convert::Served;
use crate::sandbox::custom;
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
    let key = state.key(kind, &place.namespace, &place.name);
    let live = state.store.get(&key).map(|stored| shown(kind, stored.object()));
    // What is sent is not read before there is something that it can be applied to.
    if live.is_none() && place.subresource.is_some() && !is_made_by_status(kind) {
        return Err(Refusal::not_found(kind, &place.name));
    }
    let (config, repeated) = decode::yaml_or_json(body)?;
    check_kind(kind, &config)?;
    let time = metadata::seconds(state.clock.now());
    let api_version = kind.api_version();
    let writer =
        Writer { manager: &place.manager, api_version: &api_version, subresource: place.subresource(), time: &time };
    let reset = super::reset_fields(place);
    let force = options.force.unwrap_or(false);
    let versions = Served { kinds: &state.kinds, kind };
    let applied = tracking::apply_as_in(&versions, &kind.schema, live.as_deref(), &config, &writer, force, &reset);
    let applied = applied.map_err(refusal)?;
    let warnings = repeated.judged(options.field_validation)?;
    let mut object = applied.object;
    let mut empties = Empties::default();
    match (&kind.custom, &applied.merged) {
        // Nulls that the schema does not allow are not dropped here, but refused.
        (Some(definition), _) => {
            custom::prune(definition, &mut object);
            custom::with_defaults(definition, &mut object);
        }
        (None, Some(merged)) => {
            (object, empties) = decode::applied(kind, &config, merged, &object)?;
            // What is compared with the object that is stored is filled in where it was taken away.
            match &live {
                Some(live) => defaulted_over(kind, live, &mut object),
                None => defaulted(kind, &mut object),
            }
            held::hold(kind, held::sources(kind, merged), &mut object);
        }
        (None, None) => {}
    }
    let is_stored_so =
        state.kinds.storage(&kind.group, &kind.kind).is_some_and(|stored| stored.version == kind.version);
    let is_rough = is_stored_so && leaves_empty_metadata(kind, &config, &object);
    let was_rough = state.rough.contains(&key);
    if is_rough {
        state.rough.insert(key.clone());
    }
    let written = store(state, place, &config, live, (object, &empties), options);
    if is_rough && written.is_ok() && !options.dry_run {
        state.rough.insert(key);
    } else if is_rough && !was_rough {
        state.rough.remove(&key);
    }
    let mut written = written.map_err(|refusal| refusal.after(&warnings))?;
    written.warnings.splice(0..0, warnings);
    Ok(written)
}

/// Takes a merged object to where it is stored.
fn store(
    state: &mut State,
    place: &Place,
    config: &Value,
    live: Option<Arc<Value>>,
    (mut object, empties): (Value, &Empties),
    options: &WriteOptions,
) -> Result<Written, Refusal> {
    let given_uid = metadata::text(config, "uid");
    match live {
        None => {
            if !given_uid.is_empty() {
                let why = format!(
                    "uid mismatch: the provided object specified uid {given_uid}, and no existing object was found"
                );
                return Err(Refusal::conflict(&place.kind, &place.name, &why));
            }
            metadata::settle_name(place, &object)?;
            metadata::settle_namespace(place, &mut object)?;
            metadata::wipe(&mut object);
            if let Some(metadata) = metadata::of(&mut object) {
                metadata.remove("resourceVersion");
            }
            create::finish(state, place, object, empties, options)
        }
        Some(live) => {
            metadata::settle_name(place, &object)?;
            metadata::settle_namespace(place, &mut object)?;
            if let Some(metadata) = metadata::of(&mut object) {
                for field in ["resourceVersion", "uid"] {
                    let given = metadata::text(config, field);
                    let kept = if given.is_empty() { metadata::text(&live, field) } else { given };
                    metadata.insert(field.to_owned(), Value::from(kept));
                }
            }
            update::finish(state, place, &live, object, empties, options)
        }
    }
}

/// Tells whether the server stores empty metadata that it does not read again: applied to a custom resource, it is part of
/// the merged object, which is stored as it is where nothing has to be converted.
fn leaves_empty_metadata(kind: &Kind, config: &Value, object: &Value) -> bool {
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    };
    kind.custom.is_some()
        && ["labels", "annotations", "finalizers", "ownerReferences"].iter().any(|field| {
            let of = |object: &Value| object.get("metadata").and_then(|metadata| metadata.get(*field)).map(is_empty);
            of(config) == Some(true) && of(object) != Some(false)
        })
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

/// Tells whether an apply of the status makes what is not there: of these kinds the server takes it for one of the object.
fn is_made_by_status(kind: &Kind) -> bool {
    update::is_made_by_put(kind)
        || kind.is("admissionregistration.k8s.io", "ValidatingAdmissionPolicy")
        || kind.is("", "Namespace")
}

/// A configuration says what it is, and it is what the path leads to.
fn check_kind(kind: &Kind, config: &Value) -> Result<(), Refusal> {
    let text = |field: &str| config.get(field).and_then(Value::as_str).unwrap_or_default();
    let (api_version, name) = (text("apiVersion"), text("kind"));
    let wanted = kind.api_version();
    if (api_version, name) == (wanted.as_str(), kind.kind.as_str()) {
        return Ok(());
    }
    let slash = if api_version.contains('/') { "" } else { "/" };
    Err(Refusal::bad_request(format!("invalid object type: {slash}{api_version}, Kind={name}")))
}
