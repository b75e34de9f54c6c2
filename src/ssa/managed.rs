//! `metadata.managedFields`: who owns which fields of an object.

use std::fmt;

use serde_json::{Map, Value};
use thiserror::Error;

use super::field_set::{FieldSet, FieldsError};
use super::path::PathElement;

/// Why the managed fields of an object cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ManagedError {
    /// They are no list of maps.
    #[error("`metadata.managedFields` is no list of maps")]
    NotAList,
    /// An entry says neither `Apply` nor `Update`.
    #[error("the entry of the field manager `{manager}` has the unknown operation `{operation}`")]
    Operation {
        /// The field manager.
        manager: String,
        /// What it says.
        operation: String,
    },
    /// The fields of an entry cannot be read.
    #[error("the fields of the field manager `{manager}` cannot be read")]
    Fields {
        /// The field manager.
        manager: String,
        /// Why.
        source: FieldsError,
    },
}

/// How a manager came to own its fields. Those that apply come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// By server-side apply.
    Apply,
    /// By any other write.
    Update,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Apply => "Apply",
            Self::Update => "Update",
        })
    }
}

/// One entry: a manager and what it owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManagedEntry {
    /// Field manager.
    pub manager: String,
    /// How it came to own the fields.
    pub operation: Operation,
    /// API version that the fields are spoken of in.
    pub api_version: String,
    /// RFC 3339, UTC; `None` where the server recorded none.
    pub time: Option<String>,
    /// Subresource, where it was written through one.
    pub subresource: Option<String>,
    /// What it owns.
    pub fields: FieldSet,
}

impl ManagedEntry {
    /// Tells whether this is what `manager` applied to the object itself.
    #[must_use]
    pub fn is_applied_by(&self, manager: &str) -> bool {
        self.manager == manager && self.operation == Operation::Apply && self.subresource.is_none()
    }

    pub(super) fn is_same_but_for_its_time(&self, other: &Self) -> bool {
        (self.operation, &self.manager, &self.api_version, &self.subresource)
            == (other.operation, &other.manager, &other.api_version, &other.subresource)
            && self.fields == other.fields
    }

    pub(crate) fn read(entry: &Value) -> Result<Self, ManagedError> {
        let text = |key| entry.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
        let manager = text("manager").unwrap_or_default();
        let operation = match text("operation").as_deref() {
            Some("Apply") => Operation::Apply,
            Some("Update") => Operation::Update,
            other => {
                return Err(ManagedError::Operation { manager, operation: other.unwrap_or_default().to_owned() });
            }
        };
        let fields = FieldSet::from_fields_v1(entry.get("fieldsV1").unwrap_or(&Value::Null))
            .map_err(|source| ManagedError::Fields { manager: manager.clone(), source })?;
        Ok(Self {
            manager,
            operation,
            api_version: text("apiVersion").unwrap_or_default(),
            time: text("time"),
            subresource: text("subresource"),
            fields,
        })
    }

    /// Writes the entry.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut entry = Map::new();
        let mut put = |key: &str, value: Value| entry.insert(key.to_owned(), value);
        put("manager", Value::from(self.manager.as_str()));
        put("operation", Value::from(self.operation.to_string()));
        put("apiVersion", Value::from(self.api_version.as_str()));
        if let Some(time) = &self.time {
            put("time", Value::from(time.as_str()));
        }
        put("fieldsType", Value::from("FieldsV1"));
        put("fieldsV1", self.fields.to_fields_v1());
        if let Some(subresource) = &self.subresource {
            put("subresource", Value::from(subresource.as_str()));
        }
        Value::Object(entry)
    }
}

fn entries(object: &Value) -> Result<&[Value], ManagedError> {
    match object.get("metadata").and_then(|metadata| metadata.get("managedFields")) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(entries)) if entries.iter().all(Value::is_object) => Ok(entries),
        Some(_) => Err(ManagedError::NotAList),
    }
}

/// Reads all entries of an object, in its order.
///
/// # Errors
/// See [`ManagedError`].
pub fn managed_fields(object: &Value) -> Result<Vec<ManagedEntry>, ManagedError> {
    entries(object)?.iter().map(ManagedEntry::read).collect()
}

