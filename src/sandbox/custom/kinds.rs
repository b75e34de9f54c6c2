//! The kinds that a definition brings.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::definition::{deprecation_warning, is_terminating, versions};
use super::openapi::openapi_schemas;
use super::structural::{flag, text, texts};
use crate::sandbox::kind::{Custom, Kind, Subresource};
use crate::ssa::Schema;

/// In the order in which discovery tells the verbs of custom resources.
const VERBS: [&str; 8] = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];
/// The same while the definition is being deleted.
const TERMINATING_VERBS: [&str; 5] = ["delete", "deletecollection", "get", "list", "watch"];
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
    let kind = text(names, "kind").to_owned();
    let or = |key: &str, otherwise: String| match text(names, key) {
        "" => otherwise,
        name => name.to_owned(),
    };
    let list = |key: &str| texts(names, key).into_iter().map(str::to_owned).collect();
    let version_name = text(version, "name");
    let storage = versions(definition).find(|version| flag(version, "storage"));
    let verbs: &[&'static str] = if is_terminating(definition) { &TERMINATING_VERBS } else { &VERBS };
    let mut served = Kind {
        group: text(spec, "group").to_owned(),
        version: version_name.to_owned(),
        plural: text(names, "plural").to_owned(),
        singular: or("singular", kind.to_lowercase()),
        list_kind: or("listKind", format!("{kind}List")),
        short_names: list("shortNames"),
        categories: list("categories"),
        namespaced: text(spec, "scope") == "Namespaced",
        verbs: verbs.to_vec(),
        subresources: subresources_of(version, &kind),
        schema: Schema::deduced(),
        custom: Some(Arc::new(Custom {
            structural: version.pointer("/schema/openAPIV3Schema").cloned().unwrap_or_else(|| json!({})),
            version: version.clone(),
            storage_version: storage.map_or(version_name, |storage| text(storage, "name")).to_owned(),
            deprecation: deprecation_warning(definition, version_name),
        })),
        kind,
    };
    if let Some(schema) = schema_of(&served) {
        served.schema = schema;
    }
    served
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

/// Reads the shape of a kind out of as much of an OpenAPI document as tells the schema and the scope.
fn schema_of(kind: &Kind) -> Option<Schema> {
    let scope = if kind.namespaced { "namespaces/{namespace}/" } else { "" };
    let path = format!("/apis/{}/{}/{scope}{}/{{name}}", kind.group, kind.version, kind.plural);
    let identity = json!({"group": kind.group, "version": kind.version, "kind": kind.kind});
    let operation = json!({"get": {"x-kubernetes-group-version-kind": identity}});
    let mut paths = Map::new();
    if kind.subresource("status").is_some() {
        paths.insert(format!("{path}/status"), operation.clone());
    }
    paths.insert(path, operation);
    let document = json!({"paths": paths, "components": {"schemas": openapi_schemas(kind)}});
    Schema::from_openapi(&document, &kind.group, &kind.version, &kind.kind)
}
