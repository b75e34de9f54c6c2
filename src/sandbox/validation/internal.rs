//! Structures as the server shows them in messages: its own internal form, every field in the order of its declaration.
//!
//! The table beside this file has a line for each structure: its name, then for each field Go's name, the name in
//! objects and the sort of value. Sorts: `s` text, `i` number, `b` truth value, `q` quantity, `n` number or text,
//! `l` label selector, `m` metadata, `j` anything; before one of them `*` may be missing, `[` list of, `{` map of, `@`
//! a structure by its name, `+` its fields right here.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::read::Read;
use super::selector;
use super::unified::{indented, unified};
use crate::sandbox::refusal::escaped;

/// The security context of a container.
pub(super) const SECURITY_CONTEXT: &str = "SecurityContext";
/// The template of Pods.
pub(super) const POD_TEMPLATE: &str = "PodTemplateSpec";
/// The specification of Pods.
pub(super) const POD_SPEC: &str = "PodSpec";

static TABLE: LazyLock<BTreeMap<&'static str, Vec<&'static str>>> = LazyLock::new(|| {
    let lines = include_str!("internal.txt").lines();
    lines.filter_map(|line| line.split_once(' ').map(|(name, fields)| (name, fields.split(' ').collect()))).collect()
});

/// Parts of the metadata of templates, in the order of the declaration.
const METADATA: [&str; 14] = [
    "name",
    "generateName",
    "namespace",
    "selfLink",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "labels",
    "annotations",
    "ownerReferences",
    "finalizers",
];

/// Fields of a Pod that the server keeps in its security context.
const OF_THE_HOST: [&str; 5] = ["hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "hostUsers"];

/// A container that was added later.
pub(super) const EPHEMERAL_CONTAINER: &str = "EphemeralContainer";
/// The specification of claims.
pub(super) const CLAIM_SPEC: &str = "PersistentVolumeClaimSpec";
/// Where a volume lies.
pub(super) const VOLUME_SOURCE: &str = "PersistentVolumeSource";

/// The nodes that reach a volume.
pub(super) const VOLUME_AFFINITY: &str = "VolumeNodeAffinity";

/// What empty lists and maps look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Empty {
    /// As they are: not null.
    Shown,
    /// As those that are not there.
    Nothing,
}

/// Shows a value of a structure.
pub(super) fn shown(structure: &str, value: &Value) -> String {
    escaped(&format!("{{{}}}", fields(structure, value, Empty::Shown)))
}

/// Tells whether two values of a structure are the same to the server: empty lists and maps are nothing, but a structure
/// that is there is something, even where nothing is in it.
pub(super) fn equal(structure: &str, left: &Value, right: &Value) -> bool {
    fields(structure, left, Empty::Nothing) == fields(structure, right, Empty::Nothing)
}

/// Tells how a value of a structure changed, as the server does: a unified comparison of both as they are shown.
pub(super) fn changes(structure: &str, before: &Value, after: &Value) -> String {
    unified(&indented(&shown(structure, before)), &indented(&shown(structure, after)))
}

fn fields(structure: &str, value: &Value, empty: Empty) -> String {
    let Some(declared) = TABLE.get(structure) else { return String::new() };
    let mut shown: Vec<String> = Vec::new();
    for field in declared {
        let text = match field.strip_prefix('+') {
            Some("m") => metadata(value.field("metadata").unwrap_or(&Value::Null)),
            Some(embedded) => fields(embedded.trim_start_matches('@'), value, empty),
            None => {
                let mut parts = field.splitn(3, ':');
                let (Some(called), Some(name), Some(sort)) = (parts.next(), parts.next(), parts.next()) else {
                    continue;
                };
                let merged;
                let value = if structure == POD_SPEC && name == "securityContext" {
                    merged = pod_security(value);
                    merged.as_ref()
                } else {
                    value.field(name)
                };
                format!("\"{called}\":{}", one(sort, value, empty))
            }
        };
        if !text.is_empty() {
            shown.push(text);
        }
    }
    shown.join(",")
}

