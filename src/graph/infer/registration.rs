//! What hands part of the API to a server of the stack: webhook configurations, API services, conversion webhooks.
//!
//! A registration comes after its server and all that the server needs, or it would block what it governs. Custom
//! resources it governs come after it, so that none slips by unchecked; other governed objects come before it, so that
//! the server's own parts never wait for the server. Deletes walk all this backwards. No edge is added here that would
//! close a circle: an object that the registration waits for cannot wait for the registration.

use serde_json::Value;

use crate::graph::edge::RawEdge;
use crate::graph::objects::{Key, Objects};
use crate::graph::{plural, selector};
use crate::resource::{Manifest, is_builtin_group};

use super::{References, list, server, text};

pub(super) fn infer(found: &mut References<'_, '_, '_>) {
    let objects = found.objects;
    let mut governed = Vec::new();
    for (number, manifest) in objects.manifests() {
        found.from = number;
        match manifest.kind() {
            "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration" => {
                for webhook in list(manifest.object(), "/webhooks") {
                    after_server(webhook, "/clientConfig/service", found);
                }
                governed.push(number);
            }
            "APIService" => {
                after_server(manifest.object(), "/spec/service", found);
                governed.push(number);
            }
            "CustomResourceDefinition" => conversion(manifest, found),
            "ValidatingAdmissionPolicyBinding" => {
                let name = text(manifest.object(), "/spec/policyName");
                let key = Key { group: manifest.group(), kind: "ValidatingAdmissionPolicy", namespace: None, name };
                found.refer(key, || format!("binds ValidatingAdmissionPolicy {name}"));
            }
            _ => {}
        }
    }
    for number in governed {
        govern(number, found);
    }
}

fn after_server(registration: &Value, pointer: &str, found: &mut References<'_, '_, '_>) {
    let Some(service) = registration.pointer(pointer) else { return };
    let (namespace, name) = (text(service, "/namespace"), text(service, "/name"));
    let needs = server::of_service(found.objects, namespace, name);
    if needs.is_empty() {
        found.refer(super::core("Service", Some(namespace), name), || format!("calls Service {name}"));
    }
    for (to, reason) in needs {
        found.edge(to, || reason);
    }
}

/// Custom resources whose versions a webhook converts come after its server; the definition itself does not, since
/// servers as a rule need it to start.
fn conversion(manifest: &Manifest, found: &mut References<'_, '_, '_>) {
    let object = manifest.object();
    let service = |part| text(object, part);
    let (namespace, name) = (
        service("/spec/conversion/webhook/clientConfig/service/namespace"),
        service("/spec/conversion/webhook/clientConfig/service/name"),
    );
    let needs = server::of_service(found.objects, namespace, name);
    let waiting: Vec<u32> = found
        .objects
        .manifests()
        .filter(|(_, custom)| custom.group() == service("/spec/group") && custom.kind() == service("/spec/names/kind"))
        .map(|(number, _)| number)
        .collect();
    if needs.is_empty() || waiting.is_empty() {
        return;
    }
    let servers: Vec<u32> = needs.iter().map(|(to, _)| *to).collect();
    let before = reachable(found.objects.nodes.len(), &servers, &found.edges, Direction::WaitsFor);
    for custom in waiting.into_iter().filter(|custom| !before[*custom as usize]) {
        found.from = custom;
        for (to, reason) in &needs {
            found.edge(*to, || format!("converted by CustomResourceDefinition's webhook, which {reason}"));
        }
    }
}

fn govern(registration: u32, found: &mut References<'_, '_, '_>) {
    let objects = found.objects;
    let count = objects.nodes.len();
    let Some(manifest) = objects.manifest(registration) else { return };
    let rules = Rules::of(manifest);
    let (builtin, custom): (Vec<_>, Vec<_>) = objects
        .manifests()
        .filter(|(number, object)| *number != registration && rules.govern(object, objects))
        .partition(|(_, object)| !is_custom(object, objects));

    // The custom ones first: whether another object may come before the registration depends on them, since it may
    // wait for one of them.
    let needed = reachable(count, &[registration], &found.edges, Direction::WaitsFor);
    for (number, _) in custom.into_iter().filter(|(number, _)| !needed[*number as usize]) {
        found.from = number;
        found.edge(registration, || format!("governed by {} {}", manifest.kind(), manifest.name()));
    }
    let needing = reachable(count, &[registration], &found.edges, Direction::IsWaitedForBy);
    found.from = registration;
    for (number, object) in builtin.into_iter().filter(|(number, _)| !needing[*number as usize]) {
        found.edge(number, || format!("governs {} {}", object.kind(), object.name()));
    }
}

