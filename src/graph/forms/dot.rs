//! Graphviz.

use std::fmt::Write as _;

use crate::graph::{DependencyGraph, NodeId};

/// Writes the graph in the language of Graphviz. Arrows go from the node that waits to the one it waits for.
#[must_use]
pub fn dot(graph: &DependencyGraph) -> String {
    let mut out = String::from("digraph dependencies {\n  rankdir = \"RL\";\n  node [shape = box];\n");
    for id in graph.order() {
        let shape = match id {
            NodeId::Resource(_) => "",
            NodeId::SecretKey { .. } => " [shape = note]",
            NodeId::Check(_) => " [shape = hexagon]",
        };
        let _ = writeln!(out, "  {}{shape};", quoted(&id.to_string()));
    }
    for edge in graph.edges() {
        let (from, to) = (quoted(&edge.from.to_string()), quoted(&edge.to.to_string()));
        let _ = writeln!(out, "  {from} -> {to} [label = {}];", quoted(edge.reason));
    }
    out.push_str("}\n");
    out
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}
