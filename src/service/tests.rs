//! What holds for every type of service.

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{ConfigMap, Service, ServiceAccount};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;
use crate::resource::Manifest;

/// Writes objects as people read them.
pub(super) fn yaml(manifests: &[Manifest]) -> String {
    let texts: Vec<String> =
        manifests.iter().map(|manifest| serde_yaml::to_string(manifest.object()).unwrap()).collect();
    texts.join("---\n")
}

fn expansions() -> Vec<(&'static str, Expansion)> {
    let block = |type_name: &str| match type_name {
        "config" => json!({"data": {"A": "1"}}),
        "postgres" => json!({"password": "s/K", "storageClass": "fast"}),
        "redis" => json!({"password": "s/K"}),
        _ => json!({}),
    };
    TYPES
        .iter()
        .map(|type_name| {
            let context = ServiceContext { stack: "shop", namespace: "shop-system", name: type_name };
            (*type_name, expand(type_name, &block(type_name), &context).unwrap())
        })
        .collect()
}

fn every_manifest() -> Vec<Manifest> {
    expansions().into_iter().flat_map(|(_, expansion)| expansion.manifests).collect()
}

/// Reads the object as Kubernetes' own type and writes it again: a field that Kubernetes does not know would be lost.
fn through<T: Serialize + DeserializeOwned>(object: &Value) -> Value {
    let typed: T = serde_json::from_value(object.clone()).unwrap();
    serde_json::to_value(typed).unwrap()
}

#[test]
fn every_object_is_one_that_kubernetes_knows_field_by_field() {
    for manifest in every_manifest() {
        let object = manifest.object();
        let read_back = match manifest.kind() {
            "ServiceAccount" => through::<ServiceAccount>(object),
            "ClusterRole" => through::<ClusterRole>(object),
            "ClusterRoleBinding" => through::<ClusterRoleBinding>(object),
            "ConfigMap" => through::<ConfigMap>(object),
            "Service" => through::<Service>(object),
            "NetworkPolicy" => through::<NetworkPolicy>(object),
            "StatefulSet" => through::<StatefulSet>(object),
            kind => panic!("`{kind}` is not compared"),
        };
        assert_eq!(read_back, *object, "{manifest:?}");
    }
}

#[test]
fn every_object_and_pod_carries_the_labels() {
    let expected = [
        ("app.kubernetes.io/instance", "shop"),
        ("app.kubernetes.io/part-of", "mathison"),
        ("app.kubernetes.io/managed-by", "mathison"),
    ];
    for manifest in every_manifest() {
        let object = manifest.object();
        let pods = object.pointer("/spec/template/metadata/labels");
        let claims = object.pointer("/spec/volumeClaimTemplates/0/metadata/labels");
        for labels in [Some(&object["metadata"]["labels"]), pods, claims].into_iter().flatten() {
            for (key, value) in expected {
                assert_eq!(labels[key], value, "{manifest:?}");
            }
            for key in ["app.kubernetes.io/name", "app.kubernetes.io/component"] {
                assert!(labels[key].is_string(), "{manifest:?} has no {key}");
            }
        }
    }
}

#[test]
fn selectors_are_name_and_instance_and_find_their_pods() {
    for manifest in every_manifest() {
        let object = manifest.object();
        let selector = match manifest.kind() {
            "Service" => &object["spec"]["selector"],
            "StatefulSet" => &object["spec"]["selector"]["matchLabels"],
            "NetworkPolicy" => &object["spec"]["podSelector"]["matchLabels"],
            _ => continue,
        };
        let keys: Vec<&String> = selector.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["app.kubernetes.io/instance", "app.kubernetes.io/name"], "{manifest:?}");
        if let Some(pods) = object.pointer("/spec/template/metadata/labels") {
            assert!(selector.as_object().unwrap().iter().all(|(key, value)| pods[key] == *value));
        }
    }
}

#[test]
fn only_own_pods_reach_a_database() {
    let policies: Vec<Manifest> =
        every_manifest().into_iter().filter(|manifest| manifest.kind() == "NetworkPolicy").collect();
    assert_eq!(policies.len(), 2);
    for policy in policies {
        let from = policy.object().pointer("/spec/ingress/0/from").unwrap();
        assert_eq!(*from, json!([{"podSelector": {"matchLabels": {PART_OF_LABEL: PART_OF}}}]), "{policy:?}");
    }
}

/// Pods that the level `restricted` of the Pod Security Standards admits.
#[test]
fn every_pod_meets_the_strictest_pod_security_standard() {
    for manifest in every_manifest() {
        let Some(pod) = manifest.object().pointer("/spec/template/spec") else { continue };
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
        assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
        for container in pod["containers"].as_array().unwrap() {
            assert_eq!(container["securityContext"]["allowPrivilegeEscalation"], false);
            assert_eq!(container["securityContext"]["capabilities"]["drop"], json!(["ALL"]));
        }
    }
}

#[test]
fn an_endpoint_is_known_without_expanding() {
    for (type_name, expansion) in expansions() {
        let context = ServiceContext { stack: "shop", namespace: "shop-system", name: type_name };
        assert_eq!(endpoint(type_name, &json!({}), &context), expansion.endpoint, "{type_name}");
    }
    let context = ServiceContext { stack: "shop", namespace: "n", name: "db" };
    let named = endpoint("postgres", &json!({"name": "main"}), &context).unwrap();
    assert_eq!(named.to_string(), "main.n.svc.cluster.local:5432");
}

#[test]
fn the_same_block_gives_the_same_objects() {
    assert_eq!(expansions(), expansions());
}

#[test]
fn every_check_is_about_something_and_has_a_name_of_its_own() {
    let checks: Vec<Check> = expansions().into_iter().flat_map(|(_, expansion)| expansion.checks).collect();
    let names: std::collections::BTreeSet<&str> = checks.iter().map(|check| &*check.name).collect();
    assert_eq!(names.len(), checks.len());
    assert!(checks.iter().all(|check| !check.about.is_empty()));
}

#[test]
fn every_key_of_every_block_is_explained() {
    for type_name in TYPES {
        let schema = block_schema(type_name).unwrap();
        for (key, property) in schema.as_value()["properties"].as_object().unwrap() {
            assert!(property.get("description").is_some(), "{type_name}.{key} has no description");
        }
    }
}

#[test]
fn the_published_schema_accepts_what_expands_and_refuses_what_does_not() {
    let validator = |type_name| jsonschema::validator_for(block_schema(type_name).unwrap().as_value()).unwrap();
    assert!(validator("postgres").is_valid(&json!({"password": "s/K", "resources": {"limits": {"cpu": 1}}})));
    assert!(validator("redis").is_valid(&json!({"maxmemoryPolicy": "noeviction"})));
    for (type_name, block) in [
        ("postgres", json!({})),
        ("postgres", json!({"password": "s/K", "versoin": 16})),
        ("redis", json!({"maxmemoryPolicy": "lru"})),
        ("config", json!({"data": {"A": 1}})),
        ("rbac", json!({"rules": [{"apiGroups": [""]}]})),
    ] {
        let context = ServiceContext { stack: "shop", namespace: "n", name: "x" };
        assert!(!validator(type_name).is_valid(&block), "{type_name} {block}");
        assert!(expand(type_name, &block, &context).is_err(), "{type_name} {block}");
    }
}
