use serde_json::json;

use super::*;
use crate::resource;
use crate::sandbox::custom::kinds_of;

/// The start of the SHA-256 of each document of a real Kubernetes 1.35.4, as canonical JSON.
const REAL: [(&str, &str); 23] = [
    ("/api/v1", "198382da82496341"),
    ("/apis/apiregistration.k8s.io/v1", "9720fbbe597c28bc"),
    ("/apis/apps/v1", "a667eb22d7bbdffe"),
    ("/apis/events.k8s.io/v1", "ca20b2329b9be810"),
    ("/apis/authentication.k8s.io/v1", "4d2be3788acd20ca"),
    ("/apis/authorization.k8s.io/v1", "31e22500fca9afdd"),
    ("/apis/autoscaling/v2", "4a89f406b26dede5"),
    ("/apis/autoscaling/v1", "bf03913cc231d898"),
    ("/apis/batch/v1", "c611fad773f633e3"),
    ("/apis/certificates.k8s.io/v1", "6c5197b85605763f"),
    ("/apis/networking.k8s.io/v1", "e3bda84f26528c4c"),
    ("/apis/policy/v1", "2528fd6bbd6cc8ff"),
    ("/apis/rbac.authorization.k8s.io/v1", "8d01ac0db9126974"),
    ("/apis/storage.k8s.io/v1", "8bfad61349f4378a"),
    ("/apis/admissionregistration.k8s.io/v1", "020591a3c0bd3d01"),
    ("/apis/apiextensions.k8s.io/v1", "54d1901ec5184d1f"),
    ("/apis/scheduling.k8s.io/v1", "598dd491b7278a73"),
    ("/apis/coordination.k8s.io/v1", "88cc7b035238cd02"),
    ("/apis/node.k8s.io/v1", "dfa918a679d50c68"),
    ("/apis/discovery.k8s.io/v1", "ee10b4b80c6ef4e4"),
    ("/apis/resource.k8s.io/v1", "0dc55b4fe5c18ade"),
    ("/apis/flowcontrol.apiserver.k8s.io/v1", "8e18a2e1ba1a2401"),
    ("/apis", "598acdf6353bde7c"),
];

fn plain(path: &str) -> Value {
    document(path, "application/json", &Kinds::new()).unwrap().1
}

fn digest(document: &Value) -> String {
    resource::Digest::of(document).hex()[..16].to_owned()
}

fn widgets() -> Kinds {
    let definition = json!({
        "spec": {
            "group": "example.com", "scope": "Namespaced",
            "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList",
                      "shortNames": ["wd"], "categories": ["all"]},
            "versions": [
                {"name": "v1", "served": true, "storage": true,
                 "subresources": {"status": {}, "scale": {"specReplicasPath": ".spec.replicas"}},
                 "schema": {"openAPIV3Schema": {"type": "object"}}},
                {"name": "v2beta1", "served": true, "storage": false,
                 "schema": {"openAPIV3Schema": {"type": "object"}}},
                {"name": "v3", "served": false, "storage": false,
                 "schema": {"openAPIV3Schema": {"type": "object"}}}
            ]
        }
    });
    let mut kinds = Kinds::new();
    for kind in kinds_of(&definition) {
        kinds.add_custom(kind);
    }
    kinds
}

#[test]
fn documents_are_those_of_a_real_server() {
    for (path, real) in REAL {
        let ours = plain(path);
        assert_eq!(digest(&ours), real, "{path}: {ours:#}");
    }
}

#[test]
fn aggregated_lists_are_those_of_a_real_server() {
    for (path, real) in [("/api", "82e24495865cc27e"), ("/apis", "58a6caf7ddce4534")] {
        let (media_type, ours) = document(path, AGGREGATED, &Kinds::new()).unwrap();
        assert_eq!((digest(&ours).as_str(), media_type), (real, AGGREGATED), "{path}: {ours:#}");
    }
}

#[test]
fn the_first_media_type_that_can_be_answered_decides() {
    let of_kubectl = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
                      application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";
    assert!(prefers_aggregated(of_kubectl));
    assert!(prefers_aggregated("application/json; as=APIGroupDiscoveryList; v=v2; g=apidiscovery.k8s.io"));
    assert!(!prefers_aggregated("application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList"));
    assert!(!prefers_aggregated(
        "application/json, application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    ));
    assert!(!prefers_aggregated("*/*"));
    assert!(!prefers_aggregated(""));
}

#[test]
fn custom_kinds_are_told_as_a_real_server_tells_them() {
    let kinds = widgets();
    let (_, resources) = document("/apis/example.com/v1", "", &kinds).unwrap();
    assert_eq!(resources["resources"][0]["verbs"][5], "create");
    insta::assert_snapshot!(resources["resources"][2], @r#"{"group":"autoscaling","kind":"Scale","name":"widgets/scale","namespaced":true,"singularName":"","verbs":["get","patch","update"],"version":"v1"}"#);
    let (_, group) = document("/apis/example.com", "", &kinds).unwrap();
    insta::assert_snapshot!(group, @r#"{"apiVersion":"v1","kind":"APIGroup","name":"example.com","preferredVersion":{"groupVersion":"example.com/v1","version":"v1"},"versions":[{"groupVersion":"example.com/v1","version":"v1"},{"groupVersion":"example.com/v2beta1","version":"v2beta1"}]}"#);
    let (_, groups) = document("/apis", "", &kinds).unwrap();
    assert_eq!(groups["groups"].as_array().unwrap().last().unwrap()["name"], "example.com");
    let (_, aggregated) = document("/apis", AGGREGATED, &kinds).unwrap();
    let last = aggregated["items"].as_array().unwrap().last().unwrap();
    insta::assert_snapshot!(last["versions"][1], @r#"{"freshness":"Current","resources":[{"categories":["all"],"resource":"widgets","responseKind":{"group":"example.com","kind":"Widget","version":"v2beta1"},"scope":"Namespaced","shortNames":["wd"],"singularResource":"widget","verbs":["delete","deletecollection","get","list","patch","create","update","watch"]}],"version":"v2beta1"}"#);
}

#[test]
fn the_entity_tag_changes_with_the_kinds() {
    let tag = |kinds: &Kinds| entity_tag(&document("/apis", AGGREGATED, kinds).unwrap().1);
    let own = tag(&Kinds::new());
    assert_eq!((own.len(), own.clone()), (130, tag(&Kinds::new())));
    assert_ne!(own, tag(&widgets()));
}

#[test]
fn the_version_says_that_this_is_no_cluster() {
    let version = plain("/version");
    assert_eq!(version["gitVersion"], "v1.35.4+mathison-sandbox");
    assert_eq!((&version["major"], &version["minor"]), (&json!("1"), &json!("35")));
}

#[test]
fn what_is_not_served_is_not_found() {
    assert!(document("/apis/nothing", "", &Kinds::new()).is_none());
    assert!(document("/apis/apps/v9", "", &Kinds::new()).is_none());
    assert!(document("/api/v2", "", &Kinds::new()).is_none());
    assert!(document("/apis/apps/v1/deployments", "", &Kinds::new()).is_none());
    assert_eq!(document("/readyz", "", &Kinds::new()), Some((TEXT, json!("ok"))));
    assert_eq!(plain("/apis/apps/v1/"), plain("/apis/apps/v1"));
}
