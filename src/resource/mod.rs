//! What every stage speaks of: one Kubernetes object, its address for people, its identity for state, and digests.
//!
//! Plain values only. Nothing here reads a file, a cluster or a clock.

mod address;
mod digest;
mod manifest;
mod name;
mod object_ref;
mod pointer;
pub mod quantity;

pub use address::{Address, MANIFEST_SERVICE, is_builtin_group};
pub use digest::{Digest, canonical_json, write_canonical_json};
pub(crate) use manifest::map_at;
pub use manifest::{Manifest, ManifestError};
pub use name::{NameError, check_dns_label, check_dns_subdomain, is_data_key};
pub use object_ref::{GroupKind, ObjectRef};
pub use pointer::at;

/// The label that every object of a stack carries; its value is [`stack_label`].
pub const STACK_LABEL: &str = "mathison.dev/stack";

/// The field manager under which all our writes are made.
pub const FIELD_MANAGER: &str = "mathison";

/// Returns the value of [`STACK_LABEL`]: `STACK.NAMESPACE`, or its hash where that is longer than the 63 characters a
/// label value may have.
#[must_use]
pub fn stack_label(stack: &str, namespace: &str) -> String {
    let plain = format!("{stack}.{namespace}");
    if plain.len() <= 63 { plain } else { Digest::of_bytes(plain.as_bytes()).hex()[..40].to_owned() }
}
