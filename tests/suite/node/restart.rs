//! What is lost when a pod is restarted, and what cannot be: told by checks of a stack's own.

use super::{Scene, on_the_node};
use crate::support::cluster::{Namespace, Rights, Server};

on_the_node!(
    what_a_restart_loses_is_told,
    who_may_not_delete_pods_disturbs_nothing,
    a_claim_that_nobody_uses_is_not_bound,
);

/// Each start of the pod throws away what the one before had left.
const FORGETFUL: &str = r#"apiVersion: apps/v1
kind: StatefulSet
metadata: { name: forgetful }
spec:
  serviceName: forgetful
  selector: { matchLabels: { app: forgetful } }
  template:
    metadata: { labels: { app: forgetful } }
    spec:
      terminationGracePeriodSeconds: 1
      initContainers:
        - name: wipe
          image: redis:7-alpine
          command: [sh, -c, "rm -rf /data/* /data/.[!.]*"]
          volumeMounts: [{ name: data, mountPath: /data }]
      containers:
        - name: redis
          image: redis:7-alpine
          volumeMounts: [{ name: data, mountPath: /data }]
  volumeClaimTemplates:
    - metadata: { name: data }
      spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 16Mi } } }
"#;

fn what_a_restart_loses_is_told(server: &Server) {
    let namespace = server.namespace("forgetful");
    let scene = Scene::of(server, &namespace, &STACK.replace("NAMESPACE", namespace.name()), FORGETFUL);
    scene.run("verify", &["--disruptive"]).expect_code(3).expect_text(&[
        "check it remembers: FAILED: what was written to the volume is gone after the restart",
        "0 passed, 1 failed, 0 skipped",
    ]);
}

const STACK: &str = "stack: forgetful
namespace: NAMESPACE
manifests: [{ path: objects.yaml }]
checks:
  it remembers: { survivesRestart: manifest.StatefulSet/forgetful }
";

/// All may be read, and commands be run in pods; nothing may be deleted.
const READS_AND_RUNS: &str = r#"[
    {"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list", "watch"]},
    {"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["create", "get"]}
]"#;

fn who_may_not_delete_pods_disturbs_nothing(server: &Server) {
    let namespace = server.namespace("careful");
    let stack = STACK.replace("NAMESPACE", namespace.name());
    let scene = Scene::of(server, &namespace, &stack, FORGETFUL);
    let uid =
        |namespace: &Namespace<'_>| namespace.get("pods", "forgetful-0").map(|pod| pod["metadata"]["uid"].clone());
    let before = uid(&namespace);

    let reader = namespace.account("reader", &Rights::Rules(READS_AND_RUNS)).environment();
    reader.write("stack.yaml", &stack).write("objects.yaml", FORGETFUL);
    let verified = reader.run("verify stack.yaml --disruptive").expect_code(0);
    verified.expect_text(&["check it remembers: SKIPPED: no right to ask", "delete", "pods"]);
    assert!(before.is_some() && uid(&namespace) == before, "the pod is the same");
    assert_eq!(scene.exec("forgetful-0", &["ls", "-A", "/data"]), "");
}

fn a_claim_that_nobody_uses_is_not_bound(server: &Server) {
    let namespace = server.namespace("unbound");
    let claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: { name: unused }\nspec:\n  storageClassName: wait\n  \
                 accessModes: [ReadWriteOnce]\n  resources: { requests: { storage: 16Mi } }\n";
    let stack = "stack: unbound\nnamespace: NAMESPACE\nmanifests: [{ path: objects.yaml }]\nchecks:\n  it is bound: \
                 { bound: manifest.PersistentVolumeClaim/unused }\n";
    let scene = Scene::of(server, &namespace, &stack.replace("NAMESPACE", namespace.name()), claim);
    scene.run("verify", &[]).expect_code(3).expect_text(&["check it is bound: FAILED: the claim is Pending"]);
}
