//! Objects and lists as they are sent.

use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use serde::ser::{SerializeMap as _, SerializeSeq as _, Serializer};
use serde_json::{Value, json};

use crate::sandbox::kind::Kind;

/// Writes one object.
#[must_use]
pub fn object_text(object: &Value) -> Bytes {
    // Writing a `Value` cannot fail: its keys are texts.
    serde_json::to_vec(object).unwrap_or_default().into()
}

/// Returns an object's metadata as `PartialObjectMetadata`.
#[must_use]
pub fn partial(object: &Value) -> Value {
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": own_metadata(object)})
}

/// Returns the metadata that the server itself holds: the annotation of a DaemonSet's generation is a field there.
#[must_use]
pub fn own_metadata(object: &Value) -> Value {
    let mut metadata = object.get("metadata").cloned().unwrap_or_else(|| json!({}));
    let of_daemon_set = object.get("kind").is_some_and(|kind| kind == "DaemonSet")
        && object.get("apiVersion").is_some_and(|version| version == "apps/v1");
    if of_daemon_set
        && let Some(map) = metadata.as_object_mut()
        && let Some(annotations) = map.get_mut("annotations").and_then(Value::as_object_mut)
        && annotations.remove("deprecated.daemonset.template.generation").is_some()
        && annotations.is_empty()
    {
        map.remove("annotations");
    }
    metadata
}

/// Writes a list. Items of built-in kinds do not say what they are, those of custom resources do.
#[must_use]
pub fn list_text(kind: &Kind, metadata: &Value, objects: &[Arc<Value>]) -> Bytes {
    let mut metadata = metadata.clone();
    // What has no type of its own always says whether there is more.
    if kind.custom.is_some()
        && let Some(metadata) = metadata.as_object_mut()
    {
        metadata.entry("continue").or_insert_with(|| Value::from(""));
    }
    let list = List { kind, metadata: &metadata, items: Items { objects, bare: kind.custom.is_none() } };
    serde_json::to_vec(&list).unwrap_or_default().into()
}

struct List<'a> {
    kind: &'a Kind,
    metadata: &'a Value,
    items: Items<'a>,
}

impl Serialize for List<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("kind", &self.kind.list_kind)?;
        map.serialize_entry("apiVersion", &self.kind.api_version())?;
        map.serialize_entry("metadata", self.metadata)?;
        map.serialize_entry("items", &self.items)?;
        map.end()
    }
}

struct Items<'a> {
    objects: &'a [Arc<Value>],
    bare: bool,
}

impl Serialize for Items<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut sequence = serializer.serialize_seq(Some(self.objects.len()))?;
        for object in self.objects {
            if self.bare {
                sequence.serialize_element(&Bare(object))?;
            } else {
                sequence.serialize_element(&**object)?;
            }
        }
        sequence.end()
    }
}

struct Bare<'a>(&'a Value);

impl Serialize for Bare<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.0.as_object().into_iter().flatten() {
            if name != "kind" && name != "apiVersion" {
                map.serialize_entry(name, value)?;
            }
        }
        map.end()
    }
}
