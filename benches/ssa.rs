//! What predicting an apply costs: `cargo bench --bench ssa`.
//!
//! One core, no server: from parsed JSON to the answer, beside the time that parsing the same live object takes. Budgets are
//! ratios of one run, for machines differ; objects a second are told beside them. Exits 1 if one is missed.
#![allow(clippy::print_stdout, reason = "a benchmark reports on standard output")]

use std::fs;
use std::hint::black_box;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use criterion::Criterion;
use mathison::ssa::{self, Path, Release, Schema};
use serde_json::{Value, json};

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const MANAGER: &str = "mathison";

/// Predicting that nothing changes, of the time that parsing takes.
const UNCHANGED: f64 = 0.25;
/// Predicting a change, of the time that parsing takes: 20,000 a second of the smaller where 40,000 are parsed.
const CHANGED: f64 = 2.0;
/// With ten times as many items it takes at most so many times more of the time of parsing, which is linear. What goes
/// through two trees that no longer fit the caches takes two and a half, what is quadratic ten.
const LINEAR: f64 = 3.5;
/// Until the first kind of a built-in table can be asked, in milliseconds.
const LOADED: f64 = 2.0;

fn main() -> ExitCode {
    if !std::env::args().any(|word| word == "--bench") {
        println!("ssa: skipped, `cargo bench` runs it");
        return ExitCode::SUCCESS;
    }
    let mut kept = Release::ALL.into_iter().all(loaded);
    for size in [6_000, 10_000] {
        let case = Case::stateful_set(size);
        let kilobytes = format!("StatefulSet of {:.1} kB", case.text.len() as f64 / 1e3);
        let parsed = case.parse(&kilobytes);
        let unchanged = case.predict(&kilobytes, "unchanged", &case.config, false);
        let changed = case.predict(&kilobytes, "changed", &case.other(), true);
        kept &= judge(&format!("{kilobytes}, unchanged: of parsing it"), unchanged / parsed, UNCHANGED);
        kept &= judge(&format!("{kilobytes}, changed: of parsing it"), changed / parsed, CHANGED);
    }
    let wide: [(&str, Make); 3] = [
        ("Service with ports", Case::service),
        ("ConfigMap with keys", Case::config_map),
        ("EndpointSlice with endpoints", Case::endpoint_slice),
    ];
    for (what, make) in wide {
        let [few, many] = [1_000, 10_000].map(|count| {
            let case = make(count);
            let name = format!("{what}, {count}");
            let mut last = case.config.clone();
            last["metadata"]["labels"]["changed"] = json!("yes");
            let parsed = case.parse(&name);
            let unchanged = case.predict(&name, "unchanged", &case.config, false);
            let changed = case.predict(&name, "changed", &last, true);
            [unchanged / parsed, changed / parsed]
        });
        for (place, how) in ["unchanged", "changed"].into_iter().enumerate() {
            let [few, many] = [few[place], many[place]];
            println!("{what}, {how}: {few:.2} of parsing 1,000, {many:.2} of parsing 10,000");
            kept &= judge(&format!("{what}, {how}: ten times as many"), many / few, LINEAR);
        }
    }
    if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Judges what the first question costs that a process asks of a built-in table: there is one run, so nothing to average.
fn loaded(release: Release) -> bool {
    let began = Instant::now();
    let schema = ssa::builtin_in(release, "apps", "v1", "StatefulSet").expect("a built-in kind");
    let field = Path::parse(".spec.template.spec.containers[name=\"a\"].image").expect("a path");
    assert!(schema.at(&field).is_some());
    let taken = began.elapsed().as_secs_f64() * 1e3;
    judge(&format!("table of {release}, until a StatefulSet is known: ms"), taken, LOADED)
}

/// Makes a case of that many items.
type Make = fn(usize) -> Case;

/// A live object, as a server has it after `config` was applied to it.
struct Case {
    schema: Schema,
    config: Value,
    live: Value,
    text: String,
}

impl Case {
    fn new(group: &str, config: Value, status: Value) -> Self {
        let kind = config["kind"].as_str().expect("a kind");
        let schema = ssa::builtin(group, "v1", kind).expect("a built-in kind");
        let mut live = ssa::apply(&schema, None, &config, MANAGER).expect("it fits").object.into_owned();
        live["metadata"]["uid"] = json!("8d5f1e0c-4a52-4a37-9a61-2f6f4f3c0b1e");
        live["metadata"]["resourceVersion"] = json!("123456");
        live["metadata"]["creationTimestamp"] = json!("2026-01-02T03:04:05Z");
        live["status"] = status;
        let entries = live["metadata"]["managedFields"].as_array_mut().expect("managed fields");
        entries[0]["time"] = json!("2026-01-02T03:04:05Z");
        entries.push(json!({"manager": "kube-controller-manager", "operation": "Update", "apiVersion": config["apiVersion"],
            "time": "2026-01-02T03:05:00Z", "fieldsType": "FieldsV1", "subresource": "status", "fieldsV1": {"f:status": {
                "f:availableReplicas": {}, "f:collisionCount": {}, "f:currentReplicas": {}, "f:currentRevision": {},
                "f:observedGeneration": {}, "f:readyReplicas": {}, "f:replicas": {}, "f:updateRevision": {},
                "f:updatedReplicas": {}}}}));
        let text = live.to_string();
        let live = serde_json::from_str(&text).expect("it was just written");
        Self { schema, config, live, text }
    }

    /// A StatefulSet of about that many bytes.
    fn stateful_set(size: usize) -> Self {
        let of = |variables: usize| {
            let env: Vec<Value> = (0..variables)
                .map(|index| json!({"name": format!("SETTING_{index:03}"), "value": format!("value-of-{index}")}))
                .collect();
            let probe = json!({"exec": {"command": ["pg_isready", "-U", "mathison"]}, "periodSeconds": 5});
            let container = json!({"name": "postgres", "image": "pgvector/pgvector:pg16", "env": env,
                "ports": [{"containerPort": 5432, "name": "postgres"}], "readinessProbe": probe, "livenessProbe": probe,
                "resources": {"requests": {"cpu": "250m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}},
                "volumeMounts": [{"name": "data", "mountPath": "/var/lib/postgresql/data"}]});
            let config = json!({"apiVersion": "apps/v1", "kind": "StatefulSet",
                "metadata": {"name": "postgres", "namespace": "mathison-system", "labels": {"app.kubernetes.io/name": "postgres"}},
                "spec": {"replicas": 1, "serviceName": "postgres-headless", "selector": {"matchLabels": {"app": "postgres"}},
                    "template": {"metadata": {"labels": {"app": "postgres"}}, "spec": {"containers": [container]}},
                    "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"],
                        "resources": {"requests": {"storage": "10Gi"}}}}]}});
            Self::new(
                "apps",
                config,
                json!({"availableReplicas": 1, "collisionCount": 0, "currentReplicas": 1,
                "currentRevision": "postgres-7d9c5f6b", "observedGeneration": 1, "readyReplicas": 1, "replicas": 1,
                "updateRevision": "postgres-7d9c5f6b", "updatedReplicas": 1}),
            )
        };
        (0..).map(of).find(|case| case.text.len() >= size).expect("there is no end")
    }

    fn service(ports: usize) -> Self {
        let port =
            |port: usize| json!({"name": format!("p{port}"), "port": port, "targetPort": port, "protocol": "TCP"});
        let ports: Vec<Value> = (1..=ports).map(port).collect();
        let spec = json!({"selector": {"app": "x"}, "ports": ports});
        let metadata = json!({"name": "wide", "namespace": "n", "labels": {"app": "x"}});
        Self::new("", json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}), json!({}))
    }

    /// One of 1 MB where there are 10,000 keys.
    fn config_map(keys: usize) -> Self {
        let data = (0..keys).map(|key| (format!("key-{key:05}"), Value::from("x".repeat(80)))).collect();
        let metadata = json!({"name": "wide", "namespace": "n", "labels": {"app": "x"}});
        let config =
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": Value::Object(data)});
        let mut case = Self::new("", config, Value::Null);
        case.live.as_object_mut().expect("an object").remove("status");
        case
    }

    /// Its list is one value.
    fn endpoint_slice(endpoints: usize) -> Self {
        let endpoint = |number: usize| {
            json!({"addresses": [format!("10.{}.{}.{}", number >> 16, number >> 8 & 255, number & 255)],
                "conditions": {"ready": true}, "nodeName": format!("node-{}", number % 100)})
        };
        let endpoints: Vec<Value> = (1..=endpoints).map(endpoint).collect();
        let metadata = json!({"name": "wide", "namespace": "n", "labels": {"app": "x"}});
        let mut case = Self::new(
            "discovery.k8s.io",
            json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
                "metadata": metadata, "endpoints": endpoints, "ports": [{"name": "http", "port": 80}]}),
            Value::Null,
        );
        case.live.as_object_mut().expect("an object").remove("status");
        case
    }

    /// The same with another image, one variable less and one more label.
    fn other(&self) -> Value {
        let mut config = self.config.clone();
        config["metadata"]["labels"]["changed"] = json!("yes");
        let container = &mut config["spec"]["template"]["spec"]["containers"][0];
        container["image"] = json!("pgvector/pgvector:pg17");
        container["env"].as_array_mut().expect("variables").pop();
        config
    }

    fn parse(&self, name: &str) -> f64 {
        measured(name, "parsed", || serde_json::from_str::<Value>(black_box(&self.text)).expect("it was just written"))
    }

    fn predict(&self, name: &str, how: &str, config: &Value, changes: bool) -> f64 {
        let predict =
            || ssa::apply(&self.schema, Some(black_box(&self.live)), black_box(config), MANAGER).expect("it fits");
        assert_eq!(predict().changed, changes, "{name}, {how}");
        measured(name, how, predict)
    }
}

