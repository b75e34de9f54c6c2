//! Objects and lists as they are sent.

use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};

use crate::sandbox::kind::Kind;

/// Writes one object.
#[must_use]
pub fn object_text(object: &Value) -> Bytes {
    let mut text = Vec::with_capacity(1024);
    write(object, &mut text);
    text.into()
}

/// Writes a value as `serde_json` does. Most texts have nothing to escape, and are much faster looked through and copied as
/// a whole.
fn write(value: &Value, text: &mut Vec<u8>) {
    match value {
        Value::String(string) => write_string(string, text),
        Value::Array(items) => write_list(items, text, write),
        Value::Object(map) => write_map(map, text),
        other => escaped(other, text),
    }
}

fn write_map<'v>(entries: impl IntoIterator<Item = (&'v String, &'v Value)>, text: &mut Vec<u8>) {
    text.push(b'{');
    for (index, (key, value)) in entries.into_iter().enumerate() {
        if index > 0 {
            text.push(b',');
        }
        write_string(key, text);
        text.push(b':');
        write(value, text);
    }
    text.push(b'}');
}

fn write_list<T>(items: &[T], text: &mut Vec<u8>, write: impl Fn(&T, &mut Vec<u8>)) {
    text.push(b'[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            text.push(b',');
        }
        write(item, text);
    }
    text.push(b']');
}

fn write_string(string: &str, text: &mut Vec<u8>) {
    let is_escaped = |all: bool, byte: u8| all | (byte < 0x20) | (byte == b'"') | (byte == b'\\');
    if string.bytes().fold(false, is_escaped) {
        return escaped(string, text);
    }
    text.push(b'"');
    text.extend_from_slice(string.as_bytes());
    text.push(b'"');
}

fn escaped<T: Serialize + ?Sized>(value: &T, text: &mut Vec<u8>) {
    // Writing a `Value` to memory cannot fail: its keys are texts.
    let _ = serde_json::to_writer(text, value);
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
    let mut text = Vec::with_capacity(1024);
    text.extend_from_slice(br#"{"kind":"#);
    write_string(&kind.list_kind, &mut text);
    text.extend_from_slice(br#","apiVersion":"#);
    write_string(&kind.api_version(), &mut text);
    text.extend_from_slice(br#","metadata":"#);
    write(&metadata, &mut text);
    text.extend_from_slice(br#","items":"#);
    write_list(objects, &mut text, |object, text| match (&kind.custom, &**object) {
        (None, Value::Object(map)) => {
            write_map(map.iter().filter(|(name, _)| !matches!(name.as_str(), "kind" | "apiVersion")), text);
        }
        (_, object) => write(object, text),
    });
    text.push(b'}');
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::kinds::Kinds;

    #[test]
    fn what_is_written_is_what_is_written_elsewhere() {
        let object = json!({
            "kind": "Secret", "apiVersion": "v1", "empty": [{}, [], "", null],
            "numbers": [0, -1, 1.5, 1e300, u64::MAX], "is": [true, false],
            "texts": ["a/b é 😀 \u{7f}\u{2028}", "\"\\\n\t\r\u{8}\u{c}\u{0}\u{1f}"], "\"": {"<a>": "&"}
        });
        assert_eq!(object_text(&object), object.to_string());
        let kinds = Kinds::new();
        let metadata = json!({"resourceVersion": "1"});
        let text = list_text(
            kinds.by_kind("", "Secret").unwrap(),
            &metadata,
            &[Arc::new(object.clone()), Arc::new(json!({}))],
        );
        let mut bare = object;
        bare.as_object_mut().unwrap().retain(|name, _| name != "kind" && name != "apiVersion");
        let expected =
            format!(r#"{{"kind":"SecretList","apiVersion":"v1","metadata":{metadata},"items":[{bare},{{}}]}}"#);
        assert_eq!(text, expected);
    }
}
