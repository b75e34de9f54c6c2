//! A small world in memory for tests: it does what controllers want, as the API would, and repeats until it is settled.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::deed::{Deed, Key, Notice, Propagation};
use super::fields::{items, number, set, stamp, text};
use super::{affected, reconcile};
use crate::sandbox::view::View;

const CLUSTER_SCOPED: [&str; 7] = [
    "Namespace",
    "Node",
    "PersistentVolume",
    "StorageClass",
    "PriorityClass",
    "ClusterRole",
    "CustomResourceDefinition",
];

#[derive(Default)]
pub(super) struct World {
    objects: BTreeMap<Key, Arc<Value>>,
    /// All kinds that there ever were objects of.
    kinds: BTreeSet<(String, String)>,
    version: i64,
    now: Timestamp,
    pub(super) notices: Vec<Notice>,
    /// Deeds done.
    pub(super) deeds: Vec<String>,
    queue: BTreeSet<Key>,
    later: BTreeMap<Key, Timestamp>,
    refused: RefCell<Vec<String>>,
}

impl View for World {
    fn get(&self, group: &str, kind: &str, namespace: &str, name: &str) -> Option<Arc<Value>> {
        self.objects.get(&Key::new(group, kind, namespace, name)).cloned()
    }

    fn list(&self, group: &str, kind: &str, namespace: Option<&str>) -> Vec<Arc<Value>> {
        let is_it = |key: &Key| {
            key.group == group && key.kind == kind && namespace.is_none_or(|namespace| key.namespace == namespace)
        };
        self.objects.iter().filter(|(key, _)| is_it(key)).map(|(_, object)| object.clone()).collect()
    }

    fn kinds(&self) -> Vec<(String, String, bool)> {
        let kinds = self.kinds.iter().cloned();
        kinds.map(|(group, kind)| (group, kind.clone(), !CLUSTER_SCOPED.contains(&kind.as_str()))).collect()
    }

    fn now(&self) -> Timestamp {
        self.now
    }
}

impl World {
    /// A world with a node, classes and the namespace `d`.
    pub(super) fn new() -> Self {
        let mut world = Self::empty();
        let bootstrap = super::Bootstrap { certificate_authority: "CA", address: ([127, 0, 0, 1], 6443).into() };
        for namespace in ["default", "kube-system", "d"] {
            world.create(json!({
                "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace},
                "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}
            }));
        }
        for object in super::bootstrap_objects(world.now, &bootstrap) {
            world.create(object);
        }
        world.settle();
        world.notices.clear();
        world.deeds.clear();
        world
    }

    pub(super) fn empty() -> Self {
        Self { now: "2026-01-01T00:00:00Z".parse().unwrap(), ..Self::default() }
    }

    /// Puts an object there as a user would, with what the server adds.
    pub(super) fn create(&mut self, mut object: Value) {
        if object.pointer("/metadata/namespace").is_none() && !CLUSTER_SCOPED.contains(&text(&object, "/kind")) {
            set(&mut object, &["metadata", "namespace"], json!("d"));
        }
        self.insert(object).unwrap();
    }

    fn insert(&mut self, mut object: Value) -> Result<(), String> {
        if text(&object, "/metadata/name").is_empty() {
            let name = format!("{}{}", text(&object, "/metadata/generateName"), self.version);
            set(&mut object, &["metadata", "name"], json!(name));
        }
        let key = Key::of(&object);
        if self.objects.contains_key(&key) {
            return Err(format!("{key:?} already exists"));
        }
        if key.kind == "Pod" {
            set(&mut object, &["status", "phase"], json!("Pending"));
        }
        if key.kind == "PersistentVolumeClaim" {
            set(&mut object, &["metadata", "finalizers"], json!(["kubernetes.io/pvc-protection"]));
            set(&mut object, &["status", "phase"], json!("Pending"));
            if object.pointer("/spec/storageClassName").is_none() {
                set(&mut object, &["spec", "storageClassName"], json!("standard"));
            }
        }
        if key.kind == "PersistentVolume" {
            set(&mut object, &["metadata", "finalizers"], json!(["kubernetes.io/pv-protection"]));
            set(&mut object, &["status", "phase"], json!("Pending"));
        }
        let uid = format!("uid-{}", self.version + 1);
        if key.kind == "Job" {
            let labels = json!({"batch.kubernetes.io/controller-uid": uid, "batch.kubernetes.io/job-name": key.name});
            set(&mut object, &["spec", "selector", "matchLabels", "batch.kubernetes.io/controller-uid"], json!(uid));
            set(&mut object, &["spec", "template", "metadata", "labels"], labels);
        }
        set(&mut object, &["metadata", "uid"], json!(uid));
        set(&mut object, &["metadata", "generation"], json!(1));
        set(&mut object, &["metadata", "creationTimestamp"], stamp(self.now));
        self.put(key, object);
        Ok(())
    }

