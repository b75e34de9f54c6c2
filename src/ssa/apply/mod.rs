//! Server-side apply: what becomes of an object, who owns what afterwards, and who disagrees.
//!
//! All entries of an object are read with one schema. That is exact where a kind has one version, and wherever the versions
//! of a kind have the same fields.

use std::borrow::Cow;
use std::sync::LazyLock;

use serde_json::{Value, json};
use thiserror::Error;

use crate::ssa::before_first_apply;
use crate::ssa::canonical::canonicalise_result;
use crate::ssa::compare::compare;
use crate::ssa::defaults::with_defaults;
use crate::ssa::field_set::FieldSet;
use crate::ssa::managed::{ManagedEntry, ManagedError, Operation, managed_fields, sort_entries};
use crate::ssa::merge::merge;
use crate::ssa::path::{Path, PathElement};
use crate::ssa::prune::pruned;
use crate::ssa::reconcile::reconciled;
use crate::ssa::schema::Schema;
use crate::ssa::set_of::set_of;
use crate::ssa::stored::same_as_stored;
use crate::ssa::unchanged::is_unchanged;
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
    if config.pointer("/metadata/managedFields").is_some_and(|fields| !fields.is_null()) {
        return Err(ApplyError::ManagedFieldsSet);
    }
    if let Some(live) = live.filter(|live| is_unchanged(schema, live, config, manager)) {
        return Ok(Applied {
            object: Cow::Borrowed(live),
            conflicts: Vec::new(),
            changed: false,
            content_changed: false,
            ownership_changed: false,
        });
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

/// Applies by merging, be there anything to merge or not.
pub(super) fn merged(
    schema: &Schema,
    live: Option<&Value>,
    config: &Value,
    manager: &str,
) -> Result<Applied<'static>, ApplyError> {
    let stripped = &*STRIPPED;
    let reset = schema.reset_fields();
    let mut claimed = set_of(schema, config).map_err(ApplyError::Config)?;
    claimed.cut(&reset);
    let config = without_status(schema, config);
    let missing = json!({"apiVersion": config.get("apiVersion"), "kind": config.get("kind")});
    let live_or_empty = live.unwrap_or(&missing);
    let merged = merge(schema, live_or_empty, &config).map_err(ApplyError::Config)?;

    let before = Ownership::of(schema, live, manager, stripped).map_err(ApplyError::Live)?;
    let pruned = match &before.own {
        Some(own) => {
            let others: Vec<&FieldSet> = before.others.iter().map(|entry| &entry.fields).collect();
            pruned(schema, merged, &own.fields, &claimed, &others)
        }
        None => merged,
    };
    let mut fields = claimed;
    fields.subtract(stripped);
    let found = compare(schema, live_or_empty, &pruned).without(&reset);
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

    let mut object = pruned;
    keep_of_server(&mut object, live);
    canonicalise_result(schema, &mut object);
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

/// The fields that the server tracks for nobody who writes them: the same for every object.
pub(crate) static STRIPPED: LazyLock<FieldSet> = LazyLock::new(stripped_fields);

fn stripped_fields() -> FieldSet {
    const OF_METADATA: [&str; 9] = [
        "name",
        "namespace",
        "creationTimestamp",
        "selfLink",
        "uid",
        "clusterName",
        "generation",
        "managedFields",
        "resourceVersion",
    ];
    let mut fields: FieldSet = ["apiVersion", "kind", "metadata"].iter().map(|name| Path::of_fields(&[name])).collect();
    for name in OF_METADATA {
        fields.insert(&[PathElement::field("metadata"), PathElement::field(name)]);
    }
    fields
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
    for name in ["creationTimestamp", "generation", "resourceVersion", "selfLink", "uid"] {
        match live.and_then(|live| live.get("metadata")?.get(name)) {
            Some(value) => metadata.insert(name.to_owned(), value.clone()),
            None => metadata.remove(name),
        };
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
