//! Drift: recorded, desired and live compared field by field. Pure.

mod compare;
#[cfg(test)]
mod tests;
mod value;

pub use compare::{Inputs, compare};
pub use value::{DriftKind, DriftReport, FieldDrift, ResourceDrift, ResourceState};
