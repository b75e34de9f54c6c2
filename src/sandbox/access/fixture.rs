//! Stored objects for the tests of this part.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{authorize::RBAC, bootstrap::bootstrap_objects};
use crate::sandbox::view::View;

pub(super) struct Stored {
    objects: BTreeMap<[String; 4], Arc<Value>>,
    pub(super) now: Timestamp,
}

impl Stored {
    pub(super) fn bootstrapped() -> Self {
        let mut stored = Self { objects: BTreeMap::new(), now: "2026-11-22T12:00:00Z".parse().unwrap() };
        bootstrap_objects().into_iter().for_each(|object| stored.put(object));
        stored
    }

    pub(super) fn put(&mut self, object: Value) {
        let group = object["apiVersion"].as_str().unwrap().split_once('/').map_or("", |(group, _)| group);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let metadata = &object["metadata"];
        let key = [group.to_owned(), text(&object["kind"]), text(&metadata["namespace"]), text(&metadata["name"])];
        self.objects.insert(key, Arc::new(object));
    }

    pub(super) fn remove(&mut self, kind: &str, name: &str) {
        self.objects.retain(|key, _| key[1] != kind || key[3] != name);
    }

    pub(super) fn with(mut self, object: Value) -> Self {
        self.put(object);
        self
    }

    fn rbac(mut self, kind: &str, namespace: &str, name: &str, rest: Value) -> Self {
        let mut object = json!({"apiVersion": format!("{RBAC}/v1"), "kind": kind, "metadata": {"name": name}});
        if !namespace.is_empty() {
            object["metadata"]["namespace"] = Value::from(namespace);
        }
        for (key, value) in rest.as_object().unwrap() {
            object[key.as_str()] = value.clone();
        }
        self.put(object);
        self
    }

    /// Mel may make roles in the namespace shop, Zoe cluster roles; Ned's roles are lost.
    pub(super) fn with_maker(self) -> Self {
        let reference = |kind: &str, name: &str| json!({"apiGroup": RBAC, "kind": kind, "name": name});
        let role = |name: &str| reference("Role", name);
        let user = |name: &str| reference("User", name);
        self.rbac(
            "Role",
            "shop",
            "maker",
            json!({"rules": [
                {"apiGroups": [RBAC], "resources": ["roles", "rolebindings"], "verbs": ["create", "update"]},
                {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]},
                {"apiGroups": [""], "resources": ["*/log"], "verbs": ["get"]},
                {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["a", "b"], "verbs": ["get"]},
            ]}),
        )
        .rbac(
            "RoleBinding",
            "shop",
            "maker",
            json!({"roleRef": role("maker"), "subjects": [user("mel"), {"kind": "ServiceAccount", "name": "bob"}]}),
        )
        .rbac("RoleBinding", "shop", "lost", json!({"roleRef": role("lost"), "subjects": [user("mel"), user("ned")]}))
        .rbac(
            "RoleBinding",
            "shop",
            "lost2",
            json!({"roleRef": reference("ClusterRole", "lost2"), "subjects": [user("ned")]}),
        )
        .rbac(
            "ClusterRole",
            "",
            "maker",
            json!({"rules": [
                {"apiGroups": [RBAC], "resources": ["clusterroles", "clusterrolebindings"], "verbs": ["create"]}
            ]}),
        )
        .rbac(
            "ClusterRoleBinding",
            "",
            "maker",
            json!({"roleRef": reference("ClusterRole", "maker"), "subjects": [user("zoe")]}),
        )
    }
}

impl View for Stored {
    fn kinds(&self) -> Vec<(String, String, bool)> {
        Vec::new()
    }

    fn get(&self, group: &str, kind: &str, namespace: &str, name: &str) -> Option<Arc<Value>> {
        self.objects.get(&[group, kind, namespace, name].map(str::to_owned)).cloned()
    }

    fn list(&self, group: &str, kind: &str, namespace: Option<&str>) -> Vec<Arc<Value>> {
        let matches = |key: &[String; 4]| {
            key[0] == group && key[1] == kind && namespace.is_none_or(|namespace| key[2] == namespace)
        };
        self.objects.iter().filter(|(key, _)| matches(key)).map(|(_, object)| Arc::clone(object)).collect()
    }

    fn now(&self) -> Timestamp {
        self.now
    }
}
