//! What objects say of each other: keys and names that the stack itself could give and does not.
//!
//! An object that is not in the stack may be in the cluster, so its absence is a warning; a key that is missing in an
//! object of the stack is an error. Edges are not made here.

use std::collections::BTreeMap;

use serde_json::Value;

use super::found::Found;
use super::nearest::{did_you_mean, listed};
use super::origin::Locator;
use super::secrets::Secrets;
use super::trail::Trail;
use crate::resource::{MANIFEST_SERVICE, Manifest};
use crate::yaml::{Node, NodeValue, Problem, Problems, Severity, Sources, Spot};

/// Looks at the references of all objects.
pub(super) fn check(
    found: &[Found],
    secrets: &Secrets,
    namespace: &str,
    locator: &Locator<'_>,
    sources: &Sources,
    problems: &mut Problems,
) {
    let mut objects: BTreeMap<(&str, Option<&str>, &str), &Manifest> = BTreeMap::new();
    for object in found {
        objects.insert((object.manifest.kind(), object.manifest.namespace(), object.manifest.name()), &object.manifest);
    }
    let checker = Checker { objects, secrets, namespace, locator, sources };
    for object in found {
        let mut references = Vec::new();
        collect(object.manifest.object(), &Trail::Object, &mut references);
        for reference in references {
            if let Some(problem) = checker.judge(object, &reference) {
                problems.push(problem);
            }
        }
    }
}

/// A reference from one object to another of its namespace.
struct Reference {
    kind: String,
    name: String,
    key: Option<String>,
    optional: bool,
    /// Pointer to the name.
    pointer: String,
}

struct Checker<'a> {
    objects: BTreeMap<(&'a str, Option<&'a str>, &'a str), &'a Manifest>,
    secrets: &'a Secrets,
    namespace: &'a str,
    locator: &'a Locator<'a>,
    sources: &'a Sources,
}

impl Checker<'_> {
    fn judge(&self, from: &Found, reference: &Reference) -> Option<Problem> {
        let Reference { kind, name, key, optional, pointer } = reference;
        let namespace = if kind == "ClusterRole" { None } else { from.manifest.namespace() };
        if *optional || is_always_there(kind, name) {
            return None;
        }
        let target = self.objects.get(&(kind.as_str(), namespace, name.as_str()));
        match (target, key) {
            (None, _) => {
                let names = || {
                    self.objects
                        .keys()
                        .filter(|(other, place, _)| other == kind && *place == namespace)
                        .map(|(_, _, name)| *name)
                };
                let severity = if kind == "Secret" && from.service != MANIFEST_SERVICE {
                    Severity::Error
                } else {
                    Severity::Warning
                };
                let message = format!("the {kind} `{name}` is not in the stack");
                let hint = did_you_mean(name, names()).or_else(|| match (severity, kind.as_str()) {
                    (Severity::Error, _) => Some("declare it under `secrets`".to_owned()),
                    _ => Some("it must be in the cluster already".to_owned()),
                });
                Some(self.problem(severity, from, reference, pointer, message).maybe_hint(hint))
            }
            (Some(target), Some(key)) => {
                let keys = self.keys_of(target, namespace)?;
                if keys.iter().any(|known| known == key) {
                    return None;
                }
                let known = || keys.iter().map(String::as_str);
                let hint = did_you_mean(key, known()).unwrap_or_else(|| format!("it has {}", listed(known(), "and")));
                let pointer =
                    pointer.rsplit_once('/').map_or_else(|| pointer.clone(), |(above, _)| format!("{above}/key"));
                let message = format!("the {kind} `{name}` has no key `{key}`");
                Some(self.problem(Severity::Error, from, reference, &pointer, message).hint(hint))
            }
            (Some(_), None) => None,
        }
    }

    /// Returns the keys of a Secret or ConfigMap of the stack; `None` where others may add some.
    fn keys_of(&self, target: &Manifest, namespace: Option<&str>) -> Option<Vec<String>> {
        if target.is_secret()
            && namespace == Some(self.namespace)
            && let Some((spec, _)) = self.secrets.get(target.name())
        {
            return Some(spec.keys.keys().cloned().collect());
        }
        let parts =
            ["data", "stringData", "binaryData"].iter().filter_map(|part| target.object().get(part)?.as_object());
        let keys: Vec<String> = parts.flat_map(|map| map.keys().cloned()).collect();
        (!keys.is_empty()).then_some(keys)
    }

    /// Points at the reference where it stands in the text: in the object itself, or in the block as `NAME/KEY` or `NAME`.
    fn problem(
        &self,
        severity: Severity,
        from: &Found,
        reference: &Reference,
        pointer: &str,
        message: String,
    ) -> Problem {
        let mut problem = self.locator.about(severity, &from.origin, pointer, false, message, self.sources);
        if !from.origin.literal
            && let Some((block, _)) = self.locator.root().at_pointer(&from.origin.pointer)
        {
            let whole = reference.key.as_ref().map(|key| format!("{}/{key}", reference.name));
            let spot = whole.and_then(|whole| text_place(block, &whole)).or_else(|| text_place(block, &reference.name));
            problem.at = spot.unwrap_or(problem.at);
        }
        problem
    }
}

