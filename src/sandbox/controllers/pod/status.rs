//! The kubelet's status of a pod that has a node.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::KUBELET;
use super::announce::{announce, pull_error};
use super::configuration::{unconfigurable, unmountable};
use super::container::{Does, Told, tell};
use crate::sandbox::controllers::condition::{self, Said};
use crate::sandbox::controllers::deed::Outcome;
use crate::sandbox::controllers::fields::{self, at, controller, items, namespace, set, stamp, text, uid};
use crate::sandbox::controllers::trouble::{self, Asked, PodTrouble};
use crate::sandbox::view::View;

/// What keeps the containers from being made at all.
pub(super) enum Start {
    Free,
    /// They are being made for ever, for this reason if there is one.
    Held(Option<String>),
}

pub(super) fn reconcile(view: &dyn View, pod: &Value, node: &Value) -> Outcome {
    let now = view.now();
    let asked = trouble::asked(view, pod);
    if asked.trouble == Some(PodTrouble::Evicted) && !has_evicted_sibling(view, pod) {
        return evict(pod, now);
    }
    let start = match asked.trouble {
        Some(PodTrouble::Pending) => Start::Held(None),
        Some(PodTrouble::VolumeMount) => Start::Held(Some(asked_mount_failure(pod))),
        _ => unmountable(view, pod).map_or(Start::Free, |why| Start::Held(Some(why))),
    };
    let mut outcome = Outcome::default();
    let init = init_containers(view, pod, &start, &asked, now);
    let initialized = init.iter().all(|(container, told)| is_done(container, told));
    let main: Vec<(&Value, Does, Told)> = items(pod, "/spec/containers")
        .iter()
        .enumerate()
        .map(|(index, container)| {
            let does = main_container(view, pod, (index, container), &start, initialized, &asked);
            let told = tell(pod, "containerStatuses", container, &does, now);
            (container, does, told)
        })
        .collect();
    for told in init.iter().map(|(_, told)| told).chain(main.iter().map(|(_, _, told)| told)) {
        outcome.again_in(told.again_at);
    }
    if is_job_pod(pod) {
        let still_runs = |(_, does, told): &(&Value, Does, Told)| match does {
            Does::Run { .. } => {
                fields::time(&told.status, "/state/running/startedAt")?.checked_add(asked.ready_after).ok()
            }
            _ => None,
        };
        // The end of the last one; where that is now, the status that is written calls for another look.
        outcome.again_in(main.iter().filter_map(still_runs).max().filter(|end| *end > now));
    }
    let phase = phase(&main, initialized);
    let status = assemble(pod, node, phase, &start, &init, &main, now);
    let is_first = items(pod, "/status/containerStatuses").is_empty();
    if outcome.status(pod, status, KUBELET) {
        announce(pod, &start, &main, is_first, &mut outcome);
    }
    outcome
}

fn asked_mount_failure(pod: &Value) -> String {
    let volume = items(pod, "/spec/volumes").first().map_or("data", |volume| text(volume, "/name"));
    format!("MountVolume.SetUp failed for volume {volume:?} : mount failed: exit status 32")
}

/// Tells whether a pod of the same workload was evicted, so that the one in its place may stay. Of workloads that delete
/// failed pods only the Event is left to tell of it.
fn has_evicted_sibling(view: &dyn View, pod: &Value) -> bool {
    let Some(owner) = controller(pod) else { return false };
    let is_evicted = |sibling: &Value| uid(sibling) != uid(pod) && text(sibling, "/status/reason") == "Evicted";
    let prefix = format!("{}-", text(owner, "/name"));
    let tells = |event: &Value| {
        text(event, "/reason") == "Evicted"
            && text(event, "/involvedObject/uid") != uid(pod)
            && text(event, "/involvedObject/name").starts_with(&prefix)
    };
    view.dependents(text(owner, "/uid")).iter().any(|sibling| is_evicted(sibling))
        || view.list("", "Event", Some(namespace(pod))).iter().any(|event| tells(event))
}