    fn put(&mut self, key: Key, mut object: Value) {
        self.version += 1;
        set(&mut object, &["metadata", "resourceVersion"], json!(self.version.to_string()));
        let object = Arc::new(object);
        self.kinds.insert((key.group.clone(), key.kind.clone()));
        let before = self.objects.insert(key, object.clone());
        for object in before.iter().chain([&object]) {
            self.queue.extend(affected(self, object));
        }
    }

    fn remove(&mut self, key: &Key) {
        if let Some(object) = self.objects.remove(key) {
            self.queue.extend(affected(self, &object));
        }
    }

    pub(super) fn read(&self, group: &str, kind: &str, name: &str) -> Value {
        let namespace = if CLUSTER_SCOPED.contains(&kind) { "" } else { "d" };
        self.get(group, kind, namespace, name).map_or(Value::Null, |object| (*object).clone())
    }

    pub(super) fn all(&self, group: &str, kind: &str) -> Vec<Value> {
        self.list(group, kind, Some("d")).iter().map(|object| (**object).clone()).collect()
    }

    /// Changes an object as a user would.
    pub(super) fn change(&mut self, group: &str, kind: &str, name: &str, change: impl FnOnce(&mut Value)) {
        let mut object = self.read(group, kind, name);
        change(&mut object);
        self.replace(object, false).unwrap();
    }

    fn replace(&mut self, mut object: Value, status_only: bool) -> Result<(), String> {
        let key = Key::of(&object);
        let Some(present) = self.objects.get(&key).cloned() else { return Err(format!("{key:?} not found")) };
        if text(&present, "/metadata/resourceVersion") != text(&object, "/metadata/resourceVersion") {
            return Err(format!("{key:?} conflict"));
        }
        if status_only {
            let annotations = object.pointer("/metadata/annotations").cloned();
            let status = object.get("status").cloned().unwrap_or_default();
            object = (*present).clone();
            set(&mut object, &["status"], status);
            if let Some(annotations) = annotations {
                set(&mut object, &["metadata", "annotations"], annotations);
            }
        } else {
            if let Some(status) = present.get("status") {
                set(&mut object, &["status"], status.clone());
            }
            if present.get("spec") != object.get("spec") {
                let generation = number(&present, "/metadata/generation").unwrap_or(0) + 1;
                set(&mut object, &["metadata", "generation"], json!(generation));
            }
        }
        if *present == object {
            return Ok(());
        }
        let leaves = object.pointer("/metadata/deletionTimestamp").is_some();
        let grace = number(&object, "/metadata/deletionGracePeriodSeconds").unwrap_or(0);
        if leaves && grace == 0 && items(&object, "/metadata/finalizers").is_empty() && key.kind != "Namespace" {
            self.remove(&key);
        } else {
            self.put(key, object);
        }
        Ok(())
    }

    pub(super) fn delete(&mut self, group: &str, kind: &str, name: &str) {
        self.delete_as(group, kind, name, "");
    }

    pub(super) fn delete_as(&mut self, group: &str, kind: &str, name: &str, finalizer: &str) {
        let key = Key::of(&self.read(group, kind, name));
        self.remove_softly(&key, finalizer, None);
    }

    fn remove_softly(&mut self, key: &Key, finalizer: &str, grace: Option<i64>) {
        let Some(object) = self.objects.get(key) else { return };
        let mut object = (**object).clone();
        let mut finalizers = items(&object, "/metadata/finalizers").to_vec();
        if !finalizer.is_empty() && !finalizers.iter().any(|present| present == finalizer) {
            finalizers.push(json!(finalizer));
        }
        let is_assigned = key.kind == "Pod" && !text(&object, "/spec/nodeName").is_empty();
        let is_over = ["Succeeded", "Failed"].contains(&text(&object, "/status/phase"));
        let grace = grace.unwrap_or(if is_assigned && !is_over { 30 } else { 0 });
        if finalizers.is_empty() && grace == 0 && key.kind != "Namespace" {
            return self.remove(key);
        }
        set(&mut object, &["metadata", "finalizers"], json!(finalizers));
        if object.pointer("/metadata/deletionTimestamp").is_none() || grace == 0 {
            let at = self.now.checked_add(SignedDuration::from_secs(grace)).unwrap();
            set(&mut object, &["metadata", "deletionTimestamp"], stamp(at));
            set(&mut object, &["metadata", "deletionGracePeriodSeconds"], json!(grace));
        }
        if key.kind == "Namespace" {
            set(&mut object, &["status", "phase"], json!("Terminating"));
        }
        self.put(key.clone(), object);
    }

    /// Refuses to create pods, with these words.
    pub(super) fn refuse_pods(&self, words: &str) {
        self.refused.borrow_mut().push(words.to_owned());
    }

