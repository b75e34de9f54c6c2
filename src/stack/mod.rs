//! The stack file: read with positions, inputs resolved, checked as a whole, and turned into a [`Stack`].

mod value;

pub use value::{Dependency, Desired, Grant, Mute, OutputSource, Position, Stack};

pub use crate::service::{AccessRule, Check, CheckKind};
