//! The controllers: what makes workloads become ready without containers.
//!
//! [`reconcile`] looks at one object and says what is to be done about it; [`affected()`] says which objects a change makes
//! worth a look. Both are pure. Somebody else keeps the queue, and does the deeds through the API as any client does.
//!
//! Everything is level-triggered: from any half-done state the same deeds follow, and a settled world asks for none.
//! Everything happens at once, unless annotations ask for [`trouble`].

mod affected;
mod aggregation;
mod autoscaler;
mod bootstrap;
mod claim;
mod condition;
mod cron_job;
mod daemon_set;
mod deed;
mod deployment;
mod disruption;
mod endpoints;
pub mod event;
mod fields;
mod garbage;
mod hash;
mod job;
mod namespace;
mod node;
mod offspring;
mod pod;
mod quota;
mod replica_set;
mod revision;
mod selector;
mod stateful_set;
#[cfg(test)]
mod tests;
pub mod trouble;
#[cfg(test)]
mod world;

use serde_json::Value;

use super::view::View;

pub use affected::affected;
pub(super) use aggregation::aggregated_rules;
pub use bootstrap::{Bootstrap, bootstrap_objects};
pub use deed::{Deed, EventSort, Key, Notice, Outcome, Propagation};
pub use selector::matches;

/// Looks at one object. One that is gone needs nothing: what hung on it is looked at by its own keys.
pub fn reconcile(view: &impl View, object_key: &Key) -> Outcome {
    let found = view.get(&object_key.group, &object_key.kind, &object_key.namespace, &object_key.name);
    let Some(object) = found else {
        return match (object_key.group.as_str(), object_key.kind.as_str()) {
            ("", "Service") => endpoints::reconcile_gone(view, &object_key.namespace, &object_key.name),
            _ => Outcome::default(),
        };
    };
    let object: &Value = &object;
    let collected = garbage::reconcile(view, object);
    if !collected.deeds.is_empty() {
        return collected;
    }
    match (object_key.group.as_str(), object_key.kind.as_str()) {
        ("", "Node") => node::reconcile(object),
        ("", "Pod") => pod::reconcile(view, object),
        ("", "Namespace") => namespace::reconcile(view, object),
        ("", "PersistentVolumeClaim") => claim::reconcile(view, object),
        ("", "PersistentVolume") => claim::reconcile_volume(view, object),
        ("", "Event") => event::reconcile(view, object),
        ("apps", "ReplicaSet") | ("", "ReplicationController") => replica_set::reconcile(view, object),
        ("apps", "Deployment") => deployment::reconcile(view, object),
        ("apps", "StatefulSet") => stateful_set::reconcile(view, object),
        ("apps", "DaemonSet") => daemon_set::reconcile(view, object),
        ("batch", "Job") => job::reconcile(view, object),
        ("batch", "CronJob") => cron_job::reconcile(view, object),
        ("", "Service") => endpoints::reconcile(view, object),
        ("", "ResourceQuota") => quota::reconcile(view, object),
        ("policy", "PodDisruptionBudget") => disruption::reconcile(view, object),
        ("autoscaling", "HorizontalPodAutoscaler") => autoscaler::reconcile(view, object),
        (aggregation::GROUP, "ClusterRole") => aggregation::reconcile(view, object),
        _ => Outcome::default(),
    }
}

/// Says what to write when an object that a controller wanted to create was refused, in the server's words. The
/// controller is looked at again after a while; how long is for the queue to say.
pub fn refused(view: &impl View, object_key: &Key, wanted: &Value, message: &str) -> Outcome {
    let found = view.get(&object_key.group, &object_key.kind, &object_key.namespace, &object_key.name);
    let Some(object) = found else { return Outcome::default() };
    if fields::kind(wanted) != "Pod" {
        return Outcome::default();
    }
    let component = match object_key.kind.as_str() {
        "ReplicaSet" => "replicaset-controller",
        "ReplicationController" => "replication-controller",
        "StatefulSet" => "statefulset-controller",
        "DaemonSet" => "daemonset-controller",
        "Job" => "job-controller",
        _ => return Outcome::default(),
    };
    replica_set::refused(view, &object, wanted, component, message)
}
