//! The OpenAPI v3 documents: the shapes of the served kinds and their operations, one document a group and version.
//!
//! Shapes of Kubernetes' own kinds are written back from the compact tables of [`crate::ssa`], so that there is one truth;
//! descriptions are in none of the tables, and so in none of these documents. Custom kinds are described by their
//! definitions. Of version 2 there is only the frame, see [`version_2`].

mod definitions;
mod operations;
mod paths;
pub mod version_2;

use std::sync::Arc;

use serde_json::{Map, Value, json};

pub(super) use self::definitions::{MORE_TYPES, definitions_of};
use self::paths::Resource;
use super::custom;
use super::kind::Kind;
use super::kinds::Kinds;
use crate::resource::Digest;
use crate::ssa::Release;

const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.";

/// Returns the OpenAPI document at a path: the list of documents at `/openapi/v3`, or one of them. A query is ignored.
#[must_use]
pub fn document(path: &str, kinds: &Kinds) -> Option<Value> {
    let path = path.split('?').next().unwrap_or_default().trim_end_matches('/');
    let steps: Vec<&str> = path.split('/').skip(1).collect();
    match steps.as_slice() {
        ["openapi", "v3"] => Some(index(kinds)),
        ["openapi", "v3", "api", version] => of_version("", version, kinds),
        ["openapi", "v3", "apis", group, version] => of_version(group, version, kinds),
        _ => None,
    }
}

/// Returns the hash of a group version's document: it changes with the document, and clients keep what they read under it.
#[must_use]
pub fn hash(group: &str, version: &str, kinds: &Kinds) -> String {
    let served = || kinds.iter().filter(|kind| kind.group == group && kind.version == version);
    let api_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    // A client that has the real document needs none of ours, which leaves out descriptions and has no other field.
    if let Some(hash) = Release::NEWEST.document(&api_version).filter(|_| served().all(|kind| kind.custom.is_none())) {
        return hash.to_owned();
    }
    let served: Vec<Value> = served().map(told).collect();
    // A document of our own kinds changes with nothing but this program.
    Digest::of(&json!([env!("CARGO_PKG_VERSION"), group, version, served])).hex().to_uppercase()
}

fn told(kind: &Arc<Kind>) -> Value {
    let subresources: Vec<&str> = kind.subresources.iter().map(|subresource| subresource.name.as_str()).collect();
    let version = kind.custom.as_ref().map(|custom| &custom.version);
    json!([kind.kind, kind.plural, kind.list_kind, kind.namespaced, kind.verbs, subresources, version])
}

fn index(kinds: &Kinds) -> Value {
    let mut paths = Map::new();
    let mut add = |path: String, group: &str, version: &str| {
        let address = format!("/openapi/v3/{path}?hash={}", hash(group, version, kinds));
        paths.insert(path, json!({"serverRelativeURL": address}));
    };
    add("api/v1".to_owned(), "", "v1");
    for (group, versions) in kinds.groups() {
        for version in versions {
            add(format!("apis/{group}/{version}"), group, version);
        }
    }
    json!({"paths": paths})
}

fn of_version(group: &str, version: &str, kinds: &Kinds) -> Option<Value> {
    let served: Vec<&Arc<Kind>> = kinds.iter().filter(|kind| kind.group == group && kind.version == version).collect();
    let first = served.first()?;
    let mut schemas = Map::new();
    let mut paths = Map::new();
    // Reviews are only posted.
    let has_objects = served.iter().any(|kind| kind.verbs.contains(&"list"));
    let mut common = if has_objects { vec!["DeleteOptions", "Patch", "Status", "ListMeta"] } else { Vec::new() };
    if has_objects && first.custom.is_none() {
        common.push("WatchEvent");
    }
    for name in common {
        definitions_of(&MORE_TYPES, &format!("{META}{name}"), &mut schemas);
    }
    for kind in &served {
        add_schemas(kind, &mut schemas);
        Resource::of(kind).add_paths(&mut paths);
    }
    if first.custom.is_none() {
        // Kinds of other groups may be within these, as claims are within a StatefulSet.
        for kind in kinds.iter().filter(|kind| kind.custom.is_none()) {
            identify(&mut schemas, &paths::type_name(kind), &kind.group, &kind.version, &kind.kind);
        }
    }
    identify(&mut schemas, &format!("{META}DeleteOptions"), group, version, "DeleteOptions");
    identify(&mut schemas, &format!("{META}Status"), "", "v1", "Status");
    identify(&mut schemas, &format!("{META}WatchEvent"), group, version, "WatchEvent");
    let info = match first.custom {
        Some(_) => json!({"title": "Kubernetes CRD Swagger", "version": "v0.1.0"}),
        None => json!({"title": "Kubernetes", "version": "1.35"}),
    };
    Some(json!({"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": schemas}}))
}

/// Adds the definitions of a kind, of its list and of what its subresources take.
fn add_schemas(kind: &Kind, schemas: &mut Map<String, Value>) {
    let name = paths::type_name(kind);
    if kind.custom.is_some() {
        definitions_of(&MORE_TYPES, &format!("{META}ObjectMeta"), schemas);
        schemas.extend(custom::openapi_schemas(kind));
    } else {
        definitions_of(&kind.schema.types, &name, schemas);
        if kind.verbs.contains(&"list") {
            let items = json!({"allOf": [definitions::reference_to(&name)], "default": {}});
            let metadata = json!({"allOf": [definitions::reference_to(&format!("{META}ListMeta"))], "default": {}});
            let list = json!({
                "type": "object",
                "required": ["items"],
                "properties": {
                    "apiVersion": {"type": "string"}, "kind": {"type": "string"},
                    "items": {"type": "array", "items": items}, "metadata": metadata
                }
            });
            schemas.insert(format!("{name}List"), list);
            identify(schemas, &format!("{name}List"), &kind.group, &kind.version, &kind.list_kind);
        }
    }
    for subresource in &kind.subresources {
        if let Some((group, version)) = &subresource.group_version
            && let Some(below) = Kinds::below(group, version, &subresource.kind)
        {
            let name = paths::type_name(below);
            definitions_of(&MORE_TYPES, &name, schemas);
            identify(schemas, &name, group, version, &subresource.kind);
        }
    }
}

/// Says which kind a definition describes.
fn identify(schemas: &mut Map<String, Value>, name: &str, group: &str, version: &str, kind: &str) {
    if let Some(schema) = schemas.get_mut(name) {
        schema["x-kubernetes-group-version-kind"] = json!([{"group": group, "kind": kind, "version": version}]);
    }
}

#[cfg(test)]
mod tests;
