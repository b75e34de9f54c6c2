//! The graph as people and programs read it. Each form is a pure function to text.

mod dot;
mod json;
mod mermaid;
mod text;

pub use dot::dot;
pub use json::{FORMAT_VERSION, json};
pub use mermaid::mermaid;
pub use text::text;

#[cfg(test)]
mod tests;
