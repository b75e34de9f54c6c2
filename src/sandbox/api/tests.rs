//! What a real 1.35 server answered to the same requests.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::sandbox::answer::Answer;
use crate::sandbox::plane::{ControlPlane, Options};

struct Server(ControlPlane);

impl Server {
    fn new() -> Self {
        let now = "2026-11-22T12:00:00Z".parse().unwrap();
        Self(ControlPlane::open(&Options { folder: None, controllers: false, seed: 1, now }).unwrap())
    }

    fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> http::Response<Bytes> {
        let mut request = http::Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = if body.is_null() { Bytes::new() } else { body.to_string().into() };
        match self.0.local().answer(request.body(body).unwrap()) {
            Answer::Whole(response) => response,
            _ => panic!("{method} {path} is answered in another way"),
        }
    }

    fn json(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let sort = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
        let response = self.ask(method, path, &[("content-type", sort)], body);
        (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap_or_default())
    }

    fn apply(&self, path: &str, body: &Value) -> (u16, Value) {
        let response = self.ask("PATCH", path, &[("content-type", "application/apply-patch+yaml")], body);
        (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap_or_default())
    }

    fn message(&self, method: &str, path: &str, body: &Value) -> String {
        let (code, answer) = self.json(method, path, body);
        format!("{code} {}", answer["message"].as_str().unwrap_or_default())
    }
}

#[test]
fn nobody_answers_for_groups_that_are_not_there() {
    let server = Server::new();
    for path in ["/foo", "/apis/nothing/v1/things", "/livez/nope", "/apis/nothing"] {
        let answer = server.ask("GET", path, &[], &Value::Null);
        assert_eq!((answer.status().as_u16(), &answer.body()[..]), (404, &b"404 page not found\n"[..]), "{path}");
        assert_eq!(answer.headers()["content-type"], "text/plain; charset=utf-8");
    }
    for path in ["/apis/apps/v1/things", "/apis/apps/v2/deployments", "/api/v2/pods"] {
        let said = server.message("GET", path, &Value::Null);
        assert_eq!(said, "404 the server could not find the requested resource", "{path}");
    }
    assert_eq!(server.ask("HEAD", "/api/v1/namespaces/default", &[], &Value::Null).status(), 405);
    let checks = server.ask("GET", "/readyz?verbose", &[], &Value::Null);
    assert!(checks.body().ends_with(b"[+]etcd ok\nreadyz check passed\n"));
}

#[test]
fn rights_to_one_object_are_enough_to_list_and_watch_it() {
    let server = Server::new();
    let rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/default";
    let role = json!({"metadata": {"name": "one"}, "rules": [
        {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["mine"], "verbs": ["list", "watch"]}]});
    let binding = json!({"metadata": {"name": "one"}, "subjects": [{"kind": "User", "name": "ann"}],
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "one"}});
    assert_eq!(server.json("POST", &format!("{rbac}/roles"), &role).0, 201);
    assert_eq!(server.json("POST", &format!("{rbac}/rolebindings"), &binding).0, 201);
    let code = |query: &str| {
        let path = format!("/api/v1/namespaces/default/secrets{query}");
        server.ask("GET", &path, &[("impersonate-user", "ann")], &Value::Null).status().as_u16()
    };
    let asked = ["", "?fieldSelector=metadata.name%3Dmine", "?fieldSelector=metadata.name%3Dother"];
    assert_eq!(asked.map(code), [403, 200, 403]);
    assert_eq!(code("?fieldSelector=metadata.name!%3Dmine"), 403);
}

#[test]
fn one_object_may_be_had_as_yaml_and_at_least_at_a_revision() {
    let server = Server::new();
    let path = "/api/v1/namespaces/default";
    let answer = server.ask("GET", path, &[("accept", "application/yaml")], &Value::Null);
    assert_eq!(answer.headers()["content-type"], "application/yaml");
    assert!(answer.body().starts_with(b"apiVersion: v1\nkind: Namespace\n"), "{:?}", answer.body());
    let said = |query: &str| server.message("GET", &format!("{path}{query}"), &Value::Null);
    assert_eq!(
        said("?resourceVersion=abc"),
        "500 resourceVersion: Invalid value: \"abc\": strconv.ParseUint: parsing \"abc\": invalid syntax"
    );
    assert!(
        said("?resourceVersion=99999999").starts_with("504 Timeout: Too large resource version: 99999999, current: ")
    );
    // Whoever names an object gets it, and no watch.
    assert_eq!(server.json("GET", &format!("{path}?watch=true"), &Value::Null).1["kind"], "Namespace");
    let list = [("accept", "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io")];
    assert_eq!(server.ask("GET", path, &list, &Value::Null).status(), 406);
}

