//! The OpenAPI v3 documents: the shapes of the served kinds and their operations, one document a group and version.
//!
//! Shapes of Kubernetes' own kinds are written back from the compact tables of [`crate::ssa`], so that there is one truth;
//! descriptions are in none of the tables, and so in no document. Custom kinds are described by their definitions.

mod custom;
mod definitions;

pub(super) use self::custom::schema_of_custom;
pub(super) use self::definitions::{MORE_TYPES, definitions_of};
