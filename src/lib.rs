//! Mathison: a plan/apply engine for Kubernetes.

pub mod diff;
pub mod drift;
pub mod event;
pub mod graph;
pub mod live;
pub mod plan;
pub mod ready;
pub mod resource;
pub mod secret;
pub mod service;
pub mod stack;
pub mod state;
pub mod verify;
