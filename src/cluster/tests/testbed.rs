//! The same client against a real API server.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::cluster::{
    AccessQuestion, ApiKind, ApplyOptions, Cluster, ClusterError, ConnectOptions, ConnectionFailure, DeleteOptions,
    Deleted, ExecRequest, ObserveRequest, Propagation, Seen, Watches,
};
use crate::resource::{Manifest, ObjectRef};

const NAMESPACE: &str = "mathison-cluster-test";

fn home() -> PathBuf {
    std::env::var_os("TESTBED_HOME")
        .map_or_else(|| PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache/mathison-testbed"), PathBuf::from)
}

async fn cluster() -> Cluster {
    let kubeconfig = vec![home().join("api/admin.kubeconfig")];
    Cluster::connect(ConnectOptions { kubeconfig, ..ConnectOptions::default() }).await.unwrap()
}

fn label() -> (String, String) {
    ("mathison.dev/stack".to_owned(), "cluster-test.test".to_owned())
}

fn manifest(api_version: &str, kind: &str, name: &str, rest: serde_json::Value) -> Manifest {
    let mut object = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": NAMESPACE,
        "labels": {label().0: label().1}}});
    for (key, value) in rest.as_object().unwrap() {
        object[key] = value.clone();
    }
    let mut manifest = Manifest::new(object).unwrap();
    if kind == "Namespace" {
        manifest.set_namespace(None);
    }
    manifest
}

#[tokio::test]
#[ignore = "needs the testbed (tests/testbed/testbed api up)"]
async fn a_real_server_is_understood() {
    let cluster = cluster().await;
    let namespace = manifest("v1", "Namespace", NAMESPACE, json!({}));
    cluster.apply(&namespace, &ApplyOptions::default()).await.unwrap();
    let motd = manifest("v1", "ConfigMap", "motd", json!({"data": {"a": "1"}}));
    let live = cluster.apply(&motd, &ApplyOptions::default()).await.unwrap();

    // Observation: ours by label, one missing, one of an unknown kind.
    let missing = ObjectRef::new("", "ConfigMap", Some(NAMESPACE), "missing");
    let request = ObserveRequest {
        label: label(),
        list: BTreeSet::from([
            (ApiKind::new("v1", "ConfigMap"), Some(NAMESPACE.to_owned())),
            (ApiKind::new("example.com/v1", "Widget"), Some(NAMESPACE.to_owned())),
        ]),
        want: BTreeMap::from([(motd.object_ref().clone(), "v1".to_owned()), (missing, "v1".to_owned())]),
    };
    let observation = cluster.observe(&request).await.unwrap();
    assert_eq!(observation.objects.keys().cloned().collect::<Vec<_>>(), [motd.object_ref().clone()]);
    assert_eq!(observation.unknown_kinds.len(), 1);

    // A stale version, another uid, a wrong type, an unknown field, and a taken name.
    let conflict = manifest("v1", "ConfigMap", "motd", json!({"data": {"a": "2"}}));
    let stale = ApplyOptions { resource_version: Some("1".to_owned()), ..ApplyOptions::default() };
    let error = cluster.apply(&conflict, &stale).await.unwrap_err();
    assert!(matches!(error, ClusterError::Moved { .. }), "{error:?}");
    let other = ApplyOptions { uid: Some("other".to_owned()), ..ApplyOptions::default() };
    let error = cluster.apply(&conflict, &other).await.unwrap_err();
    assert!(matches!(error, ClusterError::Recreated { .. }), "{error:?}");
    let nowhere = manifest("v1", "ConfigMap", "nowhere", json!({}));
    let error = cluster.apply(&nowhere, &other).await.unwrap_err();
    assert!(matches!(error, ClusterError::Recreated { .. }), "{error:?}");
    let typed = manifest("v1", "ConfigMap", "motd", json!({"data": {"a": 2}}));
    let error = cluster.apply(&typed, &ApplyOptions::default()).await.unwrap_err();
    assert!(matches!(error, ClusterError::Rejected { code: 500, .. }), "{error:?}");
    let secret = manifest("v1", "Secret", "secret", json!({"stringData": {"a": {"canary": 1}}}));
    let error = cluster.apply(&secret, &ApplyOptions::default()).await.unwrap_err().to_string();
    assert!(!error.contains("canary"), "{error}");
    let mut lost = motd.clone();
    lost.set_namespace(Some("mathison-no-such-namespace"));
    let error = cluster.apply(&lost, &ApplyOptions::default()).await.unwrap_err();
    assert!(matches!(error, ClusterError::NamespaceMissing { .. }), "{error:?}");
    let invalid = manifest("v1", "Service", "invalid", json!({"spec": {"ports": [{"port": 0}]}}));
    let error = cluster.apply(&invalid, &ApplyOptions::default()).await.unwrap_err();
    assert!(matches!(error, ClusterError::Invalid { .. }), "{error:?}");

    let question = AccessQuestion { verb: "get".to_owned(), resource: "pods".to_owned(), ..AccessQuestion::default() };
    assert_eq!(cluster.access_review("eve", &["system:masters".to_owned()], &question).await, Ok(true));
    assert_eq!(cluster.access_review("eve", &[], &question).await, Ok(false));

    // A watch sees a change and the end.
    let watches = Watches::new(cluster.clone(), &label());
    let mut follower = watches.follow(motd.object_ref(), "v1", Some(&live));
    assert!(matches!(follower.next().await, Ok(Seen::Live(_))));
    let changed = cluster.apply(&conflict, &ApplyOptions::default()).await.unwrap();
    let wait = |mut follower: crate::cluster::Follower, done: fn(&Seen) -> bool| async move {
        tokio::time::timeout(Duration::from_secs(20), async {
            loop {
                let seen = follower.next().await.unwrap();
                if done(&seen) {
                    return follower;
                }
            }
        })
        .await
        .unwrap()
    };
    let follower = wait(follower, |seen| matches!(seen, Seen::Live(live) if live.object["data"]["a"] == "2")).await;
    let wrong = DeleteOptions { uid: Some("other".to_owned()), ..DeleteOptions::default() };
    let error = cluster.delete(motd.object_ref(), "v1", &wrong).await.unwrap_err();
    assert!(matches!(error, ClusterError::Recreated { .. }), "{error:?}");
    let right = DeleteOptions {
        uid: Some(changed.uid().to_owned()),
        resource_version: None,
        propagation: Propagation::Background,
    };
    assert_eq!(cluster.delete(motd.object_ref(), "v1", &right).await, Ok(Deleted::Gone));
    wait(follower, |seen| *seen == Seen::Gone).await;
    cluster.delete(namespace.object_ref(), "v1", &DeleteOptions::default()).await.unwrap();
}

