//! Why a workload does not become ready: each cause provoked on the node, and told with what the operator needs.

use std::io::{self, Write as _};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::on_the_node;
use crate::support::cluster::{Server, User};

on_the_node!(each_cause_is_told);

/// How long an apply waits where nobody knows that waiting is in vain.
const TIMEOUT: Duration = Duration::from_secs(25);

/// A container that is wrong in one way, and what must be told of it.
struct Cause {
    name: &'static str,
    /// Laid over a container that does nothing wrong.
    container: Value,
    /// Laid over its pod.
    pod: Value,
    told: &'static [&'static str],
    /// Whether waiting is in vain, so that it is given up before the time is over.
    is_hopeless: bool,
}

/// A probe that does not pass, so that a container that only ran for a moment was never ready.
fn never() -> Value {
    json!({ "exec": { "command": ["sh", "-c", "echo still empty; exit 1"] }, "periodSeconds": 1 })
}

fn causes() -> Vec<Cause> {
    let cause =
        |name, container: Value, told, is_hopeless| Cause { name, container, pod: json!({}), told, is_hopeless };
    vec![
        cause(
            "absent-image",
            json!({ "image": "example.invalid/none:1", "imagePullPolicy": "Never" }),
            &["container main: image `example.invalid/none:1` is not on the node and may not be pulled"],
            true,
        ),
        cause(
            "unreachable-image",
            json!({ "image": "example.invalid/none:1", "imagePullPolicy": "Always" }),
            &["container main: image `example.invalid/none:1` cannot be pulled"],
            false,
        ),
        cause(
            "crash",
            json!({ "command": ["sh", "-c", "echo no licence >&2; exit 3"], "readinessProbe": never() }),
            &["container main: ", "ended with exit code 3"],
            false,
        ),
        cause(
            "memory",
            json!({ "command": ["tail", "/dev/zero"], "resources": { "limits": { "memory": "24Mi" } }, "readinessProbe": never() }),
            &["it was killed for using more memory than its limit of 24Mi (OOMKilled)"],
            false,
        ),
        cause(
            "too-big",
            json!({ "resources": { "requests": { "cpu": "1000" } } }),
            &["unschedulable: 0/1 nodes are available: 1 Insufficient cpu."],
            false,
        ),
        cause(
            "no-key",
            json!({ "env": [{ "name": "A", "valueFrom": { "configMapKeyRef": { "name": "kube-root-ca.crt", "key": "none" } } }] }),
            &["container main: cannot be configured: couldn't find key none in ConfigMap"],
            true,
        ),
        cause(
            "no-config-map",
            json!({ "envFrom": [{ "secretRef": { "name": "nobody-made-it" } }] }),
            &["container main: cannot be configured: secret \"nobody-made-it\" not found"],
            true,
        ),
        cause(
            "unready",
            json!({ "readinessProbe": never() }),
            &["container main: its readiness probe does not pass"],
            false,
        ),
        Cause {
            name: "init",
            container: json!({}),
            pod: json!({ "initContainers": [{ "name": "prepare", "image": "redis:7-alpine", "command": ["sh", "-c", "exit 4"] }] }),
            told: &["container prepare: ", "exit code 4"],
            is_hopeless: false,
        },
        Cause {
            name: "no-claim",
            container: json!({}),
            pod: json!({ "volumes": [{ "name": "data", "persistentVolumeClaim": { "claimName": "nobody-made-it" } }] }),
            told: &["volume pending: ", "persistentvolumeclaim \"nobody-made-it\" not found"],
            is_hopeless: false,
        },
    ]
}

fn laid_over(object: &mut Value, changes: &Value) {
    let (Some(object), Some(changes)) = (object.as_object_mut(), changes.as_object()) else { return };
    object.extend(changes.clone());
}

fn stack(cause: &Cause, namespace: &str) -> (String, String) {
    let mut container = json!({ "name": "main", "image": "redis:7-alpine", "command": ["sleep", "1000"] });
    laid_over(&mut container, &cause.container);
    let mut pod = json!({ "terminationGracePeriodSeconds": 0, "containers": [container] });
    laid_over(&mut pod, &cause.pod);
    let settings =
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "settings" }, "data": { "some": "1" } });
    let workload = json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "broken" }, "spec": {
        "selector": { "matchLabels": { "app": "broken" } },
        "template": { "metadata": { "labels": { "app": "broken" } }, "spec": pod } } });
    let stack = format!("stack: failing\nnamespace: {namespace}\nmanifests: [{{ path: objects.yaml }}]\n");
    (stack, format!("{settings}\n---\n{workload}\n"))
}

fn each_cause_is_told(server: &Server) {
    let causes = causes();
    let told: Vec<(String, Duration)> = thread::scope(|scope| {
        let runs: Vec<_> = causes.iter().map(|cause| scope.spawn(move || applied(server, cause))).collect();
        runs.into_iter().map(|run| run.join().unwrap_or_default()).collect()
    });
    let mut wrong = Vec::new();
    for (cause, (told, took)) in causes.iter().zip(&told) {
        let _ = writeln!(io::stderr(), "{}, after {:.1} s:\n{told}", cause.name, took.as_secs_f64());
        let missing: Vec<_> = cause.told.iter().filter(|words| !told.contains(**words)).collect();
        if !missing.is_empty() {
            wrong.push(format!("{}: {missing:?} is nowhere in\n{told}", cause.name));
        }
        if cause.is_hopeless != (*took < TIMEOUT) {
            wrong.push(format!("{}: took {took:?}, which is not what was to be", cause.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Applies it, and returns what was said of the workload at the end, in one line, and how long that took.
fn applied(server: &Server, cause: &Cause) -> (String, Duration) {
    let namespace = server.namespace(cause.name);
    let environment = server.environment(User::Admin);
    let (stack, objects) = stack(cause, namespace.name());
    environment.write("stack.yaml", &stack).write("objects.yaml", &objects);
    let began = Instant::now();
    let words = ["apply", "stack.yaml", "--auto-approve", "--timeout", "25s"];
    let run = environment.mathison(words).within(TIMEOUT * 3).finish().expect_code(1);
    let took = began.elapsed();
    let mut lines = run.stdout.lines().chain(run.stderr.lines());
    let told = lines.find(|line| line.starts_with("manifest.Deployment/broken: created, but NOT READY"));
    let told = told.unwrap_or_else(|| panic!("nothing is said of the workload\n{run}")).to_owned();
    (told, took)
}
