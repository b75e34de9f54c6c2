//! Server-side apply, with everything that the server does around the merge.

use serde_json::Value;
use thiserror::Error;

use super::Writer;
use super::entries::{Entries, Identity, Owned};
use super::last_applied::{ALLOWED_MANAGER, allowed_conflicts, refresh};
use super::settle::Write;
use super::update::{track, unreadable, unreadable_at, zero_of};
use super::versions::{SameFields, Versions};
use super::written::{as_written, without_written};
use crate::ssa::apply::FieldConflict;
use crate::ssa::canonical::canonicalise;
use crate::ssa::defaults::with_defaults;
use crate::ssa::field_set::FieldSet;
use crate::ssa::json;
use crate::ssa::managed::Operation;
use crate::ssa::merge::merge;
use crate::ssa::prune;
use crate::ssa::remove::remove;
use crate::ssa::schema::Schema;
use crate::ssa::set_of::{fields_of, named, set_of};
use crate::ssa::stripped::STRIPPED;
use crate::ssa::validate::validate_stored;

/// Who owns a live object that had no entries when it was first applied to.
const BEFORE_FIRST_APPLY: &str = "before-first-apply";

static NOTHING: FieldSet = FieldSet::new();

/// What an apply makes of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct ServerApply {
    /// The merged object in the form in which the server writes it, with its defaults and entries. Identity, generation and
    /// what the endpoint resets are as merged: they are for the caller to put right.
    pub object: Value,
    /// What the merge alone came to; `None` where it changes nothing.
    pub merged: Option<Value>,
    /// Whether the object differs from the live one, entries and their times included.
    pub changed: bool,
}

/// Why an apply is turned down.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ApplyRefused {
    /// The configuration brings entries, which only the server writes: 400.
    #[error("metadata.managedFields must be nil")]
    ManagedFieldsSet,
    /// The entries of the live object cannot be read: 500.
    #[error("failed to decode managed fields: the stored entries cannot be read")]
    Live,
    /// The configuration does not have the shape of its kind: 500, with this message.
    #[error("{message}")]
    Typing {
        /// The server's words.
        message: String,
    },
    /// Others own fields that would change: 409; see [`conflict_message`](super::conflict_message).
    #[error("{}", super::conflict_message(.0).0)]
    Conflicts(Vec<FieldConflict>),
}

/// Applies `config` to `live` as the server does, `None` being an object that is created.
///
/// `reset` is what the endpoint leaves alone. All versions of the kind are taken to have the same fields; see [`apply_as_in`] for
/// others.
///
/// # Errors
/// See [`ApplyRefused`].
pub fn apply_as(
    schema: &Schema,
    live: Option<&Value>,
    config: &Value,
    writer: &Writer<'_>,
    force: bool,
    reset: &FieldSet,
) -> Result<ServerApply, ApplyRefused> {
    apply_as_in(&SameFields(schema), schema, live, config, writer, force, reset)
}

