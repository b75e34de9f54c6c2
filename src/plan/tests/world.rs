//! A stack, a cluster and a state in memory, and a plan of them in a few lines of text.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::apply::recorded_entry;
use crate::diff::{FieldChange, Shown};
use crate::graph::{DependencyGraph, NodeId, NodeInput};
use crate::live::{ClusterIdentity, Live, Observation, Prediction};
use crate::plan::{Action, Change, Inputs, Plan, Policy, Reason, decide, sends};
use crate::resource::{Address, FIELD_MANAGER, Manifest, ObjectRef};
use crate::secret::HmacKey;
use crate::ssa::{self, Schema};
use crate::stack::{Grant, Settings, Stack, load_text};
use crate::state::{Lineage, State};

pub(crate) const TIME: &str = "2026-11-01T10:00:00Z";
pub(crate) const LATER: &str = "2026-11-02T10:00:00Z";

pub(crate) fn schema(api_version: &str, kind: &str) -> Option<Schema> {
    let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
    ssa::builtin(group, version, kind)
}

pub(crate) fn keyed(object: &Value) -> Value {
    HmacKey::generate(&mut |bytes: &mut [u8]| bytes.fill(7)).digest_object(object)
}

pub(crate) struct World {
    pub(crate) stack: Stack,
    pub(crate) state: State,
    pub(crate) observation: Observation,
    pub(crate) predictions: BTreeMap<ObjectRef, Prediction>,
    pub(crate) policy: Policy,
    counter: u32,
}

impl World {
    /// A stack with these lines beside its name and namespace; nothing exists yet.
    pub(crate) fn new(rest: &str) -> Self {
        let observation =
            Observation { cluster: Some(ClusterIdentity("cluster-1".to_owned())), ..Observation::default() };
        Self {
            stack: load(rest),
            state: State::new("shop", "shop", "cluster-1", Lineage("l-1".to_owned())),
            observation,
            predictions: BTreeMap::new(),
            policy: Policy::default(),
            counter: 0,
        }
    }

    /// A stack of these objects.
    pub(crate) fn of(objects: &[Value]) -> Self {
        let mut world = Self::new(&manifests(objects));
        fill(&mut world.stack, objects);
        world
    }

    /// The file says something else now.
    pub(crate) fn declare(&mut self, objects: &[Value]) -> &mut Self {
        self.stack = load(&manifests(objects));
        fill(&mut self.stack, objects);
        self
    }

    pub(crate) fn declare_file(&mut self, rest: &str) -> &mut Self {
        self.stack = load(rest);
        self
    }

    /// Everything that the plan lists is done, and recorded.
    pub(crate) fn apply(&mut self) -> &mut Self {
        let plan = self.plan();
        for change in &plan.changes {
            self.carry_out(change);
        }
        self
    }

    fn carry_out(&mut self, change: &Change) {
        match change.action {
            Action::Create | Action::Update | Action::Adopt => {
                let manifest = sends(change).unwrap();
                self.write(FIELD_MANAGER, manifest.object(), TIME);
                let live = self.observation.objects[&change.object].live();
                self.state.entries.insert(change.object.clone(), recorded_entry(change, &live, &keyed));
            }
            Action::Delete => {
                self.observation.objects.remove(&change.object);
                self.state.entries.remove(&change.object);
            }
            Action::Forget => {
                self.state.entries.remove(&change.object);
            }
            Action::NoChange if change.reason == Reason::RecordOnly => {
                let live = self.observation.objects[&change.object].live();
                self.state.entries.insert(change.object.clone(), recorded_entry(change, &live, &keyed));
            }
            Action::NoChange | Action::Keep => {}
            Action::Refuse => panic!("{} is refused: {:?}", change.address, change.reason),
        }
    }

    /// Somebody applies fields, taking them from whoever has them.
    pub(crate) fn write(&mut self, manager: &str, config: &Value, time: &str) -> &mut Self {
        let manifest = Manifest::new(config.clone()).unwrap();
        let id = manifest.object_ref().clone();
        let schema = schema(manifest.api_version(), manifest.kind()).unwrap_or_else(Schema::deduced);
        let live = self.observation.objects.get(&id).map(|observed| observed.live().object.clone());
        let mut object = ssa::apply(&schema, live.as_ref(), config, manager).unwrap().object.into_owned();
        self.counter += 1;
        let metadata = &mut object["metadata"];
        if metadata.get("uid").is_none() {
            metadata["uid"] = json!(format!("uid-{}", self.counter));
        }
        metadata["resourceVersion"] = json!(self.counter.to_string());
        for entry in metadata.get_mut("managedFields").and_then(Value::as_array_mut).into_iter().flatten() {
            if entry["manager"] == manager {
                entry["time"] = json!(time);
            }
        }
        self.observation.objects.insert(id, Live { object }.into());
        self
    }

    /// The live object, to be changed by hand.
    pub(crate) fn live(&mut self, kind: &str, name: &str) -> &mut Value {
        let found = self.observation.objects.iter_mut().find(|(id, _)| id.kind == kind && id.name == name);
        found.unwrap().1.object_mut()
    }

