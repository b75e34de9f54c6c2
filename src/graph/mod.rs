//! The dependency graph: nodes, edges with reasons, a stable order, and cycles told whole.
//!
//! [`DependencyGraph::build`] reads the references that objects hold to each other ([`infer`](self)), adds the edges
//! that were declared, and orders the nodes. The order depends on what the nodes are, never on how they were given.
//! Nothing here knows what will be done to a node, and nothing waits: a plan takes the edges along, and an apply counts
//! them down.

mod cycle;
mod dependency_graph;
mod edge;
mod forms;
mod infer;
mod name_hash;
mod node;
mod objects;
mod order;
mod plural;
mod rank;
mod selector;

pub use cycle::{Cycle, CycleStep};
pub use dependency_graph::{DependencyGraph, NodeIndex};
pub use edge::{Edge, External};
pub use forms::{FORMAT_VERSION, dot, json, mermaid, text};
pub use node::{NodeId, NodeInput};

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;