/// Does what [`apply_as`] does for a kind with several versions.
///
/// # Errors
/// See [`ApplyRefused`].
pub fn apply_as_in(
    versions: &dyn Versions,
    schema: &Schema,
    live: Option<&Value>,
    config: &Value,
    writer: &Writer<'_>,
    force: bool,
    reset: &FieldSet,
) -> Result<ServerApply, ApplyRefused> {
    let of_subresource = writer.subresource.is_some();
    let write = Write {
        schema,
        api_version: writer.api_version,
        versions,
        reset,
        of_subresource,
        otherwise: &FieldSet::default(),
    };
    let stored = live.and_then(|live| live.pointer("/metadata/managedFields")).unwrap_or(&Value::Null);
    let mut entries = Entries::read(stored).ok_or(ApplyRefused::Live)?;
    let before = match live {
        Some(live) => {
            let mut live = live.clone();
            as_written(schema, &mut live);
            live
        }
        None => zero_of(schema, config, writer),
    };
    if entries.owned.is_empty() && live.is_some() {
        if let Err(error) = validate_stored(schema, &before) {
            let object = described(&before);
            let why = format!("failed to convert new object ({object}) to smd typed: {error}");
            let message = format!("failed to create manager for existing fields: {why}");
            return Err(ApplyRefused::Typing { message });
        }
        let zero = zero_of(schema, config, writer);
        track(&write, &zero, &before, &mut entries, writer, BEFORE_FIRST_APPLY);
    }
    if config.pointer("/metadata/managedFields").is_some_and(Value::is_array) {
        return Err(ApplyRefused::ManagedFieldsSet);
    }
    let applying = Applying { write: &write, before: &before, config, writer };
    let (merged, entries) = match applying.merged(entries.clone(), force) {
        Err(ApplyRefused::Conflicts(conflicts)) if writer.manager == ALLOWED_MANAGER => {
            let left = match allowed_conflicts(schema, &before, writer.api_version) {
                Some(allowed) => conflicts.into_iter().filter(|conflict| !allowed.contains(&conflict.path)).collect(),
                None => conflicts,
            };
            if !left.is_empty() {
                return Err(ApplyRefused::Conflicts(left));
            }
            applying.merged(entries, true)?
        }
        other => other?,
    };
    let mut object = match merged.clone() {
        Some(mut merged) => {
            without_written(schema, &mut merged);
            canonicalise(schema, &mut merged);
            with_defaults(schema, &mut merged);
            as_written(schema, &mut merged);
            merged
        }
        None => before.clone(),
    };
    if writer.manager == ALLOWED_MANAGER {
        refresh(&mut object, config);
    }
    entries.write(&mut object);
    let changed = live.is_none() || object != before;
    Ok(ServerApply { object, merged, changed })
}

/// One apply, which may have to be tried twice.
struct Applying<'a> {
    write: &'a Write<'a>,
    before: &'a Value,
    config: &'a Value,
    writer: &'a Writer<'a>,
}

