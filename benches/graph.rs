//! How long a large graph takes to order, 100,000 nodes and 300,000 edges: `cargo bench --bench graph`.
//!
//! The median of many builds. Exits 1 if the budget is missed.
#![allow(clippy::print_stdout, reason = "a benchmark reports on standard output")]

use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use mathison::graph::{DependencyGraph, NodeId, NodeInput};
use mathison::resource::{Address, Manifest};
use serde_json::json;

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const NODES: usize = 100_000;
const RUNS: usize = 21;
const BUDGET: Duration = Duration::from_millis(200);

/// Nodes that each depend on three earlier ones, spread so that the order has both long chains and wide waves.
fn declared() -> Vec<NodeInput<'static>> {
    let kinds = ["Namespace", "ClusterRole", "ConfigMap", "Secret", "Service", "StatefulSet", "Deployment"];
    let id = |number: usize| {
        NodeId::Resource(Address::from_text(format!("service{}.{}/object-{number}", number % 97, kinds[number % 7])))
    };
    (0..NODES)
        .map(|number| {
            let earlier = [number / 2, number.wrapping_mul(2_654_435_761) % number.max(1), number.saturating_sub(1000)];
            let on = if number < 3 { &earlier[..0] } else { &earlier[..] };
            NodeInput {
                id: id(number),
                manifest: None,
                depends_on: on.iter().map(|to| (id(*to), "declared in dependsOn".to_owned())).collect(),
                mentions: Vec::new(),
                about: Vec::new(),
            }
        })
        .collect()
}

/// Workloads with an account, a ConfigMap and a Secret each, so that the edges come from the objects' text.
fn manifests() -> Vec<Manifest> {
    let plain = |kind: &str, number: usize| json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": format!("object-{number}"), "namespace": "bench"}});
    (0..NODES / 4)
        .flat_map(|number| {
            let name = format!("object-{number}");
            [
                plain("ServiceAccount", number),
                plain("ConfigMap", number),
                plain("Secret", number),
                json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "bench"},
                    "spec": {"template": {"spec": {"serviceAccountName": name, "containers": [{"name": "main", "envFrom": [
                        {"configMapRef": {"name": name}}, {"secretRef": {"name": name}}]}]}}}}),
            ]
        })
        .chain([json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "bench"}})])
        .filter_map(|object| Manifest::new(object).ok())
        .collect()
}

fn inferred(manifests: &[Manifest]) -> Vec<NodeInput<'_>> {
    manifests
        .iter()
        .map(|manifest| NodeInput {
            id: NodeId::Resource(Address::of("manifest", manifest.object_ref(), "bench")),
            manifest: Some(manifest),
            depends_on: Vec::new(),
            mentions: Vec::new(),
            about: Vec::new(),
        })
        .collect()
}

/// Returns the times of many builds, in order. Each takes inputs of its own, made before the clock starts; what it returns
/// is dropped after the clock stops.
fn times<'a>(inputs: impl Fn() -> Vec<NodeInput<'a>>) -> Vec<Duration> {
    let mut times: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let nodes = inputs();
            let began = Instant::now();
            let graph = black_box(DependencyGraph::build(nodes));
            let elapsed = began.elapsed();
            drop(graph);
            elapsed
        })
        .collect();
    times.sort();
    times
}

fn main() -> ExitCode {
    if !std::env::args().any(|word| word == "--bench") {
        println!("graph: skipped, `cargo bench` runs it");
        return ExitCode::SUCCESS;
    }
    // As a stack hands them over: by address.
    let mut nodes = declared();
    nodes.sort_by(|node, other| node.id.cmp(&other.id));
    let manifests = manifests();
    println!("{:<42}{:>10}{:>10}{:>10}", "100,000 nodes", "median", "least", "budget");
    let kept = [
        judge("300,000 declared edges", &times(|| nodes.clone()), Some(BUDGET)),
        // Reading the references is beside the budget, which is for the order.
        judge("edges inferred from the objects' text", &times(|| inferred(&manifests)), None),
    ];
    if kept.contains(&false) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn judge(what: &str, times: &[Duration], budget: Option<Duration>) -> bool {
    let median = times[RUNS / 2];
    let kept = budget.is_none_or(|budget| median <= budget);
    let budget = budget.map_or_else(|| "-".to_owned(), |budget| format!("{budget:.2?}"));
    println!("{what:<42}{median:>10.2?}{:>10.2?}{budget:>10}{}", times[0], if kept { "" } else { "  missed" });
    kept
}