/// Returns what a manager owns of an object by applying it; `None` if it applied nothing.
///
/// Only the manager's own entry is read; if that cannot be, the manager is taken to own nothing.
#[must_use]
pub fn owned_by(object: &Value, manager: &str) -> Option<FieldSet> {
    ManagedEntry::read(applied_entry(object, manager)?).ok().map(|entry| entry.fields)
}

/// Returns the same as [`owned_by`] in the server's own encoding (`FieldsV1`).
#[must_use]
pub fn raw_fields_of<'v>(object: &'v Value, manager: &str) -> Option<&'v Value> {
    applied_entry(object, manager)?.get("fieldsV1")
}

pub(super) fn applied_entry<'v>(object: &'v Value, manager: &str) -> Option<&'v Value> {
    entries(object).ok()?.iter().find(|entry| {
        let text = |key| entry.get(key).and_then(Value::as_str).unwrap_or_default();
        text("manager") == manager && text("operation") == "Apply" && text("subresource").is_empty()
    })
}

/// Returns the entries in whose hand a field is, the most recent first.
///
/// An entry that owns the path itself counts before one that owns a whole value around it, and that before one that owns
/// something inside it.
#[must_use]
pub fn owners_of<'a>(entries: &'a [ManagedEntry], path: &[PathElement]) -> Vec<&'a ManagedEntry> {
    let having = |test: &dyn Fn(&FieldSet) -> bool| -> Vec<&'a ManagedEntry> {
        entries.iter().filter(|entry| test(&entry.fields)).collect()
    };
    let mut owners = having(&|fields| fields.contains(path));
    if owners.is_empty() {
        owners = having(&|fields| fields.covers(path));
    }
    if owners.is_empty() {
        owners = having(&|fields| fields.below(path).is_some_and(|below| !below.is_empty()));
    }
    owners.sort_by(|left, right| right.time.cmp(&left.time));
    owners
}

/// Puts entries into the order of the server: by operation, time (none first), manager, version, subresource.
pub(crate) fn sort_entries(entries: &mut [ManagedEntry]) {
    entries.sort_by(|left, right| {
        let key = |entry: &ManagedEntry| (entry.operation, entry.time.clone(), entry.manager.clone());
        key(left)
            .cmp(&key(right))
            .then_with(|| left.api_version.cmp(&right.api_version))
            .then_with(|| left.subresource.cmp(&right.subresource))
    });
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ssa::field_set::tests::set;
    use crate::ssa::path::Path;

    fn object() -> Value {
        json!({"metadata": {"managedFields": [
            {"manager": "mathison", "operation": "Apply", "apiVersion": "v1", "time": "2026-01-02T03:04:05Z",
             "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {"f:a": {}, "f:b": {}}}},
            {"manager": "kubectl-edit", "operation": "Update", "apiVersion": "v1", "time": "2026-01-03T03:04:05Z",
             "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {".": {}, "f:b": {}}}},
            {"manager": "mathison", "operation": "Apply", "apiVersion": "v1", "subresource": "status",
             "fieldsType": "FieldsV1", "fieldsV1": {"f:status": {}}},
        ]}})
    }

    #[test]
    fn entries_are_read_and_written() {
        let entries = managed_fields(&object()).unwrap();
        let written: Vec<_> = entries.iter().map(ManagedEntry::to_value).collect();
        assert_eq!(Value::Array(written), object()["metadata"]["managedFields"]);
        assert!(managed_fields(&json!({"metadata": {}})).unwrap().is_empty());
        assert_eq!(managed_fields(&json!({"metadata": {"managedFields": 1}})), Err(ManagedError::NotAList));
    }

    #[test]
    fn ours_is_what_was_applied_to_the_object_itself() {
        assert_eq!(owned_by(&object(), "mathison"), Some(set(&[".data.a", ".data.b"])));
        assert_eq!(owned_by(&object(), "kubectl-edit"), None);
    }

    #[test]
    fn a_field_is_in_the_hand_of_those_nearest_to_it() {
        let entries = managed_fields(&object()).unwrap();
        let owners = |path| -> Vec<String> {
            let path = Path::parse(path).unwrap();
            owners_of(&entries, &path).iter().map(|entry| entry.manager.clone()).collect()
        };
        assert_eq!(owners(".data.b"), ["kubectl-edit", "mathison"]);
        assert_eq!(owners(".data.a"), ["mathison"]);
        assert_eq!(owners(".status.phase"), ["mathison"]);
        assert!(owners(".spec").is_empty());
    }
}