    pub(crate) fn vanish(&mut self, kind: &str, name: &str) -> &mut Self {
        self.observation.objects.retain(|id, _| id.kind != kind || id.name != name);
        self
    }

    pub(crate) fn adopting(&mut self, address: &str) -> &mut Self {
        self.policy.adopt.insert(Address::from_text(address));
        self
    }

    pub(crate) fn granting(&mut self, manager: Option<&str>, field: Option<&str>) -> &mut Self {
        self.policy.grants.push(Grant { manager: manager.map(str::to_owned), field: field.map(str::to_owned) });
        self
    }

    pub(crate) fn plan(&self) -> Plan {
        let nodes = self.stack.resources.iter().map(|(address, desired)| NodeInput {
            id: NodeId::Resource(address.clone()),
            manifest: Some(&desired.manifest),
            depends_on: desired
                .depends_on
                .iter()
                .map(|dependency| (NodeId::Resource(dependency.on.clone()), dependency.reason.clone()))
                .collect(),
            mentions: Vec::new(),
            about: Vec::new(),
        });
        decide(&Inputs {
            stack: &self.stack,
            state: &self.state,
            state_exists: true,
            observation: &self.observation,
            graph: &DependencyGraph::build(nodes.collect()).unwrap(),
            predictions: &self.predictions,
            schema: &schema,
            keyed: &keyed,
            policy: &self.policy,
        })
    }

    /// What the plan decides about one object.
    pub(crate) fn change(&self, kind: &str) -> Change {
        self.plan().changes.into_iter().find(|change| change.object.kind == kind).unwrap()
    }

    /// The plan in lines: action, address, reason, certainty; below it fields, consequences and conflicts.
    pub(crate) fn check(&self) -> String {
        let plan = self.plan();
        let mut lines: Vec<String> = plan.changes.iter().flat_map(lines).collect();
        lines.extend(plan.warnings.iter().map(|warning| format!("warning: {warning}")));
        lines.join("\n")
    }
}

fn lines(change: &Change) -> Vec<String> {
    let mut lines = vec![format!("{:?} {}: {:?}", change.action, change.address, change.reason)];
    if sends(change).is_some() {
        lines[0].push_str(&format!(" ({:?})", change.certainty));
    }
    lines.extend(change.diff.iter().map(|field| format!("  {}", show(field))));
    lines.extend(
        change.forced.iter().map(|conflict| format!("  takes {} from {}", conflict.field, conflict.by.manager)),
    );
    lines.extend(change.consequences.iter().map(|consequence| format!("  * {consequence:?}")));
    lines
}

pub(crate) fn show(field: &FieldChange) -> String {
    let value = |shown: &Option<Shown>| match shown {
        None => "-".to_owned(),
        Some(Shown::Plain(value)) => value.to_string(),
        Some(Shown::Sensitive) => "(sensitive)".to_owned(),
        Some(Shown::Unknown) => "(unknown)".to_owned(),
    };
    let by = field.by.as_ref().map_or(String::new(), |by| {
        let subresource = by.subresource.as_ref().map(|name| format!("/{name}")).unwrap_or_default();
        format!(" by {}{subresource} at {}", by.manager, by.time.as_deref().unwrap_or("?"))
    });
    format!("{}: {} -> {}{by}", field.path, value(&field.before), value(&field.after))
}

fn load(rest: &str) -> Stack {
    let text = format!("stack: shop\nnamespace: shop\n{rest}");
    match load_text("shop.yaml", &text, Path::new(""), &Settings::default()) {
        Ok(loaded) => loaded.stack,
        Err(error) => panic!("{}", error.render(false, 140).unwrap_or_default()),
    }
}

pub(crate) fn manifests(objects: &[Value]) -> String {
    let items: Vec<Value> = objects
        .iter()
        .map(|object| {
            let mut object = object.clone();
            if object["kind"] == "Secret" {
                object.as_object_mut().unwrap().remove("data");
            }
            json!({"inline": object})
        })
        .collect();
    format!("manifests: {}\n", Value::Array(items))
}

/// Puts the values of Secrets in, which never stand in the file.
fn fill(stack: &mut Stack, objects: &[Value]) {
    for object in objects.iter().filter(|object| object["kind"] == "Secret") {
        let id = Manifest::new(object.clone()).unwrap().object_ref().clone();
        let desired = stack.resources.values_mut().find(|desired| *desired.manifest.object_ref() == id).unwrap();
        desired.manifest.object_mut()["data"] = object["data"].clone();
    }
}

pub(crate) fn config_map(name: &str, data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "shop"}, "data": data})
}

pub(crate) fn secret(name: &str, data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "shop"}, "data": data})
}

pub(crate) fn claim(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name, "namespace": "shop"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}})
}

/// A Deployment of two replicas that reads the ConfigMap `motd`.
pub(crate) fn deployment(image: &str) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"}, "spec": {
        "replicas": 2, "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [
            {"name": "web", "image": image, "envFrom": [{"configMapRef": {"name": "motd"}}]}]}}}})
}
