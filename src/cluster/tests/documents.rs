//! The schemas that a server publishes, and what asking for them costs.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::cluster::fake::{Answer, FakeServer, forbidden, options};
use crate::cluster::{Cluster, ClusterError, ConnectOptions};
use crate::ssa::{Path, Release};

fn wanted(api_versions: &[&str]) -> BTreeSet<String> {
    api_versions.iter().map(|api_version| (*api_version).to_owned()).collect()
}

/// The document of a group whose kind has one field.
fn document(group: &str, kind: &str, field: &str) -> Value {
    let identity = json!({"group": group, "version": "v1", "kind": kind});
    let path = format!("/apis/{group}/v1/namespaces/{{namespace}}/things/{{name}}");
    json!({
        "paths": {path: {"get": {"x-kubernetes-group-version-kind": identity}}},
        "components": {"schemas": {"the.Type": {"type": "object", "x-kubernetes-group-version-kind": [identity], "properties": {
            "spec": {"type": "object", "properties": {field: {"type": "string"}}}}}}}
    })
}

/// A server with the built-in `batch/v1`, another `apps/v1`, and a kind of its own.
fn server(hash: &'static str) -> FakeServer {
    FakeServer::new(move |seen| match seen.line.split(['?', ' ']).nth(1).unwrap_or_default() {
        "/openapi/v3" => {
            let listed =
                |path: &str, hash: &str| json!({"serverRelativeURL": format!("/openapi/v3/{path}?hash={hash}")});
            Answer::Json(
                200,
                json!({"paths": {
                    "apis/batch/v1": listed("apis/batch/v1", Release::NEWEST.document("batch/v1").unwrap()),
                    "apis/apps/v1": listed("apis/apps/v1", hash),
                    "apis/x.io/v1": listed("apis/x.io/v1", "ABC")
                }}),
            )
        }
        "/openapi/v3/apis/apps/v1" => Answer::Json(200, document("apps", "Deployment", "older")),
        "/openapi/v3/apis/x.io/v1" => Answer::Json(200, document("x.io", "Thing", "size")),
        _ => panic!("not expected: {seen:?}"),
    })
}

async fn asked(cluster: &Cluster, api_versions: &[&str]) -> [bool; 4] {
    let schemas = cluster.schemas(&wanted(api_versions)).await.unwrap();
    let has = |api_version, kind, path: &str| {
        schemas.get(api_version, kind).is_some_and(|schema| schema.at(&Path::parse(path).unwrap()).is_some())
    };
    [
        has("batch/v1", "Job", ".spec.template"),
        has("apps/v1", "Deployment", ".spec.replicas"),
        has("apps/v1", "Deployment", ".spec.older"),
        has("x.io/v1", "Thing", ".spec.size"),
    ]
}

#[tokio::test]
async fn the_servers_document_wins_over_the_built_in_table() {
    let server = server("OTHER");
    let found = asked(&server.cluster(), &["batch/v1", "apps/v1", "x.io/v1", "gone.io/v1"]).await;
    assert_eq!(found, [true, false, true, true]);
    let mut lines = server.lines();
    lines[1..].sort_unstable();
    assert_eq!(
        lines,
        ["GET /openapi/v3", "GET /openapi/v3/apis/apps/v1?hash=OTHER", "GET /openapi/v3/apis/x.io/v1?hash=ABC"]
    );
}

#[tokio::test]
async fn what_the_server_has_as_it_is_built_in_is_not_read() {
    let server = server(Release::NEWEST.document("apps/v1").unwrap());
    let cluster = server.cluster();
    assert!(cluster.schemas(&wanted(&["batch/v1", "apps/v1"])).await.unwrap().are_built_in());
    assert_eq!(asked(&cluster, &["batch/v1", "apps/v1"]).await, [true, true, false, false]);
    assert_eq!(server.lines(), ["GET /openapi/v3", "GET /openapi/v3"]);
}

#[tokio::test]
async fn an_older_release_is_known_by_its_documents_and_they_are_not_read() {
    let server = FakeServer::new(|_| {
        let listed = |release: Release, path: &str, api_version: &str| {
            let hash = release.document(api_version).unwrap();
            json!({"serverRelativeURL": format!("/openapi/v3/{path}?hash={hash}")})
        };
        let (older, newest) = (Release::V1_33, Release::NEWEST);
        let paths =
            json!({"api/v1": listed(older, "api/v1", "v1"), "apis/apps/v1": listed(newest, "apis/apps/v1", "apps/v1")});
        Answer::Json(200, json!({"paths": paths}))
    });
    let schemas = server.cluster().schemas(&wanted(&["v1", "apps/v1"])).await.unwrap();
    assert!(!schemas.are_built_in());
    let has = |api_version, kind, path: &str| {
        schemas.get(api_version, kind).unwrap().at(&Path::parse(path).unwrap()).is_some()
    };
    assert!(has("v1", "Pod", ".spec.nodeName") && !has("v1", "Pod", ".spec.workloadRef"));
    assert!(has("apps/v1", "Deployment", ".spec.template.spec.workloadRef"));
    assert_eq!(server.lines(), ["GET /openapi/v3"]);
}

#[tokio::test]
async fn a_document_is_read_once_and_kept_by_its_hash() {
    let folder = tempfile::tempdir().unwrap();
    let kept = ConnectOptions { cache: Some(folder.path().join("deep/cache")), ..options() };
    let requests = async |hash| {
        let server = server(hash);
        assert_eq!(asked(&server.cluster_with(&kept), &["apps/v1", "x.io/v1"]).await, [true, false, true, true]);
        server.lines().len()
    };
    assert_eq!(requests("ONE").await, 3);
    assert_eq!(requests("ONE").await, 1);
    assert_eq!(requests("TWO").await, 2);
    // What cannot be read is read anew.
    for file in std::fs::read_dir(folder.path().join("deep/cache")).unwrap() {
        std::fs::write(file.unwrap().path(), "half a line").unwrap();
    }
    assert_eq!(requests("ONE").await, 3);
    assert_eq!(requests("ONE").await, 1);
}

#[tokio::test]
async fn a_server_that_does_not_tell_says_so() {
    let error = FakeServer::new(|_| forbidden()).cluster().schemas(&wanted(&["apps/v1"])).await.unwrap_err();
    assert!(matches!(error, ClusterError::Forbidden { .. }), "{error:?}");
}
