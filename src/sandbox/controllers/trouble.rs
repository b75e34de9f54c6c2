//! Trouble on demand: what objects say in annotations so that they fail or are slow, for tests and demonstrations.
//!
//! | annotation | on | effect |
//! |---|---|---|
//! | `sandbox.mathison.dev/ready-after: 5s` | pod template or workload | containers run at once and are ready that much later; those of a Job run that long |
//! | `sandbox.mathison.dev/gone-after: 5s` | pod template or workload | a deleted pod takes that long to end (at most its grace period) |
//! | `sandbox.mathison.dev/trouble: …` | pod template or workload | see [`PodTrouble`] |
//! | `sandbox.mathison.dev/trouble: provisioning-failed` | claim | its class makes no volume |
//! | `sandbox.mathison.dev/ready-after: 5s` | claim | its volume is made that much later |
//! | `sandbox.mathison.dev/trouble: failed` | Job, or its pod template | its pods end with exit code 1 |
//!
//! An annotation of a pod counts before that of what controls it, that before its own controller's: on a Deployment it
//! reaches the pods of all its revisions, in the pod template only those of the new one. Taking it away heals.

use jiff::SignedDuration;
use serde_json::Value;

use super::fields::{annotation, controller, group_of, namespace, text, uid};
use crate::sandbox::view::View;

/// Annotation with the name of a trouble.
pub const TROUBLE: &str = "sandbox.mathison.dev/trouble";
/// Annotation with how long it takes to become ready.
pub const READY_AFTER: &str = "sandbox.mathison.dev/ready-after";
/// Annotation with how long it takes to end.
pub const GONE_AFTER: &str = "sandbox.mathison.dev/gone-after";

/// What can go wrong with a pod when asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PodTrouble {
    /// `image-pull`: the registry does not have the image (`ImagePullBackOff`).
    ImagePull,
    /// `crash-loop`: the container ends with exit code 1 again and again (`CrashLoopBackOff`).
    CrashLoop,
    /// `oom-killed`: the same, for want of memory (`OOMKilled`, exit code 137).
    OomKilled,
    /// `unschedulable`: no node has room.
    Unschedulable,
    /// `probe-failing`: the container runs, but its readiness probe fails.
    ProbeFailing,
    /// `config-missing`: the container cannot be configured (`CreateContainerConfigError`).
    ConfigMissing,
    /// `volume-mount`: a volume cannot be mounted (`FailedMount`).
    VolumeMount,
    /// `evicted`: the node throws one pod of the workload out; the one in its place stays.
    Evicted,
    /// `pending`: the pod is on its node, where nothing happens.
    Pending,
    /// `failed`: the containers end with exit code 1, and what becomes of them follows the restart policy.
    Failed,
}

impl PodTrouble {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "image-pull" => Self::ImagePull,
            "crash-loop" => Self::CrashLoop,
            "oom-killed" => Self::OomKilled,
            "unschedulable" => Self::Unschedulable,
            "probe-failing" => Self::ProbeFailing,
            "config-missing" => Self::ConfigMissing,
            "volume-mount" => Self::VolumeMount,
            "evicted" => Self::Evicted,
            "pending" => Self::Pending,
            "failed" => Self::Failed,
            _ => return None,
        })
    }
}

/// What a pod is asked to suffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Asked {
    pub(super) trouble: Option<PodTrouble>,
    pub(super) ready_after: SignedDuration,
    pub(super) gone_after: SignedDuration,
}

/// A pod is three steps from a CronJob, and two from a Deployment.
const LEVELS: usize = 3;

/// Reads the annotations of a pod and of what controls it.
pub(super) fn asked(view: &dyn View, pod: &Value) -> Asked {
    let duration = |key: &str| found(view, pod, key).and_then(|text| parse_duration(&text)).unwrap_or_default();
    Asked {
        trouble: found(view, pod, TROUBLE).and_then(|text| PodTrouble::parse(&text)),
        ready_after: duration(READY_AFTER),
        gone_after: duration(GONE_AFTER),
    }
}

/// Tells whether a claim is to get no volume.
pub(super) fn is_provisioning_failing(claim: &Value) -> bool {
    annotation(claim, TROUBLE) == Some("provisioning-failed")
}

/// Returns how long the volume of a claim takes.
pub(super) fn ready_after(object: &Value) -> SignedDuration {
    annotation(object, READY_AFTER).and_then(parse_duration).unwrap_or_default()
}

/// Tells whether an object asks for anything.
pub(super) fn is_asked(object: &Value) -> bool {
    [TROUBLE, READY_AFTER, GONE_AFTER].into_iter().any(|key| annotation(object, key).is_some())
}

fn found(view: &dyn View, pod: &Value, key: &str) -> Option<String> {
    if let Some(value) = annotation(pod, key) {
        return Some(value.to_owned());
    }
    let mut reference = controller(pod).cloned();
    for _ in 0..LEVELS {
        let owner = reference.take()?;
        let group = group_of(text(&owner, "/apiVersion"));
        let owner_uid = text(&owner, "/uid");
        let object = view.get(group, text(&owner, "/kind"), namespace(pod), text(&owner, "/name"))?;
        if uid(&object) != owner_uid {
            return None;
        }
        if let Some(value) = annotation(&object, key) {
            return Some(value.to_owned());
        }
        reference = controller(&object).cloned();
    }
    None
}

/// Reads `1h2m3.5s` as Go does; nothing negative.
pub(super) fn parse_duration(text: &str) -> Option<SignedDuration> {
    let mut rest = text.trim();
    let mut milliseconds = 0.0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let (number, after) = rest.split_at(end);
        let unit_end = after.find(|letter: char| letter.is_ascii_digit()).unwrap_or(after.len());
        let (unit, next) = after.split_at(unit_end);
        let factor = match unit {
            "ms" => 1.0,
            "s" => 1000.0,
            "m" => 60_000.0,
            "h" => 3_600_000.0,
            _ => return None,
        };
        milliseconds += number.parse::<f64>().ok()? * factor;
        rest = next;
    }
    SignedDuration::try_from_secs_f64(milliseconds / 1000.0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_reads_them() {
        assert_eq!(parse_duration("5s"), Some(SignedDuration::from_secs(5)));
        assert_eq!(parse_duration("1m30s"), Some(SignedDuration::from_secs(90)));
        assert_eq!(parse_duration("250ms"), Some(SignedDuration::from_millis(250)));
        assert_eq!(parse_duration("5"), None);
        assert_eq!(parse_duration(""), None);
    }
}
