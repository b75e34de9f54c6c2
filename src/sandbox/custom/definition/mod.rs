//! CustomResourceDefinitions themselves: what is filled in, what is refused, what their controllers write.

mod conditions;
mod go_form;
mod openapi_rules;
mod prepare;
mod spec;
mod structural_rules;
mod subject;
mod version_rules;
mod warnings;

use serde_json::Value;

use super::structural::{schemas, text};

pub use self::conditions::{CLEANUP_FINALIZER, conditions, is_established, marked_for_deletion};
pub use self::prepare::{default_definition, prepare_definition};
pub use self::spec::validate_definition;
pub(super) use self::subject::field_path;
pub use self::warnings::{definition_warnings, deprecation_warning};

/// Returns the entries of `spec.versions`.
pub(super) fn versions(definition: &Value) -> impl Iterator<Item = &Value> {
    definition.get("spec").into_iter().flat_map(|spec| schemas(spec, "versions"))
}

/// Tells whether a definition is being deleted.
pub(super) fn is_terminating(definition: &Value) -> bool {
    conditions::is_condition_true(definition, "Terminating")
}

/// Returns the entry of one version.
pub(super) fn version_of<'a>(definition: &'a Value, name: &str) -> Option<&'a Value> {
    versions(definition).find(|version| text(version, "name") == name)
}

#[cfg(test)]
mod tests;
