//! The embedded control plane: a server that speaks the Kubernetes API, for a first try without a cluster and for tests.
//!
//! It is the same engine over the same client: only the server is ours. A request goes one way: [`refusal`] is how it is
//! turned down, [`kind`] what is served, [`view`] what is stored as others may see it.
//!
//! It runs no containers: controllers write the status that a node would have written.

pub mod access;
pub mod admission;
pub mod answer;
pub mod api;
pub mod clock;
pub mod controllers;
pub mod convert;
pub mod custom;
pub mod decode;
pub mod discovery;
pub mod disk;
pub mod error;
pub mod kind;
pub mod kinds;
pub mod openapi;
pub mod patch;
pub mod plane;
pub mod protobuf;
pub mod random;
pub mod read;
pub mod refusal;
pub mod request;
pub mod runner;
pub mod server;
pub mod state;
pub mod store;
pub mod strategy;
pub mod structure;
pub mod table;
pub mod validation;
pub mod view;
pub mod write;
