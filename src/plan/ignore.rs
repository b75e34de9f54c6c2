//! Fields left to others: what `ignore` names, and what an autoscaler of the stack governs.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::live::Live;
use crate::resource::{FIELD_MANAGER, Manifest};
use crate::ssa::{self, Path, PathElement};
use crate::stack::{Desired, Stack};

/// What the autoscalers of a stack govern: namespace, kind and name of each target.
pub struct Scaled<'a>(BTreeSet<(Option<&'a str>, &'a str, &'a str)>);

impl<'a> Scaled<'a> {
    /// Finds the targets.
    #[must_use]
    pub fn of(stack: &'a Stack) -> Self {
        let target = |manifest: &'a Manifest| {
            let target = manifest.object().pointer("/spec/scaleTargetRef")?;
            let text = |key: &str| target.get(key)?.as_str();
            Some((manifest.namespace(), text("kind")?, text("name")?))
        };
        let manifests = stack.resources.values().map(|desired| &desired.manifest);
        Self(manifests.filter(|manifest| manifest.kind() == "HorizontalPodAutoscaler").filter_map(target).collect())
    }

    fn governs(&self, manifest: &Manifest) -> bool {
        self.0.contains(&(manifest.namespace(), manifest.kind(), manifest.name()))
    }
}

/// Returns the paths of an object that are left to others: what it ignores, and its replicas where an autoscaler of the
/// stack governs them.
#[must_use]
pub fn ignored_paths(scaled: &Scaled<'_>, desired: &Desired) -> Vec<Path> {
    let mut paths: Vec<Path> = desired.ignore.iter().filter_map(|text| Path::parse(text).ok()).collect();
    if scaled.governs(&desired.manifest) && desired.manifest.object().pointer("/spec/replicas").is_some() {
        paths.push(Path::of_fields(&["spec", "replicas"]));
    }
    paths
}

/// Returns what is sent: the manifest without the fields left to others. Those that only we own are sent with their live
/// values until another manager owns them, since dropping them would remove them.
pub(super) fn config_to_send(desired: &Desired, live: &Live, ignored: &[Path]) -> Manifest {
    let mut manifest = desired.manifest.clone();
    if ignored.is_empty() {
        return manifest;
    }
    let entries = ssa::managed_fields(&live.object).unwrap_or_default();
    let ours = ssa::owned_by(&live.object, FIELD_MANAGER).unwrap_or_default().leaves();
    let owned_by_others =
        |path: &Path| entries.iter().any(|entry| !entry.is_applied_by(FIELD_MANAGER) && entry.fields.contains(path));
    for path in ignored {
        remove_value(manifest.object_mut(), path);
        for field in ours.iter().filter(|field| field.starts_with(path) && !owned_by_others(field)) {
            if let Some(value) = ssa::value_at(&live.object, &field) {
                put_value(manifest.object_mut(), &field, value.clone());
            }
        }
    }
    manifest
}

/// Puts a value where it is in the live object, making the maps and items around it that are missing.
fn put_value(object: &mut Value, path: &[PathElement], value: Value) {
    let Some((first, rest)) = path.split_first() else {
        *object = value;
        return;
    };
    let place = match first {
        PathElement::Field(name) => {
            if object.is_null() {
                *object = Value::Object(Map::new());
            }
            object.as_object_mut().map(|map| map.entry(name.clone()).or_insert(Value::Null))
        }
        item => {
            if object.is_null() {
                *object = Value::Array(Vec::new());
            }
            object.as_array_mut().and_then(|items| {
                let at = items.iter().position(|value| is_item(value, item)).unwrap_or_else(|| {
                    items.push(named_item(item));
                    items.len() - 1
                });
                items.get_mut(at)
            })
        }
    };
    if let Some(place) = place {
        put_value(place, rest, value);
    }
}

/// The item of a list that has nothing but its name.
fn named_item(element: &PathElement) -> Value {
    match element {
        PathElement::Key(keys) => Value::Object(keys.iter().map(|(key, value)| (key.clone(), value.clone())).collect()),
        PathElement::Value(value) => value.clone(),
        PathElement::Field(_) | PathElement::Index(_) => Value::Null,
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
        PathElement::Key(keys) => keys.iter().all(|(name, key)| match value.get(name) {
            Some(value) => value == key,
            // What a port leaves out, and the server fills in.
            None => name == "protocol" && key == "TCP",
        }),
        PathElement::Value(wanted) => value == wanted,
        PathElement::Field(_) | PathElement::Index(_) => false,
    }
}
