//! Claims and volumes, and what a StatefulSet needs beside its pods: its Service and the class of its claims.

use crate::graph::objects::Key;
use crate::resource::Manifest;

use super::{References, core, list, text};

pub(super) fn infer(manifest: &Manifest, found: &mut References<'_, '_, '_>) {
    let object = manifest.object();
    let namespace = manifest.namespace();
    match manifest.kind() {
        "StatefulSet" => {
            let service = text(object, "/spec/serviceName");
            found.refer(core("Service", namespace, service), || format!("serviceName {service}"));
            for template in list(object, "/spec/volumeClaimTemplates") {
                class(text(template, "/spec/storageClassName"), found);
            }
        }
        "PersistentVolumeClaim" => {
            class(text(object, "/spec/storageClassName"), found);
            let volume = text(object, "/spec/volumeName");
            found.refer(core("PersistentVolume", None, volume), || format!("binds PersistentVolume {volume}"));
            for field in ["/spec/dataSourceRef", "/spec/dataSource"] {
                let part = |part: &str| text(object, &format!("{field}/{part}"));
                let (group, kind, name) = (part("apiGroup"), part("kind"), part("name"));
                found.refer(Key { group, kind, namespace, name }, || format!("filled from {kind} {name}"));
            }
        }
        // The class of a PersistentVolume is only a word that claims match; the class itself need not exist.
        "PersistentVolume" => {
            let name = text(object, "/spec/storageClassName");
            found.refer_if_present(class_key(name), || format!("has StorageClass {name}"));
        }
        _ => {}
    }
}

/// Adds the edge to a StorageClass.
pub(super) fn class(name: &str, found: &mut References<'_, '_, '_>) {
    found.refer(class_key(name), || format!("has StorageClass {name}"));
}

fn class_key(name: &str) -> Key<'_> {
    Key { group: "storage.k8s.io", kind: "StorageClass", namespace: None, name }
}
