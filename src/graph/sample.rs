//! Stacks for the tests of this module.

use serde_json::{Value, json};

use crate::resource::{Address, Manifest, ObjectRef};

use super::{Cycle, DependencyGraph, NodeId, NodeInput};

/// Objects and what was declared about them, in the order in which they will be given.
#[derive(Default)]
pub(super) struct Sample {
    objects: Vec<(NodeId, Option<Manifest>)>,
    depends_on: Vec<(NodeId, NodeId, String)>,
    mentions: Vec<(NodeId, Address)>,
    about: Vec<(NodeId, ObjectRef)>,
}

pub(super) fn resource(address: &str) -> NodeId {
    NodeId::Resource(Address::from_text(address))
}

impl Sample {
    /// Adds an object of the service `m` in a stack whose namespace is `n`.
    pub(super) fn object(mut self, object: Value) -> Self {
        let manifest = Manifest::new(object).unwrap();
        let address = Address::of("m", manifest.object_ref(), "n");
        self.objects.push((NodeId::Resource(address), Some(manifest)));
        self
    }

    /// Adds an object that only has a kind and a name.
    pub(super) fn plain(self, api_version: &str, kind: &str, namespace: Option<&str>, name: &str) -> Self {
        let mut object = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name}});
        if let Some(namespace) = namespace {
            object["metadata"]["namespace"] = json!(namespace);
        }
        self.object(object)
    }

    /// Adds a Deployment in `n` with this pod spec.
    pub(super) fn pods(self, name: &str, spec: Value) -> Self {
        self.object(json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "n"},
            "spec": {"template": {"metadata": {"labels": {"app": name}}, "spec": spec}}}))
    }

    pub(super) fn node(mut self, id: NodeId) -> Self {
        self.objects.push((id, None));
        self
    }

    pub(super) fn depends_on(mut self, from: NodeId, to: NodeId, reason: &str) -> Self {
        self.depends_on.push((from, to, reason.to_owned()));
        self
    }

    pub(super) fn mentions(mut self, object: &str, workload: &str) -> Self {
        self.mentions.push((resource(object), Address::from_text(workload)));
        self
    }

    pub(super) fn check(mut self, name: &str, about: ObjectRef) -> Self {
        self.objects.push((NodeId::Check(name.to_owned()), None));
        self.about.push((NodeId::Check(name.to_owned()), about));
        self
    }

    pub(super) fn build(&self) -> Result<DependencyGraph, Cycle> {
        let input = |(id, manifest): &(NodeId, Option<Manifest>)| (id.clone(), manifest.clone());
        let objects: Vec<_> = self.objects.iter().map(input).collect();
        DependencyGraph::build(
            objects
                .iter()
                .map(|(id, manifest)| NodeInput {
                    id: id.clone(),
                    manifest: manifest.as_ref(),
                    depends_on: self
                        .depends_on
                        .iter()
                        .filter(|(from, _, _)| from == id)
                        .map(|(_, to, reason)| (to.clone(), reason.clone()))
                        .collect(),
                    mentions: self.mentions.iter().filter(|(of, _)| of == id).map(|(_, to)| to.clone()).collect(),
                    about: self.about.iter().filter(|(of, _)| of == id).map(|(_, to)| to.clone()).collect(),
                })
                .collect(),
        )
    }

    /// Returns every edge as a line, and then the references that lead out.
    pub(super) fn edges(&self) -> String {
        let graph = self.build().unwrap();
        let mut lines: Vec<String> =
            graph.edges().map(|edge| format!("{} -> {}: {}", edge.from, edge.to, edge.reason)).collect();
        lines.sort();
        lines.extend(graph.external().iter().map(|one| format!("{} -> outside: {}", one.from, one.reason)));
        lines.join("\n")
    }
}

/// The backing services, small: what `stacks/mathison.yaml` comes to, as far as the graph can tell.
pub(super) fn backing_services() -> Sample {
    let own = |kind: &str, name: &str| ObjectRef::new("apps", kind, Some("n"), name);
    let stateful = |name: &str, config: &str| {
        json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": name, "namespace": "n"},
            "spec": {"serviceName": format!("{name}-headless"), "template": {"spec": {
                "serviceAccountName": "mathison",
                "containers": [{"name": name, "env": [{"name": "P", "valueFrom": {"secretKeyRef": {"name": "secrets", "key": "P"}}}]}],
                "volumes": [{"name": "config", "configMap": {"name": config}}]}}}})
    };
    let key = NodeId::SecretKey { secret: Address::from_text("m.Secret/secrets"), key: "P".to_owned() };
    Sample::default()
        .check("vector works", own("StatefulSet", "postgres"))
        .check("redis answers", own("StatefulSet", "redis"))
        .object(stateful("redis", "redis-config"))
        .object(stateful("postgres", "postgres-init"))
        .plain("v1", "Service", Some("n"), "postgres-headless")
        .plain("v1", "Service", Some("n"), "redis-headless")
        .plain("networking.k8s.io/v1", "NetworkPolicy", Some("n"), "postgres")
        .plain("v1", "Secret", Some("n"), "secrets")
        .node(key.clone())
        .depends_on(resource("m.Secret/secrets"), key, "holds P")
        .plain("v1", "ConfigMap", Some("n"), "postgres-init")
        .plain("v1", "ConfigMap", Some("n"), "redis-config")
        .object(json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": {"name": "mathison"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "mathison"},
            "subjects": [{"kind": "ServiceAccount", "name": "mathison", "namespace": "n"}]}))
        .plain("rbac.authorization.k8s.io/v1", "ClusterRole", None, "mathison")
        .plain("v1", "ServiceAccount", Some("n"), "mathison")
        .plain("v1", "Namespace", None, "n")
}
