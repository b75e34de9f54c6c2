use serde_json::json;

use crate::cluster::fake::{Answer, FakeServer, absent, object, options};
use crate::cluster::{
    AccessQuestion, ApplyOptions, ClusterError, ConnectOptions, DeleteOptions, Deleted, Permitted, Propagation,
};
use crate::live::Live;
use crate::resource::{Manifest, ObjectRef};

fn manifest() -> Manifest {
    Manifest::new(json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "motd", "namespace": "shop"}, "data": {"a": "1"},
    }))
    .unwrap()
}

fn motd() -> ObjectRef {
    manifest().object_ref().clone()
}

fn answer() -> Answer {
    Answer::Json(200, object("v1", "ConfigMap", Some("shop"), "motd", 7))
}

#[tokio::test]
async fn an_apply_carries_manager_strictness_and_preconditions() {
    let server = FakeServer::scripted([answer(), answer()]);
    let cluster = server.cluster();
    let options = ApplyOptions {
        force: true,
        uid: Some("u".to_owned()),
        resource_version: Some("5".to_owned()),
        ..ApplyOptions::default()
    };
    let live = cluster.apply(&manifest(), &options).await.unwrap();
    assert_eq!(live.resource_version(), "7");
    cluster.apply(&manifest(), &ApplyOptions { dry_run: true, ..ApplyOptions::default() }).await.unwrap();
    let requests = server.requests();
    let path = "PATCH /api/v1/namespaces/shop/configmaps/motd?fieldManager=mathison&fieldValidation=Strict";
    assert_eq!(requests[0].line, format!("{path}&force=true"));
    assert_eq!(requests[0].content_type, "application/apply-patch+yaml");
    assert_eq!(
        requests[0].body["metadata"],
        json!({"name": "motd", "namespace": "shop", "uid": "u", "resourceVersion": "5"})
    );
    assert_eq!(requests[1].line, format!("{path}&dryRun=All"));
    assert_eq!(&requests[1].body, manifest().object());
    let counts = cluster.requests();
    assert_eq!((counts.reads, counts.writes, counts.dry_runs), (0, 1, 1));
}

#[tokio::test]
async fn an_apply_whose_answer_was_lost_is_made_again_with_the_same_uid() {
    let server = FakeServer::scripted([Answer::Reset, answer()]);
    let options = ApplyOptions { uid: Some("u".to_owned()), ..ApplyOptions::default() };
    server.cluster().apply(&manifest(), &options).await.unwrap();
    let bodies: Vec<_> = server.requests().into_iter().map(|seen| seen.body).collect();
    assert_eq!(bodies[0], bodies[1]);
    assert_eq!(bodies[1]["metadata"]["uid"], "u");
}

#[tokio::test]
async fn after_a_definition_was_applied_unknown_kinds_are_asked_for_again() {
    let mut asked = 0;
    let server = FakeServer::new(move |seen| match seen.line.as_str() {
        "GET /apis" => {
            asked += 1;
            let groups = json!([{"metadata": {"name": "example.com"}, "versions": [{"version": "v1", "resources": [
                {"resource": "widgets", "responseKind": {"kind": "Widget"}, "scope": "Cluster", "verbs": ["get"]}]}]}]);
            Answer::Json(200, json!({"items": if asked == 1 { json!([]) } else { groups }}))
        }
        _ => Answer::Json(200, object("apiextensions.k8s.io/v1", "CustomResourceDefinition", None, "w", 1)),
    });
    let cluster = server.cluster();
    assert_eq!(cluster.kind("example.com", Some("v1"), "Widget").await, Ok(None));
    let definition =
        json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "w"}});
    cluster.apply(&Manifest::new(definition).unwrap(), &ApplyOptions::default()).await.unwrap();
    assert!(cluster.kind("example.com", Some("v1"), "Widget").await.unwrap().is_some());
}

