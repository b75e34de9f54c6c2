//! The scale subresource: of custom kinds by the paths that the definition names, of Kubernetes' own by what they have.
//!
//! Source: `apiextensions-apiserver/pkg/registry/customresource/etcd.go`.

use serde_json::{Map, Value, json};

use crate::sandbox::decode::{go_print, go_type_of};
use crate::sandbox::kind::{Custom, Kind};
use crate::sandbox::refusal::Refusal;
use crate::sandbox::table::selector_text;

/// Where a definition says that the numbers of the scale subresource are.
#[derive(Debug, Clone, Copy)]
pub(super) struct ScalePaths<'a> {
    pub(super) spec_replicas: &'a str,
    pub(super) status_replicas: &'a str,
    pub(super) label_selector: Option<&'a str>,
}

impl<'a> ScalePaths<'a> {
    pub(super) fn of(custom: &'a Custom) -> Option<Self> {
        let scale = custom.version.pointer("/subresources/scale")?;
        Some(Self {
            spec_replicas: scale.get("specReplicasPath")?.as_str()?,
            status_replicas: scale.get("statusReplicasPath")?.as_str()?,
            label_selector: scale.get("labelSelectorPath").and_then(Value::as_str).filter(|path| !path.is_empty()),
        })
    }
}

fn steps(path: &str) -> impl Iterator<Item = &str> {
    path.strip_prefix('.').unwrap_or(path).split('.')
}

/// Returns the value at a dotted path, or how the server says that a step of it is no map.
fn value_at<'a>(object: &'a Value, path: &str) -> Result<Option<&'a Value>, String> {
    let mut value = object;
    let mut walked = String::new();
    for step in steps(path) {
        walked.push('.');
        walked.push_str(step);
        match value {
            Value::Null => return Ok(None),
            Value::Object(map) => match map.get(step) {
                Some(next) => value = next,
                None => return Ok(None),
            },
            other => return Err(unexpected(&walked, other, "map[string]interface{}")),
        }
    }
    Ok(Some(value))
}

pub(super) fn number_at(object: &Value, path: &str) -> Result<Option<i64>, String> {
    let Some(value) = value_at(object, path)? else { return Ok(None) };
    value.as_i64().map(Some).ok_or_else(|| unexpected(&dotted(path), value, "int64"))
}

pub(super) fn text_at<'a>(object: &'a Value, path: &str) -> Result<Option<&'a str>, String> {
    let Some(value) = value_at(object, path)? else { return Ok(None) };
    value.as_str().map(Some).ok_or_else(|| unexpected(&dotted(path), value, "string"))
}

fn dotted(path: &str) -> String {
    format!(".{}", path.strip_prefix('.').unwrap_or(path))
}

fn unexpected(path: &str, value: &Value, expected: &str) -> String {
    let (shown, kind) = (go_print(value), go_type_of(value));
    format!("{path} accessor error: {shown} is of the type {kind}, expected {expected}")
}

/// Returns the `Scale` of a custom resource.
///
/// # Errors
/// 500 if the object has no replicas, or if they are no number.
pub fn scale_of(custom: &Custom, object: &Value) -> Result<Value, Refusal> {
    let Some(paths) = ScalePaths::of(custom) else { return Err(Refusal::no_such_path()) };
    if number_at(object, paths.spec_replicas).map_err(Refusal::plain)?.is_none() {
        let path = paths.spec_replicas;
        return Err(Refusal::internal(format!("the spec replicas field {path:?} does not exist")));
    }
    scale_to_write(custom, object)
}

/// Returns the `Scale` that a write starts from: who writes it may be the first to say how many replicas there are to be.
///
/// # Errors
/// 500 if what is there is no number.
pub fn scale_to_write(custom: &Custom, object: &Value) -> Result<Value, Refusal> {
    let Some(paths) = ScalePaths::of(custom) else { return Err(Refusal::no_such_path()) };
    let replicas = number_at(object, paths.spec_replicas).map_err(Refusal::plain)?.unwrap_or_default();
    let status = number_at(object, paths.status_replicas).map_err(Refusal::plain)?.unwrap_or_default();
    let selector = match paths.label_selector {
        Some(path) => text_at(object, path).map_err(Refusal::plain)?.unwrap_or_default(),
        None => "",
    };
    Ok(scale(object, replicas, status, selector))
}

/// Puts a number of replicas where the definition says, and returns the object.
///
/// # Errors
/// 500 if a step of the path is no map.
pub fn scaled(custom: &Custom, object: &Value, replicas: i64) -> Result<Value, Refusal> {
    let Some(paths) = ScalePaths::of(custom) else { return Err(Refusal::no_such_path()) };
    value_at(object, paths.spec_replicas).map_err(Refusal::plain)?;
    let mut object = object.clone();
    let mut place = &mut object;
    for step in steps(paths.spec_replicas) {
        if !place.is_object() {
            *place = json!({});
        }
        place = &mut place[step];
    }
    *place = Value::from(replicas);
    Ok(object)
}

/// Returns the `Scale` of one of Kubernetes' own scalable objects.
#[must_use]
pub fn builtin_scale(kind: &Kind, object: &Value) -> Value {
    let number = |pointer: &str| object.pointer(pointer).and_then(Value::as_i64).unwrap_or_default();
    let selector = object.pointer("/spec/selector").unwrap_or(&Value::Null);
    let selector = match kind.is("", "ReplicationController") {
        true => equalities(selector).join(","),
        // One that makes no sense was never stored.
        false => selector_text(selector).unwrap_or_default(),
    };
    scale(object, number("/spec/replicas"), number("/status/replicas"), &selector)
}

fn scale(object: &Value, replicas: i64, status: i64, selector: &str) -> Value {
    let mut metadata = Map::new();
    for key in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        if let Some(value) = object.pointer("/metadata").and_then(|metadata| metadata.get(key)) {
            metadata.insert(key.to_owned(), value.clone());
        }
    }
    let mut scale = json!({
        "kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": {}, "status": {"replicas": status}
    });
    if replicas != 0 {
        scale["spec"]["replicas"] = Value::from(replicas);
    }
    if !selector.is_empty() {
        scale["status"]["selector"] = Value::from(selector);
    }
    scale
}

fn equalities(labels: &Value) -> Vec<String> {
    let labels = labels.as_object().into_iter().flatten();
    labels.map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect()
}
