//! Structured merge: what the API server makes of a server-side apply, computed here without asking it.
//!
//! [`Schema`] knows the shape of a kind, [`FieldSet`] which fields somebody owns, [`apply()`] puts a configuration on a
//! live object with the ownership, the order of lists and the conflicts that the server would find. Everything is pure:
//! no file, no cluster, no clock. Known defaults are filled in; neither admission nor validation happens here, so a result
//! is what the server starts from, not always what it ends with; telling the two apart is for the callers.

mod apply;
mod before_first_apply;
mod canonical;
mod changes;
mod compare;
pub mod defaults;
mod extract;
mod field_set;
mod go_text;
mod item;
mod json;
mod key;
mod known;
mod managed;
mod merge;
mod path;
mod reconcile;
mod remove;
pub mod schema;
mod set_of;
mod stored;
pub mod tracking;
mod unchanged;
mod validate;

pub use apply::{Applied, ApplyError, FieldConflict, apply};
pub use canonical::canonicalise;
pub use changes::{ValueChange, changes};
pub use compare::{Comparison, compare};
pub use defaults::with_defaults;
pub use extract::{Part, extract, part_of, part_of_encoded, value_at};
pub use field_set::{FieldSet, FieldsError, step_order};
pub use key::Key;
pub use managed::{ManagedEntry, ManagedError, Operation, managed_fields, owned_by, owners_of, raw_fields_of};
pub use merge::merge;
pub use path::{Path, PathElement, PathError};
pub use schema::{Schema, ServedKind, builtin, builtin_kinds};
pub use set_of::set_of;
pub use validate::{TypeError, TypeProblem};
