//! Pods, and what is in their specs wherever these stand.

use serde_json::{Map, Value};

use super::image::is_latest;
use super::{is_missing, items, map_in, set_missing, set_unset, text};

pub(super) fn pull_policy_of_container(container: &mut Map<String, Value>) {
    let policy = pull_policy(text(container, "image"));
    set_unset(container, "imagePullPolicy", policy);
}

/// No object is created with such a container, so that the table was never told of its defaults.
pub(super) fn ephemeral_container(container: &mut Map<String, Value>) {
    pull_policy_of_container(container);
    set_unset(container, "terminationMessagePath", "/dev/termination-log");
    set_unset(container, "terminationMessagePolicy", "File");
}

pub(super) fn pull_policy_of_volume(source: &mut Map<String, Value>) {
    let policy = pull_policy(text(source, "reference"));
    set_unset(source, "pullPolicy", policy);
}

/// An image whose tag is `latest`, or that has neither tag nor digest, is pulled each time.
fn pull_policy(image: &str) -> &'static str {
    if is_latest(image) { "Always" } else { "IfNotPresent" }
}

/// The field has two names; the newer one decides.
pub(super) fn service_account(spec: &mut Map<String, Value>) {
    let name =
        [text(spec, "serviceAccountName"), text(spec, "serviceAccount")].into_iter().find(|name| !name.is_empty());
    if let Some(name) = name.map(Value::from) {
        spec.insert("serviceAccount".to_owned(), name.clone());
        spec.insert("serviceAccountName".to_owned(), name);
    }
}

/// What is filled in for pods but not for the templates of pods.
pub(super) fn of_pods_alone(pod: &mut Map<String, Value>) {
    let Some(spec) = map_in(pod, "spec") else { return };
    set_missing(spec, "enableServiceLinks", true);
    // The internal form has no negative time; templates keep what they were given.
    const GRACE: &str = "terminationGracePeriodSeconds";
    if spec.get(GRACE).and_then(Value::as_i64).is_some_and(|seconds| seconds < 0) {
        spec.insert(GRACE.to_owned(), Value::from(1));
    }
    let host_network = spec.get("hostNetwork") == Some(&Value::Bool(true));
    for list in ["containers", "initContainers"] {
        for container in items(spec, list) {
            if let Some(resources) = container.get_mut("resources").and_then(Value::as_object_mut) {
                requests_from_limits(resources);
            }
            for port in items(container, "ports").filter(|_| host_network) {
                if port.get("hostPort").is_none_or(|port| port.is_null() || port == 0)
                    && let Some(number) = port.get("containerPort").cloned()
                {
                    port.insert("hostPort".to_owned(), number);
                }
            }
        }
    }
}

fn requests_from_limits(resources: &mut Map<String, Value>) {
    let Some(Value::Object(limits)) = resources.get("limits").cloned() else { return };
    if let Some(requests) = map_in(resources, "requests") {
        for (resource, amount) in limits {
            requests.entry(resource).or_insert(amount);
        }
        if requests.is_empty() {
            resources.remove("requests");
        }
    }
}

pub(super) fn volume_without_source(volume: &mut Map<String, Value>) {
    let sources: Vec<String> = volume.keys().filter(|key| *key != "name").cloned().collect();
    if sources.iter().all(|source| is_missing(volume, source)) {
        volume.insert("emptyDir".to_owned(), Value::Object(Map::new()));
    }
}
