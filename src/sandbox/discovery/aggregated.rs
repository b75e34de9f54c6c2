//! Discovery in two requests: all groups, versions and resources at once.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::sandbox::kind::{Kind, Subresource};
use crate::sandbox::kinds::Kinds;

/// `/api`
pub(super) fn core(kinds: &Kinds) -> Value {
    list(vec![group("", &["v1"], kinds)])
}

/// `/apis`
pub(super) fn groups(kinds: &Kinds) -> Value {
    list(kinds.groups().iter().map(|(name, versions)| group(name, versions, kinds)).collect())
}

fn list(items: Vec<Value>) -> Value {
    json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items})
}

fn group(name: &str, versions: &[&str], kinds: &Kinds) -> Value {
    let versions: Vec<Value> = versions
        .iter()
        .map(|version| {
            let served = |kind: &&Arc<Kind>| kind.group == name && kind.version == *version;
            let resources: Vec<Value> = kinds.iter().filter(served).map(|kind| resource(kind)).collect();
            json!({"version": version, "resources": resources, "freshness": "Current"})
        })
        .collect();
    let metadata = if name.is_empty() { json!({}) } else { json!({"name": name}) };
    json!({"metadata": metadata, "versions": versions})
}

fn resource(kind: &Kind) -> Value {
    let mut resource = Map::new();
    let mut put = |key: &str, value: Value| resource.insert(key.to_owned(), value);
    put("resource", json!(kind.plural));
    put("responseKind", own_kind(kind, &kind.kind));
    put("scope", json!(if kind.namespaced { "Namespaced" } else { "Cluster" }));
    put("singularResource", json!(kind.singular));
    put("verbs", json!(kind.verbs));
    if !kind.short_names.is_empty() {
        put("shortNames", json!(kind.short_names));
    }
    if !kind.categories.is_empty() {
        put("categories", json!(kind.categories));
    }
    if !kind.subresources.is_empty() {
        put("subresources", kind.subresources.iter().map(|below| subresource(kind, below)).collect());
    }
    Value::Object(resource)
}

fn subresource(kind: &Kind, below: &Subresource) -> Value {
    let response = match &below.group_version {
        Some((group, version)) => json!({"group": group, "version": version, "kind": below.kind}),
        None => own_kind(kind, &below.kind),
    };
    json!({"subresource": below.name, "responseKind": response, "verbs": below.verbs})
}

/// Of its own kinds the server leaves the group and version to where they stand; of custom ones it repeats them.
fn own_kind(kind: &Kind, name: &str) -> Value {
    match kind.custom {
        Some(_) => json!({"group": kind.group, "version": kind.version, "kind": name}),
        None => json!({"group": "", "version": "", "kind": name}),
    }
}
