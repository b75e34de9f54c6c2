//! Drift: recorded, desired and live compared field by field. Pure.

mod value;

pub use value::{DriftKind, DriftReport, FieldDrift, ResourceDrift, ResourceState};
