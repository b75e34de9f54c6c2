//! The dependency graph: nodes, edges with reasons, a stable order, and cycles told whole.

mod node;

pub use node::{NodeId, NodeInput};
