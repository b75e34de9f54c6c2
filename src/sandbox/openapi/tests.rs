use std::collections::BTreeSet;

use super::*;
use crate::sandbox::custom::kinds_of;
use crate::ssa::Schema;
use crate::ssa::schema::compile::compile;

fn path_of(kind: &Kind) -> String {
    match kind.group.as_str() {
        "" => format!("/openapi/v3/api/{}", kind.version),
        group => format!("/openapi/v3/apis/{group}/{}", kind.version),
    }
}

fn widgets() -> Kinds {
    let structural = json!({
        "type": "object", "required": ["spec"],
        "properties": {"spec": {"type": "object", "properties": {
            "port": {"x-kubernetes-int-or-string": true},
            "count": {"type": "integer", "format": "int32", "default": 1, "minimum": 0},
            "inner": {"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true},
            "parts": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                      "items": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}}
        }}}
    });
    let version = json!({"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": structural},
        "subresources": {"status": {}, "scale": {"specReplicasPath": ".spec.count"}}});
    let names = json!({"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"});
    let definition =
        json!({"spec": {"group": "a-b.example.com", "scope": "Namespaced", "names": names, "versions": [version]}});
    let mut kinds = Kinds::new();
    for kind in kinds_of(&definition) {
        kinds.add_custom(kind);
    }
    kinds
}

#[test]
fn documents_give_back_the_tables_that_they_were_made_from() {
    let kinds = Kinds::new();
    let paths: BTreeSet<String> = kinds.iter().map(|kind| path_of(kind)).collect();
    let documents: Vec<Value> = paths.iter().map(|path| document(path, &kinds).unwrap()).collect();
    let compiled = compile(&documents);
    let lines = |text: &'static str| text.lines().collect::<BTreeSet<&str>>();
    let known = lines(include_str!("../../ssa/schema/table/1.35/types.tsv"));
    let more = lines(include_str!("table/more_types.tsv"));
    for line in compiled.types.lines() {
        assert!(known.contains(line) || more.contains(line), "{line}");
    }
    let known = lines(include_str!("../../ssa/schema/table/1.35/kinds.tsv"));
    let mut told = compiled.kinds.lines().filter(|line| known.contains(line)).count();
    assert_eq!(compiled.kinds.lines().find(|line| !known.contains(line)), None);
    for kind in kinds.iter().filter(|kind| kind.verbs.contains(&"get")) {
        let document = document(&path_of(kind), &kinds).unwrap();
        let schema = Schema::from_openapi(&document, &kind.group, &kind.version, &kind.kind).unwrap();
        assert_eq!(schema.type_name(), kind.schema.type_name());
        assert_eq!(schema.kind(), kind.schema.kind());
        told -= 1;
    }
    assert_eq!(told, 0);
}

#[test]
fn a_clients_patch_finds_what_it_needs() {
    let kinds = Kinds::new();
    let apps = document("/openapi/v3/apis/apps/v1", &kinds).unwrap();
    let patch = &apps["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"];
    insta::assert_snapshot!(patch["x-kubernetes-group-version-kind"], @r#"{"group":"apps","kind":"Deployment","version":"v1"}"#);
    assert!(patch["requestBody"]["content"].get("application/strategic-merge-patch+json").is_some());
    let names: Vec<&str> =
        patch["parameters"].as_array().unwrap().iter().filter_map(|parameter| parameter["name"].as_str()).collect();
    assert_eq!(names, ["dryRun", "fieldManager", "fieldValidation", "force"]);
    assert_eq!(patch["operationId"], "patchAppsV1NamespacedDeployment");
    let schemas = &apps["components"]["schemas"];
    let ports = &schemas["io.k8s.api.core.v1.Container"]["properties"]["ports"];
    insta::assert_snapshot!(ports, @r##"{"items":{"allOf":[{"$ref":"#/components/schemas/io.k8s.api.core.v1.ContainerPort"}],"default":{}},"type":"array","x-kubernetes-list-map-keys":["containerPort","protocol"],"x-kubernetes-list-type":"map","x-kubernetes-patch-merge-key":"containerPort","x-kubernetes-patch-strategy":"merge"}"##);
    let strategy = &schemas["io.k8s.api.apps.v1.DeploymentStrategy"]["properties"]["type"];
    insta::assert_snapshot!(strategy, @r#"{"enum":["Recreate","RollingUpdate"],"type":"string"}"#);
    let all = &apps["paths"]["/apis/apps/v1/deployments"];
    assert_eq!(all["parameters"].as_array().unwrap().len(), 11);
}

#[test]
fn every_reference_leads_somewhere() {
    let kinds = widgets();
    let paths: BTreeSet<String> = kinds.iter().map(|kind| path_of(kind)).collect();
    for path in paths {
        let document = document(&path, &kinds).unwrap();
        let schemas = document["components"]["schemas"].as_object().unwrap();
        let text = document.to_string();
        for reference in text.split("#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(schemas.contains_key(name), "{path} {name}");
        }
    }
}

#[test]
fn a_custom_kind_is_published_as_the_server_publishes_it() {
    let kinds = widgets();
    let document = document("/openapi/v3/apis/a-b.example.com/v1?hash=X", &kinds).unwrap();
    let spec = &document["components"]["schemas"]["com.example.a-b.v1.Widget"]["properties"]["spec"]["properties"];
    insta::assert_snapshot!(spec["port"], @r#"{"anyOf":[{"type":"integer"},{"type":"string"}],"x-kubernetes-int-or-string":true}"#);
    insta::assert_snapshot!(spec["count"], @r#"{"default":1,"format":"int32","minimum":0,"type":"integer"}"#);
    assert_eq!(spec["inner"]["required"], json!(["kind", "apiVersion"]));
    let object = &document["paths"]["/apis/a-b.example.com/v1/namespaces/{namespace}/widgets/{name}"];
    assert_eq!(object["get"]["operationId"], "readABExampleComV1NamespacedWidget");
    assert_eq!(object["get"]["tags"], json!(["aBExampleCom_v1"]));
    assert!(object["patch"]["requestBody"]["content"].get("application/strategic-merge-patch+json").is_none());
    let schema = Schema::from_openapi(&document, "a-b.example.com", "v1", "Widget").unwrap();
    assert_eq!(schema.kind(), kinds.by_kind("a-b.example.com", "Widget").unwrap().schema.kind());
}

#[test]
fn the_index_tells_where_documents_are_and_when_they_change() {
    let index = document("/openapi/v3", &Kinds::new()).unwrap();
    let address = index["paths"]["apis/apps/v1"]["serverRelativeURL"].as_str().unwrap();
    assert!(address.starts_with("/openapi/v3/apis/apps/v1?hash="), "{address}");
    assert_eq!(index["paths"].as_object().unwrap().len(), 22);
    let (own, with) = (Kinds::new(), widgets());
    assert_eq!(hash("apps", "v1", &own), hash("apps", "v1", &with));
    assert_ne!(hash("a-b.example.com", "v1", &own), hash("a-b.example.com", "v1", &with));
    assert!(document("/openapi/v2", &own).is_none());
    assert!(document("/openapi/v3/apis/nothing/v1", &own).is_none());
}