/// Returns the median time in seconds.
fn measured<T>(name: &str, how: &str, mut run: impl FnMut() -> T) -> f64 {
    let folder = target().join("criterion");
    let mut criterion = Criterion::default()
        .output_directory(&folder)
        .without_plots()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    let id = format!("{name}, {how}").replace([' ', ',', '.'], "-");
    criterion.bench_function(&id, |bencher| bencher.iter(&mut run));
    let file = folder.join(&id).join("new/estimates.json");
    let estimates: Value =
        serde_json::from_str(&fs::read_to_string(&file).expect("the estimates")).expect("they are JSON");
    let nanoseconds = estimates["median"]["point_estimate"].as_f64().expect("a median");
    println!("{id:<56}{:>12.2} µs{:>12.0} a second", nanoseconds / 1e3, 1e9 / nanoseconds);
    nanoseconds / 1e9
}

/// The folder that this program was built in.
fn target() -> PathBuf {
    let program = std::env::current_exe().expect("this program has a path");
    program.ancestors().nth(3).expect("it lies in a target folder").to_owned()
}

fn judge(what: &str, found: f64, budget: f64) -> bool {
    let kept = found <= budget;
    println!("{what:<64}{found:>8.2}{budget:>8.2}{}", if kept { "" } else { "  missed" });
    kept
}
