//! Pods: whether one is ready, and why those of a workload are not.

use serde_json::Value;

use super::{Readiness, condition, number, text};
use crate::resource::at;

/// Why the pods of a workload are not ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodTrouble {
    /// The cause, a fragment that names the pod.
    pub text: String,
    /// True if waiting will not mend it: only a change will.
    pub fatal: bool,
}

/// After so many restarts a crash loop is taken for lasting. The kubelet waits 10, 20, 40 and 80 seconds between them,
/// so a server that only waits for another has had some three minutes.
const LASTING_RESTARTS: i64 = 5;

/// Finds the worst trouble among the pods of a workload: the first that waiting will not mend, else the first there is.
/// Pods that are ready, done or being deleted have none, and that of pods of an earlier template passes with them.
#[must_use]
pub fn explain(workload: &Value, pods: &[Value]) -> Option<PodTrouble> {
    let template = present_template(workload, pods);
    let mut troubles: Vec<PodTrouble> = pods
        .iter()
        .filter_map(|pod| {
            let found = trouble(pod)?;
            Some(match template {
                Template::Unknown => PodTrouble { fatal: false, ..found },
                Template::Label(label, hash) if label_of(pod, label) != hash => {
                    of_earlier_template(workload, pod, found)
                }
                Template::Label(..) | Template::Every => found,
            })
        })
        .collect();
    let worst = troubles.iter().position(|trouble| trouble.fatal).unwrap_or(0);
    (worst < troubles.len()).then(|| troubles.swap_remove(worst))
}

/// How pods are told that were made from the workload's present template.
#[derive(Clone, Copy)]
enum Template<'v> {
    /// All were, or are to stay as they are.
    Every,
    /// By a label and its value.
    Label(&'static str, &'v str),
    /// None is there yet, as far as the controller says.
    Unknown,
}

fn present_template<'v>(workload: &'v Value, pods: &'v [Value]) -> Template<'v> {
    let (label, updated) = match text(workload, "/kind") {
        "StatefulSet" => ("controller-revision-hash", "/status/updatedReplicas"),
        "DaemonSet" => ("controller-revision-hash", "/status/updatedNumberScheduled"),
        "Deployment" => ("pod-template-hash", "/status/updatedReplicas"),
        _ => return Template::Every,
    };
    if number(workload, "/status/observedGeneration") < number(workload, "/metadata/generation") {
        return Template::Unknown;
    }
    if number(workload, "/spec/updateStrategy/rollingUpdate/partition").unwrap_or(0) > 0 {
        return Template::Every;
    }
    match text(workload, "/status/updateRevision") {
        "" if number(workload, updated).unwrap_or(0) == 0 => Template::Unknown,
        "" => {
            let made = |pod: &'v Value| text(pod, "/metadata/creationTimestamp");
            let newest = pods.iter().max_by(|one, other| made(one).cmp(made(other)));
            newest.map_or(Template::Unknown, |pod| Template::Label(label, label_of(pod, label)))
        }
        // Only a StatefulSet says it.
        revision => Template::Label(label, revision),
    }
}

fn label_of<'v>(pod: &'v Value, label: &str) -> &'v str {
    at(pod, "/metadata/labels").and_then(|labels| labels.get(label)).and_then(Value::as_str).unwrap_or_default()
}

/// A pod of an earlier template is about to be replaced, whatever is wrong with it; but a StatefulSet replaces its pods in
/// turn, and none before it is ready.
fn of_earlier_template(workload: &Value, pod: &Value, trouble: PodTrouble) -> PodTrouble {
    let in_turn = text(workload, "/kind") == "StatefulSet" && text(workload, "/spec/podManagementPolicy") != "Parallel";
    if !in_turn {
        return PodTrouble { fatal: false, ..trouble };
    }
    let (namespace, name) = (text(pod, "/metadata/namespace"), text(pod, "/metadata/name"));
    let text = format!(
        "{}; it is of the former template, and is not replaced before it is ready: `kubectl delete pod --namespace \
         {namespace} {name}` lets the update go on",
        trouble.text
    );
    PodTrouble { text, ..trouble }
}

/// Tells whether a pod runs, is ready and stays.
#[must_use]
pub fn is_ready(pod: &Value) -> bool {
    !is_leaving(pod) && condition::is_true(pod, "Ready").is_some()
}

pub(super) fn pod(pod: &Value) -> Readiness {
    match text(pod, "/status/phase") {
        "Succeeded" => return Readiness::Ready,
        "Failed" => {
            let words = match (text(pod, "/status/reason"), text(pod, "/status/message")) {
                ("", "") => "the pod failed".to_owned(),
                (reason, "") => reason.to_owned(),
                ("", message) => message.to_owned(),
                (reason, message) => format!("{message} ({reason})"),
            };
            return Readiness::Failed(words);
        }
        _ => {}
    }
    if is_ready(pod) {
        return Readiness::Ready;
    }
    match trouble(pod) {
        Some(PodTrouble { text, fatal: true }) => Readiness::Failed(text),
        Some(PodTrouble { text, fatal: false }) => Readiness::Waiting(text),
        None => Readiness::Waiting("the pod is not ready".to_owned()),
    }
}

fn is_leaving(pod: &Value) -> bool {
    at(pod, "/metadata/deletionTimestamp").is_some_and(|stamp| !stamp.is_null())
}

