//! What must hold for each object before it goes anywhere: its kind, its name, its fields, no secret in clear text.

use serde_json::Value;

use super::fields::mistakes;
use super::found::Found;
use super::kinds::mistaken_kind;
use super::origin::Locator;
use super::services::{NAMESPACE_SERVICE, SECRETS_SERVICE};
use super::trail::Trail;
use crate::resource::{Manifest, check_dns_label, check_dns_subdomain};
use crate::secret::clear_text_secret;
use crate::yaml::{Problems, Severity, Sources, escape_pointer};

/// Checks one object of a stack with its own `namespace`, whose name is checked where it stands.
pub(super) fn check(found: &Found, namespace: &str, locator: &Locator<'_>, sources: &Sources, problems: &mut Problems) {
    let mut report = |pointer: &str, by_key: bool, message: String, hint: Option<String>| {
        let problem = locator.about(Severity::Error, &found.origin, pointer, by_key, message, sources);
        problems.push(problem.maybe_hint(hint).conceal(found.manifest.is_secret()));
    };
    let manifest = &found.manifest;
    if let Some((pointer, message, hint)) = mistaken_kind(manifest) {
        report(pointer, false, message, hint);
    }
    if ![SECRETS_SERVICE, NAMESPACE_SERVICE].contains(&found.service.as_str())
        && let Some(message) = mistaken_name(manifest)
    {
        report("/metadata/name", false, message, None);
    }
    if let Some(namespace) = manifest.namespace().filter(|own| *own != namespace)
        && let Err(error) = check_dns_label(namespace)
    {
        report("/metadata/namespace", false, format!("`{namespace}` is no name for a Namespace: {error}"), None);
    }
    match mistakes(manifest) {
        Some(mistakes) => {
            mistakes.into_iter().for_each(|one| report(&one.pointer, one.by_key, one.message, one.hint));
        }
        None => {
            for (pointer, message) in mistaken_labels(manifest) {
                report(&pointer, false, message, Some("put it in quotes".to_owned()));
            }
        }
    }
    if manifest.is_secret() && !found.origin.external {
        for part in ["data", "stringData"] {
            let filled = manifest.object().get(part).and_then(Value::as_object).is_some_and(|map| !map.is_empty());
            if filled {
                let hint = "declare where its keys come from under `secrets`: values never stand in the file";
                let message = format!("the Secret `{}` holds its values in clear text", manifest.name());
                report(&format!("/{part}"), true, message, Some(hint.to_owned()));
            }
        }
    }
    // What a service makes was checked in its block.
    let mut settings = Vec::new();
    if found.origin.literal {
        plain_settings(manifest.object(), &Trail::Object, &mut |key, value, place| {
            if let Some(why) = clear_text_secret(key, value) {
                settings.push((place.pointer(), key, why));
            }
        });
    }
    for (pointer, key, why) in settings {
        let message = format!("the value of `{key}` looks like a secret: {why}");
        let problem = locator.about(Severity::Warning, &found.origin, &pointer, false, message, sources);
        let hint = "say under `secrets` where it comes from, and refer to it with `secretKeyRef`";
        problems.push(problem.hint(hint).conceal(true));
    }
}

/// Finds the texts that everybody who may look at the object reads: the data of a ConfigMap and the variables of
/// containers, in whatever object they stand. `see` is given the key, the text, and where it stands.
fn plain_settings<'v>(value: &'v Value, place: &Trail<'_>, see: &mut impl FnMut(&'v str, &'v str, &Trail<'_>)) {
    match value {
        Value::Object(map) => {
            let is_config_map =
                matches!(place, Trail::Object) && map.get("kind").is_some_and(|kind| kind == "ConfigMap");
            for (field, value) in map {
                let place = Trail::Field(place, field);
                match (field.as_str(), value) {
                    ("data", Value::Object(data)) if is_config_map => {
                        for (key, value) in data {
                            if let Some(text) = value.as_str() {
                                see(key, text, &Trail::Field(&place, key));
                            }
                        }
                    }
                    ("env", Value::Array(variables)) => {
                        for (index, variable) in variables.iter().enumerate() {
                            let text = |key| variable.get(key).and_then(Value::as_str);
                            if let (Some(key), Some(text)) = (text("name"), text("value")) {
                                see(key, text, &Trail::Field(&Trail::Item(&place, index), "value"));
                            }
                        }
                    }
                    _ => plain_settings(value, &place, see),
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                plain_settings(item, &Trail::Item(place, index), see);
            }
        }
        _ => {}
    }
}

fn mistaken_name(manifest: &Manifest) -> Option<String> {
    let name = manifest.name();
    let result = match (manifest.group(), manifest.kind()) {
        ("", "Namespace" | "Service") => check_dns_label(name),
        // These take any name that can be part of a path: `system:node`, `example.com:signer:roots`, `2001:db8::1`.
        ("rbac.authorization.k8s.io", _)
        | ("certificates.k8s.io", "ClusterTrustBundle")
        | ("networking.k8s.io", "IPAddress") => {
            let bad = name.contains(['/', '%']) || name == "." || name == "..";
            return bad.then(|| format!("`{name}` is no name for a {}: it may not hold `/` or `%`", manifest.kind()));
        }
        ("", "Event") | ("events.k8s.io", _) => return None,
        _ => check_dns_subdomain(name),
    };
    let error = result.err()?;
    Some(format!("`{name}` is no name for a {}: {error}", manifest.kind()))
}

/// Labels and annotations are texts; `true` and `5` without quotes are refused by the server with words that help nobody.
fn mistaken_labels(manifest: &Manifest) -> Vec<(String, String)> {
    let mut mistaken = Vec::new();
    for part in ["labels", "annotations"] {
        let map = manifest.object().pointer(&format!("/metadata/{part}")).and_then(Value::as_object);
        for (key, value) in map.into_iter().flatten() {
            if !value.is_string() && !value.is_null() {
                let message = format!("the value of `{key}` must be a string, found `{value}`");
                mistaken.push((format!("/metadata/{part}/{}", escape_pointer(key)), message));
            }
        }
    }
    mistaken
}
