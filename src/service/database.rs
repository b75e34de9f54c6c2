//! What PostgreSQL and Redis have in common: one pod with one volume behind two Services and a NetworkPolicy.

use serde_json::{Value, json};

use super::block::manifests;
use super::checksum::{CONFIG_CHECKSUM_ANNOTATION, config_checksum};
use super::compute::QuantityText;
use super::labels::{claim_labels, labels, metadata, selector};
use super::network::admit_own_pods;
use super::{Check, CheckKind, Endpoint, Expansion, Remark, ServiceContext};
use crate::resource::{ObjectRef, check_dns_label};

/// The name of the claim template and of the volume.
const DATA: &str = "data";

/// The longest name a StatefulSet may have: its pods carry a label `NAME-HASH` of at most 63 characters.
const LONGEST_NAME: usize = 52;

/// One database as the rest of this file needs to know it.
pub(super) struct Database<'a> {
    pub(super) context: ServiceContext<'a>,
    /// The name of the StatefulSet, of the Service and of the NetworkPolicy.
    pub(super) name: &'a str,
    pub(super) component: &'static str,
    /// The container's name, and the port's.
    pub(super) program: &'static str,
    pub(super) port: u16,
    /// User and group of the image, so that the pod runs without root and the volume is writable.
    pub(super) user: u32,
    pub(super) group: u32,
    /// How long the program may take to end in order.
    pub(super) grace_seconds: u32,
    /// Size and class of the claim; `None` for a volume that goes with the pod.
    pub(super) claim: Option<Claim<'a>>,
}

/// The claim a database keeps its data on.
pub(super) struct Claim<'a> {
    pub(super) size: &'a QuantityText,
    pub(super) storage_class: Option<&'a str>,
}

