//! The embedded control plane: a server that speaks the Kubernetes API, for a first try without a cluster and for tests.
//!
//! It is the same engine over the same client: only the server is ours. It runs no containers: controllers write the
//! status that a node would have written. What differs from a real server stands in `docs/sandbox.md`.
//!
//! # The way of a request
//! ```text
//! server ─► api ─► request ─► access ─► read ───────────────────────────────────────────► table, answer
//!                                   └─► write: decode, patch or apply ─► admission ─► strategy ─► validation ─► store ─► disk
//!                                                                                                                 │
//!                                       controllers ◄── runner ◄── what was written ◄─────────────────────────────┘
//! ```
//! Whatever turns a request down gives a [`refusal`], in the server's words. A write is one step: the whole [`state`] is
//! held from reading what is there until the change is in the store and on disk. Controllers write the same way as
//! clients do.
//!
//! | module | subject |
//! |---|---|
//! | [`plane`] | the whole: opened, bootstrapped, served, run |
//! | [`server`], [`answer`] | HTTPS on this machine, or a call in the process; certificates and kubeconfigs |
//! | [`api`], [`request`] | what a request asks, found and allowed and done |
//! | [`access`] | tokens, impersonation, RBAC, access reviews |
//! | [`discovery`], [`openapi`] | what is served, as documents |
//! | [`kind`], [`kinds`], [`custom`] | the kinds: Kubernetes' own, and those that definitions add with their schemas and rules |
//! | [`structure`], [`convert`] | the Go structures behind Kubernetes' own kinds; one object at several versions |
//! | [`decode`], [`protobuf`], [`patch`] | bodies and patches, until they are objects |
//! | [`write`](mod@write) | the order of a create, an update, an apply, a delete |
//! | [`admission`], [`strategy`], [`validation`] | what the server does to an object, fills in and refuses, before it is stored |
//! | [`read`], [`table`] | objects, lists, pages, watches; as `kubectl get` shows them |
//! | [`state`], [`store`], [`view`] | all that a request is answered from: objects by key, changes of the near past |
//! | [`disk`] | the folder, its lock, the file of the store, who serves it |
//! | [`controllers`], [`runner`] | what makes workloads ready, and trouble on demand; who runs it |
//! | [`clock`], [`random`] | time and chance, handed in, so that a run can be repeated |
//! | [`error`], [`refusal`] | what goes wrong around the sandbox, and what a request is refused for |
//!
//! # Invariants
//! 1. It imports `resource`, `yaml`, `ssa` and `ready` only: nothing of the engine that it is to try.
//! 2. Objects are plain JSON values. Everything between a request and the store is synchronous, and takes the time and
//!    chance from [`state`]; only [`server`], the watches of [`api`] and [`runner`] wait for anything.
//! 3. What was answered is in the store: no answer goes out before its change is written.
//! 4. It listens on the loopback address only, and asks everybody for a token.
//! 5. A check that would need a container is refused with 501, never answered as if one had run.

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
pub mod faults;
pub mod first;
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
mod stack;
pub mod state;
pub mod store;
pub mod strategy;
pub mod structure;
pub mod table;
pub mod validation;
pub mod view;
pub mod write;
