//! The fields that the server tracks for nobody: it writes them itself, or they cannot change.

use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::field_set::FieldSet;
use super::path::{Path, PathElement};
use super::schema::Schema;

const OF_METADATA: [&str; 9] = [
    "name",
    "namespace",
    "creationTimestamp",
    "selfLink",
    "uid",
    "clusterName",
    "generation",
    "managedFields",
    "resourceVersion",
];

const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

/// Metadata that the server keeps as it has it, whatever is written.
pub(crate) const OF_SERVER: [&str; 5] = ["creationTimestamp", "generation", "resourceVersion", "selfLink", "uid"];

/// All of them: the same for every object.
pub(crate) static STRIPPED: LazyLock<FieldSet> = LazyLock::new(|| {
    let of_metadata = OF_METADATA.map(|name| Path(vec![PathElement::field("metadata"), PathElement::field(name)]));
    ["apiVersion", "kind", "metadata"].map(|name| Path::of_fields(&[name])).into_iter().chain(of_metadata).collect()
});

/// Tells whether a field of metadata is one of them.
pub(crate) fn is_stripped(of_metadata: &str) -> bool {
    OF_METADATA.contains(&of_metadata)
}

/// Shows the generation of a DaemonSet's template where it is not shown: the server keeps it in a field that only an annotation
/// shows, whoever wrote that or not.
pub(crate) fn show_template_generation(schema: &Schema, object: &mut Value, generation: &Value) {
    if schema.type_name() != Some("io.k8s.api.apps.v1.DaemonSet") {
        return;
    }
    if let Some(annotations) = object
        .get_mut("metadata")
        .and_then(Value::as_object_mut)
        .and_then(|metadata| metadata.entry("annotations").or_insert_with(|| Value::Object(Map::new())).as_object_mut())
    {
        annotations.entry(TEMPLATE_GENERATION).or_insert_with(|| generation.clone());
    }
}

/// Does the same with the generation that a live object shows.
pub(crate) fn keep_template_generation(schema: &Schema, object: &mut Value, live: &Value) {
    if let Some(generation) =
        live.get("metadata").and_then(|metadata| metadata.get("annotations")?.get(TEMPLATE_GENERATION))
    {
        show_template_generation(schema, object, generation);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::ssa::{apply, builtin};

    #[test]
    fn who_takes_the_annotation_of_a_daemon_set_back_does_not_get_rid_of_it() {
        let schema = builtin("apps", "v1", "DaemonSet").unwrap();
        let config = |annotations: serde_json::Value| {
            let template = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "a"}]}});
            json!({"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "x", "annotations": annotations},
                "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template}})
        };
        let shown = json!({super::TEMPLATE_GENERATION: "1", "mine": "x"});
        let live = apply(&schema, None, &config(shown), "a").unwrap().object.into_owned();
        let without = apply(&schema, Some(&live), &config(json!({})), "a").unwrap();
        assert_eq!(without.object["metadata"]["annotations"], json!({super::TEMPLATE_GENERATION: "1"}));
        assert!(without.content_changed);
        let again = apply(&schema, Some(&without.object), &config(json!({})), "a").unwrap();
        assert!(!again.content_changed);
    }
}
