//! A new object, before it is validated and stored.

use serde_json::{Value, json};

use super::fields::{items, items_mut, list_mut, put, remove, text};
use super::first_status::{fill_in_zeros, first_status};
use super::{claim, custom, definition, disabled, generation, job, pod};
use crate::sandbox::kind::Kind;

/// The finalizer that keeps a namespace until it is empty.
const NAMESPACE_FINALIZER: &str = "kubernetes";
/// Where a `DaemonSet` of `apps/v1` keeps the generation of its template.
pub(super) const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

/// Makes of a new object what the server stores.
///
/// The object has been decoded, defaulted and admitted, and has its uid, its time of creation and its name. Defaults
/// are to be filled in once more afterwards: the labels of a `Job` are those of its template, generated ones too.
pub fn prepare_for_create(kind: &Kind, object: &mut Value) {
    remove(object, &["metadata", "deletionTimestamp"]);
    remove(object, &["metadata", "deletionGracePeriodSeconds"]);
    if let Some(custom) = &kind.custom {
        custom::create(custom, object);
        return;
    }
    if generation::counts(kind).is_some() {
        put(object, &["metadata", "generation"], 1);
    }
    if let Some(status) = first_status(kind, object) {
        put(object, &["status"], status);
    }
    fill_in_zeros(kind, object);
    disabled::drop_fields(kind, None, object);
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Namespace") => namespace(object),
        ("", "Node") => {
            remove(object, &["spec", "configSource"]);
            remove(object, &["status", "config"]);
        }
        ("", "Pod") => pod::create(object),
        ("", "PersistentVolumeClaim") => claim::create(object),
        ("", "ServiceAccount") => only_names_of_secrets(object),
        ("apps", "DaemonSet") => template_generation(object),
        ("discovery.k8s.io", "EndpointSlice") => drop_topology(object),
        ("batch", "Job") => job::create(object),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => definition::create(object),
        _ => {}
    }
}

fn namespace(object: &mut Value) {
    if let Some(finalizers) = list_mut(object, &["spec", "finalizers"])
        && !finalizers.iter().any(|finalizer| finalizer == NAMESPACE_FINALIZER)
    {
        finalizers.push(json!(NAMESPACE_FINALIZER));
    }
    label_with_name(object);
}

/// A namespace carries its name as a label; a generated name was not known yet when defaults were filled in.
pub(super) fn label_with_name(object: &mut Value) {
    let name = text(object, &["metadata", "name"]).to_owned();
    if !name.is_empty() {
        put(object, &["metadata", "labels", "kubernetes.io/metadata.name"], name);
    }
}

/// Of the secrets of a service account only the names are kept.
pub(super) fn only_names_of_secrets(object: &mut Value) {
    for secret in items_mut(object, &["secrets"]) {
        let name = text(secret, &["name"]).to_owned();
        *secret = if name.is_empty() { json!({}) } else { json!({"name": name}) };
    }
    if items(object, &["secrets"]).is_empty() {
        remove(object, &["secrets"]);
    }
}

/// What the first versions said about where endpoints are is only kept.
pub(super) fn drop_topology(object: &mut Value) {
    items_mut(object, &["endpoints"]).for_each(|endpoint| remove(endpoint, &["deprecatedTopology"]));
}

fn template_generation(object: &mut Value) {
    let given = text(object, &["metadata", "annotations", TEMPLATE_GENERATION]).parse::<i64>();
    let generation = given.unwrap_or_default().max(1);
    put(object, &["metadata", "annotations", TEMPLATE_GENERATION], generation.to_string());
}
