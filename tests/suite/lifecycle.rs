//! The main job from end to end: a stack is applied, edited, changed by somebody else, made smaller and destroyed, and every
//! step done a second time changes nothing.

use std::time::Duration;

use serde_json::json;

use crate::support::cluster::{Account, Namespace, Rights, Server, eventually};
use crate::support::environment::TestEnv;
use crate::support::output::Output;
use crate::support::plan::Planned;

on_each_server!(
    the_main_job,
    a_stack_that_was_never_applied_is_planned_without_a_write,
    manifests_can_come_from_standard_input,
);

const STACK: &str = "stack: web
namespace: NAMESPACE
manifests:
  - path: web.yaml
";

const MANIFESTS: &str = r#"apiVersion: v1
kind: ConfigMap
metadata: { name: settings }
data: { mode: calm, color: blue }
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: web }
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: pictures }
spec:
  accessModes: [ReadWriteOnce]
  resources: { requests: { storage: 1Gi } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      serviceAccountName: web
      containers:
        - name: server
          image: example.com/web:1
          envFrom: [{ configMapRef: { name: settings } }]
          volumeMounts: [{ name: pictures, mountPath: /pictures }]
      volumes: [{ name: pictures, persistentVolumeClaim: { claimName: pictures } }]
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec:
  selector: { app: web }
  ports: [{ port: 80, targetPort: 8080 }]
"#;

const LEFTOVER: &str = "---
apiVersion: v1
kind: ConfigMap
metadata: { name: leftover }
data: { text: soon gone }
";

/// The objects of both; the stack has no Secret, so none is made for it.
const MADE: usize = 6;

const KINDS: &str = "configmaps,secrets,services,serviceaccounts,deployments,persistentvolumeclaims";

/// One operator with a stack in a namespace of its own.
struct Scene<'server> {
    server: &'server Server,
    namespace: Namespace<'server>,
    operator: Account,
    environment: TestEnv,
}

impl<'server> Scene<'server> {
    fn new(server: &'server Server, purpose: &str) -> Self {
        let namespace = server.namespace(purpose);
        let operator = namespace.account("operator", &Rights::Everything);
        let environment = operator.environment();
        environment.write("stack.yaml", &STACK.replace("NAMESPACE", namespace.name()));
        environment.write("web.yaml", &format!("{MANIFESTS}{LEFTOVER}"));
        Self { server, namespace, operator, environment }
    }

    /// Runs a command that must write nothing to the cluster.
    #[track_caller]
    fn without_a_write(&self, line: &str) -> Output {
        let mark = self.server.mark();
        let output = self.environment.run(line);
        let requests = self.server.requests(&self.operator.user, "mathison", mark);
        assert!(requests.count() > 0, "the log has nothing of `mathison {line}`\n{output}");
        assert_eq!(requests.writes().count(), 0, "`mathison {line}` wrote\n{requests}\n{output}");
        output
    }

    /// Applies with so many writes, and applies again: the second time nothing is written, and nothing is left to plan.
    #[track_caller]
    fn apply(&self, writes: usize) {
        let mark = self.server.mark();
        let output = self.environment.run("apply stack.yaml --auto-approve").expect_code(0);
        let requests = self.server.requests(&self.operator.user, "mathison", mark);
        assert_eq!(requests.writes().count(), writes, "{requests}\n{output}");
        self.without_a_write("apply stack.yaml --auto-approve").expect_code(0);
        self.without_a_write("plan stack.yaml --detailed-exitcode").expect_code(0);
    }

    /// Plans what must be exactly this, twice.
    #[track_caller]
    fn plans(&self, address: &str, action: &str) -> Planned {
        let first = self.without_a_write("plan stack.yaml --detailed-exitcode").expect_code(2);
        let second = self.without_a_write("plan stack.yaml --detailed-exitcode").expect_code(2);
        assert_eq!(first.stdout, second.stdout, "the same plan has the same bytes");
        let plan = Planned::of(&self.environment, "stack.yaml");
        let expected = [(address.to_owned(), action.to_owned())].into();
        assert_eq!(plan.actions(), expected, "{first}");
        plan
    }
}

