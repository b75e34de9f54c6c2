//! Which objects are worth a look after a change.

use std::collections::BTreeSet;

use serde_json::Value;

use super::aggregation;
use super::claim;
use super::deed::Key;
use super::fields::{at, controller, group, group_of, is_leaving, items, kind, name, namespace, text, uid};
use super::pod;
use super::selector;
use super::trouble;
use crate::sandbox::view::View;

/// Returns the keys that a changed object touches: its own, its owners', those of the services, claims and volumes that it
/// concerns. `changed` is the object as it is now, or as it last was if it is gone.
#[must_use]
pub fn affected(view: &impl View, changed: &Value) -> Vec<Key> {
    let mut found = Found { view, changed, keys: BTreeSet::from([Key::of(changed)]) };
    if (group(changed), kind(changed)) == ("", "Event") {
        // Nobody waits for an Event, but for a namespace that must be empty before it goes.
        if view.get("", "Namespace", "", namespace(changed)).is_some_and(|place| is_leaving(&place)) {
            found.add("", "Namespace", "", namespace(changed));
        }
        return found.keys.into_iter().collect();
    }
    found.family();
    found.surroundings();
    match (group(changed), kind(changed)) {
        ("", "Pod") => found.of_pod(),
        ("", "PersistentVolumeClaim") => found.of_claim(),
        ("", "PersistentVolume") => found.of_volume(),
        ("storage.k8s.io", "StorageClass") => found.claims_of_class(name(changed)),
        ("", "ConfigMap" | "Secret") => found.pods(|pod| pod::names(pod, kind(changed), name(changed))),
        ("", "Endpoints") => found.add("", "Service", namespace(changed), name(changed)),
        ("", "Node") => {
            found.all("", "Pod", None, |pod| text(pod, "/spec/nodeName").is_empty());
            found.all("apps", "DaemonSet", None, |_| true);
        }
        ("apps", "Deployment" | "StatefulSet" | "ReplicaSet") | ("", "ReplicationController") => {
            let is_target = |scaler: &Value| {
                text(scaler, "/spec/scaleTargetRef/kind") == kind(changed)
                    && text(scaler, "/spec/scaleTargetRef/name") == name(changed)
            };
            found.all("autoscaling", "HorizontalPodAutoscaler", Some(namespace(changed)), is_target);
            if kind(changed).starts_with("Replica") {
                found.budgets();
            }
        }
        (aggregation::GROUP, "ClusterRole") => {
            let is_wanted = |role: &Value| aggregation::is_put_together_of(role, changed);
            let roles = view.chosen(aggregation::GROUP, "ClusterRole", &is_wanted);
            found.keys.extend(roles.iter().map(|role| Key::of(role)));
        }
        _ => {}
    }
    found.keys.into_iter().collect()
}

struct Found<'a, V> {
    view: &'a V,
    changed: &'a Value,
    keys: BTreeSet<Key>,
}

