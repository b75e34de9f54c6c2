//! Is one object ready? One rule a kind, pure.
//!
//! The rules follow `kubectl rollout` and kstatus, with the differences that an apply needs: only what the controllers
//! say about the generation that the write returned counts, a Job is done when it is complete and not when it runs, and
//! a StatefulSet that updates on delete does not wait for an update that nobody will start. Nothing here watches, waits
//! or knows the time.

mod claim;
mod condition;
mod definition;
mod generation;
mod generic;
mod job;
pub mod pods;
mod service;
mod workloads;

use serde_json::Value;

use crate::resource::at;
pub use claim::{claim_readiness, waits_for_consumer};

/// The answer for one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// It does what it should.
    Ready,
    /// Not yet; the reason is a fragment such as `0/1 replicas ready`.
    Waiting(String),
    /// It will not become ready by waiting.
    Failed(String),
}

/// Judges a live object. `written_generation` is `metadata.generation` as the write returned it; a read that is older,
/// or a status about an older generation, is never taken for ready. Without one, the object's own generation counts.
///
/// A PersistentVolumeClaim is judged as one that is bound at once; where its class waits for the first consumer, ask
/// [`claim_readiness`].
#[must_use]
pub fn readiness(object: &Value, written_generation: Option<i64>) -> Readiness {
    if let Some(early) = before_any_rule(object, written_generation) {
        return early;
    }
    let wanted = generation::wanted(object, written_generation);
    match (group(object), text(object, "/kind")) {
        ("apps", "Deployment") => workloads::deployment(object, wanted),
        ("apps", "StatefulSet") => workloads::stateful_set(object, wanted),
        ("apps", "DaemonSet") => workloads::daemon_set(object, wanted),
        ("apps", "ReplicaSet") | ("", "ReplicationController") => workloads::replica_set(object, wanted),
        ("", "Pod") => pods::pod(object),
        ("batch", "Job") => job::job(object),
        ("", "PersistentVolumeClaim") => claim::claim(object, false),
        ("", "PersistentVolume") => claim::volume(object),
        ("", "Service") => service::service(object),
        ("", "Namespace") => definition::namespace(object),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => definition::definition(object),
        ("apiregistration.k8s.io", "APIService") => definition::api_service(object),
        // Their status follows pods or addresses that come and go: the object itself does its work at once.
        ("networking.k8s.io", "Ingress")
        | ("autoscaling", "HorizontalPodAutoscaler")
        | ("policy", "PodDisruptionBudget")
        | ("batch", "CronJob") => Readiness::Ready,
        // Kinds without a status (ConfigMap, Secret, Role, …) end here too, and are ready.
        _ => generic::by_convention(object, wanted),
    }
}

/// What holds for every kind: an object on its way out is not ready, nor is one that was read before the write.
fn before_any_rule(object: &Value, written_generation: Option<i64>) -> Option<Readiness> {
    if at(object, "/metadata/deletionTimestamp").is_some_and(|stamp| !stamp.is_null()) {
        return Some(Readiness::Waiting("it is being deleted".to_owned()));
    }
    generation::stale_read(object, written_generation)
}

fn group(object: &Value) -> &str {
    text(object, "/apiVersion").rsplit_once('/').map_or("", |(group, _)| group)
}

/// Returns the text at a JSON pointer, empty where there is none.
fn text<'v>(object: &'v Value, pointer: &str) -> &'v str {
    at(object, pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Returns the number at a JSON pointer, where there is one.
fn number(object: &Value, pointer: &str) -> Option<i64> {
    at(object, pointer).and_then(Value::as_i64)
}

#[cfg(test)]
mod tests;
