//! Server-side apply: what becomes of an object, who owns what afterwards, and who disagrees.
//!
//! All entries of an object are read with one schema. That is exact where a kind has one version, and wherever the versions
//! of a kind have the same fields.

mod part;

use std::borrow::Cow;

use serde_json::{Value, json};
use thiserror::Error;

use self::part::of_part;
use crate::ssa::before_first_apply;
use crate::ssa::canonical::canonicalise_result;
use crate::ssa::compare::{Comparison, compare};
use crate::ssa::defaults::with_defaults;
use crate::ssa::field_set::FieldSet;
use crate::ssa::managed::{ManagedEntry, ManagedError, Operation, managed_fields, sort_entries};
use crate::ssa::merge::merge;
use crate::ssa::narrow::{Narrowed, Touched, narrowed};
use crate::ssa::path::Path;
use crate::ssa::prune::pruned;
use crate::ssa::reconcile::reconciled;
use crate::ssa::schema::Schema;
use crate::ssa::set_of::set_of;
use crate::ssa::stored::same_as_stored;
use crate::ssa::stripped::{OF_SERVER, STRIPPED, keep_template_generation};
use crate::ssa::tracking::as_read_back_where;
use crate::ssa::validate::TypeError;

/// Why a configuration cannot be applied at all.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ApplyError {
    /// The configuration does not have the shape of its kind.
    #[error("the object does not fit its schema")]
    Config(#[source] TypeError),
    /// The configuration brings managed fields, which only the server writes.
    #[error("`metadata.managedFields` must not be set in what is applied")]
    ManagedFieldsSet,
    /// The live object's managed fields cannot be read.
    #[error("the live object's ownership cannot be read")]
    Live(#[source] ManagedError),
}

/// A field that another manager owns and that this apply would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldConflict {
    /// The field.
    pub path: Path,
    /// Whose it is, as the live object has it.
    pub entry: ManagedEntry,
}

/// What an apply comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Applied<'l> {
    /// The object after an apply that takes every conflict, in the text that the server stores, with the defaults that are
    /// known and managed fields included; the live object itself where nothing changes.
    /// Our entry has no time if the object changes, since only the server knows it.
    pub object: Cow<'l, Value>,
    /// Who disagrees; an apply without force is refused if anybody does.
    pub conflicts: Vec<FieldConflict>,
    /// Whether anything would be written: content, or who owns it.
    pub changed: bool,
    /// Whether content would be written.
    pub content_changed: bool,
    /// Whether the manager would own other fields than before.
    pub ownership_changed: bool,
}

/// Applies `config` to `live` as `manager`.
///
/// # Errors
/// See [`ApplyError`]. Conflicts are no error: they are part of the result.
pub fn apply<'l>(
    schema: &Schema,
    live: Option<&'l Value>,
    config: &Value,
    manager: &str,
) -> Result<Applied<'l>, ApplyError> {
    let fields = config.get("metadata").and_then(|metadata| metadata.get("managedFields"));
    if fields.is_some_and(|fields| !fields.is_null()) {
        return Err(ApplyError::ManagedFieldsSet);
    }
    if let Some(live) = live {
        match narrowed(schema, live, config, manager) {
            Narrowed::Nothing => {
                return Ok(Applied {
                    object: Cow::Borrowed(live),
                    conflicts: Vec::new(),
                    changed: false,
                    content_changed: false,
                    ownership_changed: false,
                });
            }
            Narrowed::Part(part) => {
                if let Some(applied) = of_part(schema, live, manager, part) {
                    return Ok(applied);
                }
            }
            Narrowed::Whole => {}
        }
    }
    merged(schema, live, config, manager)
}

impl Applied<'_> {
    /// Lets go of the live object.
    #[must_use]
    pub fn into_owned(self) -> Applied<'static> {
        let Self { object, conflicts, changed, content_changed, ownership_changed } = self;
        let object = Cow::Owned(object.into_owned());
        Applied { object, conflicts, changed, content_changed, ownership_changed }
    }
}

/// Lays a configuration over a live object, or a part of the one over a part of the other; `claimed` is what the
/// configuration claims, `last` what the manager owned. Returns what becomes of the live one, and in which fields it differs.
fn laid_over(
    schema: &Schema,
    live: &Value,
    config: &Value,
    claimed: &FieldSet,
    last: Option<&FieldSet>,
    others: &[&FieldSet],
) -> Result<(Value, Comparison), TypeError> {
    let merged = merge(schema, live, config)?;
    let pruned = match last {
        Some(last) => pruned(schema, merged, last, claimed, others),
        None => merged,
    };
    let found = compare(schema, live, &pruned).without(schema.reset_fields());
    Ok((pruned, found))
}