    fn done(&mut self, deed: Deed) -> Result<(), String> {
        match deed {
            Deed::Create { object, .. } => {
                if text(&object, "/kind") == "Pod"
                    && let Some(words) = self.refused.borrow().first()
                {
                    let pod = text(&object, "/metadata/name");
                    return Err(words.replace("\"x\"", &format!("{pod:?}")));
                }
                self.insert(object)
            }
            Deed::Update { object, .. } => self.replace(object, false),
            Deed::Status { object, .. } => self.replace(object, true),
            Deed::Bind { pod, node } => {
                let mut pod = (*self.objects[&Key::of(&pod)]).clone();
                set(&mut pod, &["spec", "nodeName"], json!(node));
                self.put(Key::of(&pod), pod);
                Ok(())
            }
            Deed::Finalize { object, .. } => {
                let key = Key::of(&object);
                assert!(items(&object, "/spec/finalizers").is_empty());
                self.remove(&key);
                Ok(())
            }
            Deed::Delete { key, propagation, grace, .. } => {
                let finalizer = if propagation == Propagation::Foreground { "foregroundDeletion" } else { "" };
                self.remove_softly(&key, finalizer, grace);
                Ok(())
            }
            Deed::Event(notice) => {
                let place = self.get("", "Namespace", "", text(&notice.about, "/metadata/namespace"));
                if place.is_some_and(|place| place.pointer("/metadata/deletionTimestamp").is_some()) {
                    // As the server: nothing is made in a namespace that is going.
                    return Ok(());
                }
                let written = super::event::record(self, &notice);
                self.notices.push(notice);
                self.done(written)
            }
        }
    }

    /// Records an Event.
    pub(super) fn tell(&mut self, notice: Notice) {
        self.done(Deed::Event(notice)).unwrap();
    }

    /// Forgets what was to be looked at, and looks at everything.
    pub(super) fn forget(&mut self) {
        self.later.clear();
        self.queue = self.objects.keys().cloned().collect();
    }

    /// Lets the controllers work until there is nothing to do now.
    pub(super) fn settle(&mut self) {
        self.work(usize::MAX);
    }

    /// Lets the controllers do so many deeds at most.
    pub(super) fn work(&mut self, mut limit: usize) {
        let mut steps = 0;
        loop {
            let now = self.now;
            self.queue.extend(self.later.iter().filter(|(_, at)| **at <= now).map(|(key, _)| key.clone()));
            self.later.retain(|_, at| *at > now);
            let Some(key) = self.queue.pop_first() else { break };
            steps += 1;
            assert!(steps < 20_000, "never settles: {key:?}: {:?}", &self.deeds[self.deeds.len().saturating_sub(20)..]);
            let outcome = reconcile(self, &key);
            if let Some(at) = outcome.again_at {
                assert!(at > now, "{key:?} wants to be looked at in the past");
                self.later.insert(key.clone(), at);
            }
            for deed in outcome.deeds {
                let Some(less) = limit.checked_sub(1) else { return };
                limit = less;
                let shown = match &deed {
                    Deed::Create { object, .. } => {
                        Some(format!("create {} {}", object["kind"], object["metadata"]["name"]))
                    }
                    Deed::Update { object, .. } => {
                        Some(format!("update {} {}", object["kind"], object["metadata"]["name"]))
                    }
                    Deed::Delete { key, .. } => Some(format!("delete {} {}", key.kind, key.name)),
                    Deed::Status { object, .. } => {
                        Some(format!("status {} {}", object["kind"], object["metadata"]["name"]))
                    }
                    _ => None,
                };
                self.deeds.extend(shown);
                let made = match &deed {
                    Deed::Create { object, .. } => Some(object.clone()),
                    _ => None,
                };
                if let Err(why) = self.done(deed) {
                    if let Some(made) = made {
                        for deed in super::refused(self, &key, &made, &why).deeds {
                            let _ = self.done(deed);
                        }
                    } else {
                        self.queue.insert(key);
                    }
                    break;
                }
            }
        }
    }

    /// Asserts that nobody wants to do anything about anything.
    pub(super) fn assert_settled(&self) {
        for key in self.objects.keys() {
            let outcome = reconcile(self, key);
            assert!(outcome.deeds.is_empty(), "{key:?}: {:#?}", outcome.deeds);
        }
    }

    pub(super) fn pass(&mut self, seconds: i64) {
        self.settle();
        let end = self.now.checked_add(SignedDuration::from_secs(seconds)).unwrap();
        while let Some(at) = self.later.values().min().copied().filter(|at| *at <= end) {
            self.now = at;
            self.settle();
        }
        self.now = end;
        self.settle();
    }

    /// The Events since the last call: kind, reason and message.
    pub(super) fn told(&mut self) -> Vec<String> {
        let line = |notice: &Notice| {
            let kind = text(&notice.about, "/kind");
            format!("{} {kind} {}: {}", notice.sort.as_str(), notice.reason, notice.message)
        };
        let told = self.notices.iter().map(line).collect();
        self.notices.clear();
        told
    }
}
