//! Plain writes: POST, PUT, and the JSON, merge and strategic merge patches.

use serde_json::Value;

use super::Writer;
use super::entries::{Entries, Identity, Owned};
use super::settle::Write;
use super::versions::{SameFields, Versions};
use super::written::{as_written, zero_object};
use crate::ssa::field_set::FieldSet;
use crate::ssa::managed::Operation;
use crate::ssa::schema::Schema;
use crate::ssa::stripped::{STRIPPED, show_template_generation};
use crate::ssa::validate::{validate, validate_stored};

/// Gives an object that is about to be written the entries that the server would store with it.
///
/// `object` is what the request came to, decoded, canonical and with its defaults, together with the managed fields that the
/// client sent; `live` is what is stored, `None` where the object is created. The object leaves in the form in which the
/// server writes it ([`as_written`]). All versions of the kind are taken to have the same fields; see
/// [`track_update_in`] for others.
pub fn track_update(schema: &Schema, live: Option<&Value>, object: &mut Value, writer: &Writer<'_>, reset: &FieldSet) {
    track_update_in(&SameFields(schema), schema, live, object, writer, reset);
}

/// Does what [`track_update`] does for a kind with several versions.
pub fn track_update_in(
    versions: &dyn Versions,
    schema: &Schema,
    live: Option<&Value>,
    object: &mut Value,
    writer: &Writer<'_>,
    reset: &FieldSet,
) {
    track_update_of(versions, schema, live, object, writer, reset, &FieldSet::default());
}

/// Does what [`track_update_in`] does for an object of which is known what the server finds changed though it reads the same
/// ([`held_otherwise`](super::held_otherwise)).
pub fn track_update_of(
    versions: &dyn Versions,
    schema: &Schema,
    live: Option<&Value>,
    object: &mut Value,
    writer: &Writer<'_>,
    reset: &FieldSet,
    otherwise: &FieldSet,
) {
    let mut entries = entries_to_start_from(schema, live, object, writer);
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    as_written(schema, object);
    // Nobody sees the number where nothing was stored yet.
    show_template_generation(schema, object, &Value::from("0"));
    let has_uid = live.is_some_and(|live| live.pointer("/metadata/uid").is_some_and(|uid| uid.as_str() != Some("")));
    if entries.owned.is_empty() && has_uid {
        return;
    }
    let of_subresource = writer.subresource.is_some();
    let write = Write { schema, api_version: writer.api_version, versions, reset, of_subresource, otherwise };
    let before = match live {
        Some(live) => {
            let mut live = live.clone();
            as_written(schema, &mut live);
            live
        }
        None => zero_of(schema, object, writer),
    };
    // What cannot be read along its schema is not tracked, and what was tracked is forgotten.
    if validate_stored(schema, &before).is_err() || validate_stored(schema, object).is_err() {
        return;
    }
    if unreadable(&write, &before, &entries).or_else(|| unreadable(&write, object, &entries)).is_some() {
        return;
    }
    track(&write, &before, object, &mut entries, writer, writer.manager);
    entries.cap_updates();
    entries.write(object);
}

/// Tells why an object cannot be read at a version that somebody wrote it at. The server renames a custom resource and takes
/// nothing out of it, so that a field which only one version declares is in the way; and at no version but the one that is
/// written may an item be there twice. Of built-in kinds only the autoscaler has lists at one version that are none at another.
pub(super) fn unreadable(write: &Write<'_>, object: &Value, entries: &Entries) -> Option<String> {
    if !may_be_unreadable(write) {
        return None;
    }
    entries.owned.values().find_map(|owned| unreadable_at(write, object, &owned.api_version))
}

/// Tells why an object cannot be read at a version of its kind.
pub(super) fn unreadable_at(write: &Write<'_>, object: &Value, version: &str) -> Option<String> {
    if !may_be_unreadable(write) || version == write.api_version {
        return None;
    }
    let schema = write.versions.schema(version)?;
    if let Some(why) = write.versions.unconvertible(object) {
        return Some(why);
    }
    validate(&schema, &write.versions.convert(object, version)).err().map(|error| error.to_string())
}

fn may_be_unreadable(write: &Write<'_>) -> bool {
    !write.schema.is_builtin() || write.schema.kind().is_some_and(|kind| kind.kind == "HorizontalPodAutoscaler")
}

/// Returns the object that a new one is compared with.
pub(super) fn zero_of(schema: &Schema, object: &Value, writer: &Writer<'_>) -> Value {
    let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default();
    zero_object(schema, writer.api_version, kind)
}

/// Records one plain write, the number of entries not yet being limited.
pub(super) fn track(
    write: &Write<'_>,
    before: &Value,
    after: &Value,
    entries: &mut Entries,
    writer: &Writer<'_>,
    manager: &str,
) {
    write.reconciled(entries);
    // The writer's own entry loses what changed, like everybody's, and then gains it anew.
    let (found, _) = write.settle(before, after, entries, None);
    let gained = found.modified.union(&found.added).without(write.reset).difference(&STRIPPED);
    if gained.is_empty() {
        return;
    }
    let identity = Identity::of_writer(writer, manager, Operation::Update);
    let fields = match entries.owned.get(&identity) {
        Some(owned) => gained.union(&owned.fields),
        None => gained,
    };
    entries.times.insert(identity.clone(), Some(writer.time.to_owned()));
    entries.owned.insert(identity, Owned { api_version: writer.api_version.to_owned(), fields });
}

/// Returns the entries that a write starts from: those that the client sent, if it may and they can be read, else those that
/// are stored. An empty list, or one that holds one empty entry, asks for none.
fn entries_to_start_from(schema: &Schema, live: Option<&Value>, object: &Value, writer: &Writer<'_>) -> Entries {
    let of_live = || {
        let stored = live.and_then(|live| live.pointer("/metadata/managedFields"));
        stored.and_then(Entries::read).unwrap_or_default()
    };
    let sent = object.pointer("/metadata/managedFields").unwrap_or(&Value::Null);
    if writer.subresource.is_some_and(|subresource| !subresource.is_empty()) {
        return of_live();
    }
    match sent {
        // The metadata of custom resources is read into a structure and written again, so that nothing is left of it.
        Value::Array(list) if list.is_empty() && !schema.is_builtin() => of_live(),
        Value::Array(list) if list.is_empty() => Entries::default(),
        Value::Array(list) if list.len() == 1 && list.iter().all(is_empty_entry) => Entries::default(),
        Value::Array(_) => match Entries::read(sent) {
            Some(entries) if !entries.owned.is_empty() => entries,
            _ => of_live(),
        },
        _ => of_live(),
    }
}

fn is_empty_entry(entry: &Value) -> bool {
    entry.is_null()
        || entry
            .as_object()
            .is_some_and(|entry| entry.values().all(|value| value.is_null() || value.as_str() == Some("")))
}
