//! What the server refuses in objects of its own kinds, in its own words and order.
//!
//! [`create`] and [`update`] look at objects that are decoded, defaulted and prepared. The rules are those of
//! `pkg/apis/*/validation` in Kubernetes; each subject has a file here. Maps are looked at in the order of their keys,
//! where the server's order is random. Where the server shows a comparison in Go's notation, whose spacing is random
//! by design, the changed fields are listed instead.

mod claim;
mod config;
mod internal;
mod jobs;
mod meta;
mod names;
mod numbers;
mod path;
mod pod;
mod read;
mod resources;
mod same;
mod schedule;
mod selector;
mod workloads;

use serde_json::Value;

use self::names::NameRule;
use super::kind::Kind;
use super::refusal::FieldProblem;

type Problems = Vec<FieldProblem>;

/// What is wrong with a new object.
#[must_use]
pub fn create(kind: &Kind, object: &Value) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    of_kind(kind, object, &mut problems);
    if problems.is_empty() {
        meta::generic(object, kind.namespaced, NameRule::Segment, &mut problems);
    }
    problems
}

fn of_kind(kind: &Kind, object: &Value, problems: &mut Problems) {
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Pod") => pod::of(object, problems),
        ("", "PodTemplate") => workloads::pod_template(object, problems),
        ("", "ReplicationController") => workloads::replication_controller(object, problems),
        ("", "ConfigMap") => config::config_map(object, problems),
        ("", "Secret") => config::secret(object, problems),
        ("", "PersistentVolumeClaim") => claim::of(object, problems),
        ("", "PersistentVolume") => claim::of_volume(object, problems),
        ("apps", "Deployment") => workloads::deployment(object, problems),
        ("apps", "ReplicaSet") => workloads::replica_set(object, problems),
        ("apps", "StatefulSet") => workloads::stateful_set(object, problems),
        ("apps", "DaemonSet") => workloads::daemon_set(object, problems),
        ("apps", "ControllerRevision") => workloads::controller_revision(object, problems),
        ("batch", "Job") => jobs::job(object, problems),
        ("batch", "CronJob") => jobs::cron_job(object, problems),
        _ => {}
    }
}

/// What is wrong with a change of an object, or of one of its subresources.
#[must_use]
pub fn update(kind: &Kind, subresource: Option<&str>, live: &Value, object: &Value) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    meta::generic(object, kind.namespaced, NameRule::Segment, &mut problems);
    meta::generic_update(live, object, &mut problems);
    match subresource {
        None => of_update(kind, live, object, &mut problems),
        Some("ephemeralcontainers") => pod::ephemeral_containers(live, object, &mut problems),
        Some(_) => {}
    }
    problems
}

fn of_update(kind: &Kind, live: &Value, object: &Value, problems: &mut Problems) {
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Pod") => pod::of_update(live, object, problems),
        ("", "PodTemplate") => workloads::pod_template_update(live, object, problems),
        ("", "ReplicationController") => workloads::replication_controller_update(live, object, problems),
        ("", "ConfigMap") => config::config_map_update(live, object, problems),
        ("", "Secret") => config::secret_update(live, object, problems),
        ("", "PersistentVolumeClaim") => claim::of_update(live, object, problems),
        ("", "PersistentVolume") => claim::of_volume_update(live, object, problems),
        ("apps", "Deployment") => workloads::deployment_update(live, object, problems),
        ("apps", "ReplicaSet") => workloads::replica_set_update(live, object, problems),
        ("apps", "StatefulSet") => workloads::stateful_set_update(live, object, problems),
        ("apps", "DaemonSet") => workloads::daemon_set_update(live, object, problems),
        ("apps", "ControllerRevision") => workloads::controller_revision_update(live, object, problems),
        ("batch", "Job") => jobs::job_update(live, object, problems),
        ("batch", "CronJob") => jobs::cron_job_update(live, object, problems),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The problems, a line each.
    pub(super) fn lines(problems: &[FieldProblem]) -> String {
        problems.iter().map(|problem| format!("{}\n", problem.text())).collect()
    }
}
