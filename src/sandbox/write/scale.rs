//! The scale of an object: read and written as an object of its own, stored as a field of its parent.

use std::sync::Arc;

use serde_json::Value;

use super::{Place, Written, identity, metadata, update};
use crate::sandbox::convert;
use crate::sandbox::custom;
use crate::sandbox::decode::{self, Decoded, Empties, WriteOptions};
use crate::sandbox::kind::Kind;
use crate::sandbox::patch::{PatchKind, patched};
use crate::sandbox::refusal::{FieldProblem, Refusal};
use crate::sandbox::state::State;
use crate::ssa::tracking::{self, ReplicasPaths, Writer};
use crate::ssa::{self, FieldSet, ManagedEntry, Path};

/// Reads the scale of an object.
///
/// # Errors
/// 404, or 500 where the object has no replicas.
pub fn get_scale(state: &State, place: &Place) -> Result<Value, Refusal> {
    scale_of(&place.kind, &parent(state, place)?)
}

/// Replaces the scale of an object.
///
/// # Errors
/// As the server turns it down.
pub fn put_scale(
    state: &mut State,
    place: &Place,
    decoded: Decoded,
    options: &WriteOptions,
) -> Result<Written, Refusal> {
    let parent = parent(state, place)?;
    let Decoded { mut object, warnings, .. } = decoded;
    metadata::settle_name(place, &object)?;
    metadata::settle_namespace(place, &mut object)?;
    identity::check_uid(place, Some(&parent), &object, options.dry_run)?;
    let live = with_entries(place, &parent, scale_to_write(&place.kind, &parent)?)?;
    let scale = Scale { schema: ssa::schema::scale(), parent, live };
    scale.track(state, place, &mut object);
    let mut written = scale.store(state, place, object, options)?;
    written.warnings.splice(0..0, warnings);
    Ok(written)
}

/// Patches the scale of an object, or applies it.
///
/// # Errors
/// As the server turns it down.
pub fn patch_scale(
    state: &mut State,
    place: &Place,
    kind: &Arc<Kind>,
    sort: Option<PatchKind>,
    body: &[u8],
    options: &WriteOptions,
) -> Result<Written, Refusal> {
    let parent = parent(state, place)?;
    let live = with_entries(place, &parent, scale_to_write(&place.kind, &parent)?)?;
    let scale = Scale { schema: ssa::schema::scale(), parent, live };
    let (object, warnings) = match sort {
        Some(sort) => {
            let Decoded { mut object, warnings, .. } =
                patched(sort, kind, &scale.live, body, options.field_validation)?;
            metadata::settle_name(place, &object)?;
            scale.track(state, place, &mut object);
            (object, warnings)
        }
        None => {
            let (config, repeated) = decode::yaml_or_json(body)?;
            let said = |field: &str| config.get(field).and_then(Value::as_str).unwrap_or_default();
            if (said("apiVersion"), said("kind")) != ("autoscaling/v1", "Scale") {
                let message = format!("invalid object type: {}, Kind={}", said("apiVersion"), said("kind"));
                return Err(Refusal::bad_request(message));
            }
            let has_entries = scale.live.pointer("/metadata/managedFields").is_some();
            if place.kind.custom.is_some() && !has_entries {
                return Err(applied_to_custom(None));
            }
            let time = metadata::seconds(state.clock.now());
            let writer = scale.writer(place, &time);
            let force = options.force.unwrap_or(false);
            let reset = FieldSet::new();
            let applied = tracking::apply_as(&scale.schema, Some(&scale.live), &config, &writer, force, &reset)
                .map_err(super::apply::refusal)?;
            if place.kind.custom.is_some() && applied.merged.is_some() {
                return Err(applied_to_custom(Some(&config)));
            }
            let warnings = repeated.judged(options.field_validation)?;
            metadata::settle_name(place, &applied.object)?;
            (applied.object, warnings)
        }
    };
    let mut written = scale.store(state, place, object, options)?;
    written.warnings.splice(0..0, warnings);
    Ok(written)
}

/// The scale of one object while it is written.
struct Scale {
    schema: ssa::Schema,
    parent: Value,
    live: Value,
}

impl Scale {
    fn writer<'a>(&self, place: &'a Place, time: &'a str) -> Writer<'a> {
        Writer { manager: &place.manager, api_version: "autoscaling/v1", subresource: Some("scale"), time }
    }

    fn track(&self, state: &State, place: &Place, object: &mut Value) {
        let time = metadata::seconds(state.clock.now());
        let writer = self.writer(place, &time);
        tracking::track_update(&self.schema, Some(&self.live), object, &writer, &FieldSet::new());
    }