fn evict(pod: &Value, now: Timestamp) -> Outcome {
    let message = "The node was low on resource: memory. Threshold quantity: 100Mi, available: 52Mi. ";
    let mut outcome = Outcome::default();
    let mut conditions = items(pod, "/status/conditions").to_vec();
    for kind in ["Ready", "ContainersReady"] {
        let before = condition::among(&conditions, kind);
        let made = with_generation(
            pod,
            condition::make(before, Said { kind, status: "False", reason: "PodFailed", message: "" }, now),
        );
        condition::put(&mut conditions, made);
    }
    let before = condition::among(&conditions, "DisruptionTarget");
    let said = Said { kind: "DisruptionTarget", status: "True", reason: "TerminationByKubelet", message };
    let made = with_generation(pod, condition::make(before, said, now));
    condition::put(&mut conditions, made);
    let mut status = pod.get("status").cloned().unwrap_or_else(|| json!({}));
    for (field, value) in [
        ("phase", Value::from("Failed")),
        ("reason", Value::from("Evicted")),
        ("message", Value::from(message)),
        ("startTime", at(pod, "/status/startTime").cloned().unwrap_or_else(|| stamp(now))),
        ("conditions", Value::from(conditions)),
    ] {
        set(&mut status, &[field], value);
    }
    if outcome.status(pod, status, KUBELET) {
        outcome.warning(pod, KUBELET, "Evicted", message);
    }
    outcome
}

fn init_containers<'v>(
    view: &dyn View,
    pod: &'v Value,
    start: &Start,
    asked: &Asked,
    now: Timestamp,
) -> Vec<(&'v Value, Told)> {
    let mut all_done = true;
    let mut told_all = Vec::new();
    for container in items(pod, "/spec/initContainers") {
        let does = if !all_done || matches!(start, Start::Held(_)) {
            Does::Wait { reason: "PodInitializing", message: String::new() }
        } else if let Some(why) = unconfigurable(view, pod, container) {
            Does::Wait { reason: "CreateContainerConfigError", message: why }
        } else if is_sidecar(container) {
            if is_job_pod(pod) && is_finished(pod, asked, now) {
                Does::End { exit_code: 0, reason: "Completed" }
            } else {
                Does::Run { ready_after: Some(SignedDuration::ZERO) }
            }
        } else {
            Does::End { exit_code: 0, reason: "Completed" }
        };
        let told = tell(pod, "initContainerStatuses", container, &does, now);
        all_done = all_done && is_done(container, &told);
        told_all.push((container, told));
    }
    told_all
}

fn is_sidecar(container: &Value) -> bool {
    text(container, "/restartPolicy") == "Always"
}

fn is_done(container: &Value, told: &Told) -> bool {
    let ended_well = at(&told.status, "/state/terminated/exitCode").and_then(Value::as_i64) == Some(0);
    ended_well || (is_sidecar(container) && fields::flag(&told.status, "/started"))
}

fn is_job_pod(pod: &Value) -> bool {
    controller(pod).is_some_and(|owner| text(owner, "/kind") == "Job")
}

/// Tells whether the containers of a Job's pod, having been seen running, have run for long enough.
fn is_finished(pod: &Value, asked: &Asked, now: Timestamp) -> bool {
    let statuses = items(pod, "/status/containerStatuses");
    !statuses.is_empty()
        && statuses.iter().all(|status| {
            let since = fields::time(status, "/state/running/startedAt");
            let until = since.and_then(|since| since.checked_add(asked.ready_after).ok());
            until.is_some_and(|until| until <= now) || at(status, "/state/terminated").is_some()
        })
}

