//! The whole: objects from all parts of the file, put together and checked against each other.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Map, Value, json};

use super::found::Found;
use super::kinds::Kinds;
use super::load::Resolved;
use super::origin::{Locator, Origin};
use super::rules::{self, Rules};
use super::secrets::{self, Secrets};
use super::services::{self, NAMESPACE_SERVICE, SECRETS_SERVICE, Service};
use super::substitute::Names;
use super::targets::Targets;
use super::{Desired, Settings, Stack, checks, manifests, objects, references};
use crate::resource::{Address, Digest, Manifest, ObjectRef, STACK_LABEL, check_dns_label, map_at, stack_label};
use crate::secret::{LAST_APPLIED, key_secret_name};
use crate::yaml::{Problem, Problems, Severity, Sources, Spot, escape_pointer};

const MANAGED_BY: &str = "app.kubernetes.io/managed-by";

/// Makes the stack out of a resolved file. Problems decide whether it may be used.
pub(super) fn assemble(
    resolved: Resolved,
    file: &str,
    folder: &Path,
    settings: &Settings,
    sources: &mut Sources,
    problems: &mut Problems,
) -> Stack {
    let Resolved { root, stack_file, incomplete, inputs, endpoints, service_mentions, manifest_mentions } = resolved;
    let locator = Locator::new(file, &root);
    let (stack, namespace) = (stack_file.stack.as_str(), stack_file.namespace.as_str());
    check_own_names(stack, namespace, settings, &locator, problems);
    if stack_file.drift_check.is_some() || root.get("driftCheck").is_some() {
        problems.push(locator.key_error("/driftCheck", "`driftCheck` is not supported yet"));
    }

    let errors_before = problems.errors();
    let names = Names { file, inputs: &inputs, services: Some(&endpoints) };
    let secrets = secrets::read(&stack_file.secrets, namespace, &names, &locator, problems);
    let (mut found, services) =
        services::expand(&stack_file.services, &service_mentions, (stack, namespace), file, &locator, problems);
    found.extend(secret_objects(&secrets, file));
    let items =
        manifests::read_items(&stack_file.manifests, &manifest_mentions, folder, file, &locator, sources, problems);
    found.extend(items);
    if let Some(texts) = &settings.extra_manifests {
        found.extend(manifests::read_extra(texts, &locator, sources, problems));
    }
    // A part that could not be read may hold what others name.
    let incomplete = incomplete || problems.errors() > errors_before;
    found.extend(own_namespace(&found, namespace, file));

    settle(&mut found, stack, namespace);
    found.iter().for_each(|object| objects::check(object, namespace, &locator, sources, problems));
    refuse_own_key(&found, stack, namespace, &locator, sources, problems);
    if !incomplete {
        references::check(&found, &secrets, namespace, &locator, sources, problems);
    }
    let found = by_address(found, namespace, &locator, sources, problems);
    let identities: BTreeMap<Address, ObjectRef> =
        found.iter().map(|(address, object)| (address.clone(), object.manifest.object_ref().clone())).collect();
    let targets = Targets { resources: &identities, services: &services, incomplete };
    let checks = checks::read(&stack_file.checks, &targets, &locator, problems);
    let rules = rules::read(&stack_file, &secrets, &targets, &locator, problems);
    let resources = desire(found, &rules, &services, &identities, &targets, &locator, problems);
    let digest = digest(root.to_json(), namespace, &resources);
    Stack {
        name: stack.to_owned(),
        namespace: namespace.to_owned(),
        file: file.to_owned(),
        digest,
        resources,
        secrets: secrets
            .into_iter()
            .map(|(_, (spec, _))| (Address::of(SECRETS_SERVICE, &spec.object, namespace), spec))
            .collect(),
        checks,
        mutes: rules.mutes,
        outputs: rules.outputs,
        with_extra_manifests: settings.extra_manifests.is_some(),
    }
}

fn check_own_names(stack: &str, namespace: &str, settings: &Settings, locator: &Locator<'_>, problems: &mut Problems) {
    for (key, name) in [("stack", stack), ("namespace", namespace)] {
        // A name that is missing, or could not be resolved, is reported already.
        if locator.root().get(key).and_then(crate::yaml::Node::as_str).is_none() {
            continue;
        }
        if let Err(error) = check_dns_label(name) {
            let what = if key == "stack" { "stack" } else { "Namespace" };
            let message = format!("`{name}` is no name for a {what}: {error}");
            problems.push(match &settings.namespace {
                Some(flag) if key == "namespace" => {
                    Problem::error(format!("--namespace {flag}"), Spot::default(), message)
                }
                _ => locator.error(&format!("/{key}"), message),
            });
        }
    }
}

