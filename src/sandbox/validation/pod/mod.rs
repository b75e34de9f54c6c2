//! Pods and the templates that Pods are made from.

mod containers;
mod environment;
mod mounts;
mod network;
mod placement;
mod probes;
mod projected;
mod security;
mod status;
mod storage;
mod system;
mod update;
mod volumes;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

pub(super) use placement::{node_selector, taint_effect, tolerations};
pub(super) use status::of_status;
pub(super) use storage::persistent as persistent_storage;
pub(super) use update::{ephemeral_containers, of_update};
pub(super) use volumes::{host_path, no_backsteps};

use super::Problems;
use super::meta;
use super::names::{self, NameRule};
use super::numbers;
use super::path::Path;
use super::read::Read;
use super::resources;
use containers::Around;

/// A new Pod.
pub(super) fn of(pod: &Value, problems: &mut Problems) {
    metadata_and_spec(pod, problems);
    let path = Path::new("spec");
    let Some(spec) = pod.field("spec") else { return };
    if !spec.list("ephemeralContainers").is_empty() {
        problems.push(path.child("ephemeralContainers").forbidden("cannot be set on create"));
    }
    if !spec.text("nodeName").is_empty() && !spec.list("schedulingGates").is_empty() {
        let detail = "cannot be set until all schedulingGates have been cleared";
        problems.push(path.child("nodeName").forbidden(detail));
    }
    security::annotations_match(pod.field("metadata").unwrap_or(&Value::Null), spec, &path, problems);
}

fn metadata_and_spec(pod: &Value, problems: &mut Problems) {
    meta::of(pod, true, NameRule::Subdomain, problems);
    let none = Value::Object(Map::new());
    let metadata = pod.field("metadata").unwrap_or(&none);
    let spec = pod.field("spec").unwrap_or(&none);
    let path = Path::new("spec");
    special_annotations(metadata, spec, &Path::new("metadata").child("annotations"), problems);
    of_spec(spec, Some(metadata.text("name")), &path, problems);
    if spec.text("serviceAccountName").is_empty() {
        for (index, volume) in spec.list("volumes").iter().enumerate() {
            let Some(projected) = volume.field("projected") else { continue };
            for (place, source) in projected.list("sources").iter().enumerate() {
                if source.field("serviceAccountToken").is_some() {
                    let at = path.child("volumes").index(index).child("projected").child("sources").index(place);
                    let detail = "must not be specified when serviceAccountName is not set";
                    problems.push(at.child("serviceAccountToken").forbidden(detail));
                }
            }
        }
    }
    for list in ["containers", "initContainers"] {
        for (index, container) in spec.list(list).iter().enumerate() {
            containers::padded_image(container, &path.child(list).index(index), problems);
        }
    }
}

/// Annotations that mean something to Kubernetes.
fn special_annotations(metadata: &Value, spec: &Value, path: &Path, problems: &mut Problems) {
    let annotations = metadata.entries("annotations");
    let text = |key: &str| annotations.get(key).and_then(Value::as_str);
    if let Some(mirror) = text("kubernetes.io/config.mirror").filter(|_| spec.text("nodeName").is_empty()) {
        let detail = "must set spec.nodeName if mirror pod annotation is set";
        problems.push(path.key("kubernetes.io/config.mirror").invalid(mirror, detail));
    }
    const COST: &str = "controller.kubernetes.io/pod-deletion-cost";
    if let Some(cost) = text(COST) {
        // The server forbids a leading plus or zero; the parser below takes both.
        let is_plain = cost == "0" || !cost.starts_with(['+', '0']);
        if !is_plain || cost.parse::<i32>().is_err() {
            problems.push(path.key(COST).invalid(cost, "must be a 32bit integer"));
        }
    }
    security::annotations(&annotations, spec, path, problems);
}

/// A template. `path` is where it is.
pub(super) fn of_template(template: &Value, path: &Path, problems: &mut Problems) {
    let none = Value::Object(Map::new());
    let metadata = template.field("metadata").unwrap_or(&none);
    let spec = template.field("spec").unwrap_or(&none);
    template_metadata(metadata, spec, path, problems);
    of_spec(spec, None, &path.child("spec"), problems);
    security::annotations_match(metadata, spec, &path.child("spec"), problems);
    if !spec.list("ephemeralContainers").is_empty() {
        let at = path.child("spec").child("ephemeralContainers");
        problems.push(at.forbidden("ephemeral containers not allowed in pod template"));
    }
}

/// The metadata of a template: the server calls them by the template's own path.
pub(super) fn template_metadata(metadata: &Value, spec: &Value, path: &Path, problems: &mut Problems) {
    meta::labels(metadata, "labels", path, problems);
    meta::annotations(metadata, path, problems);
    special_annotations(metadata, spec, &path.child("annotations"), problems);
}