#[test]
fn writes_say_which_object_they_mean() {
    let server = Server::new();
    let leases = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
    let lease = |metadata: Value| json!({"metadata": metadata, "spec": {"holderIdentity": "x"}});
    assert_eq!(server.json("POST", leases, &lease(json!({"name": "l"}))).0, 201);
    let put = |metadata: Value| server.message("PUT", &format!("{leases}/l"), &lease(metadata));
    assert_eq!(
        put(json!({"name": "l"})),
        "422 leases.coordination.k8s.io \"l\" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an \
         update"
    );
    assert_eq!(
        put(json!({"name": "l", "resourceVersion": "abc"})),
        "500 strconv.ParseUint: parsing \"abc\": invalid syntax"
    );
    let said = put(json!({"name": "l", "uid": "other"}));
    assert!(
        said.starts_with(
            "409 Operation cannot be fulfilled on leases.coordination.k8s.io \"l\": StorageError: invalid object, Code: 4, \
             Key: /registry/leases/default/l, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in \
             precondition: other, UID in object meta: "
        ),
        "{said}"
    );
    let said = server.message("PATCH", &format!("{leases}/l"), &json!({"metadata": {"uid": "other"}}));
    assert_eq!(
        said,
        "422 Lease.coordination.k8s.io \"l\" is invalid: metadata.uid: Invalid value: \"other\": field is immutable"
    );
    // Other kinds are replaced whatever they are like.
    let maps = "/api/v1/namespaces/default/configmaps";
    server.json("POST", maps, &json!({"metadata": {"name": "m"}}));
    let said = server.json("PUT", &format!("{maps}/m"), &json!({"metadata": {"name": "m", "resourceVersion": "0"}}));
    assert_eq!(said.0, 200);
    assert_eq!(
        server.message("PUT", &format!("{maps}/m"), &json!({})),
        "400 the name of the object (m based on URL) was undeterminable: name must be provided"
    );
}

#[test]
fn versions_of_a_custom_kind_lose_what_the_other_does_not_declare() {
    let server = Server::new();
    let schema = |field: &str| {
        let properties = json!({"color": {"type": "string"}, field: {"type": "string"}});
        json!({"openAPIV3Schema": {"type": "object", "properties": {
            "spec": {"type": "object", "properties": properties}}}})
    };
    let version = |name: &str, storage: bool, field: &str| json!({"name": name, "served": true, "storage": storage, "schema": schema(field)});
    let mut old = version("v1beta1", false, "only1");
    old["deprecated"] = json!(true);
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "toys.example.com"},
        "spec": {"group": "example.com", "scope": "Namespaced", "names": {"plural": "toys", "kind": "Toy"},
            "versions": [version("v1", true, "only1"), version("v2", false, "only2"), old]}
    });
    let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    assert_eq!(server.json("POST", definitions, &definition).0, 201);
    let at = |version: &str| format!("/apis/example.com/{version}/namespaces/default/toys");
    let toy = |version: &str, spec: Value| json!({"apiVersion": format!("example.com/{version}"), "kind": "Toy", "metadata": {"name": "a"}, "spec": spec});
    let made = server.json("POST", &at("v1"), &toy("v1", json!({"color": "red", "only1": "x"})));
    assert_eq!(made.0, 201, "{}", made.1);
    let (_, read) = server.json("GET", &format!("{}/a", at("v2")), &Value::Null);
    assert_eq!((&read["apiVersion"], &read["spec"]), (&json!("example.com/v2"), &json!({"color": "red"})));
    // Version 1 cannot read what is written, so that the server forgets who owns what.
    let (_, patched) = server.json("PATCH", &format!("{}/a", at("v2")), &json!({"spec": {"only2": "y"}}));
    assert_eq!((&patched["spec"], &patched["metadata"]["managedFields"]), (&json!({"color": "red"}), &Value::Null));
    let old = server.ask("GET", &at("v1beta1"), &[], &Value::Null);
    assert_eq!(old.headers()["warning"], "299 - \"example.com/v1beta1 Toy is deprecated; use example.com/v2 Toy\"");
    let list: Value = serde_json::from_slice(old.body()).unwrap();
    assert_eq!(list["metadata"]["continue"], "");

    server.json("PATCH", &format!("{}/a", at("v1")), &json!({"metadata": {"finalizers": ["x/y"]}}));
    server.json("DELETE", &format!("{definitions}/toys.example.com"), &Value::Null);
    let mut other = toy("v1", json!({}));
    other["metadata"]["name"] = json!("b");
    let why = "toys.example.com \"b\" is forbidden: create not allowed while custom resource definition is terminating";
    assert_eq!(server.message("POST", &at("v1"), &other), format!("403 {why}"));
    let (code, applied) = server.apply(&format!("{}/b?fieldManager=m", at("v1")), &other);
    assert_eq!((code, &applied["message"]), (403, &json!(why)));
    let (_, list) = server.json("GET", "/apis/example.com/v1", &Value::Null);
    assert_eq!(list["resources"][0]["verbs"], json!(["delete", "deletecollection", "get", "list", "watch"]));
}

