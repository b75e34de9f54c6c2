//! The order as a numbered list, each node with what it waits for and why.

use std::fmt::Write as _;

use crate::graph::DependencyGraph;

/// Writes the nodes in order; below each, what it comes after and the reason.
#[must_use]
pub fn text(graph: &DependencyGraph) -> String {
    let width = graph.len().to_string().len();
    let mut out = String::new();
    for (number, id) in (1..).zip(graph.order()) {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{number:>width$}  {id}");
        for (to, reason) in graph.dependencies(id) {
            let _ = writeln!(out, "{:width$}    after {to}: {reason}", "");
        }
    }
    out
}
