//! Structured merge: what the API server makes of a server-side apply, computed here without asking it.
//!
//! # What it is about
//! An object in a cluster has many writers: who applied it, its controllers, an autoscaler, somebody with `kubectl
//! edit`. With server-side apply each says only what it cares about, and the server keeps a record of who said what,
//! in `metadata.managedFields`: one entry for each *field manager*, with the set of fields that it owns. From the
//! record, and from the shape of the kind, follows all else: what an apply changes, what it takes out, and who
//! disagrees.
//!
//! # The parts
//! - [`Schema`] is the shape of a kind: which fields there are, and for each list and map whether it is one value
//!   (*atomic*) or a collection whose members have owners of their own. A list is a *set* of scalars, or a *map*
//!   whose items are named by some of their fields, such as containers by `name` and ports by `port` and `protocol`.
//!   Kubernetes' own kinds come from a table in the binary ([`builtin()`]), others, and those of another release, from a
//!   server's OpenAPI documents ([`Schemas`]); of what nothing is known, maps are collections and lists are one value
//!   ([`Schema::deduced`]).
//! - [`Path`] leads to a field: `.spec.containers[name="a"].image`. [`FieldSet`] is a set of such paths, kept as a
//!   tree. In objects it is written as `FieldsV1`: `{"f:spec": {"f:replicas": {}}}`, where `f:` leads to a field,
//!   `k:` to an item by its key, `v:` to a member of a set, `i:` to a place, and `.` says that what holds them is
//!   owned itself.
//! - [`ManagedEntry`] is one entry: manager, operation (`Apply`, or `Update` for every other write), API version,
//!   time.
//!
//! # What an apply does
//! [`apply()`] takes the live object, a configuration and a manager, and goes these steps:
//! 1. The configuration is held to its schema, and its fields are listed ([`set_of()`]): that is what the manager
//!    claims.
//! 2. It is laid over the live object ([`merge()`]): its values win, what it does not speak of stays. Items of sets
//!    and keyed lists are matched by name, and stand in the configuration's order.
//! 3. What the manager owned before, claims no more and nobody else owns is taken out.
//! 4. The result is compared with the live object ([`compare()`]). A changed field that somebody else owns is a
//!    *conflict*. Without force the apply is refused for it; with force the field changes hands.
//! 5. The result is brought into the text that the server stores ([`canonicalise`]: `1000m` is `1`, empty maps go),
//!    and what is missing is filled in ([`with_defaults`]). Nobody comes to own that, which is why it happens last.
//! 6. The entries are written back. One that owns nothing is gone.
//!
//! By far most applies change nothing, and most others little. So before any of this, one walk over configuration, live
//! object and encoded fields finds the part in which anything can change (`narrow`); it copies nothing else. Where there
//! is none, that is the answer. Otherwise the steps are gone for that part only, and the result is put back into the live
//! object. Where the walk is not sure, they are gone for the whole; properties hold both ways to the same result.
//!
//! [`tracking`] does the same for a server, which has more to do: every other write changes ownership as well (who
//! writes a value owns it, and all others lose it), entries may be of other API versions, are limited in number, and
//! carry times.
//!
//! # What it does not know
//! Everything here is pure: no file, no cluster, no clock. Neither admission (webhooks, policies, limit ranges) nor
//! validation nor what the server draws (addresses, node ports) happens here. So a result is what the server starts
//! from, not always what it ends with; whoever plans tells the two apart ([`crate::plan`]).
//!
//! [`doubt()`] names what of this is known not to be known: values that the server gives out, emptied fields, owners at
//! other versions. A prediction without a doubt is what the server stores if it takes the write; no apply of the
//! differential tests may disprove one.
//!
//! # Where the rules come from
//! - KEP-555, *Server-side apply*: managers, conflicts, force, `FieldsV1`.
//! - Kubernetes' documentation, *Server-Side Apply*, and the *API Conventions* (`x-kubernetes-list-type`,
//!   `x-kubernetes-list-map-keys`, `x-kubernetes-map-type`; optional, empty and defaulted fields).
//! - `structured-merge-diff` and `k8s.io/apimachinery/pkg/util/managedfields`, whose behaviour the rest follows where
//!   no document tells it: the order of merged lists, items that are there twice, what null and empty values own.
//! - A real kube-apiserver. Where it and the documents differ it is right: `tests/suite/differential` sends both the
//!   same requests, `tests/suite/defaults` learns from it what it fills in.
//!
//! # As a library
//! ```
//! use mathison::ssa;
//! use serde_json::json;
//!
//! let schema = ssa::builtin("", "v1", "ConfigMap").expect("a built-in kind");
//! let config = |value: &str| {
//!     json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": value}})
//! };
//! let live = ssa::apply(&schema, None, &config("1"), "alice")?.object.into_owned();
//! assert!(!ssa::apply(&schema, Some(&live), &config("1"), "alice")?.changed);
//! let by_bob = ssa::apply(&schema, Some(&live), &config("2"), "bob")?;
//! assert_eq!(by_bob.conflicts[0].path.to_string(), ".data.k");
//! assert_eq!(by_bob.conflicts[0].entry.manager, "alice");
//! # Ok::<(), ssa::ApplyError>(())
//! ```

mod apply;
mod before_first_apply;
mod canonical;
mod changes;
mod compare;
pub mod defaults;
mod doubt;
mod extract;
mod field_set;
mod go_text;
mod item;
mod json;
mod key;
mod known;
mod managed;
mod merge;
mod narrow;
mod path;
#[cfg(test)]
mod properties;
mod prune;
mod reconcile;
mod remove;
pub mod schema;
mod set_of;
mod stored;
mod stripped;
mod text;
pub mod tracking;
mod validate;

pub use apply::{Applied, ApplyError, FieldConflict, apply};
pub use canonical::canonicalise;
pub use changes::{ValueChange, changes};
pub use compare::{Comparison, compare};
pub use defaults::with_defaults;
pub use doubt::{Doubt, doubt};
pub use extract::{Part, extract, part_of, part_of_encoded, value_at};
pub use field_set::{FieldSet, FieldsError, step_order};
pub use key::Key;
pub use managed::{ManagedEntry, ManagedError, Operation, managed_fields, owned_by, owners_of, raw_fields_of};
pub use merge::merge;
pub use path::{Path, PathElement, PathError};
pub use schema::{Release, Schema, Schemas, ServedKind, builtin, builtin_in, builtin_kinds};
pub use set_of::set_of;
pub use validate::{TypeError, TypeProblem};
