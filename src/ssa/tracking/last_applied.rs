//! From client-side to server-side apply: the annotation in which `kubectl apply` keeps what it applied.

use serde_json::{Map, Value};

use crate::ssa::compare::compare;
use crate::ssa::field_set::FieldSet;
use crate::ssa::schema::Schema;
use crate::ssa::set_of::set_of;
use crate::ssa::validate::validate;

/// The only manager for which the annotation counts.
pub(super) const ALLOWED_MANAGER: &str = "kubectl";
const ANNOTATION: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// How many bytes the annotations of an object may have together.
const MOST_BYTES: usize = 256 * 1024;

/// Returns the fields that the live object still has as they were last applied on the client's side: taking them over is no
/// conflict. `None` if the annotation is missing, or cannot be read as this version of the kind.
pub(super) fn allowed_conflicts(schema: &Schema, live: &Value, api_version: &str) -> Option<FieldSet> {
    let annotation = annotation_of(live)?;
    let applied: Value = serde_json::from_str(annotation).ok()?;
    let text = |object: &Value, key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    if text(&applied, "apiVersion") != api_version || text(&applied, "kind") != text(live, "kind") {
        return None;
    }
    validate(schema, live).ok()?;
    let found = compare(schema, &applied, live);
    let fields = set_of(schema, &applied).ok()?;
    Some(fields.difference(&found.modified).difference(&found.added).difference(&found.removed))
}

/// Writes what was applied into the annotation, if there is one.
pub(super) fn refresh(object: &mut Value, config: &Value) {
    if annotation_of(object).is_none() {
        return;
    }
    let mut applied = config.clone();
    if let Some(metadata) = applied.get_mut("metadata").and_then(Value::as_object_mut) {
        let is_map_of_texts = metadata
            .get("annotations")
            .and_then(Value::as_object)
            .is_some_and(|map| map.values().all(Value::is_string));
        if !is_map_of_texts {
            metadata.remove("annotations");
        } else if let Some(Value::Object(annotations)) = metadata.get_mut("annotations") {
            annotations.remove(ANNOTATION);
        }
    }
    let text = as_go_writes(&applied) + "\n";
    let Some(annotations) = object.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) else { return };
    annotations.insert(ANNOTATION.to_owned(), Value::from(text));
    if bytes_of(annotations) > MOST_BYTES {
        annotations.remove(ANNOTATION);
    }
}

fn annotation_of(object: &Value) -> Option<&str> {
    let annotations = object.pointer("/metadata/annotations")?.as_object()?;
    annotations.get(ANNOTATION)?.as_str().filter(|text| !text.is_empty())
}

fn bytes_of(annotations: &Map<String, Value>) -> usize {
    annotations.iter().map(|(key, value)| key.len() + value.as_str().unwrap_or_default().len()).sum()
}

/// Writes JSON with the characters escaped that Go escapes lest a page take them for markup.
pub(super) fn as_go_writes(value: &Value) -> String {
    let text = value.to_string();
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => escaped += &format!("\\u{:04x}", u32::from(character)),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_annotation_becomes_what_was_applied() {
        let mut object = json!({"metadata": {"annotations": {ANNOTATION: "{}"}}});
        let config = json!({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "a", "annotations": {ANNOTATION: "x"}},
            "data": {"a": "<&>"}});
        refresh(&mut object, &config);
        assert_eq!(
            object["metadata"]["annotations"][ANNOTATION],
            "{\"apiVersion\":\"v1\",\"data\":{\"a\":\"\\u003c\\u0026\\u003e\"},\"kind\":\"ConfigMap\",\"metadata\":{\"annotations\":{},\"name\":\"a\"}}\n"
        );
        let mut without = json!({"metadata": {}});
        refresh(&mut without, &config);
        assert_eq!(without, json!({"metadata": {}}));
    }

    #[test]
    fn what_is_too_long_for_the_server_is_not_written_down() {
        let applied = |length: usize| {
            let mut object = json!({"metadata": {"annotations": {ANNOTATION: "{}"}}});
            refresh(&mut object, &json!({"kind": "ConfigMap", "data": {"a": "x".repeat(length)}}));
            object.pointer("/metadata/annotations").and_then(|all| all.get(ANNOTATION)).is_some()
        };
        assert_eq!([10, MOST_BYTES / 2, MOST_BYTES + 1].map(applied), [true, true, false]);
    }
}