fn text_place(node: &Node, text: &str) -> Option<Spot> {
    match &node.value {
        NodeValue::String(found) if found == text => Some(node.at),
        NodeValue::List(items) => items.iter().find_map(|item| text_place(item, text)),
        NodeValue::Map(entries) => entries.iter().find_map(|entry| text_place(&entry.value, text)),
        _ => None,
    }
}

/// Objects that a cluster has without anybody making them.
fn is_always_there(kind: &str, name: &str) -> bool {
    match kind {
        "ServiceAccount" => name == "default",
        "ConfigMap" => name == "kube-root-ca.crt",
        "ClusterRole" => ["cluster-admin", "admin", "edit", "view"].contains(&name) || name.starts_with("system:"),
        _ => false,
    }
}

/// Finds the references of pod templates and role bindings.
fn collect(value: &Value, place: &Trail<'_>, references: &mut Vec<Reference>) {
    match value {
        Value::Object(map) => {
            for (field, value) in map {
                let place = Trail::Field(place, field);
                if let Some(reference) = reference(field, value, &place) {
                    references.push(reference);
                } else if !place.is_top_field(&["data", "metadata"]) {
                    collect(value, &place, references);
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect(item, &Trail::Item(place, index), references);
            }
        }
        _ => {}
    }
}

fn reference(field: &str, value: &Value, place: &Trail<'_>) -> Option<Reference> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let (kind, name_key) = match field {
        "configMapKeyRef" | "configMapRef" => ("ConfigMap", "name"),
        "secretKeyRef" | "secretRef" => ("Secret", "name"),
        "configMap" if place.is_below("volumes") => ("ConfigMap", "name"),
        "secret" if place.is_below("volumes") => {
            ("Secret", if value.get("secretName").is_some() { "secretName" } else { "name" })
        }
        "persistentVolumeClaim" if place.is_below("volumes") => ("PersistentVolumeClaim", "claimName"),
        "serviceAccountName" if place.is_below("spec") => {
            let name = value.as_str()?.to_owned();
            return Some(Reference {
                kind: "ServiceAccount".to_owned(),
                name,
                key: None,
                optional: false,
                pointer: place.pointer(),
            });
        }
        "roleRef" => {
            return Some(Reference {
                kind: text("kind")?,
                name: text("name")?,
                key: None,
                optional: false,
                pointer: Trail::Field(place, "name").pointer(),
            });
        }
        _ => return None,
    };
    Some(Reference {
        kind: kind.to_owned(),
        name: text(name_key)?,
        key: if field.ends_with("KeyRef") { text("key") } else { None },
        optional: value.get("optional") == Some(&Value::Bool(true)),
        pointer: Trail::Field(place, name_key).pointer(),
    })
}