impl<V: View> Found<'_, V> {
    fn add(&mut self, group: &str, kind: &str, namespace: &str, name: &str) {
        self.keys.insert(Key::new(group, kind, namespace, name));
    }

    fn all(&mut self, group: &str, kind: &str, namespace: Option<&str>, is_wanted: impl Fn(&Value) -> bool) {
        let objects = self.view.list(group, kind, namespace);
        self.keys.extend(objects.iter().filter(|object| is_wanted(object)).map(|object| Key::of(object)));
    }

    fn is_gone(&self) -> bool {
        let changed = self.changed;
        let present = self.view.get(group(changed), kind(changed), namespace(changed), name(changed));
        present.is_none_or(|present| uid(&present) != uid(changed))
    }

    /// Owners, and dependents that hang on what became of this one.
    fn family(&mut self) {
        let changed = self.changed;
        for owner in items(changed, "/metadata/ownerReferences") {
            let owner_group = group_of(text(owner, "/apiVersion"));
            for place in [namespace(changed), ""] {
                if self.view.get(owner_group, text(owner, "/kind"), place, text(owner, "/name")).is_some() {
                    self.add(owner_group, text(owner, "/kind"), place, text(owner, "/name"));
                    break;
                }
            }
        }
        let is_workload = matches!(group(changed), "apps" | "batch") || kind(changed) == "ReplicationController";
        let dependents = self.view.dependents(uid(changed));
        // Most objects have none, and need not be looked for.
        let goes = || is_leaving(changed) || self.is_gone();
        if !dependents.is_empty() && (is_workload || goes()) {
            let (goes, is_asked) = (goes(), trouble::is_asked(changed));
            for dependent in dependents {
                // Pods that do well do not care about their workload, unless it asks for trouble.
                let is_unwell = kind(&dependent) != "Pod" || !super::condition::is_true(&dependent, "Ready");
                if goes || is_asked || is_unwell {
                    self.keys.insert(Key::of(&dependent));
                }
            }
        }
    }

    /// The namespace and its quotas.
    fn surroundings(&mut self) {
        let changed = self.changed;
        let place = namespace(changed);
        if place.is_empty() {
            if kind(changed) == "Namespace" {
                self.add("", "Namespace", "", name(changed));
            }
            return;
        }
        let is_source = place == "kube-system" && kind(changed) == "ConfigMap" && name(changed) == "kube-root-ca.crt";
        if is_source {
            self.all("", "Namespace", None, |_| true);
        }
        let is_standing = matches!(kind(changed), "ServiceAccount" | "ConfigMap");
        let is_leaving = self.view.get("", "Namespace", "", place).is_some_and(|place| is_leaving(&place));
        if is_leaving || is_standing {
            self.add("", "Namespace", "", place);
        }
        self.all("", "ResourceQuota", Some(place), |_| true);
    }

    fn pods(&mut self, is_wanted: impl Fn(&Value) -> bool) {
        self.all("", "Pod", Some(namespace(self.changed)), is_wanted);
    }

    fn budgets(&mut self) {
        self.all("policy", "PodDisruptionBudget", Some(namespace(self.changed)), |_| true);
    }

    fn of_pod(&mut self) {
        let (view, pod) = (self.view, self.changed);
        let place = namespace(pod);
        for claim in claim::names(pod) {
            self.add("", "PersistentVolumeClaim", place, &claim);
        }
        for service in view.list("", "Service", Some(place)) {
            let matches = || selector::matches_map(at(&service, "/spec/selector"), pod);
            let lists = || {
                view.get("", "Endpoints", place, name(&service)).is_some_and(|endpoints| lists(&endpoints, name(pod)))
            };
            if matches() || lists() {
                self.keys.insert(Key::of(&service));
            }
        }
        self.all("policy", "PodDisruptionBudget", Some(place), |budget| {
            selector::matches(at(budget, "/spec/selector"), pod)
        });
        if controller(pod).is_none() {
            for kind in ["ReplicaSet", "StatefulSet", "DaemonSet"] {
                self.all("apps", kind, Some(place), |set| selector::matches(at(set, "/spec/selector"), pod));
            }
            self.all("", "ReplicationController", Some(place), |set| {
                selector::matches_map(at(set, "/spec/selector"), pod)
            });
            self.all("batch", "Job", Some(place), |job| selector::matches(at(job, "/spec/selector"), pod));
        }
    }

    fn of_claim(&mut self) {
        let claim = self.changed;
        self.pods(|pod| pod::names(pod, "PersistentVolumeClaim", name(claim)));
        if !text(claim, "/spec/volumeName").is_empty() {
            self.add("", "PersistentVolume", "", text(claim, "/spec/volumeName"));
        }
        let is_its = |volume: &Value| {
            text(volume, "/spec/claimRef/name") == name(claim)
                && text(volume, "/spec/claimRef/namespace") == namespace(claim)
        };
        if text(claim, "/spec/volumeName").is_empty() || self.is_gone() {
            self.all("", "PersistentVolume", None, is_its);
        }
        for owner in self.view.list("apps", "StatefulSet", Some(namespace(claim))) {
            let prefixes = items(&owner, "/spec/volumeClaimTemplates");
            let is_of = |template: &Value| name(claim).starts_with(&format!("{}-{}-", name(template), name(&owner)));
            if prefixes.iter().any(is_of) {
                self.keys.insert(Key::of(&owner));
            }
        }
    }

    fn of_volume(&mut self) {
        let volume = self.changed;
        match text(volume, "/spec/claimRef/name") {
            "" => self.claims_of_class(claim::class_name(volume)),
            claim => self.add("", "PersistentVolumeClaim", text(volume, "/spec/claimRef/namespace"), claim),
        }
        let is_named = |claim: &Value| text(claim, "/spec/volumeName") == name(volume);
        if self.is_gone() || text(volume, "/status/phase") != "Bound" {
            self.all("", "PersistentVolumeClaim", None, is_named);
        }
    }

    fn claims_of_class(&mut self, class: &str) {
        let waits = |claim: &Value| !claim::is_bound(claim) && claim::class_name(claim) == class;
        self.all("", "PersistentVolumeClaim", None, waits);
    }
}

fn lists(endpoints: &Value, pod: &str) -> bool {
    let names =
        |subset: &Value, list: &str| items(subset, list).iter().any(|address| text(address, "/targetRef/name") == pod);
    items(endpoints, "/subsets").iter().any(|subset| names(subset, "/addresses") || names(subset, "/notReadyAddresses"))
}