#[test]
fn a_pod_is_bound_by_either_path() {
    let server = Server::new();
    let namespace = "/api/v1/namespaces/default";
    server.json("POST", &format!("{namespace}/serviceaccounts"), &json!({"metadata": {"name": "default"}}));
    let pod = json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    assert_eq!(server.json("POST", &format!("{namespace}/pods"), &pod).0, 201);
    let binding = |name: &str, target: Value| json!({"metadata": {"name": name}, "target": target});
    let bind = |binding: &Value| server.message("POST", &format!("{namespace}/pods/p/binding"), binding);
    assert_eq!(bind(&binding("p", json!({}))), "500 target.name: Required value");
    assert_eq!(bind(&binding("q", json!({"name": "n"}))), "400 name in URL does not match name in Binding object");
    let bound =
        server.json("POST", &format!("{namespace}/bindings"), &binding("p", json!({"kind": "Node", "name": "n"})));
    assert_eq!((bound.0, &bound.1["status"]), (201, &json!("Success")));
    assert_eq!(server.json("GET", &format!("{namespace}/pods/p"), &Value::Null).1["spec"]["nodeName"], "n");
    assert_eq!(server.ask("PUT", &format!("{namespace}/pods/p/log"), &[], &Value::Null).status(), 405);
    assert_eq!(server.ask("GET", &format!("{namespace}/pods/p/log"), &[], &Value::Null).status(), 501);
}

#[test]
fn what_is_given_empty_counts_where_the_server_compares_it() {
    let server = Server::new();
    let policies = "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies";
    let policy = |ingress: Value| json!({"metadata": {"name": "p"}, "spec": {"podSelector": {}, "ingress": ingress}});
    assert_eq!(server.json("POST", policies, &policy(json!([{}]))).0, 201);
    let put = |ingress: Value| {
        server.json("PUT", &format!("{policies}/p"), &policy(ingress)).1["metadata"]["generation"].clone()
    };
    assert_eq!(put(json!([{}])), 1);
    assert_eq!(put(json!([{"unknown": {}}])), 1);
    assert_eq!(put(json!([{"from": []}])), 2);
    let drivers = "/apis/storage.k8s.io/v1/csidrivers";
    let driver = |more: Value| json!({"apiVersion": "storage.k8s.io/v1", "kind": "CSIDriver", "metadata": {"name": "d"}, "spec": more});
    let apply = |object: &Value| server.apply(&format!("{drivers}/d?fieldManager=a"), object);
    assert_eq!(apply(&driver(json!({}))).0, 201);
    let mut bare = driver(json!({}));
    bare.as_object_mut().unwrap().remove("spec");
    assert_eq!(apply(&bare).1["metadata"].get("generation"), None);
}

