//! Edges: which node waits for which, and why.

use crate::resource::ObjectRef;

use super::NodeId;

/// One edge: `from` starts only after `to` is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge<'a> {
    /// The node that waits.
    pub from: &'a NodeId,
    /// The node it waits for.
    pub to: &'a NodeId,
    /// Why, a fragment that reads after `from`: `mounts ConfigMap postgres-init`.
    pub reason: &'a str,
}

/// A reference to an object that is not in the stack: no edge, but worth knowing before an apply runs into it.
///
/// Optional references and what every cluster has by itself (ServiceAccount `default`) are not listed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct External {
    /// The node that refers.
    pub from: NodeId,
    /// The object it refers to.
    pub object: ObjectRef,
    /// Why it needs it.
    pub reason: String,
}

/// An edge while the graph is built; the numbers count the nodes in the order of their keys.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RawEdge {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) reason: String,
}

/// Drops edges of a node to itself and joins those between the same two nodes into one that says all their reasons.
pub(super) fn merge(mut edges: Vec<RawEdge>) -> Vec<RawEdge> {
    edges.retain(|edge| edge.from != edge.to);
    // The edges come in a few stretches that are sorted by `from` already; within one node there are few.
    edges.sort_by_key(|edge| edge.from);
    edges.chunk_by_mut(|edge, next| edge.from == next.from).for_each(<[RawEdge]>::sort_unstable);
    edges.dedup_by(|later, earlier| {
        let same = later.from == earlier.from && later.to == earlier.to;
        if same && later.reason != earlier.reason && !earlier.reason.split(", ").any(|part| part == later.reason) {
            earlier.reason.push_str(", ");
            earlier.reason.push_str(&later.reason);
        }
        same
    });
    edges
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(from: u32, to: u32, reason: &str) -> RawEdge {
        RawEdge { from, to, reason: reason.to_owned() }
    }

    #[test]
    fn two_reasons_for_one_edge_are_both_kept() {
        let edges = vec![edge(1, 0, "mounts ConfigMap a"), edge(1, 0, "env from ConfigMap a"), edge(1, 1, "itself")];
        assert_eq!(merge(edges), vec![edge(1, 0, "env from ConfigMap a, mounts ConfigMap a")]);
    }

    #[test]
    fn the_same_reason_twice_is_said_once() {
        let edges = vec![edge(1, 0, "a"), edge(1, 0, "b"), edge(1, 0, "a")];
        assert_eq!(merge(edges), vec![edge(1, 0, "a, b")]);
    }
}
