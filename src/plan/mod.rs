//! Deciding what to do: pure, and the same for the same input.
//!
//! [`decide()`] gives every desired resource and every recorded one exactly one [`Change`]. It is called twice where the
//! server may be asked: the first answer says what a dry run would settle ([`wants_dry_run`]), the second has the answers.

mod consequences;
mod decide;
mod existing;
mod ignore;
mod inputs;
mod ownership;
mod removal;
#[cfg(test)]
pub(crate) mod tests;
mod value;

pub use decide::decide;
pub use existing::{attribution, concerned_digest, sends};
pub use ignore::{Scaled, ignored_paths};
pub use inputs::{Inputs, Policy};
pub use ownership::is_of_another_stack;
pub use value::{Action, Base, Certainty, Change, Conflict, Consequence, Counts, Plan, Precondition, Reason};

use crate::diff::{self, Attribution, FieldChange};
use crate::resource::GroupKind;
use crate::ssa::ValueChange;

/// Tells whether the server's own answer would make this change surer than it is.
#[must_use]
pub fn wants_dry_run(change: &Change) -> bool {
    matches!(change.action, Action::Update | Action::Adopt) && change.certainty == Certainty::SchemaOnly
}

/// Turns a change of a value into what may be shown of it; what is secret is masked here.
#[must_use]
pub fn field_change(kind: &GroupKind, change: &ValueChange, by: Option<Attribution>) -> FieldChange {
    diff::field_change(kind, &change.path.to_string(), change.before.as_ref(), change.after.as_ref(), by)
}