fn version(object: &Value) -> String {
    object["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn an_empty_list_of_managed_fields_disowns_everybody() {
    let server = Server::new();
    let path = "/api/v1/namespaces/default/configmaps";
    let object = json!({"metadata": {"name": "a"}, "data": {"a": "b"}});
    let (_, made) = server.json("POST", path, &object);
    assert!(made["metadata"]["managedFields"].is_array());
    for (method, body) in [
        ("PUT", json!({"metadata": {"name": "a", "managedFields": []}, "data": {"a": "c"}})),
        ("PATCH", json!({"metadata": {"managedFields": []}})),
    ] {
        let (code, written) = server.json(method, &format!("{path}/a"), &body);
        assert_eq!((code, &written["metadata"]["managedFields"]), (200, &Value::Null), "{method}");
        server.apply(
            &format!("{path}/a?fieldManager=m&force=true"),
            &json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"a": "d"}}),
        );
    }
}

#[test]
fn a_deleted_collection_is_told_as_it_was_found() {
    let server = Server::new();
    let path = "/api/v1/namespaces/default/configmaps";
    let object = json!({"metadata": {"name": "a", "labels": {"x": "y"}, "finalizers": ["example.com/hold"]}});
    let (_, made) = server.json("POST", path, &object);
    let (code, list) = server.json("DELETE", &format!("{path}?labelSelector=x%3Dy"), &Value::Null);
    assert_eq!((code, version(&list["items"][0])), (200, version(&made)));
    assert_eq!(list["items"][0]["metadata"].get("deletionTimestamp"), None);
    let (_, left) = server.json("GET", &format!("{path}/a"), &Value::Null);
    assert!(left["metadata"]["deletionTimestamp"].is_string());
}

#[test]
fn the_body_of_a_deletion_says_alone_how_it_is_done() {
    let server = Server::new();
    let path = "/api/v1/namespaces/default/configmaps";
    server.json("POST", path, &json!({"metadata": {"name": "a"}}));
    let options = json!({"apiVersion": "v1", "kind": "DeleteOptions"});
    assert_eq!(server.json("DELETE", &format!("{path}/a?dryRun=All"), &options).0, 200);
    assert_eq!(server.json("GET", &format!("{path}/a"), &Value::Null).0, 404);
}

#[test]
fn what_is_applied_must_be_readable() {
    let server = Server::new();
    let class = json!({"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": "a"}, "handler": "a",
        "overhead": {"podFixed": {"cpu": "1mx"}}});
    let (code, answer) = server.apply("/apis/node.k8s.io/v1/runtimeclasses/a?fieldManager=m", &class);
    assert_eq!(
        (code, answer["message"].as_str().unwrap()),
        (
            500,
            "failed to convert new object (/a; node.k8s.io/v1, Kind=RuntimeClass) to proper version: unable to convert unstructured object to node.k8s.io/v1, Kind=RuntimeClass: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        )
    );
    // The last bits of a text in base 64 that mean nothing are none when it is read.
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "data": {"a": "YG=="}});
    let (_, answer) = server.apply("/api/v1/namespaces/default/secrets/a?fieldManager=m", &secret);
    assert_eq!(answer["data"]["a"], "YA==");
}

#[test]
fn the_status_of_a_service_that_is_not_there_makes_it() {
    let server = Server::new();
    let applied = |path: &str, body: Value| {
        let (code, answer) = server.apply(path, &body);
        (code, answer["message"].as_str().unwrap_or_default().to_owned())
    };
    let service = |spec: Value| json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": spec, "status": {"loadBalancer": {}}});
    let path = "/api/v1/namespaces/default/services/a/status?fieldManager=m";
    assert_eq!(
        applied(path, service(json!({}))),
        (422, "Service \"a\" is invalid: spec.ports: Required value".to_owned())
    );
    let (code, answer) = server.apply(path, &service(json!({"ports": [{"port": 80}]})));
    assert_eq!((code, answer["spec"].get("clusterIP")), (201, None));
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "status": {}});
    let path = "/api/v1/namespaces/default/pods/a/status?fieldManager=m";
    assert_eq!(applied(path, pod), (404, "pods \"a\" not found".to_owned()));
}

