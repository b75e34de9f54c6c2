//! YAML in and out, and problems shown where they stand.
//!
//! [`read()`] keeps the position of every key and value; [`read_plain`] is the fast way for manifests, whose positions are
//! looked up only when there is a problem to show. Nothing here knows what a stack is.

mod node;
mod problem;
mod read;
mod render;
mod simple;
mod write;

pub use node::{Entry, Node, NodeValue, Spot, escape_pointer};
pub use problem::{Position, Problem, Problems, Severity, Sources};
pub use read::{Document, PlainDocument, read, read_plain};
pub use render::render;
pub use write::to_yaml;