fn made_origin(file: &str, pointer: String) -> Origin {
    Origin { file: file.to_owned(), document: None, pointer, line: 0, literal: false, external: false }
}

fn made(service: &str, object: Value, origin: Origin) -> Option<Found> {
    // An empty name is the only way to fail, and reported where the name stands.
    Manifest::new(object).ok().map(|manifest| Found::new(service, manifest, origin))
}

fn secret_objects(secrets: &Secrets, file: &str) -> Vec<Found> {
    let object = |(name, (_, mentions)): (&String, &(_, BTreeSet<String>))| {
        let object = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name }, "type": "Opaque" });
        let found = made(SECRETS_SERVICE, object, made_origin(file, format!("/secrets/{}", escape_pointer(name))))?;
        Some(Found { mentions: mentions.clone(), ..found })
    };
    secrets.iter().filter_map(object).collect()
}

/// Makes the stack's namespace, unless something else in the stack does.
fn own_namespace(found: &[Found], namespace: &str, file: &str) -> Option<Found> {
    let is_it = |manifest: &Manifest| {
        manifest.kind() == "Namespace" && manifest.group().is_empty() && manifest.name() == namespace
    };
    if found.iter().any(|object| is_it(&object.manifest)) {
        return None;
    }
    let object = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace } });
    made(NAMESPACE_SERVICE, object, made_origin(file, "/namespace".to_owned()))
}

/// Refuses an object in the place of the Secret that holds the stack's own key: with it, records could not be read again.
fn refuse_own_key(
    found: &[Found],
    stack: &str,
    namespace: &str,
    locator: &Locator<'_>,
    sources: &Sources,
    problems: &mut Problems,
) {
    let own = ObjectRef::new("", "Secret", Some(namespace), &key_secret_name(stack));
    for object in found.iter().filter(|object| object.manifest.is_secret() && *object.manifest.object_ref() == own) {
        let message = format!("{own} is where Mathison keeps the stack's own key");
        let problem = locator.about(Severity::Error, &object.origin, "/metadata/name", false, message, sources);
        problems.push(problem.hint("give this Secret another name").conceal(object.origin.literal));
    }
}

/// Sets the namespace of each object that lives in one and names none, and our labels.
fn settle(found: &mut [Found], stack: &str, namespace: &str) {
    let mut kinds = Kinds::default();
    found.iter().for_each(|object| kinds.learn(&object.manifest));
    let label = stack_label(stack, namespace);
    for object in found {
        let manifest = &mut object.manifest;
        if !kinds.is_namespaced(&manifest.group_kind()) {
            // The server ignores a namespace here; so that the same object has one identity, it goes.
            manifest.set_namespace(None);
        } else if manifest.namespace().is_none_or(str::is_empty) {
            manifest.set_namespace(Some(namespace));
        }
        manifest.set_label(STACK_LABEL, &label);
        if manifest.label(MANAGED_BY).is_none() {
            manifest.set_label(MANAGED_BY, "mathison");
        }
        // These cannot be changed later, so they are labelled from the first day on.
        if manifest.kind() == "StatefulSet" {
            let templates =
                manifest.object_mut().pointer_mut("/spec/volumeClaimTemplates").and_then(Value::as_array_mut);
            for template in templates.into_iter().flatten() {
                label_claim(template, &label);
            }
        }
    }
}

fn label_claim(template: &mut Value, label: &str) {
    let Some(template) = template.as_object_mut() else { return };
    let Some(metadata) = map_at(template, "metadata") else { return };
    if let Some(labels) = map_at(metadata, "labels") {
        labels.insert(STACK_LABEL.to_owned(), label.into());
        labels.entry(MANAGED_BY).or_insert_with(|| "mathison".into());
    }
}

/// Gives each object its address; of those declared twice the first stays.
fn by_address(
    found: Vec<Found>,
    namespace: &str,
    locator: &Locator<'_>,
    sources: &Sources,
    problems: &mut Problems,
) -> BTreeMap<Address, Found> {
    let mut first: BTreeMap<&ObjectRef, &Found> = BTreeMap::new();
    let mut repeated = BTreeSet::new();
    for (number, object) in found.iter().enumerate() {
        let identity = object.manifest.object_ref();
        match first.entry(identity) {
            Entry::Vacant(entry) => {
                entry.insert(object);
            }
            Entry::Occupied(entry) => {
                let (address, at) = (entry.get().address(namespace), locator.position(&entry.get().origin));
                let message = format!("{identity} is declared twice");
                let hint = format!("it was first declared as `{address}` at {}:{}:{}", at.file, at.line, at.column);
                let problem = locator.about(Severity::Error, &object.origin, "/metadata/name", true, message, sources);
                problems.push(problem.hint(hint).conceal(object.manifest.is_secret()));
                repeated.insert(number);
            }
        }
    }
    let once = found.into_iter().enumerate().filter(|(number, _)| !repeated.contains(number));
    once.map(|(_, object)| (object.address(namespace), object)).collect()
}

