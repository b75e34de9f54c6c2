//! Discovery document by document, as clients before aggregated discovery read it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::sandbox::kind::{Kind, Subresource};
use crate::sandbox::kinds::Kinds;

/// `/api`
pub(super) fn core_versions() -> Value {
    // Which address a client should use instead is for servers with several of them.
    json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []})
}

/// `/apis`
pub(super) fn groups(kinds: &Kinds) -> Value {
    let mut groups = kinds.groups();
    // Custom groups all have one priority, and are then sorted by the name of their first APIService.
    let custom = |group: &str| kinds.custom().any(|kind| kind.group == group);
    groups.sort_by_cached_key(|(group, versions)| {
        let names = versions.iter().map(|version| format!("{version}.{group}"));
        if custom(group) { names.min() } else { None }
    });
    let groups: Vec<Value> = groups.iter().map(|(group, versions)| described(group, versions)).collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

/// `/apis/GROUP`
pub(super) fn group(group: &str, kinds: &Kinds) -> Option<Value> {
    let (name, versions) = kinds.groups().into_iter().find(|(name, _)| *name == group)?;
    let mut document = described(name, &versions);
    document["kind"] = json!("APIGroup");
    document["apiVersion"] = json!("v1");
    Some(document)
}

fn described(group: &str, versions: &[&str]) -> Value {
    let version = |version: &&str| json!({"groupVersion": format!("{group}/{version}"), "version": version});
    json!({
        "name": group,
        "versions": versions.iter().map(version).collect::<Vec<_>>(),
        "preferredVersion": versions.first().map(version)
    })
}

/// `/api/v1` and `/apis/GROUP/VERSION`
pub(super) fn resources(group: &str, version: &str, kinds: &Kinds) -> Option<Value> {
    let mut resources = Vec::new();
    for kind in kinds.iter().filter(|kind| kind.group == group && kind.version == version) {
        resources.push(resource(kind, kinds));
        resources.extend(kind.subresources.iter().map(|below| subresource(kind, below)));
    }
    if resources.is_empty() {
        return None;
    }
    // The core group's list is the only one without a version of its own.
    Some(match group {
        "" => json!({"kind": "APIResourceList", "groupVersion": version, "resources": resources}),
        _ => json!({
            "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": format!("{group}/{version}"),
            "resources": resources
        }),
    })
}

fn resource(kind: &Kind, kinds: &Kinds) -> Value {
    let mut resource = Map::new();
    let mut put = |key: &str, value: Value| resource.insert(key.to_owned(), value);
    put("name", json!(kind.plural));
    put("singularName", json!(kind.singular));
    put("namespaced", json!(kind.namespaced));
    put("kind", json!(kind.kind));
    put("verbs", json!(kind.verbs));
    if !kind.short_names.is_empty() {
        put("shortNames", json!(kind.short_names));
    }
    if !kind.categories.is_empty() {
        put("categories", json!(kind.categories));
    }
    if let Some((group, version)) = stored_as(kind, kinds) {
        put("storageVersionHash", json!(storage_version_hash(group, version, &kind.kind)));
    }
    Value::Object(resource)
}

fn subresource(kind: &Kind, below: &Subresource) -> Value {
    let mut subresource = json!({
        "name": format!("{}/{}", kind.plural, below.name),
        "singularName": "",
        "namespaced": kind.namespaced,
        "kind": below.kind,
        "verbs": below.verbs
    });
    if let Some((group, version)) = &below.group_version {
        subresource["group"] = json!(group);
        subresource["version"] = json!(version);
    }
    subresource
}

/// Returns the group and version in which a kind's objects are stored, as far as the server tells it: for what it does
/// store, and for custom kinds whose storage version is served.
fn stored_as<'k>(kind: &'k Kind, kinds: &'k Kinds) -> Option<(&'k str, &'k str)> {
    if let Some(custom) = &kind.custom {
        let version = custom.storage_version.as_str();
        return kinds.by_plural(&kind.group, version, &kind.plural).map(|_| (kind.group.as_str(), version));
    }
    if !kind.verbs.contains(&"create") || !kind.verbs.contains(&"get") {
        return None;
    }
    // Where these two differ from how we store them: a real server still stores their older version.
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("storage.k8s.io", "VolumeAttributesClass") => Some(("storage.k8s.io", "v1beta1")),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => Some(("apiextensions.k8s.io", "v1beta1")),
        (group, name) => kinds.storage(group, name).map(|stored| (stored.group.as_str(), stored.version.as_str())),
    }
}

/// Names the version in which a kind is stored, so that clients notice a change of it.
fn storage_version_hash(group: &str, version: &str, kind: &str) -> String {
    let digest = Sha256::digest(format!("{group}/{version}/{kind}"));
    STANDARD.encode(digest.iter().take(8).copied().collect::<Vec<u8>>())
}