fn one(sort: &str, value: Option<&Value>, empty: Empty) -> String {
    if let Some(sort) = sort.strip_prefix('*') {
        return value.map_or_else(|| "null".to_owned(), |value| one(sort, Some(value), empty));
    }
    let is_shown = |is_empty: bool| !is_empty || empty == Empty::Shown;
    if let Some(sort) = sort.strip_prefix('[') {
        let Some(items) = value.and_then(Value::as_array).filter(|items| is_shown(items.is_empty())) else {
            return "null".to_owned();
        };
        let items: Vec<String> = items.iter().map(|item| one(sort, Some(item), empty)).collect();
        return format!("[{}]", items.join(","));
    }
    if let Some(sort) = sort.strip_prefix('{') {
        let Some(map) = value.and_then(Value::as_object).filter(|map| is_shown(map.is_empty())) else {
            return "null".to_owned();
        };
        let entries: Vec<String> =
            map.iter().map(|(key, value)| format!("{}:{}", json!(key), one(sort, Some(value), empty))).collect();
        return format!("{{{}}}", entries.join(","));
    }
    if let Some(structure) = sort.strip_prefix('@') {
        return format!("{{{}}}", fields(structure, value.unwrap_or(&Value::Null), empty));
    }
    match (sort, value) {
        ("l", selector) => selector::shown(selector),
        ("m", value) => format!("{{{}}}", metadata(value.unwrap_or(&Value::Null))),
        (_, Some(value)) => value.to_string(),
        ("s", None) => "\"\"".to_owned(),
        ("q", None) => "\"0\"".to_owned(),
        ("i" | "n", None) => "0".to_owned(),
        ("b", None) => "false".to_owned(),
        (_, None) => "null".to_owned(),
    }
}

/// Shows metadata, of which nothing is told that is empty: it is written in messages as it is in objects.
fn metadata(metadata: &Value) -> String {
    let is_empty = |value: &Value| match value {
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.is_empty(),
        _ => false,
    };
    let given = |name: &str| metadata.field(name).filter(|value| !is_empty(value));
    let shown: Vec<String> =
        METADATA.iter().filter_map(|name| given(name).map(|value| format!("\"{name}\":{value}"))).collect();
    shown.join(",")
}

fn pod_security(spec: &Value) -> Option<Value> {
    let mut context: Option<Map<String, Value>> = spec.field("securityContext").and_then(Value::as_object).cloned();
    for name in OF_THE_HOST {
        if let Some(value) = spec.field(name) {
            context.get_or_insert_default().insert(name.to_owned(), value.clone());
        }
    }
    context.map(Value::Object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_structure_has_all_its_fields() {
        insta::assert_snapshot!(
            shown("EnvVar", &json!({"name": "A", "value": "<b>"})),
            @r#"{"Name":"A","Value":"\u003cb\u003e","ValueFrom":null}"#
        );
        insta::assert_snapshot!(
            shown("ConfigMapVolumeSource", &json!({"name": "x", "defaultMode": 420})),
            @r#"{"Name":"x","Items":null,"DefaultMode":420,"Optional":null}"#
        );
        let spec = shown(POD_SPEC, &json!({"hostNetwork": true}));
        assert!(spec.contains(r#""SecurityContext":{"HostNetwork":true,"HostPID":false,"#), "{spec}");
        let template = shown(POD_TEMPLATE, &json!({"metadata": {"labels": {"a": "b"}}, "spec": {}}));
        assert!(template.starts_with(r#"{"labels":{"a":"b"},"Spec":{"Volumes":null,"#), "{template}");
        let template = shown(POD_TEMPLATE, &json!({"metadata": {"labels": {}, "finalizers": []}, "spec": {}}));
        assert!(template.starts_with(r#"{"Spec":{"Volumes":null,"#), "{template}");
    }
}
