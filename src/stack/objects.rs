//! What must hold for each object before it goes anywhere: its kind, its name, its quantities, no secret in clear text.

use serde_json::Value;

use super::found::Found;
use super::inputs::is_quantity_value;
use super::kinds::mistaken_kind;
use super::origin::Locator;
use super::services::{NAMESPACE_SERVICE, SECRETS_SERVICE};
use crate::resource::quantity::Quantity;
use crate::resource::{Manifest, check_dns_label, check_dns_subdomain};
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
    for (pointer, message) in mistaken_labels(manifest) {
        report(&pointer, false, message, Some("put it in quotes".to_owned()));
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
    if !manifest.is_secret() {
        mistaken_quantities(manifest.object(), "", &mut |pointer, message, hint| report(pointer, false, message, hint));
    }
}

fn mistaken_name(manifest: &Manifest) -> Option<String> {
    let name = manifest.name();
    let result = match (manifest.group(), manifest.kind()) {
        ("", "Namespace" | "Service") => check_dns_label(name),
        // RBAC takes any name that can be part of a path: `system:node`.
        ("rbac.authorization.k8s.io", _) => {
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

/// Looks at every map called `requests`, `limits`, `capacity` or `hard`, which hold quantities wherever they stand in
/// Kubernetes' own kinds.
fn mistaken_quantities(value: &Value, pointer: &str, report: &mut impl FnMut(&str, String, Option<String>)) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let pointer = format!("{pointer}/{}", escape_pointer(key));
                match value {
                    Value::Object(quantities) if is_quantity_map(&pointer) => {
                        for (name, quantity) in quantities {
                            let at = format!("{pointer}/{}", escape_pointer(name));
                            if let Some(message) = mistaken_quantity(name, quantity) {
                                report(&at, message, quantity.as_str().and_then(corrected));
                            }
                        }
                    }
                    _ => mistaken_quantities(value, &pointer, report),
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                mistaken_quantities(item, &format!("{pointer}/{index}"), report);
            }
        }
        _ => {}
    }
}

fn is_quantity_map(pointer: &str) -> bool {
    ["/resources/requests", "/resources/limits", "/spec/capacity", "/spec/hard"].iter().any(|end| pointer.ends_with(end))
}

fn mistaken_quantity(name: &str, quantity: &Value) -> Option<String> {
    if is_quantity_value(quantity) {
        return None;
    }
    Some(match quantity.as_str().map(Quantity::parse) {
        Some(Err(error)) => format!("`{name}`: {error}"),
        _ => format!("`{name}` must be a quantity such as `500m` or `10Gi`, found `{quantity}`"),
    })
}

/// Guesses what a mistaken quantity was meant to be: `10GB` is `10G`, `1gi` is `1Gi`.
fn corrected(text: &str) -> Option<String> {
    let text = text.trim();
    let digits = text.trim_end_matches(|character: char| character.is_ascii_alphabetic()).trim_end();
    let suffix = text[digits.len()..].trim();
    let suffix = suffix.strip_suffix(['b', 'B']).unwrap_or(suffix);
    let known = ["Ki", "Mi", "Gi", "Ti", "Pi", "k", "M", "G", "T", "P", "m"];
    let suffix = known.into_iter().find(|name| name.eq_ignore_ascii_case(suffix))?;
    let whole = format!("{digits}{suffix}");
    Quantity::parse(&whole).is_ok().then(|| format!("did you mean `{whole}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantity_with_a_slip_is_put_right() {
        assert_eq!(corrected("10GB").as_deref(), Some("did you mean `10G`?"));
        assert_eq!(corrected("1gib").as_deref(), Some("did you mean `1Gi`?"));
        assert_eq!(corrected("512 Mi").as_deref(), Some("did you mean `512Mi`?"));
        assert_eq!(corrected("lots"), None);
    }
}
