//! The stack file: read with positions, inputs resolved, checked as a whole, and turned into a [`Stack`].

mod value;

pub use value::{Dependency, Desired, Grant, Mute, OutputSource, Stack};

pub use crate::yaml::Position;
