//! CustomResourceDefinitions and the resources that they define.
//!
//! A definition gives kinds ([`kinds_of`]); objects of these are pruned, filled in and checked against the structural schema
//! of their version, which stays the JSON that the definition has. Everything here is pure.

mod convert;
mod definition;
mod kinds;
mod openapi;
mod prune;
mod rules;
mod scale;
mod structural;
mod validate;

pub use self::convert::{converted, selectable};
pub use self::definition::{
    CLEANUP_FINALIZER, conditions, default_definition, definition_warnings, deprecation_warning, is_established,
    marked_for_deletion, prepare_definition, validate_definition,
};
pub use self::kinds::kinds_of;
pub use self::openapi::{model_name, openapi_schemas};
pub use self::prune::{drop_nulls, embedded_problem, prune, with_defaults};
pub use self::scale::{builtin_scale, scale_of, scale_to_write, scaled};
pub use self::validate::{Verdict, status_verdict, validate, verdict};

#[cfg(test)]
mod tests;
