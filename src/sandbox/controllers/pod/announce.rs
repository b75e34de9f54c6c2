//! The Events of a pod's containers.

use serde_json::Value;

use super::KUBELET;
use super::container::{Does, Told};
use super::status::Start;
use crate::sandbox::controllers::deed::Outcome;
use crate::sandbox::controllers::fields::{at, items, name, namespace, text, uid};

/// What containerd says of an image that its registry does not have.
pub(super) fn pull_error(image: &str) -> String {
    let (repository, tag) = image.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')).unwrap_or((image, "latest"));
    let is_qualified =
        repository.split_once('/').is_some_and(|(host, _)| host.contains(['.', ':']) || host == "localhost");
    let full = match repository {
        _ if is_qualified => format!("{repository}:{tag}"),
        _ if repository.contains('/') => format!("docker.io/{repository}:{tag}"),
        _ => format!("docker.io/library/{repository}:{tag}"),
    };
    format!(
        "rpc error: code = NotFound desc = failed to pull and unpack image {full:?}: failed to resolve reference {full:?}: {full}: not found"
    )
}

/// Says what happened to the containers since the last status.
pub(super) fn announce(
    pod: &Value,
    start: &Start,
    main: &[(&Value, Does, Told)],
    is_first: bool,
    outcome: &mut Outcome,
) {
    if let Start::Held(why) = start {
        if let Some(why) = why {
            outcome.warning(pod, KUBELET, "FailedMount", why.as_str());
        }
        return;
    }
    if is_first {
        for container in items(pod, "/spec/initContainers") {
            started(pod, container, outcome);
        }
    }
    for (container, does, told) in main {
        let (container_name, image) = (text(container, "/name"), text(container, "/image"));
        let statuses = items(pod, "/status/containerStatuses");
        let before = statuses.iter().find(|status| text(status, "/name") == container_name);
        let waited_for = before.map_or("", |before| text(before, "/state/waiting/reason"));
        let has_run = before.is_some_and(|before| at(before, "/state/running").is_some());
        let has_ended = before.is_some_and(|before| at(before, "/state/terminated").is_some());
        match does {
            Does::Run { ready_after } => {
                if !has_run {
                    started(pod, container, outcome);
                }
                if ready_after.is_none() {
                    outcome.warning(
                        pod,
                        KUBELET,
                        "Unhealthy",
                        format!("Readiness probe failed: {}", probe_failure(container)),
                    );
                }
            }
            Does::End { .. } => {
                if !has_run && !has_ended {
                    started(pod, container, outcome);
                }
            }
            Does::Loop { .. } => {
                if told.is_restarted {
                    started(pod, container, outcome);
                    let pod_shown = format!("{}_{}({})", name(pod), namespace(pod), uid(pod));
                    let message = format!("Back-off restarting failed container {container_name} in pod {pod_shown}");
                    outcome.warning(pod, KUBELET, "BackOff", message);
                }
            }
            Does::Wait { reason, message } if *reason != waited_for => match *reason {
                "ImagePullBackOff" => {
                    outcome.normal(pod, KUBELET, "Pulling", format!("Pulling image {image:?}"));
                    outcome.warning(
                        pod,
                        KUBELET,
                        "Failed",
                        format!("Failed to pull image {image:?}: {}", pull_error(image)),
                    );
                    outcome.warning(pod, KUBELET, "Failed", "Error: ErrImagePull");
                    outcome.normal(pod, KUBELET, "BackOff", format!("Back-off pulling image {image:?}"));
                    outcome.warning(pod, KUBELET, "Failed", "Error: ImagePullBackOff");
                }
                "CreateContainerConfigError" => {
                    outcome.normal(pod, KUBELET, "Pulled", pulled(image));
                    outcome.warning(pod, KUBELET, "Failed", format!("Error: {message}"));
                }
                _ => {}
            },
            Does::Wait { .. } => {}
        }
    }
}

fn pulled(image: &str) -> String {
    format!("Container image {image:?} already present on machine and can be accessed by the pod")
}

fn started(pod: &Value, container: &Value, outcome: &mut Outcome) {
    outcome.normal(pod, KUBELET, "Pulled", pulled(text(container, "/image")));
    outcome.normal(pod, KUBELET, "Created", "Container created");
    outcome.normal(pod, KUBELET, "Started", "Container started");
}

fn probe_failure(container: &Value) -> &'static str {
    let has = |field: &str| at(container, "/readinessProbe").and_then(|probe| probe.get(field)).is_some();
    if has("exec") {
        "command failed"
    } else if has("tcpSocket") || has("grpc") {
        "connect: connection refused"
    } else {
        "HTTP probe failed with statuscode: 503"
    }
}
