//! Who owns an object that has never been applied: the server's stand-in for everybody who wrote it before.

use serde_json::Value;

use super::compare::compare;
use super::field_set::FieldSet;
use super::managed::{ManagedEntry, Operation};
use super::schema::Schema;
use super::tracking::{as_written, zero_object};

/// The name that the server gives them.
const MANAGER: &str = "before-first-apply";

/// Returns the entry that the server makes up for a live object without managed fields, before anything is applied to it.
pub(crate) fn entry(schema: &Schema, live: &Value, stripped: &FieldSet) -> ManagedEntry {
    let text = |key| live.get(key).and_then(Value::as_str).unwrap_or_default();
    let zero = zero_object(schema, text("apiVersion"), text("kind"));
    let mut written = live.clone();
    as_written(schema, &mut written);
    let found = compare(schema, &zero, &written).without(schema.reset_fields());
    ManagedEntry {
        manager: MANAGER.to_owned(),
        operation: Operation::Update,
        api_version: text("apiVersion").to_owned(),
        time: None,
        subresource: None,
        fields: found.modified.union(&found.added).difference(stripped),
    }
}
