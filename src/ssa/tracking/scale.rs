//! Entries of an object as its `Scale` has them, and back.

use std::collections::BTreeMap;

use super::entries::{Entries, Owned};
use crate::ssa::field_set::FieldSet;
use crate::ssa::managed::ManagedEntry;
use crate::ssa::path::Path;

/// The version of `Scale`.
const SCALE_VERSION: &str = "autoscaling/v1";

/// Where each API version of a kind keeps its number of replicas; `None` where that version has no scale. Entries of versions
/// that are missing here are dropped.
pub type ReplicasPaths = BTreeMap<String, Option<Path>>;

fn path_in_scale() -> Path {
    Path::of_fields(&["spec", "replicas"])
}

/// Returns the entries that the `Scale` of an object has: of those who own the number of replicas.
#[must_use]
pub fn scale_entries(parent: &[ManagedEntry], replicas: &ReplicasPaths) -> Vec<ManagedEntry> {
    let mut entries = Entries::of(parent.to_vec());
    entries.owned.retain(|_, owned| {
        let owns = matches!(replicas.get(&owned.api_version), Some(Some(path)) if owned.fields.contains(path));
        if owns {
            *owned = Owned { api_version: SCALE_VERSION.to_owned(), fields: FieldSet::from_iter([path_in_scale()]) };
        }
        owns
    });
    entries.into_list()
}

/// Returns the entries that an object has after its `Scale` was written: `parent` are those from before, `scale` those of the
/// written `Scale`, `api_version` the version of the object that the request spoke.
///
/// Whoever lost the number of replicas loses nothing else. An entry that was not there under the very same identity has no time.
#[must_use]
pub fn entries_after_scale(
    parent: &[ManagedEntry],
    scale: &[ManagedEntry],
    api_version: &str,
    replicas: &ReplicasPaths,
) -> Vec<ManagedEntry> {
    let mut parent = Entries::of(parent.to_vec());
    let mut scale = Entries::of(scale.to_vec());
    parent.owned.retain(|identity, owned| match replicas.get(&owned.api_version) {
        None => false,
        Some(Some(path)) if owned.fields.contains(path) => {
            // Entries of plain writes name the version of `Scale` there, and so are never found again.
            if scale.owned.remove(identity).is_none() {
                owned.fields = owned.fields.difference(&FieldSet::from_iter([path.clone()]));
            }
            !owned.fields.is_empty()
        }
        Some(_) => true,
    });
    if let Some(Some(path)) = replicas.get(api_version) {
        let in_scale = path_in_scale();
        for (identity, owned) in scale.owned {
            if owned.fields.contains(&in_scale) {
                let fields = FieldSet::from_iter([path.clone()]);
                parent.owned.insert(identity, Owned { api_version: api_version.to_owned(), fields });
            }
        }
    }
    parent.into_list()
}