impl Applying<'_> {
    /// Returns the object, `None` if it is the live one, and who owns it.
    fn merged(&self, mut entries: Entries, force: bool) -> Result<(Option<Value>, Entries), ApplyRefused> {
        let Self { write, before, config, writer } = *self;
        let schema = write.schema;
        let typing = |error: &dyn std::fmt::Display| ApplyRefused::Typing {
            message: format!("failed to create typed patch object ({}): {error}", described(config)),
        };
        let claimed =
            set_of(schema, config).map_err(|error| typing(&error.as_the_server_stops()))?.without(write.reset);
        if let Err(error) = validate_stored(schema, before) {
            let message = format!("failed to create typed live object ({}): {error}", described(before));
            return Err(ApplyRefused::Typing { message });
        }
        if let Some(message) = unreadable(write, before, &entries) {
            return Err(ApplyRefused::Typing { message });
        }
        write.reconciled(&mut entries);
        let merged = merge(schema, before, config)
            .map_err(|error| ApplyRefused::Typing { message: format!("failed to merge config: {error}") })?;
        let actor = Identity::of_writer(writer, writer.manager, Operation::Apply);
        let own = Owned { api_version: writer.api_version.to_owned(), fields: claimed };
        let last = entries.owned.insert(actor.clone(), own);
        self.check_versions(&merged, &entries, last.as_ref())?;
        let pruned = self.pruned(merged, &entries, &actor, last);
        if let Some(error) = unreadable(write, &pruned, &entries) {
            return Err(ApplyRefused::Typing { message: format!("failed to convert new object: {error}") });
        }
        let (_, conflicts) = write.settle(before, &pruned, &mut entries, Some(&actor));
        if !force && !conflicts.is_empty() {
            return Err(ApplyRefused::Conflicts(conflicts));
        }
        if let Some(own) = entries.owned.get_mut(&actor) {
            own.fields = own.fields.difference(&STRIPPED);
        }
        entries.owned.retain(|identity, owned| *identity != actor || !owned.fields.is_empty());
        if json::equal(before, &pruned) {
            return Ok((None, entries));
        }
        entries.times.insert(actor, Some(writer.time.to_owned()));
        Ok((Some(pruned), entries))
    }

    /// What is taken out is looked for in every version that somebody wrote the object at: the merged object must be
    /// readable in all of them.
    fn check_versions(&self, merged: &Value, entries: &Entries, last: Option<&Owned>) -> Result<(), ApplyRefused> {
        let Some(last) = last.filter(|last| !last.fields.is_empty()) else { return Ok(()) };
        let refused = |why: String| Err(ApplyRefused::Typing { message: format!("failed to prune fields: {why}") });
        if let Some(error) = unreadable_at(self.write, merged, &last.api_version) {
            return refused(format!("failed to convert merged object to last applied version: {error}"));
        }
        for owned in entries.owned.values() {
            if let Some(error) = unreadable_at(self.write, merged, &owned.api_version) {
                let version = &owned.api_version;
                return refused(format!(
                    "failed add back owned items: failed to convert merged object at version {version}: {error}"
                ));
            }
        }
        Ok(())
    }

    /// Takes out what the manager applied last time, applies no more, and nobody owns.
    fn pruned(&self, merged: Value, entries: &Entries, actor: &Identity, last: Option<Owned>) -> Value {
        let write = self.write;
        let Some(last) = last.filter(|last| !last.fields.is_empty()) else { return merged };
        let is_here = |owned: &Owned| owned.api_version == self.writer.api_version;
        if is_here(&last) && entries.owned.values().all(is_here) {
            let claimed = entries.owned.get(actor).map_or(&NOTHING, |own| &own.fields);
            let others = entries.owned.iter().filter(|(identity, _)| *identity != actor);
            let others: Vec<&FieldSet> = others.map(|(_, owned)| &owned.fields).collect();
            return prune::pruned(write.schema, merged, &last.fields, claimed, &others);
        }
        let Some(schema) = write.schema_of(&last.api_version) else { return merged };
        let mut owned_at: Vec<(&str, FieldSet)> = Vec::new();
        for owned in entries.owned.values() {
            match owned_at.iter_mut().find(|(version, _)| *version == owned.api_version) {
                Some((_, fields)) => *fields = fields.union(&owned.fields),
                None => owned_at.push((&owned.api_version, owned.fields.clone())),
            }
        }
        // First at the version of the last apply, so that no conversion lacks what it needs.
        owned_at.sort_by_key(|(version, _)| *version != last.api_version);

        let in_last_version = write.converted(&merged, &last.api_version);
        let last_fields = named(&schema, &last.fields);
        let mut pruned = remove(&schema, &in_last_version, &last_fields);
        let mut whole = in_last_version.clone();
        for (version, owned) in owned_at {
            let Some(schema) = write.schema_of(version) else { continue };
            whole = write.converted(&whole, version);
            pruned = write.converted(&pruned, version);
            let kept = named(&schema, &fields_of(&schema, &pruned)).union(&named(&schema, &owned));
            let gone = named(&schema, &fields_of(&schema, &whole)).difference(&kept);
            pruned = remove(&schema, &whole, &gone);
        }
        // What goes along with an item that was ours, but was not itself applied by us, comes back.
        let pruned = write.converted(&pruned, &last.api_version);
        let left = named(&schema, &fields_of(&schema, &pruned));
        let gone = named(&schema, &fields_of(&schema, &in_last_version)).difference(&left).intersection(&last_fields);
        write.converted(&remove(&schema, &in_last_version, &gone), self.writer.api_version)
    }
}

/// Names an object as the server's errors do.
fn described(object: &Value) -> String {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let api_version = text("/apiVersion");
    let version = if api_version.contains('/') { api_version.to_owned() } else { format!("/{api_version}") };
    format!("{}/{}; {version}, Kind={}", text("/metadata/namespace"), text("/metadata/name"), text("/kind"))
}
