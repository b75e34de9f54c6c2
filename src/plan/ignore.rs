//! Fields left to others: what `ignore` names, and what an autoscaler of the stack governs.

use serde_json::Value;

use crate::live::Live;
use crate::resource::{FIELD_MANAGER, Manifest};
use crate::ssa::{self, Path, PathElement};
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
            Some(value) => set_value(manifest.object_mut(), path, value.clone()),
            None => remove_value(manifest.object_mut(), path),
        }
    }
    manifest
}

/// Sets the value at a path whose parent exists; elsewhere there is nothing to keep in step.
fn set_value(object: &mut Value, path: &[PathElement], value: Value) {
    if let Some((PathElement::Field(name), parents)) = path.split_last()
        && let Some(map) = parent_mut(object, parents).and_then(Value::as_object_mut)
    {
        map.insert(name.clone(), value);
    }
}

/// Removes what stands at a path, if anything does.
fn remove_value(object: &mut Value, path: &[PathElement]) {
    match path.split_last() {
        Some((PathElement::Field(name), parents)) => {
            if let Some(map) = parent_mut(object, parents).and_then(Value::as_object_mut) {
                map.remove(name);
            }
        }
        Some((last, parents)) => {
            if let Some(items) = parent_mut(object, parents).and_then(Value::as_array_mut) {
                items.retain(|item| !is_item(item, last));
            }
        }
        None => {}
    }
}

fn parent_mut<'v>(object: &'v mut Value, path: &[PathElement]) -> Option<&'v mut Value> {
    path.iter().try_fold(object, |value, element| match element {
        PathElement::Field(name) => value.get_mut(name),
        PathElement::Index(index) => value.get_mut(*index),
        item => value.as_array_mut()?.iter_mut().find(|value| is_item(value, item)),
    })
}

fn is_item(value: &Value, element: &PathElement) -> bool {
    match element {
        PathElement::Key(keys) => keys.iter().all(|(name, key)| value.get(name) == Some(key)),
        PathElement::Value(wanted) => value == wanted,
        PathElement::Field(_) | PathElement::Index(_) => false,
    }
}
