//! Walks over a server in memory, from the plan to what was sent, recorded and told.

mod cluster;
mod deleting;
mod stopping;
mod walking;
mod writing;
