//! Mathison: a declarative plan/apply engine for Kubernetes.
//!
//! A *stack file* says what should run. Mathison turns it into a dependency graph, compares it with the live cluster,
//! shows a plan, applies it in dependency order, records a digest of all it did, verifies that the services really work,
//! and finds drift later.
//!
//! # Bird's eye
//! ```text
//! stack file ─► Stack ─► DependencyGraph ─┐
//! state file ─► State ────────────────────┼─► Plan ─► apply ─► State, Outcome ─► verify
//! cluster ────► Observation (live, predicted) ┘          └─ Events ─► report
//! ```
//! `cluster` speaks to a cluster, or to the `sandbox`: a server of ours, over HTTPS or by a call in the same process. It
//! is the same engine over the same client, and knows no difference.
//!
//! One direction, a value at every boundary, and no stage reaches back. Every version of an object has one name, kept
//! everywhere: **desired** (file), **recorded** (our state), **live** (cluster), **predicted** (what an apply would
//! give), **result** (what it gave).
//!
//! # Code map
//! | module | subject |
//! |---|---|
//! | [`cli`] | the command line and the environment, resolved into a [`cli::Request`] |
//! | [`command`] | one command a file: wiring, no logic of its own; [`command::simulation`]: the same wiring in memory |
//! | [`failure`] | how a command ends: exit code, message, hints |
//! | [`resource`] | address, identity, manifest, digest, quantity |
//! | [`yaml`] | YAML with positions, problems shown with carets; the only reader and writer of YAML |
//! | [`stack`] | the stack file: inputs, checks of the whole, the [`stack::Stack`] value |
//! | [`service`] | typed blocks (`postgres`, `redis`, …) that become plain objects and checks |
//! | [`secret`] | where secret values come from; keyed digests |
//! | [`graph`] | nodes, inferred edges with reasons, order, cycles |
//! | [`ssa`] | structured merge as the API server does it: schema, field sets, merge, ownership |
//! | [`live`] | what was read from a cluster, as plain data |
//! | [`plan`] | deciding: action, reason, field diff, consequences |
//! | [`apply`] | walking a plan: write, wait, record |
//! | [`ready`] | is one object ready, and if not, why |
//! | [`drift`] | recorded, live and desired compared field by field |
//! | [`verify`] | what a check asks, and how the answer is judged |
//! | [`state`] | snapshot, journal, lock, store |
//! | [`cluster`] | the only module that talks to Kubernetes |
//! | [`sandbox`] | the embedded control plane: a server that speaks the Kubernetes API, with controllers |
//! | [`diff`], [`event`], [`report`] | differences, facts, and how people and programs are told |
//!
//! # Invariants
//! 1. Only `cluster` talks to Kubernetes; only `main`, `command`, `apply`, `cluster` and, of `sandbox`, what serves,
//!    watches and runs controllers are async. The rest is synchronous, and pure but for `stack` (files), `state` (files),
//!    `sandbox::disk` (files) and `report` (streams).
//! 2. Deciding a plan has no clock, randomness or hash order: same input, same bytes.
//! 3. `apply` does what the plan lists and nothing else.
//! 4. Before a forced write the live object is compared with what the plan saw; if it moved, that resource and what
//!    depends on it stop.
//! 5. Intent is saved before the first write and each result right after it, under the lock.
//! 6. Only what was recorded *and* is ours is deleted: same uid, our field manager. Only what the plan takes back or the
//!    stack grants is forced.
//! 7. Dependencies and protections are recorded, so that what left the file is still deleted in order, or kept.
//! 8. The diff is live against predicted, not against the file, so that defaulting is no drift. A read error other than
//!    404 stops the plan.
//! 9. What cannot be predicted is shown as `after apply: WHY`, never guessed.
//! 10. Plan after a successful apply is empty; destroy is an empty desired set through the same code.
//! 11. No secret value is in any file, output, event, error or log.
//! 12. The engine never asks whether it speaks to a sandbox: only `command` knows, to open it and to say so. What is
//!     recorded of a sandbox lies in its folder, and no record of a cluster is ever used for it.
//! 13. A plan of an unchanged stack costs a number of requests that grows with kinds, not with objects.
//!
//! # Decisions worth knowing
//! - `yaml` is a module of its own below `stack` because positions must reach whoever finds a problem; `stack` may use
//!   `ssa`, whose built-in table knows the fields of every built-in kind, so that a wrong field gets its nearest name.
//! - A plan is decided with the built-in schemas first, and again with the server's where those it consulted are others:
//!   the list of documents costs a request, which a plan without changes does not make. The documents name the minor
//!   release only, so a patch release lists the same hashes unless it changed a field or its description; then they are
//!   read. A real server lists the document of a new definition a moment after the kind.
//! - Tables of 1.33, 1.34 and 1.35 are built in; stack files are checked with the newest, for a cluster is not asked there.
//! - `yaml` has a quick reader for plain manifests (`simple`) beside the general one: reading a thousand manifests was a
//!   third of a plan without changes. It gives up at whatever it is not sure of, and a property test holds it to the
//!   general reader's values. Take it out if the general one becomes fast enough.
//! - Commands that only look run on one thread: a plan hands its work to nobody, and two worker threads cost a tenth of its
//!   CPU time. The program allocates with mimalloc; most of what a plan does is to make small values. It takes no huge pages:
//!   with them a plan of 10,000 objects held 20 MB more than it used and a short command spent 1 ms more on clearing them;
//!   without them that plan costs 6 % more CPU time.
//! - `plan` may use `ready`: what is as declared but not ready is waited for by an apply, so that a run that was cut short
//!   is not made good by being run again.
//! - The sandbox uses `ssa`, the same structured merge that predicts plans: a mistake in it would be made on both sides.
//!   So both are held to what a real API server answered, not to each other.
//! - A run is replayable on a runtime of one thread whose clock is paused: every `select!` on its way is biased, waits use
//!   tokio's clock, and what is drawn at random is drawn from a seed (`command::simulation`). Whoever adds a wait or a
//!   draw keeps to that; the suite compares whole runs byte by byte.
//! - The sandbox keeps everything in memory under one lock, and writes each change to a store before it is answered,
//!   without waiting for the disk: what was answered survives the process, not a power failure.
//! - `apply` may use `live` and `ssa`, since what is recorded of a write is read out of the server's answer.
//! - An apply that must only create carries a resource version that no object has: the API server ignores it when it
//!   creates and answers 409 when the object exists. A plain apply would silently merge into what somebody made
//!   meanwhile.
//! - The key of a stack's keyed digests is an ordinary resource of the plan (`stack.Secret/mathison-stack-STACK`), so that
//!   nothing is written that the plan does not list.
//! - Keys of Secrets are worked out before the plan, from live values first; the plan holds them in memory only and its
//!   printed forms have no place for them.

pub mod apply;
pub mod cli;
pub mod cluster;
pub mod command;
pub mod diff;
pub mod drift;
pub mod event;
pub mod failure;
pub mod graph;
pub mod live;
pub mod plan;
pub mod ready;
pub mod report;
pub mod resource;
pub mod sandbox;
pub mod secret;
pub mod service;
pub mod ssa;
pub mod stack;
pub mod state;
pub mod verify;
pub mod yaml;
