//! Differences between two versions of an object, field by field, masked where they are made.

mod change;

pub use change::{Attribution, FieldChange, Shown};