/// Adds to each object what the rest of the file says about it.
fn desire(
    found: BTreeMap<Address, Found>,
    rules: &Rules,
    services: &BTreeMap<String, Service>,
    identities: &BTreeMap<Address, ObjectRef>,
    targets: &Targets<'_>,
    locator: &Locator<'_>,
    problems: &mut Problems,
) -> BTreeMap<Address, Desired> {
    let workload_of = |service: &String| {
        let workload = services.get(service)?.workload.as_ref()?;
        identities.iter().find(|(_, object)| *object == workload).map(|(address, _)| address.clone())
    };
    let workloads: BTreeMap<&String, Address> =
        services.keys().filter_map(|name| Some((name, workload_of(name)?))).collect();
    let desire = |(address, object): (Address, Found)| {
        let mut depends_on = rules.depends_on.get(&address).cloned().unwrap_or_default();
        for (index, text) in object.depends_on.iter().enumerate() {
            let pointer = format!("{}/{index}", object.depends_on_pointer);
            depends_on.extend(rules::dependencies(text, &pointer, targets, locator, problems));
        }
        // A service may wait for itself as a whole in the file's words; an object never waits for itself.
        depends_on.retain(|dependency| dependency.on != address);
        depends_on.sort();
        depends_on.dedup();
        let mut ignore = object.ignore.clone();
        if !ignore.is_empty() {
            let pointer = object.depends_on_pointer.replace("/dependsOn", "/ignore");
            rules::check_fields(&ignore, &pointer, locator, problems);
        }
        ignore.extend(rules.ignore.get(&address).into_iter().flatten().cloned());
        let own = address.service().to_owned();
        let mentions =
            object.mentions.iter().filter(|name| **name != own).filter_map(|name| workloads.get(name).cloned());
        let desired = Desired {
            position: locator.position(&object.origin),
            depends_on,
            mentions: mentions.collect(),
            protect: object.protect || rules.protect.contains(&address),
            ignore,
            grants: rules.grants.get(&address).cloned().unwrap_or_default(),
            exclusive: rules.exclusive.contains(&address),
            manifest: object.manifest,
        };
        (address, desired)
    };
    found.into_iter().map(desire).collect()
}

/// Digests all that decides what is done: the resolved file and the digest of every object. How inputs are declared does not,
/// their values do. The values of a Secret that came through `--manifests` stay out: a digest of a short secret tells it.
fn digest(mut root: Value, namespace: &str, resources: &BTreeMap<Address, Desired>) -> Digest {
    if let Some(map) = root.as_object_mut() {
        map.remove("inputs");
        map.remove("environments");
    }
    let without_values = |manifest: &Manifest| {
        let mut object = manifest.object().clone();
        for part in ["data", "stringData"] {
            let values = object.get_mut(part).and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut);
            values.for_each(|value| *value = Value::Null);
        }
        if let Some(noted) = object.pointer_mut("/metadata/annotations").and_then(|all| all.get_mut(LAST_APPLIED)) {
            *noted = Value::Null;
        }
        Digest::of(&object)
    };
    let objects = resources.iter().map(|(address, Desired { manifest, .. })| {
        let digest = if manifest.is_secret() { without_values(manifest) } else { manifest.digest() };
        (address.to_string(), Value::from(digest.to_string()))
    });
    let objects: Map<String, Value> = objects.collect();
    Digest::of(&json!({ "file": root, "namespace": namespace, "objects": objects }))
}

#[cfg(test)]
mod tests {
    use crate::stack::{Settings, load_text};

    #[test]
    fn labels_are_set_where_a_template_left_nothing() {
        let claims = "[{ metadata: { name: a, labels: null } }, { metadata: null }, {}]";
        let text = format!(
            "stack: demo\nnamespace: demo\nmanifests:\n  - inline: {{ apiVersion: apps/v1, kind: StatefulSet, metadata: {{ name: a, \
             labels: null }}, spec: {{ volumeClaimTemplates: {claims} }} }}\n"
        );
        let loaded = load_text("stack.yaml", &text, std::path::Path::new(""), &Settings::default()).unwrap();
        let set = loaded.stack.resources.values().find(|desired| desired.manifest.kind() == "StatefulSet").unwrap();
        let object = set.manifest.object();
        let claims = object["spec"]["volumeClaimTemplates"].as_array().unwrap();
        assert_eq!(claims.len(), 3);
        for labelled in claims.iter().chain([object]) {
            assert_eq!(labelled["metadata"]["labels"]["mathison.dev/stack"], "demo.demo", "{labelled}");
        }
    }
}
