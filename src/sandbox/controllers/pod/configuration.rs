//! Configuration that a pod names but that does not exist: the kubelet waits for it and says so.

use serde_json::Value;

use crate::sandbox::controllers::claim;
use crate::sandbox::controllers::fields::{flag, items, namespace, text};
use crate::sandbox::view::View;

/// Where a pod reads something from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    ConfigMap,
    Secret,
}

impl Source {
    fn kind(self) -> &'static str {
        match self {
            Self::ConfigMap => "ConfigMap",
            Self::Secret => "Secret",
        }
    }

    fn lower(self) -> &'static str {
        match self {
            Self::ConfigMap => "configmap",
            Self::Secret => "secret",
        }
    }
}

/// Returns why a volume of a pod cannot be mounted, as the Event `FailedMount` says it.
pub(super) fn unmountable(view: &dyn View, pod: &Value) -> Option<String> {
    items(pod, "/spec/volumes").iter().find_map(|volume| {
        let why = volume_trouble(view, pod, volume)?;
        Some(format!("MountVolume.SetUp failed for volume {:?} : {why}", text(volume, "/name")))
    })
}

fn volume_trouble(view: &dyn View, pod: &Value, volume: &Value) -> Option<String> {
    let sources =
        [(Source::ConfigMap, volume.get("configMap"), "name"), (Source::Secret, volume.get("secret"), "secretName")];
    for (source, entry, field) in sources {
        if let Some(entry) = entry.filter(|entry| !entry.is_null()) {
            return files_trouble(view, pod, source, entry, field);
        }
    }
    let projected = items(volume, "/projected/sources");
    let troubles: Vec<String> = projected
        .iter()
        .flat_map(|entry| [(Source::ConfigMap, entry.get("configMap")), (Source::Secret, entry.get("secret"))])
        .filter_map(|(source, entry)| files_trouble(view, pod, source, entry.filter(|entry| !entry.is_null())?, "name"))
        .collect();
    match troubles.as_slice() {
        [] => None,
        [only] => Some(only.clone()),
        several => Some(format!("[{}]", several.join(", "))),
    }
}

fn files_trouble(view: &dyn View, pod: &Value, source: Source, entry: &Value, field: &str) -> Option<String> {
    if flag(entry, "/optional") {
        return None;
    }
    let name = entry.get(field).and_then(Value::as_str).unwrap_or_default();
    let Some(object) = view.get("", source.kind(), namespace(pod), name) else {
        return Some(format!("{} {name:?} not found", source.lower()));
    };
    let missing = items(entry, "/items").iter().find(|item| !has_key(&object, text(item, "/key")))?;
    let what = match source {
        Source::ConfigMap => "configmap references non-existent config key",
        Source::Secret => "references non-existent secret key",
    };
    Some(format!("{what}: {}", text(missing, "/key")))
}

/// Returns why a container cannot be configured, as `CreateContainerConfigError` says it.
pub(super) fn unconfigurable(view: &dyn View, pod: &Value, container: &Value) -> Option<String> {
    for entry in items(container, "/envFrom") {
        for (source, field) in [(Source::ConfigMap, "configMapRef"), (Source::Secret, "secretRef")] {
            let Some(reference) = entry.get(field).filter(|reference| !reference.is_null()) else { continue };
            let name = text(reference, "/name");
            if !flag(reference, "/optional") && view.get("", source.kind(), namespace(pod), name).is_none() {
                return Some(format!("{} {name:?} not found", source.lower()));
            }
        }
    }
    items(container, "/env").iter().find_map(|variable| {
        [(Source::ConfigMap, "configMapKeyRef"), (Source::Secret, "secretKeyRef")].into_iter().find_map(
            |(source, field)| {
                let reference = variable.get("valueFrom")?.get(field).filter(|reference| !reference.is_null())?;
                key_trouble(view, pod, source, reference)
            },
        )
    })
}

fn key_trouble(view: &dyn View, pod: &Value, source: Source, reference: &Value) -> Option<String> {
    if flag(reference, "/optional") {
        return None;
    }
    let (name, key) = (text(reference, "/name"), text(reference, "/key"));
    match view.get("", source.kind(), namespace(pod), name) {
        None => Some(format!("{} {name:?} not found", source.lower())),
        Some(object) if !has_key(&object, key) => {
            Some(format!("couldn't find key {key} in {} {}/{name}", source.kind(), namespace(pod)))
        }
        Some(_) => None,
    }
}

fn has_key(object: &Value, key: &str) -> bool {
    ["data", "binaryData"].into_iter().any(|field| object.get(field).is_some_and(|data| data.get(key).is_some()))
}

/// Tells whether a pod names this ConfigMap, Secret or claim anywhere.
pub(in crate::sandbox::controllers) fn names(pod: &Value, kind: &str, name: &str) -> bool {
    if kind == "PersistentVolumeClaim" {
        return claim::names(pod).iter().any(|claim| claim == name);
    }
    let (source, volume_field) = match kind {
        "ConfigMap" => ("configMap", "name"),
        _ => ("secret", "secretName"),
    };
    let is_it = |value: Option<&Value>, field: &str| {
        value.and_then(|value| value.get(field)).is_some_and(|found| found == name)
    };
    let in_volume = |volume: &Value| {
        is_it(volume.get(source), volume_field)
            || items(volume, "/projected/sources").iter().any(|entry| is_it(entry.get(source), "name"))
    };
    let (from, key) = (format!("{source}Ref"), format!("{source}KeyRef"));
    let in_container = |container: &Value| {
        items(container, "/envFrom").iter().any(|entry| is_it(entry.get(&from), "name"))
            || items(container, "/env")
                .iter()
                .any(|entry| is_it(entry.get("valueFrom").and_then(|value| value.get(&key)), "name"))
    };
    items(pod, "/spec/volumes").iter().any(in_volume)
        || ["/spec/initContainers", "/spec/containers"]
            .into_iter()
            .any(|list| items(pod, list).iter().any(in_container))
}