/// A server that lists the kind with the `listed`th answer.
fn server_that_lists_after(listed: usize) -> FakeServer {
    let mut asked = 0;
    FakeServer::new(move |seen| match seen.line.as_str() {
        "GET /apis" => {
            asked += 1;
            let groups = json!([{"metadata": {"name": "example.com"}, "versions": [{"version": "v1", "resources": [
                {"resource": "widgets", "responseKind": {"kind": "Widget"}, "scope": "Cluster", "verbs": ["get"]}]}]}]);
            Answer::Json(200, json!({"items": if asked < listed { json!([]) } else { groups }}))
        }
        _ => Answer::Json(200, object("example.com/v1", "Widget", None, "w", 1)),
    })
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_was_defined_here_is_waited_for_and_no_other() {
    let widget =
        Manifest::new(json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}})).unwrap();
    let definition =
        json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "w"}});
    let definition = Manifest::new(definition).unwrap();
    let options = ApplyOptions::default();

    let server = server_that_lists_after(4);
    assert!(matches!(server.cluster().apply(&widget, &options).await, Err(ClusterError::UnknownKind { .. })));
    assert_eq!(server.lines(), ["GET /apis"]);

    let server = server_that_lists_after(4);
    let cluster = server.cluster();
    cluster.apply(&definition, &options).await.unwrap();
    cluster.apply(&widget, &options).await.unwrap();
    assert_eq!(server.lines().iter().filter(|line| *line == "GET /apis").count(), 4);

    // It does not wait for ever.
    let server = server_that_lists_after(usize::MAX);
    let cluster = server.cluster();
    cluster.apply(&definition, &options).await.unwrap();
    assert!(matches!(cluster.apply(&widget, &options).await, Err(ClusterError::UnknownKind { .. })));
}

#[tokio::test]
async fn a_delete_carries_its_preconditions_and_knows_how_far_it_came() {
    let mut deleting = object("v1", "ConfigMap", Some("shop"), "motd", 8);
    deleting["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    let server = FakeServer::scripted([
        Answer::Json(200, json!({"kind": "Status", "status": "Success"})),
        Answer::Json(200, deleting),
        // A Service that is gone is answered with the object.
        answer(),
        absent("configmaps", "motd"),
    ]);
    let cluster = server.cluster();
    let options = DeleteOptions { uid: Some("u".to_owned()), resource_version: None, propagation: Propagation::Orphan };
    for expected in [Deleted::Gone, Deleted::Pending, Deleted::Gone, Deleted::Gone] {
        assert_eq!(cluster.delete(&motd(), "v1", &options).await.unwrap(), expected);
    }
    let body = &server.requests()[0].body;
    assert_eq!(body["preconditions"], json!({"uid": "u"}));
    assert_eq!(body["propagationPolicy"], "Orphan");
}

#[tokio::test]
async fn the_authorizer_is_asked_in_its_own_words() {
    let server = FakeServer::scripted([Answer::Json(201, json!({"status": {"allowed": true}}))]);
    let cluster = server.cluster();
    let (user, groups) = ("system:serviceaccount:shop:mathison", ["system:authenticated".to_owned()]);
    let question =
        AccessQuestion { verb: "get".to_owned(), resource: "pods/log".to_owned(), ..AccessQuestion::default() };
    assert_eq!(cluster.access_review(user, &groups, &question).await, Ok(true));
    let spec = &server.requests()[0].body["spec"];
    assert_eq!(spec["user"], "system:serviceaccount:shop:mathison");
    assert_eq!(spec["groups"], json!(groups));
    assert_eq!(spec["resourceAttributes"]["subresource"], "log");
    assert_eq!(cluster.requests().writes, 0);
}

#[tokio::test]
async fn a_missing_right_to_explain_is_part_of_the_answer() {
    let server = FakeServer::scripted([crate::cluster::fake::forbidden()]);
    let slices = server.cluster().select("discovery.k8s.io/v1", "EndpointSlice", Some("shop"), "a=b").await.unwrap();
    assert!(matches!(slices, Permitted::No(_)));
    let workload = Live { object: json!({"kind": "ConfigMap", "metadata": {"name": "a"}}) };
    assert_eq!(server.cluster().pods_of(&workload.object).await, Ok(Permitted::Yes(Vec::new())));
}

#[tokio::test]
async fn writes_under_way_at_once_are_bounded() {
    for parallelism in [1, 3] {
        let server = FakeServer::new(|_| answer());
        let cluster = server.cluster_with(&ConnectOptions { parallelism, ..options() });
        let (options, manifest) = (ApplyOptions::default(), manifest());
        let outcomes = futures::future::join_all((0..8).map(|_| cluster.apply(&manifest, &options))).await;
        assert!(outcomes.iter().all(Result::is_ok));
        assert_eq!(server.most_at_once(), parallelism);
    }
}