/// Connects with the kubeconfig of a user, changed at `pointer`.
async fn connect_as(user: &str, pointer: &str, value: serde_json::Value) -> (Cluster, tempfile::TempDir) {
    let file = home().join(format!("api/{user}.kubeconfig"));
    let mut kubeconfig = serde_json::to_value(kube::config::Kubeconfig::read_from(file).unwrap()).unwrap();
    if let Some((parent, key)) = pointer.rsplit_once('/') {
        kubeconfig.pointer_mut(parent).unwrap()[key] = value;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kubeconfig");
    // JSON is YAML.
    std::fs::write(&file, kubeconfig.to_string()).unwrap();
    let kubeconfig = vec![file];
    (Cluster::connect(ConnectOptions { kubeconfig, ..ConnectOptions::default() }).await.unwrap(), folder)
}

#[tokio::test]
#[ignore = "needs the testbed (tests/testbed/testbed api up)"]
async fn a_real_servers_refusals_are_told_apart() {
    let (nobody, _folder) = connect_as("nobody", "", json!(null)).await;
    let error = nobody.identity().await.unwrap_err();
    assert!(matches!(error, ClusterError::Forbidden { .. }), "{error:?}");

    let (stranger, _folder) = connect_as("reader", "/users/0/user/token", json!("expired")).await;
    let error = stranger.identity().await.unwrap_err();
    assert!(matches!(error, ClusterError::Unauthorized { .. }), "{error:?}");

    let (misled, _folder) = connect_as("reader", "/clusters/0/cluster/certificate-authority-data", json!(null)).await;
    let error = misled.identity().await.unwrap_err();
    assert!(matches!(error, ClusterError::Certificate { .. }), "{error:?}");
    assert_eq!(misled.requests().reads, 1, "it is not tried again");

    let (nowhere, _folder) =
        connect_as("reader", "/clusters/0/cluster/server", json!("https://mathison.invalid:6443")).await;
    let error = nowhere.identity().await.unwrap_err();
    assert!(matches!(error, ClusterError::Unreachable { failure: ConnectionFailure::Name, .. }), "{error:?}");

    let (reader, _folder) = connect_as("reader", "", json!(null)).await;
    let motd = manifest("v1", "ConfigMap", "motd", json!({}));
    let error = reader.apply(&motd, &ApplyOptions { dry_run: true, ..ApplyOptions::default() }).await.unwrap_err();
    assert!(matches!(error, ClusterError::Forbidden { .. }), "{error:?}");
    let request = ExecRequest {
        namespace: "default".to_owned(),
        pod: "none".to_owned(),
        container: None,
        command: vec!["true".to_owned()],
        stdin: None,
        timeout: Duration::from_secs(10),
    };
    let error = reader.exec(request.clone()).await.unwrap_err();
    assert!(matches!(error, ClusterError::Forbidden { .. }), "{error:?}");
    let error = cluster().await.exec(request).await.unwrap_err();
    assert!(matches!(error, ClusterError::NotFound { .. }), "{error:?}");
}

#[tokio::test]
#[ignore = "needs the testbed (tests/testbed/testbed api up)"]
async fn the_files_of_a_service_account_open_a_real_server() {
    let kubeconfig = kube::config::Kubeconfig::read_from(home().join("api/reader.kubeconfig")).unwrap();
    let kubeconfig = serde_json::to_value(kubeconfig).unwrap();
    let text = |pointer: &str| kubeconfig.pointer(pointer).unwrap().as_str().unwrap().to_owned();
    let authority = STANDARD.decode(text("/clusters/0/cluster/certificate-authority-data")).unwrap();
    let server = text("/clusters/0/cluster/server");
    let (host, port) = server.trim_start_matches("https://").rsplit_once(':').unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ca.crt"), authority).unwrap();
    std::fs::write(folder.path().join("token"), text("/users/0/user/token")).unwrap();
    let options = ConnectOptions {
        service: Some((host.to_owned(), port.to_owned())),
        service_account: folder.path().to_owned(),
        ..ConnectOptions::default()
    };
    let cluster = Cluster::connect(options).await.unwrap();
    assert_eq!((cluster.context_name(), cluster.server()), (None, server.as_str()));
    cluster.identity().await.unwrap();
}