/// Some groups below `k8s.io` (Gateway API) come as definitions too.
fn is_custom(object: &Manifest, objects: &Objects<'_, '_>) -> bool {
    !is_builtin_group(object.group()) || objects.definition(object.group(), object.kind()).is_some()
}

/// What a registration governs.
enum Rules<'m> {
    Webhooks(&'m [Value]),
    Version { group: &'m str, version: &'m str },
}

impl<'m> Rules<'m> {
    fn of(manifest: &'m Manifest) -> Self {
        let object = manifest.object();
        if manifest.kind() == "APIService" {
            return Self::Version { group: text(object, "/spec/group"), version: text(object, "/spec/version") };
        }
        Self::Webhooks(list(object, "/webhooks"))
    }

    fn govern(&self, object: &Manifest, objects: &Objects<'_, '_>) -> bool {
        match self {
            Self::Version { group, version } => object.group() == *group && object.version() == *version,
            // The API server never asks webhooks about these, so that nobody can lock himself out.
            Self::Webhooks(_)
                if matches!(
                    object.kind(),
                    "ValidatingWebhookConfiguration"
                        | "MutatingWebhookConfiguration"
                        | "ValidatingAdmissionPolicy"
                        | "ValidatingAdmissionPolicyBinding"
                ) =>
            {
                false
            }
            Self::Webhooks(webhooks) => webhooks.iter().any(|webhook| webhook_governs(webhook, object, objects)),
        }
    }
}

fn webhook_governs(webhook: &Value, object: &Manifest, objects: &Objects<'_, '_>) -> bool {
    let resource = objects
        .definition(object.group(), object.kind())
        .map(|(_, definition)| text(definition.object(), "/spec/names/plural").to_owned())
        .filter(|resource| !resource.is_empty())
        .unwrap_or_else(|| plural::resource_of(object.kind()));
    let names = |rule: &Value, field: &str, wanted: &str| {
        list(rule, field).iter().filter_map(Value::as_str).any(|one| one == "*" || one == wanted)
    };
    list(webhook, "/rules").iter().any(|rule| {
        names(rule, "/apiGroups", object.group())
            && names(rule, "/apiVersions", object.version())
            && (names(rule, "/resources", &resource) || names(rule, "/resources", "*/*"))
    }) && selector::matches(webhook.get("objectSelector"), &|key| object.label(key))
        && in_selected_namespace(webhook, object, objects)
}

fn in_selected_namespace(webhook: &Value, object: &Manifest, objects: &Objects<'_, '_>) -> bool {
    let selected = webhook.get("namespaceSelector");
    // A Namespace is judged by its own labels; other cluster-scoped objects are always asked about.
    let namespace = if object.kind() == "Namespace" { Some(object.name()) } else { object.namespace() };
    let Some(namespace) = namespace else { return true };
    let declared = objects.find(&super::core("Namespace", None, namespace)).and_then(|at| objects.manifest(at));
    selector::matches(selected, &|key| match key {
        "kubernetes.io/metadata.name" => Some(namespace),
        _ => declared?.label(key),
    })
}

enum Direction {
    WaitsFor,
    IsWaitedForBy,
}

/// Returns the given nodes, marked, with all that they wait for or are waited for by, directly or not.
fn reachable(count: usize, starts: &[u32], edges: &[RawEdge], direction: Direction) -> Vec<bool> {
    let mut next: Vec<Vec<u32>> = vec![Vec::new(); count];
    for edge in edges {
        let (near, far) = match direction {
            Direction::WaitsFor => (edge.from, edge.to),
            Direction::IsWaitedForBy => (edge.to, edge.from),
        };
        next[near as usize].push(far);
    }
    let mut reached = vec![false; count];
    starts.iter().for_each(|start| reached[*start as usize] = true);
    let mut stack = starts.to_vec();
    while let Some(number) = stack.pop() {
        for far in &next[number as usize] {
            if !std::mem::replace(&mut reached[*far as usize], true) {
                stack.push(*far);
            }
        }
    }
    reached
}