fn main_container(
    view: &dyn View,
    pod: &Value,
    (index, container): (usize, &Value),
    start: &Start,
    initialized: bool,
    asked: &Asked,
) -> Does {
    if matches!(start, Start::Held(_)) {
        let reason =
            if items(pod, "/spec/initContainers").is_empty() { "ContainerCreating" } else { "PodInitializing" };
        return Does::Wait { reason, message: String::new() };
    }
    if !initialized {
        return Does::Wait { reason: "PodInitializing", message: String::new() };
    }
    let image = text(container, "/image");
    let asked_here = asked.trouble.filter(|_| index == 0);
    match asked_here {
        Some(PodTrouble::ImagePull) => {
            let message = format!("Back-off pulling image {image:?}: ErrImagePull: {}", pull_error(image));
            return Does::Wait { reason: "ImagePullBackOff", message };
        }
        Some(PodTrouble::ConfigMissing) => {
            let message = "configmap \"missing\" not found".to_owned();
            return Does::Wait { reason: "CreateContainerConfigError", message };
        }
        _ => {}
    }
    if let Some(why) = unconfigurable(view, pod, container) {
        return Does::Wait { reason: "CreateContainerConfigError", message: why };
    }
    let fails = match asked_here {
        Some(PodTrouble::CrashLoop | PodTrouble::Failed) => Some((1, "Error")),
        Some(PodTrouble::OomKilled) => Some((137, "OOMKilled")),
        _ => None,
    };
    if let Some((exit_code, reason)) = fails {
        return match text(pod, "/spec/restartPolicy") {
            "Never" => Does::End { exit_code, reason },
            _ => Does::Loop { exit_code, reason },
        };
    }
    let is_probed = asked_here != Some(PodTrouble::ProbeFailing);
    if is_job_pod(pod) {
        if is_finished(pod, asked, view.now()) {
            // The others of a pod that fails for good are stopped with it.
            return Does::End { exit_code: 0, reason: "Completed" };
        }
        // A container of a Job is ready while it runs; how long it runs is another thing.
        return Does::Run { ready_after: is_probed.then_some(SignedDuration::ZERO) };
    }
    Does::Run { ready_after: is_probed.then_some(asked.ready_after) }
}

fn phase(main: &[(&Value, Does, Told)], initialized: bool) -> &'static str {
    let ended = |does: &Does| matches!(does, Does::End { .. });
    if !initialized || main.iter().any(|(_, _, told)| told.is_pending) {
        "Pending"
    } else if main.iter().any(|(_, does, _)| matches!(does, Does::End { exit_code, .. } if *exit_code != 0)) {
        "Failed"
    } else if !main.is_empty() && main.iter().all(|(_, does, _)| ended(does)) {
        "Succeeded"
    } else {
        "Running"
    }
}

fn with_generation(pod: &Value, mut made: Value) -> Value {
    set(&mut made, &["lastProbeTime"], Value::Null);
    if let Some(generation) = at(pod, "/metadata/generation") {
        set(&mut made, &["observedGeneration"], generation.clone());
    }
    made
}

