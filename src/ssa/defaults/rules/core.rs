//! Other kinds of the core group.

use serde_json::{Map, Value};

use super::{holds_something, is_missing, map_in};

/// A container's default limit is its maximum, and its default request the limit, else the minimum.
pub(super) fn limit_range_item(item: &mut Map<String, Value>) {
    if item.get("type").and_then(Value::as_str) != Some("Container") {
        return;
    }
    for (from, to) in [("max", "default"), ("default", "defaultRequest"), ("min", "defaultRequest")] {
        let Some(Value::Object(amounts)) = item.get(from).cloned() else { continue };
        if let Some(filled) = map_in(item, to) {
            for (resource, amount) in amounts {
                filled.entry(resource).or_insert(amount);
            }
        }
    }
}

pub(super) fn namespace_name_label(namespace: &mut Map<String, Value>) {
    let Some(metadata) = namespace.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    let Some(name) = metadata.get("name").cloned() else { return };
    if let Some(labels) = map_in(metadata, "labels") {
        labels.insert("kubernetes.io/metadata.name".to_owned(), name);
    }
}

/// Selector and labels are those of the template.
pub(super) fn replication_controller(controller: &mut Map<String, Value>) {
    let labels = controller.get("spec").and_then(|spec| spec.pointer("/template/metadata/labels")).cloned();
    let Some(labels) = labels.filter(Value::is_object) else { return };
    if let Some(spec) = map_in(controller, "spec")
        && !holds_something(spec, "selector")
    {
        spec.insert("selector".to_owned(), labels.clone());
    }
    set_missing_labels(controller, labels);
}

/// Gives an object without labels these.
pub(super) fn set_missing_labels(object: &mut Map<String, Value>, labels: Value) {
    if let Some(metadata) = map_in(object, "metadata")
        && !holds_something(metadata, "labels")
    {
        metadata.insert("labels".to_owned(), labels);
    }
}

/// A source of data within the namespace stands in both fields.
pub(super) fn data_source(claim: &mut Map<String, Value>) {
    for (from, to) in [("dataSource", "dataSourceRef"), ("dataSourceRef", "dataSource")] {
        let Some(source) = claim.get(from).filter(|source| source.is_object()).cloned() else { continue };
        let is_local = source.get("namespace").and_then(Value::as_str).unwrap_or_default().is_empty();
        if is_missing(claim, to) && is_local {
            claim.insert(to.to_owned(), source);
        }
    }
}
