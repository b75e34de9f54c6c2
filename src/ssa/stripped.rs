//! The fields that the server tracks for nobody: it writes them itself, or they cannot change.

use std::sync::LazyLock;

use super::field_set::FieldSet;
use super::path::{Path, PathElement};

const OF_METADATA: [&str; 9] = [
    "name",
    "namespace",
    "creationTimestamp",
    "selfLink",
    "uid",
    "clusterName",
    "generation",
    "managedFields",
    "resourceVersion",
];

/// Metadata that the server keeps as it has it, whatever is written.
pub(crate) const OF_SERVER: [&str; 5] = ["creationTimestamp", "generation", "resourceVersion", "selfLink", "uid"];

/// All of them: the same for every object.
pub(crate) static STRIPPED: LazyLock<FieldSet> = LazyLock::new(|| {
    let of_metadata = OF_METADATA.map(|name| Path(vec![PathElement::field("metadata"), PathElement::field(name)]));
    ["apiVersion", "kind", "metadata"].map(|name| Path::of_fields(&[name])).into_iter().chain(of_metadata).collect()
});

/// Tells whether a field of metadata is one of them.
pub(crate) fn is_stripped(of_metadata: &str) -> bool {
    OF_METADATA.contains(&of_metadata)
}