/// What Pods are to be. `pod` is the name of the Pod, of a template there is none.
fn of_spec(spec: &Value, pod: Option<&str>, path: &Path, problems: &mut Problems) {
    let grace = spec.number("terminationGracePeriodSeconds");
    if grace.is_none() {
        problems.push(path.child("terminationGracePeriodSeconds").required(""));
    }
    let sound = volumes::of(spec, pod, &path.child("volumes"), problems);
    let claims = claims(spec, &path.child("resourceClaims"), problems);
    let around = Around {
        volumes: sound,
        claims,
        grace,
        os: spec.field("os").map_or("", |os| os.text("name")),
        restart_policy: spec.text("restartPolicy"),
        host_users: spec.field("hostUsers").and_then(Value::as_bool).unwrap_or(true),
    };
    containers::ordinary(spec, &around, path, problems);
    containers::init(spec, &around, path, problems);
    containers::ephemeral(spec, &around, path, problems);
    resources::of_pod(spec, &around.claims, path, problems);
    network::host_network(spec, pod.is_some(), path, problems);
    choice(spec, "restartPolicy", &["Always", "OnFailure", "Never"], path, problems);
    choice(spec, "dnsPolicy", &["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"], path, problems);
    meta::labels(spec, "nodeSelector", path, problems);
    security::of_pod(spec, path, problems);
    placement::affinity(spec, path, problems);
    network::dns(spec, path, problems);
    gates(spec, path, problems);
    placement::topology_spread(spec, path, problems);
    system::host_processes(spec, path, problems);
    network::host_users(spec, path, problems);
    network::hostname_override(spec, path, problems);
    named(spec, "serviceAccountName", names::subdomain, path, problems);
    named(spec, "nodeName", names::subdomain, path, problems);
    if let Some(deadline) = spec.number("activeDeadlineSeconds") {
        numbers::within(deadline, 1, i64::from(i32::MAX), &path.child("activeDeadlineSeconds"), problems);
    }
    named(spec, "hostname", names::label, path, problems);
    named(spec, "subdomain", names::label, path, problems);
    placement::tolerations(spec.list("tolerations"), &path.child("tolerations"), problems);
    network::host_aliases(spec, path, problems);
    named(spec, "priorityClassName", names::subdomain, path, problems);
    if let Some(class) = spec.maybe_text("runtimeClassName") {
        problems.extend(path.child("runtimeClassName").each(class, names::subdomain(class)));
    }
    if spec.field("preemptionPolicy").is_some() {
        choice(spec, "preemptionPolicy", &["PreemptLowerPriority", "Never"], path, problems);
    }
    if let Some(overhead) = spec.field("overhead") {
        let amounts = Value::Object(Map::from_iter([("limits".to_owned(), overhead.clone())]));
        resources::of_container(&amounts, &BTreeSet::new(), &path.child("overhead"), problems);
    }
    system::of(spec, path, problems);
    files_of_variables(spec, path, problems);
}

fn choice(spec: &Value, name: &str, allowed: &[&str], path: &Path, problems: &mut Problems) {
    numbers::one_of(spec.text(name), allowed, &path.child(name), problems);
}

fn named(spec: &Value, name: &str, rule: fn(&str) -> Vec<String>, path: &Path, problems: &mut Problems) {
    let text = spec.text(name);
    if !text.is_empty() {
        problems.extend(path.child(name).each(text, rule(text)));
    }
}

fn gates(spec: &Value, path: &Path, problems: &mut Problems) {
    for (index, gate) in spec.list("readinessGates").iter().enumerate() {
        let condition = gate.text("conditionType");
        let at = path.child("readinessGates").index(index).child("conditionType");
        problems.extend(at.each(condition, names::qualified(condition)));
    }
    let mut seen = BTreeSet::new();
    for (index, gate) in spec.list("schedulingGates").iter().enumerate() {
        let name = gate.text("name");
        let at = path.child("schedulingGates").index(index);
        problems.extend(at.each(name, names::qualified(name)));
        if !seen.insert(name) {
            problems.push(at.duplicate(name));
        }
    }
}

/// The claims of devices. Returns their names.
fn claims<'a>(spec: &'a Value, path: &Path, problems: &mut Problems) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    for (index, claim) in spec.list("resourceClaims").iter().enumerate() {
        let at = path.index(index);
        let name = claim.text("name");
        if name.is_empty() {
            problems.push(at.child("name").required(""));
        } else if seen.insert(name) {
            problems.extend(at.child("name").each(name, names::label(name)));
        } else {
            problems.push(at.child("name").duplicate(name));
        }
        let sources = ["resourceClaimName", "resourceClaimTemplateName"];
        let shown = || {
            let fields =
                [("Name", "name"), ("ResourceClaimName", sources[0]), ("ResourceClaimTemplateName", sources[1])];
            let shown: Vec<String> = fields
                .iter()
                .map(|(called, name)| format!("\"{called}\":{}", claim.get(*name).unwrap_or(&Value::Null)))
                .collect();
            format!("{{{}}}", shown.join(","))
        };
        match sources.iter().filter(|source| claim.field(source).is_some()).count() {
            0 => {
                let detail = "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`";
                problems.push(at.invalid_shown(shown(), detail));
            }
            1 => {}
            _ => {
                let detail = "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified";
                problems.push(at.invalid_shown(shown(), detail));
            }
        }
        for source in sources {
            if let Some(name) = claim.maybe_text(source) {
                problems.extend(at.child(source).each(name, names::subdomain(name)));
            }
        }
    }
    seen
}

/// Variables that are read from a file need a volume that containers can write to.
fn files_of_variables(spec: &Value, path: &Path, problems: &mut Problems) {
    let mut volumes = BTreeMap::new();
    for volume in spec.list("volumes") {
        volumes.entry(volume.text("name")).or_insert(volume);
    }
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        for (index, container) in spec.list(list).iter().enumerate() {
            for (place, variable) in container.list("env").iter().enumerate() {
                let Some(file) = variable.below(&["valueFrom", "fileKeyRef"]) else { continue };
                let name = file.text("volumeName");
                let at = path.child(list).index(index).child("env").index(place).child("valueFrom");
                let at = at.child("fileKeyRef").child("volumeName");
                match volumes.get(name) {
                    None => problems.push(at.not_found(name)),
                    Some(volume) if volume.field("emptyDir").is_none() => {
                        problems.push(at.invalid(name, "referenced volume must be of type emptyDir"));
                    }
                    Some(_) => {}
                }
            }
        }
    }
}
