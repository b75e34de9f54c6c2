//! A write of the status: what of the rest stays as it is stored.

use serde_json::Value;

use super::fields::{put, remove, restore};
use crate::sandbox::kind::Kind;

/// What of the metadata a write of the status leaves alone, beside the spec.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keeps {
    /// These fields of the metadata; the others can be written.
    Fields(&'static [&'static str]),
    /// All metadata but who owns what.
    Metadata,
}

/// What belongs to the object and not to its status.
const OBJECT_METADATA: &[&str] =
    &["labels", "annotations", "finalizers", "ownerReferences", "deletionTimestamp", "selfLink"];

fn keeps(kind: &Kind) -> Keeps {
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("apps", "Deployment") => Keeps::Fields(&["labels"]),
        ("", "Pod") => Keeps::Fields(&["deletionTimestamp", "ownerReferences"]),
        ("flowcontrol.apiserver.k8s.io", _) => Keeps::Metadata,
        ("apiregistration.k8s.io", _) => Keeps::Fields(&["labels", "annotations", "finalizers", "ownerReferences"]),
        (
            "admissionregistration.k8s.io"
            | "internal.apiserver.k8s.io"
            | "resource.k8s.io"
            | "storage.k8s.io"
            | "storagemigration.k8s.io",
            _,
        )
        | ("networking.k8s.io", "ServiceCIDR")
        | ("certificates.k8s.io", "PodCertificateRequest") => Keeps::Fields(OBJECT_METADATA),
        // The server means to keep the metadata of definitions too, but compares the new one with itself.
        _ => Keeps::Fields(&[]),
    }
}

pub(super) fn keep_the_rest(kind: &Kind, live: &Value, object: &mut Value) {
    restore(object, live, &["spec"]);
    match keeps(kind) {
        Keeps::Fields(fields) => {
            for field in fields {
                restore(object, live, &["metadata", field]);
            }
        }
        Keeps::Metadata => {
            let managed = object.pointer("/metadata/managedFields").cloned();
            restore(object, live, &["metadata"]);
            match managed {
                Some(managed) => put(object, &["metadata", "managedFields"], managed),
                None => remove(object, &["metadata", "managedFields"]),
            }
        }
    }
}
