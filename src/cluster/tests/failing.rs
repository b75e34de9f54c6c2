use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::cluster::fake::{Answer, FakeServer, absent, kube_system, options, status};
use crate::cluster::{ApplyOptions, ClusterError, ConnectOptions, RetryPolicy};
use crate::resource::{Manifest, ObjectRef};
use serde_json::json;

fn motd() -> ObjectRef {
    ObjectRef::new("", "ConfigMap", Some("shop"), "motd")
}

#[tokio::test]
async fn what_passes_is_tried_again_and_told() {
    let server = FakeServer::scripted([
        Answer::Text(503, "upstream is down"),
        Answer::Reset,
        Answer::Busy(0),
        status(500, "", "etcdserver: leader changed", json!({})),
        kube_system(),
    ]);
    let told = Arc::new(Mutex::new(Vec::new()));
    let record = Arc::clone(&told);
    let cluster = server.cluster().observing_retries(move |notice| record.lock().unwrap().push(notice.why.clone()));
    cluster.identity().await.unwrap();
    insta::assert_snapshot!(told.lock().unwrap().join("\n"), @r"
    the server failed to get Namespace kube-system: upstream is down (HTTP 503)
    cannot reach https://fake:6443: connection reset
    the server is too busy to get Namespace kube-system
    the server failed to get Namespace kube-system: etcdserver: leader changed (HTTP 500)
    ");
    assert_eq!(cluster.requests().reads, 5, "every try counts");
}

#[tokio::test]
async fn what_does_not_pass_is_told_after_five_tries() {
    let server = FakeServer::new(|_| Answer::Text(503, ""));
    let error = server.cluster().identity().await.unwrap_err();
    assert_eq!(error.to_string(), "the server failed to get Namespace kube-system: service unavailable (HTTP 503)");
    assert_eq!(server.lines().len(), 5);
}

#[tokio::test]
async fn a_server_that_asks_for_more_time_than_there_is_is_not_asked_again() {
    let server = FakeServer::new(|_| Answer::Busy(60));
    let error = server.cluster().identity().await.unwrap_err();
    assert!(matches!(error, ClusterError::Throttled { .. }), "{error:?}");
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn an_answer_that_never_comes_is_a_time_out() {
    let server = FakeServer::new(|_| Answer::Never);
    let options = ConnectOptions {
        timeout: Duration::from_millis(5),
        retry: RetryPolicy { tries: 2, ..options().retry },
        ..options()
    };
    let error = server.cluster_with(&options).get(&motd(), "v1").await.unwrap_err();
    assert!(matches!(error, ClusterError::Timeout { .. }) && error.outcome_unknown(), "{error:?}");
    assert_eq!(server.lines().len(), 2);
}

#[tokio::test]
async fn a_refusal_is_not_tried_again() {
    for code in [400, 401, 403, 405, 409, 410, 415, 422] {
        let server = FakeServer::scripted([status(code, "", "no", json!({}))]);
        server.cluster().get(&motd(), "v1").await.unwrap_err();
        assert_eq!(server.lines().len(), 1, "{code}");
    }
}

#[tokio::test]
async fn a_missing_object_is_no_error() {
    let server = FakeServer::scripted([absent("configmaps", "motd")]);
    assert_eq!(server.cluster().get(&motd(), "v1").await, Ok(None));
}

#[tokio::test]
async fn an_answer_that_is_no_json_is_not_quoted() {
    let server = FakeServer::scripted([Answer::Text(200, "\"canary\" canary")]);
    let error = server.cluster().get(&motd(), "v1").await.unwrap_err().to_string();
    assert!(!error.contains("canary"), "{error}");
    assert_eq!(error, "cannot understand the answer to get ConfigMap shop/motd: unexpected JSON at line 1, column 10");
}

#[tokio::test]
async fn a_write_that_was_lost_once_stays_unknown_until_the_server_decides() {
    let motd = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "motd", "namespace": "shop"}});
    let manifest = Manifest::new(motd).unwrap();
    let first_then = |then: fn() -> Answer| {
        let mut lost = false;
        FakeServer::new(move |_| if std::mem::replace(&mut lost, true) { then() } else { Answer::Reset })
    };
    let answers: [(fn() -> Answer, bool); 5] = [
        (|| Answer::Busy(0), true),
        (|| Answer::Busy(60), true),
        (|| status(401, "Unauthorized", "Unauthorized", json!({})), true),
        (|| status(503, "ServiceUnavailable", "shutting down", json!({})), true),
        (|| status(422, "Invalid", "no", json!({})), false),
    ];
    for (then, unknown) in answers {
        let cluster = first_then(then).cluster();
        let error = cluster.apply(&manifest, &ApplyOptions::default()).await.unwrap_err();
        assert_eq!(error.outcome_unknown(), unknown, "{error:?}");
        let error = first_then(then).cluster().get(manifest.object_ref(), "v1").await.unwrap_err();
        assert!(!error.outcome_unknown(), "a read has no outcome: {error:?}");
    }
}
