//! Deciding what to do: pure, and the same for the same input.
//!
//! [`decide`] gives every desired resource and every recorded one exactly one [`Change`]. It is called twice where the
//! server may be asked: the first answer says what a dry run would settle ([`wants_dry_run`]), the second has the answers.

mod consequences;
mod decide;
mod existing;
mod ignore;
mod inputs;
mod removal;
mod value;

pub use decide::decide;
pub use existing::{attribution, sends};
pub use inputs::{Inputs, Policy};
pub use value::{Action, Base, Certainty, Change, Conflict, Consequence, Counts, Plan, Precondition, Reason};

use crate::diff::{Attribution, FieldChange, Shown};
use crate::ssa::ValueChange;

/// Tells whether the server's own answer would make this change surer than it is.
#[must_use]
pub fn wants_dry_run(change: &Change) -> bool {
    matches!(change.action, Action::Update | Action::Adopt) && change.certainty == Certainty::SchemaOnly
}

/// Turns a change of a value into what may be shown of it. Everything below a Secret's data is masked.
#[must_use]
pub fn field_change(change: &ValueChange, secret: bool, by: Option<Attribution>) -> FieldChange {
    let path = change.path.to_string();
    let masked = secret && !path.starts_with(".metadata.labels") && path != ".type" && path != ".immutable";
    let shown = |value: &Option<serde_json::Value>| {
        value.clone().map(|value| if masked { Shown::Sensitive } else { Shown::Plain(value) })
    };
    FieldChange { before: shown(&change.before), after: shown(&change.after), path, by }
}
