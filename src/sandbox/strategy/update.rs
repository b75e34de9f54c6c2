//! A change of an object, before it is validated and stored.

use jiff::Timestamp;
use serde_json::Value;

use super::create::{TEMPLATE_GENERATION, drop_topology, label_with_name, only_names_of_secrets};
use super::fields::{at, number, put, remove, restore, same, text};
use super::first_status::{fill_in_zeros, first_status};
use super::{autoscaler, certificate, claim, custom, definition, disabled, generation, pod, service, status_write};
use crate::sandbox::kind::Kind;

/// Makes of a changed object what the server stores.
///
/// `subresource` is the one that is written (`status`, `approval`, `finalize`, `ephemeralcontainers`, `resize`); a write
/// of the scale is one of the object. `live` is what is stored, in the version of the object.
pub fn prepare_for_update(kind: &Kind, subresource: Option<&str>, live: &Value, object: &mut Value, now: Timestamp) {
    let subresource = subresource.filter(|name| *name != "scale");
    restore(object, live, &["metadata", "generation"]);
    match &kind.custom {
        Some(custom) => custom::update(custom, subresource, live, object),
        None => {
            builtin(kind, subresource, live, object, now);
            fill_in_zeros(kind, object);
        }
    }
    keep_identity(live, object);
}

fn builtin(kind: &Kind, subresource: Option<&str>, live: &Value, object: &mut Value, now: Timestamp) {
    if kind.is("certificates.k8s.io", "CertificateSigningRequest") {
        certificate::update(subresource, live, object, now);
        return;
    }
    match subresource {
        None => main(kind, live, object),
        Some("status") => {
            status_write::keep_the_rest(kind, live, object);
            match (kind.group.as_str(), kind.kind.as_str()) {
                ("", "Pod") => {
                    pod::status(live, object);
                    disabled::drop_fields(kind, Some(live), object);
                }
                ("", "Node") if at(live, &["status", "config"]).is_none() => remove(object, &["status", "config"]),
                ("", "PersistentVolume") => claim::phase_of_volume(live, object, now),
                // It stands for a field of the spec.
                ("apps", "DaemonSet") => restore(object, live, &["metadata", "annotations", TEMPLATE_GENERATION]),
                ("autoscaling", "HorizontalPodAutoscaler") if kind.version == "v1" => {
                    autoscaler::keep_spec(live, object);
                }
                _ => {}
            }
        }
        Some("finalize") => restore(object, live, &["status"]),
        Some("ephemeralcontainers") => pod::ephemeral_containers(live, object),
        Some("resize") => pod::resize(live, object),
        Some(_) => {}
    }
}

fn main(kind: &Kind, live: &Value, object: &mut Value) {
    if keeps_status(kind, object) {
        restore(object, live, &["status"]);
    }
    disabled::drop_fields(kind, Some(live), object);
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Namespace") => {
            restore(object, live, &["spec", "finalizers"]);
            label_with_name(object);
        }
        ("", "Node") if at(live, &["spec", "configSource"]).is_none() => remove(object, &["spec", "configSource"]),
        ("", "Secret") if text(object, &["type"]).is_empty() => restore(object, live, &["type"]),
        ("", "Service") => service::drop_what_the_type_has_not(live, object),
        ("", "ServiceAccount") => only_names_of_secrets(object),
        ("", "PersistentVolumeClaim") => claim::update(live, object),
        ("apps", "DaemonSet") => template_generation(live, object),
        ("autoscaling", "HorizontalPodAutoscaler") if kind.version == "v1" => autoscaler::keep_status(live, object),
        ("discovery.k8s.io", "EndpointSlice") if !same(at(live, &["endpoints"]), at(object, &["endpoints"])) => {
            drop_topology(object);
        }
        ("apiextensions.k8s.io", "CustomResourceDefinition") => definition::remember_storage_version(object),
        _ => {}
    }
    if generation::is_new(kind, live, object) {
        let generation = number(live, &["metadata", "generation"]).unwrap_or_default();
        put(object, &["metadata", "generation"], generation + 1);
    }
}

fn keeps_status(kind: &Kind, object: &Value) -> bool {
    kind.is("", "Node")
        || kind.is("", "Pod")
        || kind.is("apiextensions.k8s.io", "CustomResourceDefinition")
        || first_status(kind, object).is_some()
}

/// The generation of a template is the server's, whatever is written.
fn template_generation(live: &Value, object: &mut Value) {
    const PATH: [&str; 3] = ["metadata", "annotations", TEMPLATE_GENERATION];
    let before: i64 = text(live, &PATH).parse().unwrap_or_default();
    let template = ["spec", "template"];
    let is_same = same(at(live, &template), at(object, &template));
    put(object, &PATH, (if is_same { before } else { before + 1 }).to_string());
}

/// What identifies an object, and that it is being deleted, cannot be written.
fn keep_identity(live: &Value, object: &mut Value) {
    for field in ["uid", "deletionGracePeriodSeconds"] {
        if at(object, &["metadata", field]).is_none_or(|value| value == "") {
            restore(object, live, &["metadata", field]);
        }
    }
    for field in ["creationTimestamp", "deletionTimestamp"] {
        if at(live, &["metadata", field]).is_some() {
            restore(object, live, &["metadata", field]);
        }
    }
}