fn the_main_job(server: &Server) {
    let scene = Scene::new(server, "lifecycle");
    let Scene { namespace, environment, .. } = &scene;

    // Everything is made, becomes ready and is recorded.
    scene.apply(MADE);
    scene.without_a_write("drift stack.yaml").expect_code(0);
    scene.without_a_write("verify stack.yaml").expect_code(0);
    let deployment = namespace.get("deployment", "web").expect("the Deployment is there");
    assert_eq!(deployment["status"]["readyReplicas"], 2, "apply waited until it was ready");
    assert_eq!(deployment["metadata"]["labels"]["mathison.dev/stack"], format!("web.{}", namespace.name()));

    // One field of the file: exactly one update, and the field is named.
    environment.edit("web.yaml", "mode: calm", "mode: brisk");
    let plan = scene.plans("manifest.ConfigMap/settings", "update");
    assert_eq!(plan.fields("manifest.ConfigMap/settings"), [".data.mode"]);
    scene.apply(1);
    let settings = namespace.get("configmap", "settings").expect("the ConfigMap is there");
    assert_eq!(settings["data"]["mode"], "brisk");

    // Somebody else's hand: drift names the field and the manager, and an apply takes it back.
    namespace.scale("deployment", "web", 5);
    namespace.patch("configmap", "settings", "someone", &json!({ "data": { "color": "red" } }));
    for _ in 0..2 {
        scene
            .without_a_write("drift stack.yaml")
            .expect_code(2)
            .expect_text(&["manifest.ConfigMap/settings", ".data.color", "someone", "red"])
            .expect_text(&["manifest.Deployment/web", ".spec.replicas", "kubectl"]);
    }
    environment.run("plan stack.yaml --detailed-exitcode").expect_code(2).expect_text(&[
        "taken back",
        "someone",
        ".data.color",
        ".spec.replicas",
    ]);
    scene.apply(2);
    scene.without_a_write("drift stack.yaml").expect_code(0);
    let settings = namespace.get("configmap", "settings").expect("the ConfigMap is there");
    assert_eq!(settings["data"]["color"], "blue");
    let deployment = namespace.get("deployment", "web").expect("the Deployment is there");
    assert_eq!(deployment["spec"]["replicas"], 2);

    // What left the file is deleted, and nothing else.
    environment.edit("web.yaml", LEFTOVER, "");
    scene.plans("manifest.ConfigMap/leftover", "delete");
    scene.apply(1);
    assert!(namespace.get("configmap", "leftover").is_none(), "it left the file");
    assert!(namespace.get("configmap", "settings").is_some(), "it did not leave the file");

    // Nothing is left but what holds data, and what was never ours.
    let foreign = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: foreign }\n";
    namespace.create(foreign);
    environment
        .run("destroy stack.yaml --auto-approve")
        .expect_code(0)
        .expect_text(&["PersistentVolumeClaim/pictures"]);
    eventually("the controllers clean up", Duration::from_secs(30), || {
        namespace.objects("pods,replicasets").is_empty()
    });
    let left = ["configmap/foreign", "serviceaccount/operator", "persistentvolumeclaim/pictures"];
    assert_eq!(namespace.objects(KINDS), left);
    scene.without_a_write("destroy stack.yaml --auto-approve").expect_code(0);
    assert_eq!(namespace.objects(KINDS), left);
}

fn a_stack_that_was_never_applied_is_planned_without_a_write(server: &Server) {
    let scene = Scene::new(server, "first-plan");
    let before = scene.namespace.objects(KINDS);
    let plan = scene.without_a_write("plan stack.yaml --detailed-exitcode").expect_code(2);
    plan.expect_text(&["manifest.Deployment/web", "manifest.ConfigMap/leftover"]);
    scene.without_a_write("plan stack.yaml").expect_code(0);
    let planned = Planned::of(&scene.environment, "stack.yaml").actions();
    assert_eq!(planned.values().filter(|action| *action == "create").count(), MADE, "{planned:?}");
    assert_eq!(scene.namespace.objects(KINDS), before);
}

fn manifests_can_come_from_standard_input(server: &Server) {
    let scene = Scene::new(server, "stdin");
    let environment = &scene.environment;
    let piped = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: piped }\ndata: { from: a pipe }\n";
    let words = ["apply", "stack.yaml", "--manifests", "-", "--auto-approve"];
    environment.mathison(words).input(piped).finish().expect_code(0);
    assert!(scene.namespace.get("configmap", "piped").is_some(), "it came from the pipe");
    // Without it, it would be deleted: so it must be said on purpose.
    scene.without_a_write("plan stack.yaml").expect_code(64).expect_text(&["--manifests"]);
    scene.without_a_write("apply stack.yaml --auto-approve").expect_code(64);
    // Nor is it deleted because the program before the pipe failed.
    environment.mathison(words).input("").finish().expect_code(64).expect_text(&["it gave no object"]);
    assert!(scene.namespace.get("configmap", "piped").is_some(), "an empty pipe is no order");
    environment.run("apply stack.yaml --manifests none --auto-approve").expect_code(0);
    assert!(scene.namespace.get("configmap", "piped").is_none(), "it was left out on purpose");
}