fn assemble(
    pod: &Value,
    node: &Value,
    phase: &str,
    start: &Start,
    init: &[(&Value, Told)],
    main: &[(&Value, Does, Told)],
    now: Timestamp,
) -> Value {
    let is_over = matches!(phase, "Succeeded" | "Failed");
    let unready: Vec<&str> =
        main.iter().filter(|(_, _, told)| !told.is_ready).map(|(container, _, _)| text(container, "/name")).collect();
    let undone: Vec<&str> = init
        .iter()
        .filter(|(container, told)| !is_done(container, told))
        .map(|(container, _)| text(container, "/name"))
        .collect();
    let mut conditions: Vec<Value> = Vec::new();
    let mut put = |kind: &str, status: bool, reason: &str, message: &str| {
        let status = if status { "True" } else { "False" };
        let made = condition::make(condition::find(pod, kind), Said { kind, status, reason, message }, now);
        conditions.push(with_generation(pod, made));
    };
    let completed = if phase == "Succeeded" { "PodCompleted" } else { "" };
    put("PodReadyToStartContainers", matches!(start, Start::Free) && !is_over, "", "");
    match undone.is_empty() {
        true => put("Initialized", true, completed, ""),
        false => {
            let message = format!("containers with incomplete status: [{}]", undone.join(" "));
            put("Initialized", false, "ContainersNotInitialized", &message);
        }
    }
    let not_ready = match phase {
        "Succeeded" => Some(("PodCompleted", String::new())),
        "Failed" => Some(("PodFailed", String::new())),
        _ if unready.is_empty() => None,
        _ => Some(("ContainersNotReady", format!("containers with unready status: [{}]", unready.join(" ")))),
    };
    let gates: Vec<&str> = items(pod, "/spec/readinessGates").iter().map(|gate| text(gate, "/conditionType")).collect();
    let closed: Vec<String> = gates
        .iter()
        .filter(|gate| !condition::is_true(pod, gate))
        .map(|gate| match condition::find(pod, gate) {
            None => format!("corresponding condition of pod readiness gate {gate:?} does not exist."),
            Some(found) => {
                format!("the status of pod readiness gate {gate:?} is not \"True\", but {}", text(found, "/status"))
            }
        })
        .collect();
    match (&not_ready, closed.is_empty()) {
        (Some((reason, message)), _) => put("Ready", false, reason, message),
        (None, true) => put("Ready", true, "", ""),
        (None, false) => put("Ready", false, "ReadinessGatesNotReady", &closed.join(", ")),
    }
    match &not_ready {
        Some((reason, message)) => put("ContainersReady", false, reason, message),
        None => put("ContainersReady", true, "", ""),
    }
    put("PodScheduled", true, "", "");
    let own = ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"];
    let others = items(pod, "/status/conditions").iter().filter(|other| !own.contains(&text(other, "/type")));
    conditions.extend(others.cloned());

    let host_ip = items(node, "/status/addresses").iter().find(|address| text(address, "/type") == "InternalIP");
    let host_ip = host_ip.map_or("", |address| text(address, "/address"));
    let mut status = pod.get("status").cloned().unwrap_or_else(|| json!({}));
    let mut main_statuses: Vec<Value> = main.iter().map(|(_, _, told)| told.status.clone()).collect();
    main_statuses.sort_by(|one, other| text(one, "/name").cmp(text(other, "/name")));
    let init_statuses: Vec<Value> = init.iter().map(|(_, told)| told.status.clone()).collect();
    let mut fields = vec![
        ("phase", Value::from(phase)),
        ("conditions", Value::from(conditions)),
        ("hostIP", Value::from(host_ip)),
        ("hostIPs", json!([{"ip": host_ip}])),
        ("startTime", at(pod, "/status/startTime").cloned().unwrap_or_else(|| stamp(now))),
        ("containerStatuses", Value::from(main_statuses)),
    ];
    if let Some(generation) = at(pod, "/metadata/generation") {
        fields.push(("observedGeneration", generation.clone()));
    }
    if !init_statuses.is_empty() {
        fields.push(("initContainerStatuses", Value::from(init_statuses)));
    }
    if matches!(start, Start::Free) {
        let address = address(pod, host_ip);
        fields.push(("podIPs", json!([{"ip": address}])));
        fields.push(("podIP", Value::from(address)));
    }
    for (field, value) in fields {
        set(&mut status, &[field], value);
    }
    status
}

/// Returns the pod's address: the one it has, the node's, or one of 10.128.0.0/9 that follows from the pod's version in
/// the store, which no other pod shares.
fn address(pod: &Value, host_ip: &str) -> String {
    let present = text(pod, "/status/podIP");
    if !present.is_empty() {
        return present.to_owned();
    }
    if fields::flag(pod, "/spec/hostNetwork") {
        return host_ip.to_owned();
    }
    let version: u32 = text(pod, "/metadata/resourceVersion")
        .parse::<u64>()
        .map_or(0, |version| u32::try_from(version % 0x7f_0000).unwrap_or(0));
    let [_, high, middle, low] = (version + 256).to_be_bytes();
    format!("10.{}.{middle}.{low}", 128 + u32::from(high & 0x7f))
}