    fn store(
        &self,
        state: &mut State,
        place: &Place,
        object: Value,
        options: &WriteOptions,
    ) -> Result<Written, Refusal> {
        let replicas = object.pointer("/spec/replicas").and_then(Value::as_i64).unwrap_or(0);
        // The scale of a custom resource is validated with the resource, after versions were compared.
        if replicas < 0 && place.kind.custom.is_none() {
            let detail = "must be greater than or equal to 0";
            let problem = FieldProblem::invalid("spec.replicas", &Value::from(replicas), detail);
            return Err(Refusal::invalid_as("autoscaling", "Scale", &place.name, &[problem]));
        }
        let mut parent = match &place.kind.custom {
            Some(definition) => custom::scaled(definition, &self.parent, replicas)?,
            None => {
                let mut parent = self.parent.clone();
                parent["spec"]["replicas"] = Value::from(replicas);
                parent
            }
        };
        let entries = tracking::entries_after_scale(
            &entries_of(&self.parent)?,
            &entries_of(&object)?,
            &place.kind.api_version(),
            &replicas_paths(&place.kind),
        );
        if let Some(metadata) = metadata::of(&mut parent) {
            set_entries(metadata, &entries);
            for field in ["resourceVersion", "uid"] {
                let given = metadata::text(&object, field);
                if !given.is_empty() {
                    metadata.insert(field.to_owned(), Value::from(given));
                }
            }
        }
        let written = update::finish(state, place, &self.parent, parent, &Empties::default(), options)?;
        Ok(Written { object: Arc::new(scale_to_write(&place.kind, &written.object)?), ..written })
    }
}

fn parent(state: &State, place: &Place) -> Result<Value, Refusal> {
    let key = state.key(&place.kind, &place.namespace, &place.name);
    let stored = state.store.get(&key).ok_or_else(|| Refusal::not_found(&place.kind, &place.name))?;
    Ok(convert::to(&place.kind, stored.object()).into_owned())
}

fn scale_of(kind: &Kind, parent: &Value) -> Result<Value, Refusal> {
    match &kind.custom {
        Some(definition) => custom::scale_of(definition, parent),
        None => Ok(custom::builtin_scale(kind, parent)),
    }
}

fn scale_to_write(kind: &Kind, parent: &Value) -> Result<Value, Refusal> {
    match &kind.custom {
        Some(definition) => custom::scale_to_write(definition, parent),
        None => Ok(custom::builtin_scale(kind, parent)),
    }
}

/// Nobody can change the scale of a custom resource by applying it: the server cannot read it at the version of `Scale`. It
/// notices with the merged object, or before that where nobody owns anything of the scale yet.
fn applied_to_custom(config: Option<&Value>) -> Refusal {
    const WHY: &str = "autoscaling/v1, Kind=Scale) to proper version: request to convert CR to an invalid group/version: \
                       autoscaling/v1";
    Refusal::plain(match config {
        Some(config) => {
            let text = |field: &str| metadata::text(config, field);
            format!("failed to convert new object ({}/{}; {WHY}", text("namespace"), text("name"))
        }
        None => format!("failed to create manager for existing fields: failed to convert live object (/; {WHY}"),
    })
}

fn entries_of(object: &Value) -> Result<Vec<ManagedEntry>, Refusal> {
    ssa::managed_fields(object).map_err(|error| Refusal::plain(error.to_string()))
}

/// Where each version of a kind keeps its replicas.
fn replicas_paths(kind: &Kind) -> ReplicasPaths {
    let path = match &kind.custom {
        Some(definition) => {
            let path = definition.version.pointer("/subresources/scale/specReplicasPath").and_then(Value::as_str);
            path.map(|path| Path::of_fields(&path.trim_start_matches('.').split('.').collect::<Vec<_>>()))
        }
        None => Some(Path::of_fields(&["spec", "replicas"])),
    };
    ReplicasPaths::from([(kind.api_version(), path)])
}

fn with_entries(place: &Place, parent: &Value, mut scale: Value) -> Result<Value, Refusal> {
    let entries = tracking::scale_entries(&entries_of(parent)?, &replicas_paths(&place.kind));
    if let Some(metadata) = metadata::of(&mut scale) {
        set_entries(metadata, &entries);
    }
    Ok(scale)
}

fn set_entries(metadata: &mut serde_json::Map<String, Value>, entries: &[ManagedEntry]) {
    if entries.is_empty() {
        metadata.remove("managedFields");
    } else {
        metadata.insert("managedFields".to_owned(), entries.iter().map(ManagedEntry::to_value).collect());
    }
}
