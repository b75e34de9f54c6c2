//! How long a large graph takes to order: 100,000 nodes, 300,000 edges. The budget is 200 ms.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use mathison::graph::{DependencyGraph, NodeId, NodeInput};
use mathison::resource::{Address, Manifest};
use serde_json::json;

const NODES: usize = 100_000;

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
            id: NodeId::Resource(Address::of("manifest", &manifest.object_ref(), "bench")),
            manifest: Some(manifest),
            depends_on: Vec::new(),
            mentions: Vec::new(),
            about: Vec::new(),
        })
        .collect()
}

fn graph(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("graph");
    group.sample_size(20);
    // As a stack hands them over: by address.
    let mut nodes = declared();
    nodes.sort_by(|node, other| node.id.cmp(&other.id));
    group.bench_function("100,000 nodes, 300,000 declared edges", |bencher| {
        bencher.iter_batched(|| nodes.clone(), |nodes| black_box(DependencyGraph::build(nodes)), BatchSize::LargeInput);
    });
    let manifests = manifests();
    group.bench_function("100,000 objects, edges inferred", |bencher| {
        bencher.iter_batched(
            || inferred(&manifests),
            |nodes| black_box(DependencyGraph::build(nodes)),
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

criterion_group!(benches, graph);
criterion_main!(benches);