impl Database<'_> {
    /// Returns the problems with the name.
    pub(super) fn name_problem(&self, is_written: bool) -> Option<Remark> {
        let pointer = if is_written { "/name" } else { "" };
        if let Err(error) = check_dns_label(self.name) {
            return Some(Remark::new(pointer, error.to_string()));
        }
        if self.name.starts_with(|first: char| first.is_ascii_digit()) {
            return Some(Remark::new(pointer, "a Service's name starts with a letter"));
        }
        (self.name.len() > LONGEST_NAME).then(|| {
            Remark::new(
                pointer,
                format!(
                    "the name of a StatefulSet has at most {LONGEST_NAME} characters, this has {}",
                    self.name.len()
                ),
            )
        })
    }

    /// Returns the problem with a major version that is none of the `known` ones.
    pub(super) fn version_problem(title: &str, version: u16, known: &[u16]) -> Option<Remark> {
        let listed = known.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
        (!known.contains(&version)).then(|| {
            Remark::new("/version", format!("{title} {version} is not supported"))
                .hinted(format!("the versions are {listed}"))
        })
    }

    fn labels(&self) -> Value {
        labels(self.context, self.name, self.component)
    }

    fn headless_name(&self) -> String {
        format!("{}-headless", self.name)
    }

    /// Returns a ConfigMap `NAME-SUFFIX` with one file in it.
    pub(super) fn config_map(&self, suffix: &str, file: &str, content: &str) -> Value {
        json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata(self.context, &format!("{}-{suffix}", self.name), &self.labels()),
            "data": {file: content},
        })
    }

    fn service(&self, name: &str, is_headless: bool) -> Value {
        let mut spec = json!({
            "type": "ClusterIP",
            "selector": selector(self.context, self.name),
            "ports": [{"name": self.program, "port": self.port, "protocol": "TCP", "targetPort": self.program}],
        });
        if is_headless {
            spec["clusterIP"] = json!("None");
        }
        json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata(self.context, name, &self.labels()),
            "spec": spec,
        })
    }

    /// Returns the StatefulSet around a container. The container is given its name, its port, the volume's mount and the
    /// usual restrictions here.
    fn stateful_set(&self, mut container: Value, mount_path: &str, config_map: &Value, volumes: Vec<Value>) -> Value {
        container["name"] = json!(self.program);
        container["ports"] = json!([{"name": self.program, "containerPort": self.port, "protocol": "TCP"}]);
        container["securityContext"] = json!({"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}});
        if let Some(mounts) = container["volumeMounts"].as_array_mut() {
            mounts.insert(0, json!({"name": DATA, "mountPath": mount_path}));
        }
        let mut pod_volumes = volumes;
        if self.claim.is_none() {
            pod_volumes.push(json!({"name": DATA, "emptyDir": {}}));
        }
        let mut spec = json!({
            "replicas": 1,
            "serviceName": self.headless_name(),
            "selector": {"matchLabels": selector(self.context, self.name)},
            "template": {
                "metadata": {
                    "labels": self.labels(),
                    "annotations": {CONFIG_CHECKSUM_ANNOTATION: config_checksum(config_map)},
                },
                "spec": {
                    "automountServiceAccountToken": false,
                    // The variables that Kubernetes makes of Services would only confuse the images' own.
                    "enableServiceLinks": false,
                    "terminationGracePeriodSeconds": self.grace_seconds,
                    "securityContext": {
                        "runAsNonRoot": true,
                        "runAsUser": self.user,
                        "runAsGroup": self.group,
                        "fsGroup": self.group,
                        "fsGroupChangePolicy": "OnRootMismatch",
                        "seccompProfile": {"type": "RuntimeDefault"},
                    },
                    "containers": [container],
                    "volumes": pod_volumes,
                },
            },
        });
        if let Some(claim) = &self.claim {
            spec["persistentVolumeClaimRetentionPolicy"] = json!({"whenDeleted": "Retain", "whenScaled": "Retain"});
            spec["volumeClaimTemplates"] = json!([self.claim_template(claim)]);
        }
        json!({
            "apiVersion": "apps/v1",
            "kind": "StatefulSet",
            "metadata": metadata(self.context, self.name, &self.labels()),
            "spec": spec,
        })
    }

    fn claim_template(&self, claim: &Claim<'_>) -> Value {
        let mut spec = json!({
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": claim.size.as_str()}},
        });
        if let Some(storage_class) = claim.storage_class {
            spec["storageClassName"] = json!(storage_class);
        }
        json!({
            // The server fills these two in; with them the template reads back as it was sent.
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": DATA, "labels": claim_labels(self.context, self.name, self.component)},
            "spec": spec,
        })
    }

    /// Returns the identity of the StatefulSet.
    pub(super) fn workload(&self) -> ObjectRef {
        ObjectRef::new("apps", "StatefulSet", Some(self.context.namespace), self.name)
    }

    /// Returns a check about the StatefulSet and all before it.
    pub(super) fn check(&self, what: &str, kind: CheckKind) -> Check {
        let disruptive = matches!(kind, CheckKind::SurvivesRestart(_));
        let mut about = vec![self.workload()];
        let service = ObjectRef::new("", "Service", Some(self.context.namespace), self.name);
        match &kind {
            CheckKind::Endpoints(_) | CheckKind::Resolves { .. } => about.push(service),
            CheckKind::Sql { password: Some((secret, _)), .. }
            | CheckKind::Redis { password: Some((secret, _)), .. } => {
                about.push(secret.clone());
            }
            _ => {}
        }
        Check { name: format!("{} {what}", self.name), kind, about, disruptive }
    }

    /// Returns the whole expansion: the objects around the container, and around `own_checks` those that every database
    /// has.
    pub(super) fn expansion(
        &self,
        container: Value,
        mount_path: &str,
        config_map: Value,
        volumes: Vec<Value>,
        own_checks: Vec<Check>,
    ) -> Result<Expansion, Vec<Remark>> {
        let stateful_set = self.stateful_set(container, mount_path, &config_map, volumes);
        let endpoint = Endpoint::of_service(self.name, self.context.namespace, self.port);
        let workload = self.workload();
        let service = ObjectRef::new("", "Service", Some(self.context.namespace), self.name);
        let mut checks = vec![self.check("is ready", CheckKind::Ready(workload.clone()))];
        checks.extend(own_checks);
        checks.push(self.check("has endpoints", CheckKind::Endpoints(service)));
        let host = endpoint.host.clone();
        checks.push(self.check("resolves", CheckKind::Resolves { workload: workload.clone(), host }));
        checks.push(self.check("has the declared resources", CheckKind::Resources(workload.clone())));
        let limits = CheckKind::Limits { workload: workload.clone(), container: self.program.to_owned() };
        checks.push(self.check("has its limits in force", limits));
        if self.claim.is_some() {
            let claim_name = format!("{DATA}-{}-0", self.name);
            let claim = ObjectRef::new("", "PersistentVolumeClaim", Some(self.context.namespace), &claim_name);
            checks.push(self.check("has its claim bound", CheckKind::ClaimBound(claim)));
            checks.push(self.check("survives a restart", CheckKind::SurvivesRestart(workload.clone())));
        }
        Ok(Expansion {
            manifests: manifests([
                config_map,
                self.service(&self.headless_name(), true),
                self.service(self.name, false),
                admit_own_pods(self.context, self.name, &self.labels(), self.port),
                stateful_set,
            ])?,
            checks,
            workload: Some(workload),
            endpoint: Some(endpoint),
            warnings: Vec::new(),
        })
    }
}

/// Returns a probe that runs a command in the container.
pub(super) fn exec_probe(command: &[&str], period_seconds: u32, timeout_seconds: u32, failures: u32) -> Value {
    json!({
        "exec": {"command": command},
        "periodSeconds": period_seconds,
        "timeoutSeconds": timeout_seconds,
        "failureThreshold": failures,
    })
}
