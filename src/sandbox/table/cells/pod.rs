//! Pods: their one word of status is put together from the phase, the conditions and all containers.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::sandbox::table::Row;
use crate::sandbox::table::age::age;
use crate::sandbox::table::fields::Fields;

/// What is told of restarts.
#[derive(Clone, Default)]
struct Restarts {
    count: i64,
    last: Option<Timestamp>,
}

impl Restarts {
    fn add(&mut self, container: Fields<'_>) {
        self.count += container.integer("/restartCount");
        let finished = container.text("/lastState/terminated/finishedAt").parse().ok();
        self.last = self.last.max(finished);
    }

    fn text(&self, now: Timestamp) -> String {
        match self.last {
            Some(last) if self.count != 0 => format!("{} ({} ago)", self.count, age(&last.to_string(), now)),
            _ => self.count.to_string(),
        }
    }
}

/// What the init containers tell.
struct Initialisation {
    /// What the pod waits for or failed at; `None` if nothing is in its way.
    reason: Option<String>,
    /// Sidecars that are ready.
    ready: usize,
    all_restarts: Restarts,
    sidecar_restarts: Restarts,
}

pub(super) fn pod(pod: Fields<'_>, now: Timestamp) -> Row {
    let phase = pod.text("/status/phase");
    let is_sidecar = |container: Fields<'_>| container.text("/restartPolicy") == "Always";
    let sidecars = pod.items("/spec/initContainers").filter(|container| is_sidecar(*container)).count();
    let total = pod.count("/spec/containers") + sidecars;

    let mut reason = pod.text_or("/status/reason", phase).to_owned();
    let gated = pod
        .items("/status/conditions")
        .any(|condition| condition.text("/type") == "PodScheduled" && condition.text("/reason") == "SchedulingGated");
    if gated {
        "SchedulingGated".clone_into(&mut reason);
    }

    let initialisation = initialisation(pod);
    let mut ready = initialisation.ready;
    let mut restarts = initialisation.all_restarts;
    let initialised = initialisation.reason.is_none() || pod.has_condition("/status/conditions", "Initialized");
    if let Some(why) = initialisation.reason {
        reason = why;
    }
    if initialised {
        restarts = initialisation.sidecar_restarts;
        ready += running(pod, &mut reason, &mut restarts);
    }

    if pod.is_being_deleted() {
        if pod.text("/status/reason") == "NodeLost" {
            "Unknown".clone_into(&mut reason);
        } else if !matches!(phase, "Succeeded" | "Failed") {
            "Terminating".clone_into(&mut reason);
        }
    }

    let cells = vec![
        json!(pod.name()),
        json!(format!("{ready}/{total}")),
        json!(reason),
        json!(restarts.text(now)),
        pod.age(now),
        json!(pod.text_or("/status/podIPs/0/ip", "<none>")),
        json!(pod.text_or("/spec/nodeName", "<none>")),
        json!(pod.text_or("/status/nominatedNodeName", "<none>")),
        readiness_gates(pod),
    ];
    let over = |reason: &str, message: &str| json!([{"type": "Completed", "status": "True", "reason": reason, "message": message}]);
    let conditions = match phase {
        "Succeeded" => Some(over("Succeeded", "The pod has completed successfully.")),
        "Failed" => Some(over("Failed", "The pod failed.")),
        _ => None,
    };
    Row { cells, conditions }
}

/// Goes through the init containers until one is in the way.
fn initialisation(pod: Fields<'_>) -> Initialisation {
    let mut told = Initialisation {
        reason: None,
        ready: 0,
        all_restarts: Restarts::default(),
        sidecar_restarts: Restarts::default(),
    };
    let count = pod.count("/spec/initContainers");
    for (index, container) in pod.items("/status/initContainerStatuses").enumerate() {
        let name = container.text("/name");
        let is_sidecar = pod
            .items("/spec/initContainers")
            .any(|declared| declared.text("/name") == name && declared.text("/restartPolicy") == "Always");
        told.all_restarts.add(container);
        if is_sidecar {
            told.sidecar_restarts.add(container);
        }
        let terminated = container.at("/state/terminated").map(Fields);
        let waiting = container.text("/state/waiting/reason");
        let reason = match terminated {
            Some(terminated) if terminated.integer("/exitCode") == 0 => continue,
            _ if is_sidecar && container.is_true("/started") => {
                told.ready += usize::from(container.is_true("/ready"));
                continue;
            }
            Some(terminated) => ended(terminated),
            None if !waiting.is_empty() && waiting != "PodInitializing" => waiting.to_owned(),
            None => format!("{index}/{count}"),
        };
        told.reason = Some(format!("Init:{reason}"));
        break;
    }
    told
}

/// Says how a container ended.
fn ended(terminated: Fields<'_>) -> String {
    match (terminated.text("/reason"), terminated.integer("/signal")) {
        ("", 0) => format!("ExitCode:{}", terminated.integer("/exitCode")),
        ("", signal) => format!("Signal:{signal}"),
        (reason, _) => reason.to_owned(),
    }
}

/// Goes through the containers, the last one first, so that the first has the last word. Returns how many are ready.
fn running(pod: Fields<'_>, reason: &mut String, restarts: &mut Restarts) -> usize {
    let mut ready = 0;
    let mut error = None;
    for container in pod.items("/status/containerStatuses").rev() {
        restarts.add(container);
        let waiting = container.text("/state/waiting/reason");
        if !waiting.is_empty() {
            waiting.clone_into(reason);
        } else if let Some(terminated) = container.at("/state/terminated").map(Fields) {
            *reason = ended(terminated);
            if terminated.integer("/exitCode") != 0 {
                error = Some(reason.clone());
            }
        } else if container.is_true("/ready") && container.at("/state/running").is_some() {
            ready += 1;
        }
    }
    // One container is done, but others may not be.
    if reason == "Completed" {
        if ready > 0 && pod.items("/status/conditions").any(is_ready) {
            "Running".clone_into(reason);
        } else if let Some(error) = error {
            *reason = error;
        } else if ready > 0 {
            "NotReady".clone_into(reason);
        }
    }
    ready
}

fn is_ready(condition: Fields<'_>) -> bool {
    condition.text("/type") == "Ready" && condition.text("/status") == "True"
}

fn readiness_gates(pod: Fields<'_>) -> Value {
    let gates = pod.items("/spec/readinessGates");
    let count = gates.len();
    if count == 0 {
        return json!("<none>");
    }
    let open = gates.filter(|gate| pod.has_condition("/status/conditions", gate.text("/conditionType"))).count();
    json!(format!("{open}/{count}"))
}
