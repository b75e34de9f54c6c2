//! The embedded control plane: a server that speaks the Kubernetes API, for a first try without a cluster and for tests.
//!
//! It is the same engine over the same client: only the server is ours. A request goes one way: [`refusal`] is how it is
//! turned down, [`kind`] what is served, [`view`] what is stored as others may see it.
//!
//! It runs no containers: controllers write the status that a node would have written.

pub mod discovery;
pub mod access;
pub mod answer;
pub mod disk;
pub mod error;
pub mod custom;
pub mod admission;
pub mod controllers;
pub mod kind;
pub mod read;
pub mod kinds;
pub mod openapi;
pub mod refusal;
pub mod request;
pub mod store;
pub mod server;
pub mod strategy;
pub mod validation;
pub mod table;
pub mod view;
pub mod structure;
pub mod decode;
pub mod patch;
