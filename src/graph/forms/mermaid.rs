//! Mermaid, as GitHub draws it.

use std::fmt::Write as _;

use crate::graph::{DependencyGraph, NodeId};

/// Writes the graph as a Mermaid flow chart. Arrows go from the node that waits to the one it waits for.
#[must_use]
pub fn mermaid(graph: &DependencyGraph) -> String {
    let mut out = String::from("flowchart RL\n");
    for index in graph.indices() {
        let id = graph.node(index);
        let name = escaped(&id.to_string());
        let _ = match id {
            NodeId::Resource(_) => writeln!(out, "  n{}[\"{name}\"]", index.0),
            NodeId::SecretKey { .. } => writeln!(out, "  n{}([\"{name}\"])", index.0),
            NodeId::Check(_) => writeln!(out, "  n{}{{{{\"{name}\"}}}}", index.0),
        };
    }
    for index in graph.indices() {
        for (to, (_, reason)) in graph.dependency_indices(index).iter().zip(graph.dependencies(graph.node(index))) {
            let _ = writeln!(out, "  n{} -->|\"{}\"| n{}", index.0, escaped(reason), to.0);
        }
    }
    out
}

/// Mermaid has no backslash: what could end a text or start markup is written as an entity.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '#' => out.push_str("#35;"),
            '"' => out.push_str("#quot;"),
            '<' => out.push_str("#lt;"),
            '>' => out.push_str("#gt;"),
            '&' => out.push_str("#amp;"),
            '`' => out.push_str("#96;"),
            '\n' => out.push(' '),
            other => out.push(other),
        }
    }
    out
}
