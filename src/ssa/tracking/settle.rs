//! What a changed object means for those who own its fields.

use std::collections::BTreeMap;

use serde_json::Value;

use super::entries::{Entries, Identity, Owned};
use super::versions::Versions;
use super::written::as_written;
use crate::ssa::apply::FieldConflict;
use crate::ssa::compare::{Comparison, compare};
use crate::ssa::field_set::FieldSet;
use crate::ssa::managed::{ManagedEntry, Operation};
use crate::ssa::reconcile::reconciled;
use crate::ssa::schema::Schema;

/// One write: in which version it is made, and what is known of the others.
pub(super) struct Write<'a> {
    pub(super) schema: &'a Schema,
    pub(super) api_version: &'a str,
    pub(super) versions: &'a dyn Versions,
    pub(super) reset: &'a FieldSet,
    pub(super) of_subresource: bool,
    /// What is not equal to itself once it is stored.
    pub(super) otherwise: &'a FieldSet,
}

impl Write<'_> {
    /// Returns the schema of a version; `None` if there is no such version.
    pub(super) fn schema_of(&self, api_version: &str) -> Option<Schema> {
        if api_version == self.api_version { Some(self.schema.clone()) } else { self.versions.schema(api_version) }
    }

    /// Returns an object as it reads in a version.
    pub(super) fn converted(&self, object: &Value, api_version: &str) -> Value {
        if object.get("apiVersion").and_then(Value::as_str) == Some(api_version) {
            return object.clone();
        }
        let mut converted = self.versions.convert(object, api_version);
        if let Some(schema) = self.schema_of(api_version) {
            as_written(&schema, &mut converted);
        }
        converted
    }

    /// Reads entries with the schemas of today. Those of versions that are gone vanish.
    pub(super) fn reconciled(&self, entries: &mut Entries) {
        entries.owned.retain(|_, owned| match self.schema_of(&owned.api_version) {
            Some(schema) => {
                if let Some(fields) = reconciled(&schema, &owned.fields) {
                    owned.fields = fields;
                }
                true
            }
            None => false,
        });
    }

    /// Compares two versions of the object and takes from everybody but `actor` what changed. Returns the comparison, and
    /// what was taken by a change of value.
    pub(super) fn settle(
        &self,
        before: &Value,
        after: &Value,
        entries: &mut Entries,
        actor: Option<&Identity>,
    ) -> (Comparison, Vec<FieldConflict>) {
        let mut own = compare(self.schema, before, after);
        if !self.otherwise.is_empty() {
            own.modified = own.modified.union(self.otherwise);
        }
        let own = if self.reset.is_empty() { own } else { own.without(self.reset) };
        let mut found = BTreeMap::from([(self.api_version.to_owned(), Taken::of(&own))]);
        let mut conflicts = Vec::new();
        for (identity, owned) in entries.owned.iter_mut().filter(|(identity, _)| Some(*identity) != actor) {
            if let Some(comparison) = found.get(&owned.api_version) {
                take(identity, owned, comparison, &mut conflicts);
            } else if let Some(schema) = self.versions.schema(&owned.api_version) {
                let sides = [before, after].map(|object| self.converted(object, &owned.api_version));
                let whole = compare(&schema, &sides[0], &sides[1]);
                // The main endpoint of a custom resource knows what is reset in its own version only.
                let is_reset = self.schema.is_builtin() || self.of_subresource;
                let comparison = if is_reset { whole.without(self.reset) } else { whole };
                let api_version = owned.api_version.clone();
                let taken = Taken::of(&comparison);
                take(identity, owned, &taken, &mut conflicts);
                found.insert(api_version, taken);
            }
        }
        entries.owned.retain(|_, owned| !owned.fields.is_empty());
        conflicts.sort_by_cached_key(|conflict| Identity::of_entry(&conflict.entry).text());
        (own, conflicts)
    }
}

/// What a comparison takes from those who own it.
struct Taken {
    changed: FieldSet,
    removed: FieldSet,
}

impl Taken {
    fn of(found: &Comparison) -> Self {
        Self { changed: found.modified.union(&found.added), removed: found.removed.clone() }
    }
}

fn take(identity: &Identity, owned: &mut Owned, found: &Taken, conflicts: &mut Vec<FieldConflict>) {
    let lost = owned.fields.intersection(&found.changed);
    let entry = || ManagedEntry {
        manager: identity.manager.clone(),
        operation: identity.operation,
        api_version: if identity.operation == Operation::Apply {
            owned.api_version.clone()
        } else {
            identity.api_version.clone()
        },
        time: None,
        subresource: identity.subresource.clone(),
        fields: owned.fields.clone(),
    };
    conflicts.extend(lost.iter().map(|path| FieldConflict { path, entry: entry() }));
    owned.fields.subtract(&lost);
    owned.fields.subtract(&found.removed);
}
