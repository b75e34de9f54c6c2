//! The kinds that a CustomResourceDefinition adds.

use std::sync::Arc;

use serde_json::Value;

use super::Kind;
use crate::sandbox::kind::{Custom, Subresource};
use crate::sandbox::openapi;
use crate::ssa::Schema;

/// Verbs of custom kinds, in the order in which the server tells them.
const VERBS: [&str; 8] = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];
/// The same while the definition is being deleted.
const TERMINATING_VERBS: [&str; 5] = ["delete", "deletecollection", "get", "list", "watch"];

/// Returns the kinds that a CustomResourceDefinition serves, one for each served version. Names are those that were
/// accepted, and those that were asked for as long as none were.
#[must_use]
pub fn of_definition(definition: &Value) -> Vec<Kind> {
    let Some(spec) = definition.get("spec") else { return Vec::new() };
    let versions = spec.get("versions").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let names = definition
        .pointer("/status/acceptedNames")
        .filter(|names| names.get("kind").and_then(Value::as_str).is_some_and(|kind| !kind.is_empty()))
        .or_else(|| spec.get("names"));
    let Some(names) = names else { return Vec::new() };
    let storage = versions.iter().find(|version| is_true(version, "storage")).map(|version| text(version, "name"));
    let storage = storage.unwrap_or_default();
    let verbs: &[&'static str] = if is_terminating(definition) { &TERMINATING_VERBS } else { &VERBS };
    versions
        .iter()
        .filter(|version| is_true(version, "served"))
        .map(|version| {
            let kind = text(names, "kind");
            let structural = version.pointer("/schema/openAPIV3Schema").cloned().unwrap_or_default();
            let mut served = Kind {
                group: text(spec, "group"),
                version: text(version, "name"),
                plural: text(names, "plural"),
                singular: text(names, "singular"),
                list_kind: text(names, "listKind"),
                short_names: texts(names, "shortNames"),
                categories: texts(names, "categories"),
                namespaced: text(spec, "scope") == "Namespaced",
                verbs: verbs.to_vec(),
                subresources: subresources(version, &kind),
                schema: Schema::deduced(),
                custom: Some(Arc::new(Custom {
                    structural,
                    version: version.clone(),
                    storage_version: storage.clone(),
                })),
                kind,
            };
            if served.singular.is_empty() {
                served.singular = served.kind.to_lowercase();
            }
            if served.list_kind.is_empty() {
                served.list_kind = format!("{}List", served.kind);
            }
            if let Some(schema) = openapi::schema_of_custom(&served) {
                served.schema = schema;
            }
            served
        })
        .collect()
}

fn subresources(version: &Value, kind: &str) -> Vec<Subresource> {
    let verbs = vec!["get", "patch", "update"];
    let has = |name: &str| version.pointer(&format!("/subresources/{name}")).is_some_and(|value| !value.is_null());
    let mut found = Vec::new();
    if has("status") {
        let (name, kind) = ("status".to_owned(), kind.to_owned());
        found.push(Subresource { name, group_version: None, kind, verbs: verbs.clone() });
    }
    if has("scale") {
        let group_version = Some(("autoscaling".to_owned(), "v1".to_owned()));
        found.push(Subresource { name: "scale".to_owned(), group_version, kind: "Scale".to_owned(), verbs });
    }
    found
}

fn is_terminating(definition: &Value) -> bool {
    let conditions = definition.pointer("/status/conditions").and_then(Value::as_array);
    conditions.into_iter().flatten().any(|condition| {
        condition.get("type").and_then(Value::as_str) == Some("Terminating")
            && condition.get("status").and_then(Value::as_str) == Some("True")
    })
}

fn is_true(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool) == Some(true)
}

fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn texts(value: &Value, key: &str) -> Vec<String> {
    let values = value.get(key).and_then(Value::as_array).into_iter().flatten();
    values.filter_map(Value::as_str).map(str::to_owned).collect()
}