/// Applies by merging the whole, be there anything to merge or not.
pub(super) fn merged(
    schema: &Schema,
    live: Option<&Value>,
    config: &Value,
    manager: &str,
) -> Result<Applied<'static>, ApplyError> {
    let stripped = &*STRIPPED;
    let mut claimed = set_of(schema, config).map_err(ApplyError::Config)?;
    claimed.cut(schema.reset_fields());
    let config = without_status(schema, config);
    let missing = json!({"apiVersion": config.get("apiVersion"), "kind": config.get("kind")});
    let live_or_empty = live.unwrap_or(&missing);
    let before = Ownership::of(schema, live, manager, stripped).map_err(ApplyError::Live)?;
    let others: Vec<&FieldSet> = before.others.iter().map(|entry| &entry.fields).collect();
    let last = before.own.as_ref().map(|own| &own.fields);
    let (mut object, found) =
        laid_over(schema, live_or_empty, &config, &claimed, last, &others).map_err(ApplyError::Config)?;
    let mut fields = claimed;
    fields.subtract(stripped);
    let written = found.modified.union(&found.added);

    let mut conflicts = Vec::new();
    let mut entries = Vec::with_capacity(before.others.len() + 1);
    for entry in &before.others {
        let lost = entry.fields.intersection(&written);
        conflicts.extend(lost.iter().map(|path| FieldConflict { path, entry: entry.clone() }));
        let mut entry = entry.clone();
        entry.fields.subtract(&lost);
        entry.fields.subtract(&found.removed);
        if !entry.fields.is_empty() {
            entries.push(entry);
        }
    }

    keep_of_server(&mut object, live);
    canonicalise_result(schema, &mut object);
    if let Some(live) = live {
        keep_template_generation(schema, &mut object, live);
    }
    // After ownership: nobody owns what is filled in.
    let merged_changed = live.is_none_or(|live| !same_as_stored(schema, &object, live));
    with_defaults(schema, &mut object);
    let content_changed = live.is_none_or(|live| !same_as_stored(schema, &object, live));
    let owned_before = before.recorded.iter().find(|entry| entry.is_applied_by(manager));
    let ownership_changed = owned_before.map_or(&FieldSet::new(), |own| &own.fields) != &fields;
    if !fields.is_empty() {
        entries.push(ManagedEntry {
            manager: manager.to_owned(),
            operation: Operation::Apply,
            api_version: config.get("apiVersion").and_then(Value::as_str).unwrap_or_default().to_owned(),
            time: before.own.as_ref().and_then(|own| own.time.clone()).filter(|_| !merged_changed),
            subresource: None,
            fields,
        });
    }
    sort_entries(&mut entries);
    let entries_changed = live.is_none() || before.recorded_otherwise_than(&entries);
    if live.is_some() {
        read_back(schema, &mut object, &Touched::Whole);
    }
    set_managed_fields(&mut object, &entries);
    Ok(Applied {
        object: Cow::Owned(object),
        conflicts,
        changed: content_changed || entries_changed,
        content_changed,
        ownership_changed,
    })
}

/// Who owns the live object, our own entry apart.
struct Ownership {
    own: Option<ManagedEntry>,
    others: Vec<ManagedEntry>,
    /// The entries as they stand in the object.
    recorded: Vec<ManagedEntry>,
}

impl Ownership {
    fn of(schema: &Schema, live: Option<&Value>, manager: &str, stripped: &FieldSet) -> Result<Self, ManagedError> {
        let recorded = live.map(managed_fields).transpose()?.unwrap_or_default();
        let mut entries = recorded.clone();
        if let Some(live) = live
            && entries.is_empty()
            && live.pointer("/metadata/uid").is_some_and(|uid| uid.as_str().is_some_and(|uid| !uid.is_empty()))
        {
            entries.push(before_first_apply::entry(schema, live, stripped));
        }
        for entry in &mut entries {
            if let Some(fields) = reconciled(schema, &entry.fields) {
                entry.fields = fields;
            }
        }
        let (own, others): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| entry.is_applied_by(manager));
        Ok(Self { own: own.into_iter().next(), others, recorded })
    }

    /// Tells whether entries differ from those in the object by more than times.
    fn recorded_otherwise_than(&self, entries: &[ManagedEntry]) -> bool {
        let mut left: Vec<&ManagedEntry> = entries.iter().collect();
        let mut find = |recorded: &ManagedEntry| {
            let place = left.iter().position(|entry| entry.is_same_but_for_its_time(recorded));
            place.map(|place| left.swap_remove(place)).is_some()
        };
        self.recorded.len() != entries.len() || !self.recorded.iter().all(&mut find)
    }
}

/// Returns the configuration without a status that the server would leave out of this write.
fn without_status<'c>(schema: &Schema, config: &'c Value) -> Cow<'c, Value> {
    let mut config = Cow::Borrowed(config);
    if schema.kind().is_some_and(|kind| kind.has_status)
        && config.get("status").is_some()
        && let Some(map) = config.to_mut().as_object_mut()
    {
        map.remove("status");
    }
    config
}

/// Gives an object the metadata that the server keeps by itself, as the live object has it. Manifests that tools write say
/// `creationTimestamp: null`; that asks for nothing.
fn keep_of_server(object: &mut Value, live: Option<&Value>) {
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    for name in OF_SERVER {
        match live.and_then(|live| live.get("metadata")?.get(name)) {
            Some(value) => metadata.insert(name.to_owned(), value.clone()),
            None => metadata.remove(name),
        };
    }
}

/// Brings an object into the form in which it is read after the write, with what Go writes though it says nothing.
fn read_back(schema: &Schema, object: &mut Value, touched: &Touched) {
    let has_status = object.get("status").is_some();
    as_read_back_where(schema, object, touched);
    // Nobody knows what is in it before the first write of it.
    if !has_status && let Some(object) = object.as_object_mut() {
        object.remove("status");
    }
}

fn set_managed_fields(object: &mut Value, entries: &[ManagedEntry]) {
    let Some(metadata) = object.pointer_mut("/metadata").and_then(Value::as_object_mut) else { return };
    if entries.is_empty() {
        metadata.remove("managedFields");
    } else {
        let entries = entries.iter().map(ManagedEntry::to_value).collect();
        metadata.insert("managedFields".to_owned(), Value::Array(entries));
    }
}

#[cfg(test)]
mod tests;
