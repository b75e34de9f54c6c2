//! Pod templates, in whatever object they stand: the account, configuration, secrets, claims and classes of the pods.

use serde_json::Value;

use crate::graph::objects::Key;
use crate::resource::Manifest;

use super::{References, at, core, list, text};

/// Finds the pod spec of an object: a Pod's own, a CronJob's, or the one in `spec.template` of any other kind, custom
/// ones included.
pub(super) fn pod_spec(object: &Value) -> Option<&Value> {
    let spec = match text(object, "/kind") {
        "Pod" => object.get("spec"),
        "CronJob" => at(object, "/spec/jobTemplate/spec/template/spec"),
        _ => at(object, "/spec/template/spec"),
    }?;
    spec.get("containers")?.is_array().then_some(spec)
}

/// Finds the labels that the pods of an object get.
pub(super) fn pod_labels(object: &Value) -> Option<&Value> {
    let pointer = match text(object, "/kind") {
        "Pod" => "/metadata/labels",
        "CronJob" => "/spec/jobTemplate/spec/template/metadata/labels",
        _ => "/spec/template/metadata/labels",
    };
    at(object, pointer)
}

pub(super) fn infer(manifest: &Manifest, found: &mut References<'_, '_, '_>) {
    let Some(spec) = pod_spec(manifest.object()) else { return };
    let mut pods = Pods { namespace: manifest.namespace(), found };
    pods.identity(spec);
    pods.classes(spec);
    for field in ["/initContainers", "/containers", "/ephemeralContainers"] {
        for container in list(spec, field) {
            pods.environment(container);
        }
    }
    for volume in list(spec, "/volumes") {
        pods.volume(volume);
    }
}

struct Pods<'f, 'o, 'n, 'm, 'k> {
    namespace: Option<&'k str>,
    found: &'f mut References<'o, 'n, 'm>,
}

impl Pods<'_, '_, '_, '_, '_> {
    fn identity(&mut self, spec: &Value) {
        let account = text(spec, "/serviceAccountName");
        // Each namespace gets its ServiceAccount `default` from the controllers.
        if account == "default" {
            self.found.refer_if_present(core("ServiceAccount", self.namespace, account), || {
                "runs as ServiceAccount default".to_owned()
            });
        } else {
            self.found
                .refer(core("ServiceAccount", self.namespace, account), || format!("runs as ServiceAccount {account}"));
        }
        for secret in list(spec, "/imagePullSecrets") {
            let name = text(secret, "/name");
            self.found.refer(core("Secret", self.namespace, name), || format!("pulls images with Secret {name}"));
        }
    }

    fn classes(&mut self, spec: &Value) {
        let priority = text(spec, "/priorityClassName");
        if !priority.starts_with("system-") {
            let key = Key { group: "scheduling.k8s.io", kind: "PriorityClass", namespace: None, name: priority };
            self.found.refer(key, || format!("has PriorityClass {priority}"));
        }
        let runtime = text(spec, "/runtimeClassName");
        let key = Key { group: "node.k8s.io", kind: "RuntimeClass", namespace: None, name: runtime };
        self.found.refer(key, || format!("runs with RuntimeClass {runtime}"));
    }

    fn environment(&mut self, container: &Value) {
        for variable in list(container, "/env") {
            for (field, kind) in [("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")] {
                if let Some(reference) = variable.get("valueFrom").and_then(|from| from.get(field)) {
                    self.data(kind, text(reference, "/name"), is_optional(reference), "reads");
                }
            }
        }
        for source in list(container, "/envFrom") {
            for (field, kind) in [("configMapRef", "ConfigMap"), ("secretRef", "Secret")] {
                if let Some(reference) = source.get(field) {
                    self.data(kind, text(reference, "/name"), is_optional(reference), "reads");
                }
            }
        }
    }

    fn volume(&mut self, volume: &Value) {
        if let Some(source) = volume.get("configMap") {
            self.data("ConfigMap", text(source, "/name"), is_optional(source), "mounts");
        }
        if let Some(source) = volume.get("secret") {
            self.data("Secret", text(source, "/secretName"), is_optional(source), "mounts");
        }
        for source in list(volume, "/projected/sources") {
            for (field, kind) in [("configMap", "ConfigMap"), ("secret", "Secret")] {
                if let Some(source) = source.get(field) {
                    self.data(kind, text(source, "/name"), is_optional(source), "mounts");
                }
            }
        }
        let claim = text(volume, "/persistentVolumeClaim/claimName");
        self.found.refer(core("PersistentVolumeClaim", self.namespace, claim), || {
            format!("mounts PersistentVolumeClaim {claim}")
        });
        let secret = text(volume, "/csi/nodePublishSecretRef/name");
        self.found.refer(core("Secret", self.namespace, secret), || format!("mounts a volume with Secret {secret}"));
        let class = text(volume, "/ephemeral/volumeClaimTemplate/spec/storageClassName");
        super::storage::class(class, self.found);
    }

    fn data(&mut self, kind: &str, name: &str, optional: bool, verb: &str) {
        let key = core(kind, self.namespace, name);
        let reason = || format!("{verb} {kind} {name}");
        if optional {
            self.found.refer_if_present(key, reason)
        } else {
            self.found.refer(key, reason)
        }
        self.found.consume(key);
    }
}

fn is_optional(reference: &Value) -> bool {
    reference.get("optional").and_then(Value::as_bool).unwrap_or(false)
}