#[test]
fn a_dry_run_knows_no_folder_of_all_objects() {
    let server = Server::new();
    let path = "/api/v1/namespaces/default/configmaps";
    server.json("POST", path, &json!({"metadata": {"name": "a"}}));
    let other = json!({"metadata": {"name": "a", "uid": "u"}});
    let told = |query: &str| server.message("PUT", &format!("{path}/a{query}"), &other);
    assert!(told("").contains("Key: /registry/configmaps/default/a, "), "{}", told(""));
    assert!(told("?dryRun=All").contains("Key: /configmaps/default/a, "), "{}", told("?dryRun=All"));
}

#[test]
fn the_first_write_of_a_claim_is_one_even_if_it_changes_nothing() {
    let server = Server::new();
    let path = "/api/v1/namespaces/default/persistentvolumeclaims";
    let claim = json!({"metadata": {"name": "a"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}});
    let (_, made) = server.json("POST", path, &claim);
    let (_, first) = server.json("PATCH", &format!("{path}/a"), &json!({}));
    let (_, second) = server.json("PATCH", &format!("{path}/a"), &json!({}));
    assert_ne!(version(&made), version(&first));
    assert_eq!(version(&first), version(&second));
}

#[test]
fn options_that_do_not_go_together_are_told_before_fields_that_are_not_there() {
    let server = Server::new();
    let told = |query: &str| {
        server.message("GET", &format!("/api/v1/pods?fieldSelector=spec.nothing%3Da{query}"), &Value::Null)
    };
    assert_eq!(told(""), "400 field label not supported: spec.nothing");
    assert_eq!(
        told("&resourceVersionMatch=Exact"),
        "422 ListOptions.meta.k8s.io \"\" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"
    );
}

#[test]
fn nobody_is_warned_of_what_is_not_served() {
    let server = Server::new();
    let warned = |path: &str| server.ask("GET", path, &[], &Value::Null).headers().contains_key("warning");
    assert!(warned("/api/v1/namespaces/default/endpoints/a"));
    assert!(!warned("/api/v1/namespaces/default/endpoints/a/status"));
}

#[test]
fn a_finalizer_that_a_deletion_takes_away_is_told_once_more_when_the_object_goes() {
    let server = Server::new();
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}});
    server.json("POST", "/api/v1/namespaces/default/serviceaccounts", &account);
    let metadata = json!({"name": "a", "finalizers": ["orphan"]});
    let spec = json!({"automountServiceAccountToken": false, "containers": [{"name": "a", "image": "a"}]});
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec});
    server.json("POST", "/api/v1/namespaces/default/pods", &pod);
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": "b"}});
    server.json("POST", "/api/v1/namespaces/default/configmaps", &map);
    let deleted = |what: &str, query: &str| {
        server.json("DELETE", &format!("/api/v1/namespaces/default/{what}/a?{query}"), &Value::Null).1
    };
    let background = "propagationPolicy=Background";
    let dry = format!("dryRun=All&{background}");
    assert_eq!(deleted("configmaps", &dry), json!({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {}}));
    assert_eq!(deleted("pods", &dry)["metadata"]["deletionGracePeriodSeconds"], 0);
    assert_eq!(deleted("pods", "propagationPolicy=Orphan")["metadata"]["finalizers"], json!(["orphan"]));
    let nothing =
        json!({"kind": "Pod", "apiVersion": "v1", "metadata": {}, "spec": {"containers": null}, "status": {}});
    assert_eq!(deleted("pods", &dry), nothing);
    assert_eq!(deleted("pods", background)["metadata"]["finalizers"], json!(["orphan"]));
    assert_eq!(deleted("configmaps", background)["status"], "Success");
    assert_eq!(server.json("GET", "/api/v1/namespaces/default/pods/a", &Value::Null).0, 404);
}

#[test]
fn an_empty_affinity_of_a_local_volume_is_one_mistake_and_not_two() {
    let volume = json!({"metadata": {"name": "v"}, "spec": {"accessModes": ["ReadWriteOnce"],
        "capacity": {"storage": "1Gi"}, "local": {"path": "/a"}, "nodeAffinity": {}}});
    assert_eq!(
        Server::new().message("POST", "/api/v1/persistentvolumes", &volume),
        "422 PersistentVolume \"v\" is invalid: spec.nodeAffinity.required: Required value: must specify required node \
         constraints"
    );
}
