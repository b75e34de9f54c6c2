//! JSON, with types of its own, so that a change inside the graph does not change what programs read.

use serde::Serialize;

use crate::graph::{DependencyGraph, NodeId};
use crate::resource::ObjectRef;

/// Version of the JSON form: the first number changes when something that was there goes or means something else, the
/// second when something is added.
pub const FORMAT_VERSION: &str = "1.0";

#[derive(Serialize)]
struct Document<'a> {
    format_version: &'static str,
    nodes: Vec<Node<'a>>,
    edges: Vec<Edge<'a>>,
    external: Vec<External<'a>>,
}

#[derive(Serialize)]
struct Node<'a> {
    id: String,
    #[serde(flatten)]
    what: What<'a>,
    /// Place in the order, from 1.
    position: u32,
    /// The earliest wave it could start in, from 1.
    wave: u32,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum What<'a> {
    Resource { address: &'a str },
    SecretKey { secret: &'a str, key: &'a str },
    Check { name: &'a str },
}

#[derive(Serialize)]
struct Edge<'a> {
    from: String,
    to: String,
    reason: &'a str,
}

#[derive(Serialize)]
struct External<'a> {
    from: String,
    object: Object<'a>,
    reason: &'a str,
}

#[derive(Serialize)]
struct Object<'a> {
    group: &'a str,
    kind: &'a str,
    namespace: Option<&'a str>,
    name: &'a str,
}

/// Writes the graph as one JSON document: the nodes in order, the edges, and the references that lead out.
#[must_use]
pub fn json(graph: &DependencyGraph) -> String {
    let mut waves = vec![0; graph.len()];
    for (wave, members) in (1u32..).zip(graph.waves()) {
        members.iter().for_each(|index| waves[index.0 as usize] = wave);
    }
    let document = Document {
        format_version: FORMAT_VERSION,
        nodes: graph
            .indices()
            .map(|index| {
                let id = graph.node(index);
                let wave = waves[index.0 as usize];
                Node { id: id.to_string(), what: what(id), position: index.0 + 1, wave }
            })
            .collect(),
        edges: graph
            .edges()
            .map(|edge| Edge { from: edge.from.to_string(), to: edge.to.to_string(), reason: edge.reason })
            .collect(),
        external: graph
            .external()
            .iter()
            .map(|external| External {
                from: external.from.to_string(),
                object: object(&external.object),
                reason: &external.reason,
            })
            .collect(),
    };
    // Plain strings and numbers always serialise.
    let mut out = serde_json::to_string_pretty(&document).unwrap_or_default();
    out.push('\n');
    out
}

fn what(id: &NodeId) -> What<'_> {
    match id {
        NodeId::Resource(address) => What::Resource { address: address.as_str() },
        NodeId::SecretKey { secret, key } => What::SecretKey { secret: secret.as_str(), key },
        NodeId::Check(name) => What::Check { name },
    }
}

fn object(object: &ObjectRef) -> Object<'_> {
    Object { group: &object.group, kind: &object.kind, namespace: object.namespace.as_deref(), name: &object.name }
}
