use std::collections::HashSet;

use proptest::prelude::*;

use super::sample::{Sample, backing_services, resource};
use super::{Cycle, DependencyGraph, NodeId, NodeInput};

fn input(number: usize, depends_on: Vec<usize>) -> NodeInput<'static> {
    let id = |number: usize| resource(&format!("m.ConfigMap/c{number:03}"));
    NodeInput {
        id: id(number),
        manifest: None,
        depends_on: depends_on.into_iter().map(|to| (id(to), format!("{number} needs {to}"))).collect(),
        mentions: Vec::new(),
        about: Vec::new(),
    }
}

/// Nodes with edges to lower numbers only, so that there is no cycle.
fn acyclic() -> impl Strategy<Value = Vec<Vec<usize>>> {
    prop::collection::vec(prop::collection::vec(any::<prop::sample::Index>(), 0..4), 1..60).prop_map(|nodes| {
        nodes
            .into_iter()
            .enumerate()
            .map(|(number, edges)| match number {
                0 => Vec::new(),
                _ => edges.into_iter().map(|edge| edge.index(number)).collect(),
            })
            .collect()
    })
}

fn inputs(nodes: &[Vec<usize>]) -> Vec<NodeInput<'static>> {
    nodes.iter().enumerate().map(|(number, edges)| input(number, edges.clone())).collect()
}

proptest! {
    #[test]
    fn every_edge_leads_back_in_the_order(nodes in acyclic()) {
        let graph = DependencyGraph::build(inputs(&nodes)).unwrap();
        prop_assert_eq!(graph.len(), nodes.len());
        for edge in graph.edges() {
            prop_assert!(graph.index_of(edge.to) < graph.index_of(edge.from));
        }
        for id in graph.order() {
            for (dependent, reason) in graph.dependents(id) {
                prop_assert!(graph.dependencies(dependent).any(|edge| edge == (id, reason)));
            }
        }
        let declared: HashSet<_> = nodes.iter().enumerate().flat_map(|(from, edges)| edges.iter().map(move |to| (from, *to))).collect();
        prop_assert_eq!(graph.edge_count(), declared.len());
    }

    #[test]
    fn the_order_does_not_depend_on_how_the_nodes_were_given(
        (nodes, shuffled) in acyclic().prop_flat_map(|nodes| {
            let given: Vec<usize> = (0..nodes.len()).collect();
            (Just(nodes), Just(given).prop_shuffle())
        })
    ) {
        let straight = DependencyGraph::build(inputs(&nodes)).unwrap();
        let otherwise = shuffled.iter().map(|number| input(*number, nodes[*number].iter().rev().copied().collect())).collect();
        let otherwise = DependencyGraph::build(otherwise).unwrap();
        prop_assert_eq!(straight.order(), otherwise.order());
        prop_assert_eq!(straight.edges().collect::<Vec<_>>(), otherwise.edges().collect::<Vec<_>>());
    }

    #[test]
    fn a_planted_cycle_is_found_whole(
        (nodes, ring) in acyclic().prop_filter("room for a ring", |nodes| nodes.len() > 2).prop_flat_map(|nodes| {
            let given: Vec<usize> = (0..nodes.len()).collect();
            let length = 2..nodes.len();
            (Just(nodes), prop::sample::subsequence(given, length))
        })
    ) {
        let mut given = nodes.clone();
        for (at, from) in ring.iter().enumerate() {
            given[*from].push(ring[(at + 1) % ring.len()]);
        }
        let cycle = DependencyGraph::build(inputs(&given)).unwrap_err();
        assert_is_a_cycle_of(&cycle, &given);
        prop_assert!(cycle.steps.len() <= ring.len());
    }
}

fn assert_is_a_cycle_of(cycle: &Cycle, given: &[Vec<usize>]) {
    let number = |id: &NodeId| id.to_string().trim_start_matches("m.ConfigMap/c").parse::<usize>().unwrap();
    assert!(cycle.steps.len() >= 2);
    let mut seen = HashSet::new();
    for (at, step) in cycle.steps.iter().enumerate() {
        assert!(seen.insert(&step.from), "a node stands twice");
        assert!(given[number(&step.from)].contains(&number(&step.to)), "an edge that was not given");
        assert_eq!(step.to, cycle.steps[(at + 1) % cycle.steps.len()].from, "the steps do not join");
        assert_eq!(step.reason, format!("{} needs {}", number(&step.from), number(&step.to)));
    }
}

#[test]
fn a_cycle_is_told_with_every_reason_and_without_detours() {
    let id = |name: &str| resource(&format!("m.ConfigMap/{name}"));
    let mut sample = Sample::default();
    for name in ["a", "b", "c", "d", "e", "f", "waits"] {
        sample = sample.node(id(name));
    }
    for (from, to) in [("b", "c"), ("c", "d"), ("d", "b"), ("c", "b"), ("waits", "b"), ("e", "f"), ("f", "e")] {
        sample = sample.depends_on(id(from), id(to), &format!("declared in dependsOn of {from}"));
    }
    insta::assert_snapshot!(sample.build().unwrap_err(), @"
    these wait for each other in a circle:
      `m.ConfigMap/b` waits for `m.ConfigMap/c`: declared in dependsOn of b
      `m.ConfigMap/c` waits for `m.ConfigMap/b`: declared in dependsOn of c
    and there is another circle elsewhere
    ");
}

#[test]
fn a_node_that_names_itself_is_no_cycle() {
    let id = resource("m.ConfigMap/a");
    assert!(Sample::default().node(id.clone()).depends_on(id.clone(), id, "itself").build().is_ok());
}

#[test]
fn waves_follow_the_edges() {
    let graph = backing_services().build().unwrap();
    let waves: Vec<Vec<String>> =
        graph.waves().iter().map(|wave| wave.iter().map(|index| graph.node(*index).to_string()).collect()).collect();
    assert_eq!(waves.len(), 4);
    assert_eq!(waves[3], ["check/redis answers", "check/vector works"]);
}

#[test]
fn dependencies_and_dependents_mirror_each_other() {
    let graph = backing_services().build().unwrap();
    let service = resource("m.Service/postgres-headless");
    let dependents: Vec<_> = graph.dependents(&service).map(|(id, reason)| (id.to_string(), reason)).collect();
    assert_eq!(dependents, [("m.StatefulSet/postgres".to_owned(), "serviceName postgres-headless")]);
    assert_eq!(graph.dependencies(&resource("m.ConfigMap/nowhere")).count(), 0);
}
