//! Ingresses: the Services behind them, their class and their certificates.

use serde_json::Value;

use crate::graph::objects::Key;
use crate::resource::Manifest;

use super::{References, core, list, text};

pub(super) fn infer(manifest: &Manifest, found: &mut References<'_, '_, '_>) {
    let object = manifest.object();
    let namespace = manifest.namespace();
    if let Some(default) = object.pointer("/spec/defaultBackend") {
        backend(default, namespace, found);
    }
    for rule in list(object, "/spec/rules") {
        for path in list(rule, "/http/paths") {
            if let Some(of_path) = path.get("backend") {
                backend(of_path, namespace, found);
            }
        }
    }
    for tls in list(object, "/spec/tls") {
        let name = text(tls, "/secretName");
        // An issuer such as cert-manager may make it after the Ingress exists, so it may be missing.
        found.refer_if_present(core("Secret", namespace, name), || format!("TLS from Secret {name}"));
    }
    let class = text(object, "/spec/ingressClassName");
    let key = Key { group: "networking.k8s.io", kind: "IngressClass", namespace: None, name: class };
    found.refer(key, || format!("has IngressClass {class}"));
}

fn backend(backend: &Value, namespace: Option<&str>, found: &mut References<'_, '_, '_>) {
    let service = text(backend, "/service/name");
    found.refer(core("Service", namespace, service), || format!("routes to Service {service}"));
    let (kind, name) = (text(backend, "/resource/kind"), text(backend, "/resource/name"));
    let key = Key { group: text(backend, "/resource/apiGroup"), kind, namespace, name };
    found.refer(key, || format!("routes to {kind} {name}"));
}
