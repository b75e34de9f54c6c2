//! What a definition, or a version of it, is warned of.

use std::cmp::Ordering;

use serde_json::Value;

use super::structural_rules::below;
use super::versions;
use crate::sandbox::custom::structural::{flag, text};
use crate::sandbox::custom::validate::is_unrecognized;
use crate::sandbox::kinds::compare_versions;

/// Returns the warnings of a write of a definition: formats that nobody knows, if the live one does not have them already.
#[must_use]
pub fn definition_warnings(object: &Value, live: Option<&Value>) -> Vec<String> {
    let known = live.map(unrecognized).unwrap_or_default();
    let new = unrecognized(object).into_iter().filter(|format| !known.contains(format));
    new.map(|format| format!("unrecognized format {format:?}")).collect()
}

fn unrecognized(definition: &Value) -> Vec<String> {
    let mut formats = Vec::new();
    let mut schemas: Vec<&Value> =
        versions(definition).filter_map(|version| version.pointer("/schema/openAPIV3Schema")).collect();
    if schemas.iter().all(|schema| Some(schema) == schemas.first()) {
        // What all versions share is looked at once.
        schemas.truncate(1);
    }
    for schema in schemas {
        collect(schema, &mut formats);
    }
    formats
}

fn collect(schema: &Value, formats: &mut Vec<String>) {
    if is_unrecognized(schema) {
        formats.push(text(schema, "format").to_owned());
    }
    for (_, schema) in below(schema) {
        collect(schema, formats);
    }
}

/// Returns the warning that goes with every answer about a deprecated version.
#[must_use]
pub fn deprecation_warning(definition: &Value, version: &str) -> Option<String> {
    let entry = super::version_of(definition, version).filter(|entry| flag(entry, "deprecated"))?;
    if let Some(warning) = entry.get("deprecationWarning").and_then(Value::as_str) {
        return Some(warning.to_owned());
    }
    let part = |pointer: &str| definition.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (group, kind) = (part("/spec/group"), part("/spec/names/kind"));
    let better = versions(definition)
        .filter(|entry| flag(entry, "served") && !flag(entry, "deprecated"))
        .map(|entry| text(entry, "name"))
        .filter(|name| compare_versions(name, version) == Ordering::Greater)
        .max_by(|left, right| compare_versions(left, right));
    let instead = better.map(|name| format!("; use {group}/{name} {kind}")).unwrap_or_default();
    Some(format!("{group}/{version} {kind} is deprecated{instead}"))
}