fn trouble(pod: &Value) -> Option<PodTrouble> {
    if is_leaving(pod) || is_ready(pod) || text(pod, "/status/phase") == "Succeeded" {
        return None;
    }
    let name = text(pod, "/metadata/name");
    let found = unscheduled(pod)
        .or_else(|| ["initContainerStatuses", "containerStatuses"].into_iter().find_map(|list| stuck(pod, list)))
        .or_else(|| unprobed(pod));
    let (words, fatal) = found?;
    Some(PodTrouble { text: format!("pod {name}: {words}"), fatal })
}

/// The scheduler's own words; they tell of resources, taints and claims that are not bound alike. Never fatal: nodes
/// and volumes may still come.
fn unscheduled(pod: &Value) -> Option<(String, bool)> {
    let scheduled = condition::is_false(pod, "PodScheduled")?;
    let message = scheduled.message.trim();
    let is_volume = message.contains("PersistentVolumeClaim") || message.contains("persistentvolumeclaim");
    let words = match (scheduled.reason, message) {
        ("SchedulingGated", _) => "held back by a scheduling gate".to_owned(),
        (_, "") => "not scheduled yet".to_owned(),
        (_, message) if is_volume => format!("volume pending: {message}"),
        (_, message) => format!("unschedulable: {message}"),
    };
    Some((words, false))
}

fn stuck(pod: &Value, list: &str) -> Option<(String, bool)> {
    let statuses = pod.get("status")?.get(list)?.as_array()?;
    let mut found: Option<(String, bool)> = None;
    for status in statuses {
        let Some((words, fatal)) = container(status) else { continue };
        if found.is_none() || fatal {
            let name = text(status, "/name");
            found = Some((format!("container {name}: {words}"), fatal));
        }
        if fatal {
            break;
        }
    }
    found
}

fn container(status: &Value) -> Option<(String, bool)> {
    let reason = text(status, "/state/waiting/reason");
    let message = text(status, "/state/waiting/message");
    let image = text(status, "/image");
    let with_message = |words: String| if message.is_empty() { words } else { format!("{words}: {message}") };
    match reason {
        "ErrImagePull" | "ImagePullBackOff" => {
            Some((with_message(format!("image `{image}` cannot be pulled")), is_gone(message)))
        }
        "InvalidImageName" => Some((format!("`{image}` is no valid image name"), true)),
        "ErrImageNeverPull" => Some((format!("image `{image}` is not on the node and may not be pulled"), true)),
        // The kubelet also says this while it has not got hold of a ConfigMap or Secret that is there.
        "CreateContainerConfigError" => {
            Some((with_message("cannot be configured".to_owned()), !message.starts_with("failed to sync")))
        }
        "CreateContainerError" | "RunContainerError" => Some((with_message("cannot be started".to_owned()), false)),
        "CrashLoopBackOff" => {
            let restarts = number(status, "/restartCount").unwrap_or(0);
            let last = ended(status, "/lastState/terminated").unwrap_or_else(|| "it ends again and again".to_owned());
            let times = if restarts == 1 { "once".to_owned() } else { format!("{restarts} times") };
            Some((format!("crash loop, restarted {times}; last time {last}"), restarts >= LASTING_RESTARTS))
        }
        "" => {
            let code = number(status, "/state/terminated/exitCode").unwrap_or(0);
            (code != 0).then(|| ended(status, "/state/terminated")).flatten().map(|words| (words, false))
        }
        // A container that is only being made has no trouble of its own; its volumes may.
        "ContainerCreating" | "PodInitializing" => (!message.is_empty()).then(|| (message.to_owned(), false)),
        other => Some((with_message(other.to_owned()), false)),
    }
}

/// Tells whether a registry answered that there is no such image; anything else may pass.
fn is_gone(message: &str) -> bool {
    ["not found", "manifest unknown", "does not exist"].iter().any(|words| message.contains(words))
}

fn ended(status: &Value, pointer: &str) -> Option<String> {
    let terminated = at(status, pointer).filter(|terminated| !terminated.is_null())?;
    let code = number(terminated, "/exitCode").unwrap_or(0);
    Some(match text(terminated, "/reason") {
        "OOMKilled" => {
            let limit = text(status, "/resources/limits/memory");
            let of = if limit.is_empty() { String::new() } else { format!(" of {limit}") };
            format!("it was killed for using more memory than its limit{of} (OOMKilled)")
        }
        "" | "Error" | "Completed" => format!("it ended with exit code {code}"),
        reason => format!("it ended with exit code {code} ({reason})"),
    })
}

/// The pod runs but its probes do not pass.
fn unprobed(pod: &Value) -> Option<(String, bool)> {
    let statuses = at(pod, "/status/containerStatuses")?.as_array()?;
    let unready = statuses.iter().find(|status| {
        at(status, "/state/running").is_some() && status.get("ready").and_then(Value::as_bool) == Some(false)
    });
    if let Some(status) = unready {
        let name = text(status, "/name");
        let started = status.get("started").and_then(Value::as_bool).unwrap_or(true);
        let probe = if started { "readiness" } else { "startup" };
        let killed = text(status, "/lastState/terminated/reason") == "OOMKilled";
        let memory = if killed { "; it was OOMKilled before" } else { "" };
        return Some((format!("container {name}: its {probe} probe does not pass{memory}"), false));
    }
    let gate = condition::is_false(pod, "Ready").filter(|ready| ready.reason == "ReadinessGatesNotReady")?;
    Some((gate.words("its readiness gates are not met"), false))
}
