//! Deciding what to do: pure, and the same for the same input.

mod value;

pub use value::{Action, Base, Certainty, Change, Conflict, Consequence, Counts, Plan, Precondition, Reason};
