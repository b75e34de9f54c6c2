//! The kinds that a definition brings.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::definition::versions;
use super::openapi::openapi_schemas;
use super::structural::{flag, text, texts};
use crate::sandbox::kind::{Custom, Kind, Subresource};
use crate::ssa::Schema;

/// In the order in which discovery tells the verbs of custom resources.
const VERBS: [&str; 8] = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];
const SUBRESOURCE_VERBS: [&str; 3] = ["get", "patch", "update"];

/// Returns the kinds that a definition serves, one a served version, in the order of its versions. Names are the accepted
/// ones, where there are any. Whether it is established, and so serves anything, is for the caller to ask
/// ([`is_established`](super::is_established)).
#[must_use]
pub fn kinds_of(definition: &Value) -> Vec<Kind> {
    versions(definition).filter(|version| flag(version, "served")).map(|version| kind_of(definition, version)).collect()
}

fn kind_of(definition: &Value, version: &Value) -> Kind {
    let spec = definition.get("spec").unwrap_or(&Value::Null);
    let accepted = definition.pointer("/status/acceptedNames");
    let names = accepted
        .filter(|names| !text(names, "plural").is_empty() && !text(names, "kind").is_empty())
        .or_else(|| spec.get("names"));
    let names = names.unwrap_or(&Value::Null);
    let owned = |key: &str| text(names, key).to_owned();
    let list = |key: &str| texts(names, key).into_iter().map(str::to_owned).collect();
    let (group, version_name) = (text(spec, "group"), text(version, "name"));
    let namespaced = text(spec, "scope") == "Namespaced";
    let subresources = subresources_of(version, text(names, "kind"));
    let has_status = subresources.iter().any(|subresource| subresource.name == "status");
    let storage = versions(definition).find(|version| flag(version, "storage"));
    let document = document(definition, version_name, namespaced, has_status);
    let schema = Schema::from_openapi(&document, group, version_name, text(spec.get("names").unwrap_or(names), "kind"));
    Kind {
        group: group.to_owned(),
        version: version_name.to_owned(),
        kind: owned("kind"),
        plural: owned("plural"),
        singular: owned("singular"),
        list_kind: owned("listKind"),
        short_names: list("shortNames"),
        categories: list("categories"),
        namespaced,
        verbs: VERBS.to_vec(),
        subresources,
        schema: schema.unwrap_or_else(Schema::deduced),
        custom: Some(Arc::new(Custom {
            structural: version.pointer("/schema/openAPIV3Schema").cloned().unwrap_or_else(|| json!({})),
            version: version.clone(),
            storage_version: storage.map_or(version_name, |storage| text(storage, "name")).to_owned(),
        })),
    }
}

fn subresources_of(version: &Value, kind: &str) -> Vec<Subresource> {
    let declared = |name: &str| version.get("subresources").and_then(|all| all.get(name)).is_some_and(Value::is_object);
    let mut subresources = Vec::new();
    if declared("status") {
        subresources.push(Subresource {
            name: "status".to_owned(),
            group_version: None,
            kind: kind.to_owned(),
            verbs: SUBRESOURCE_VERBS.to_vec(),
        });
    }
    if declared("scale") {
        subresources.push(Subresource {
            name: "scale".to_owned(),
            group_version: Some(("autoscaling".to_owned(), "v1".to_owned())),
            kind: "Scale".to_owned(),
            verbs: SUBRESOURCE_VERBS.to_vec(),
        });
    }
    subresources
}

/// Makes as much of an OpenAPI document as tells the schema and the scope.
fn document(definition: &Value, version: &str, namespaced: bool, has_status: bool) -> Value {
    let spec = |pointer: &str| definition.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (group, kind, plural) = (spec("/spec/group"), spec("/spec/names/kind"), spec("/spec/names/plural"));
    let scope = if namespaced { "namespaces/{namespace}/" } else { "" };
    let path = format!("/apis/{group}/{version}/{scope}{plural}/{{name}}");
    let identity = json!({"group": group, "version": version, "kind": kind});
    let operation = json!({"get": {"x-kubernetes-group-version-kind": identity}});
    let mut paths = Map::new();
    if has_status {
        paths.insert(format!("{path}/status"), operation.clone());
    }
    paths.insert(path, operation);
    json!({"paths": paths, "components": {"schemas": openapi_schemas(definition, version)}})
}
