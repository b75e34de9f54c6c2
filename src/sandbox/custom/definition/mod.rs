//! CustomResourceDefinitions themselves.

use serde_json::Value;

use super::structural::{schemas, text};

/// Returns the entries of `spec.versions`.
pub(super) fn versions(definition: &Value) -> impl Iterator<Item = &Value> {
    definition.get("spec").into_iter().flat_map(|spec| schemas(spec, "versions"))
}

/// Returns the entry of one version.
pub(super) fn version_of<'a>(definition: &'a Value, name: &str) -> Option<&'a Value> {
    versions(definition).find(|version| text(version, "name") == name)
}
