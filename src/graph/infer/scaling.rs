//! Autoscalers: the object they scale.

use crate::graph::objects::Key;
use crate::resource::Manifest;

use super::{References, group_of, text};

pub(super) fn infer(manifest: &Manifest, found: &mut References<'_, '_, '_>) {
    let object = manifest.object();
    let (kind, name) = (text(object, "/spec/scaleTargetRef/kind"), text(object, "/spec/scaleTargetRef/name"));
    let group = group_of(text(object, "/spec/scaleTargetRef/apiVersion"));
    found.refer(Key { group, kind, namespace: manifest.namespace(), name }, || format!("scales {kind} {name}"));
}
