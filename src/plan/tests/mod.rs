//! Plans as specifications: given a stack and what became of it in a cluster, then this plan.
//!
//! [`World`] stands for all that a plan looks at. It is changed the way the real one is: an apply goes through the plan
//! and the structured merge, and so does what others do.

mod adoption;
mod fields;
mod removal;
mod rest;
pub(crate) mod world;

pub(crate) use world::World;
