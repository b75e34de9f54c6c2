//! Fields left to others: what `ignore` names, and what an autoscaler of the stack governs.

use crate::live::Live;
use crate::resource::{FIELD_MANAGER, Manifest};
use crate::ssa::{self, Path};
use crate::stack::Desired;

use super::Inputs;

/// The paths of this object that are left to others.
pub(super) fn ignored_paths(inputs: &Inputs<'_>, desired: &Desired) -> Vec<Path> {
    let mut paths: Vec<Path> = desired.ignore.iter().filter_map(|text| Path::parse(text).ok()).collect();
    let scaled = inputs.stack.resources.values().any(|other| {
        let target = other.manifest.object().pointer("/spec/scaleTargetRef");
        let is = |key: &str, text: &str| target.and_then(|target| target.get(key)?.as_str()) == Some(text);
        other.manifest.kind() == "HorizontalPodAutoscaler"
            && other.manifest.namespace() == desired.manifest.namespace()
            && is("kind", desired.manifest.kind())
            && is("name", desired.manifest.name())
    });
    if scaled {
        paths.extend(Path::parse(".spec.replicas"));
    }
    paths
}

/// Returns what is sent: the manifest without the fields left to others. A field that only we own is sent with its live
/// value until another manager owns it, since dropping it would remove it.
pub(super) fn config_to_send(desired: &Desired, live: &Live, ignored: &[Path]) -> Manifest {
    let mut manifest = desired.manifest.clone();
    for path in ignored {
        let entries = ssa::managed_fields(&live.object).unwrap_or_default();
        let others = entries.iter().any(|entry| entry.manager != FIELD_MANAGER && entry.fields.contains(path));
        let ours = entries.iter().any(|entry| entry.manager == FIELD_MANAGER && entry.fields.contains(path));
        match ssa::value_at(&live.object, path).filter(|_| ours && !others) {
            Some(value) => ssa::set_value(manifest.object_mut(), path, value.clone()),
            None => ssa::remove_value(manifest.object_mut(), path),
        }
    }
    manifest
}
