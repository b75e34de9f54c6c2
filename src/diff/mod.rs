//! Differences between two versions of an object: the changed field, what of it may be shown, and how a text changed line
//! by line. Pure.
//!
//! Masking happens here, where a difference is made, so that no report can forget it.

mod change;
mod mask;
mod text;
mod visible;

pub use change::{Attribution, FieldChange, Shown};
pub use mask::{LAST_APPLIED, field_change, is_sensitive, shown};
pub use text::{DiffLine, is_multi_line, line_diff};
pub use visible::{is_invisible, visible};
