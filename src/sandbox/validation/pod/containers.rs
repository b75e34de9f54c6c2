//! Containers of Pods: ordinary ones, those that run before, those that are added later.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::volumes::Volumes;
use super::{environment, mounts, probes, security};
use crate::sandbox::validation::Problems;
use crate::sandbox::validation::names;
use crate::sandbox::validation::numbers;
use crate::sandbox::validation::path::Path;
use crate::sandbox::validation::read::Read;
use crate::sandbox::validation::resources;

/// What containers need to know about their Pod.
pub(super) struct Around<'a> {
    pub(super) volumes: Volumes<'a>,
    pub(super) claims: BTreeSet<&'a str>,
    pub(super) grace: Option<i64>,
    pub(super) os: &'a str,
    pub(super) restart_policy: &'a str,
    pub(super) host_users: bool,
}

/// Fields that a container added later cannot have, in the server's order.
const NOT_EPHEMERAL: [&str; 9] = [
    "ports",
    "resources",
    "resizePolicy",
    "restartPolicy",
    "restartPolicyRules",
    "livenessProbe",
    "readinessProbe",
    "startupProbe",
    "lifecycle",
];
const MOST_RULES: usize = 20;
const MOST_EXIT_CODES: usize = 255;

/// The ordinary containers.
pub(super) fn ordinary(spec: &Value, around: &Around<'_>, path: &Path, problems: &mut Problems) {
    let path = path.child("containers");
    let containers = spec.list("containers");
    if containers.is_empty() {
        problems.push(path.required(""));
        return;
    }
    let mut seen = BTreeSet::new();
    for (index, container) in containers.iter().enumerate() {
        let path = path.index(index);
        common(container, around, &path, problems);
        let name = container.text("name");
        if !seen.insert(name) {
            problems.push(path.child("name").duplicate(name));
        }
        if let Some(hooks) = container.field("lifecycle") {
            probes::lifecycle(hooks, around.grace, around.os, &path.child("lifecycle"), problems);
        }
        probes::of(container, &path, problems);
        restart(container, &path, problems);
    }
    host_ports(containers, &path, problems);
}

/// The containers that run before the ordinary ones.
pub(super) fn init(spec: &Value, around: &Around<'_>, path: &Path, problems: &mut Problems) {
    let path = path.child("initContainers");
    let mut seen: BTreeSet<&str> = spec.list("containers").iter().map(|container| container.text("name")).collect();
    for (index, container) in spec.list("initContainers").iter().enumerate() {
        let at = path.index(index);
        common(container, around, &at, problems);
        let stays = container.text("restartPolicy") == "Always";
        let has_rules = !container.list("restartPolicyRules").is_empty();
        if stays && has_rules {
            let detail = "restartPolicyRules are not allowed for init containers with restart policy Always";
            problems.push(at.child("restartPolicyRules").forbidden(detail));
        } else if container.field("restartPolicy").is_none() && has_rules {
            let detail = "must specify restartPolicy when restart rules are used";
            problems.push(at.child("restartPolicy").required(detail));
        } else if !stays {
            restart(container, &at, problems);
        }
        let name = container.text("name");
        if seen.contains(name) {
            problems.push(at.child("name").duplicate(name));
        } else if !name.is_empty() {
            seen.insert(name);
        }
        // The server counts each alone, and so always calls it the first.
        host_ports(std::slice::from_ref(container), &path, problems);
        if stays {
            if let Some(hooks) = container.field("lifecycle") {
                probes::lifecycle(hooks, around.grace, around.os, &at.child("lifecycle"), problems);
            }
            probes::of(container, &at, problems);
        } else {
            for name in ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] {
                if container.field(name).is_some() {
                    let detail = "may not be set for init containers without restartPolicy=Always";
                    problems.push(at.child(name).forbidden(detail));
                }
            }
        }
    }
}

/// The containers that are added to a running Pod.
pub(super) fn ephemeral(spec: &Value, around: &Around<'_>, path: &Path, problems: &mut Problems) {
    let path = path.child("ephemeralContainers");
    let others: BTreeSet<&str> =
        ["containers", "initContainers"].iter().flat_map(|list| spec.list(list)).map(|one| one.text("name")).collect();
    let mut seen = others.clone();
    for (index, container) in spec.list("ephemeralContainers").iter().enumerate() {
        let at = path.index(index);
        common(container, around, &at, problems);
        padded_image(container, &at, problems);
        let name = container.text("name");
        if !seen.insert(name) {
            problems.push(at.child("name").duplicate(name));
        }
        let target = container.text("targetContainerName");
        if !target.is_empty() && !others.contains(target) {
            problems.push(at.child("targetContainerName").not_found(target));
        }
        for name in NOT_EPHEMERAL {
            let is_set = match container.field(name) {
                Some(Value::Array(items)) => !items.is_empty(),
                Some(Value::Object(map)) if name == "resources" => !map.is_empty(),
                other => other.is_some(),
            };
            if is_set {
                problems.push(at.child(name).forbidden("cannot be set for an Ephemeral Container"));
            }
        }
        for (index, mount) in container.list("volumeMounts").iter().enumerate() {
            for name in ["subPath", "subPathExpr"] {
                if !mount.text(name).is_empty() {
                    let at = at.child("volumeMounts").index(index).child(name);
                    problems.push(at.forbidden("cannot be set for an Ephemeral Container"));
                }
            }
        }
    }
}

/// What only the containers of a Pod, not those of a template, are asked for.
pub(super) fn padded_image(container: &Value, path: &Path, problems: &mut Problems) {
    let image = container.text("image");
    if image.trim() != image {
        problems.push(path.child("image").invalid(image, "must not have leading or trailing whitespace"));
    }
}

fn common(container: &Value, around: &Around<'_>, path: &Path, problems: &mut Problems) {
    let name = container.text("name");
    if name.is_empty() {
        problems.push(path.child("name").required(""));
    } else {
        problems.extend(path.child("name").each(name, names::label(name)));
    }
    if container.text("image").is_empty() {
        problems.push(path.child("image").required(""));
    }
    numbers::one_of(
        container.text("terminationMessagePolicy"),
        &["File", "FallbackToLogsOnError"],
        &path.child("terminationMessagePolicy"),
        problems,
    );
    ports(container, &path.child("ports"), problems);
    environment::variables(container, path, problems);
    environment::sources(container, path, problems);
    mounts::mounts(container, &around.volumes, path, problems);
    mounts::devices(container, &around.volumes, path, problems);
    security::pull_policy(container.text("imagePullPolicy"), &path.child("imagePullPolicy"), problems);
    let none = Value::Object(Map::new());
    let amounts = container.field("resources").unwrap_or(&none);
    resources::of_container(amounts, &around.claims, &path.child("resources"), problems);
    resize(container, around.restart_policy, &path.child("resizePolicy"), problems);
    security::of_container(container, around.host_users, path, problems);
}

fn ports(container: &Value, path: &Path, problems: &mut Problems) {
    let mut seen = BTreeSet::new();
    for (index, port) in container.list("ports").iter().enumerate() {
        let at = path.index(index);
        let name = port.text("name");
        if !name.is_empty() {
            let messages = names::port(name);
            if !messages.is_empty() {
                problems.extend(at.child("name").each(name, messages));
            } else if !seen.insert(name) {
                problems.push(at.child("name").duplicate(name));
            }
        }
        match port.number("containerPort").unwrap_or_default() {
            0 => problems.push(at.child("containerPort").required("")),
            number => numbers::port(number, &at.child("containerPort"), problems),
        }
        if let Some(number) = port.number("hostPort").filter(|number| *number != 0) {
            numbers::port(number, &at.child("hostPort"), problems);
        }
        numbers::protocol(port.text("protocol"), &at.child("protocol"), problems);
    }
}

fn host_ports(containers: &[Value], path: &Path, problems: &mut Problems) {
    let mut seen = BTreeSet::new();
    for (index, container) in containers.iter().enumerate() {
        for (place, port) in container.list("ports").iter().enumerate() {
            let Some(number) = port.number("hostPort").filter(|number| *number != 0) else { continue };
            let taken = format!("{}/{}/{number}", port.text("protocol"), port.text("hostIP"));
            if !seen.insert(taken.clone()) {
                problems.push(path.index(index).child("ports").index(place).child("hostPort").duplicate(taken));
            }
        }
    }
}

fn resize(container: &Value, restart_policy: &str, path: &Path, problems: &mut Problems) {
    let mut seen = BTreeSet::new();
    for (index, policy) in container.list("resizePolicy").iter().enumerate() {
        let resource = policy.text("resourceName");
        if !seen.insert(resource) {
            problems.push(path.index(index).duplicate(resource));
        }
        numbers::one_of(resource, &["cpu", "memory"], path, problems);
        let restart = policy.text("restartPolicy");
        numbers::one_of(restart, &["NotRequired", "RestartContainer"], path, problems);
        if restart_policy == "Never" && restart != "NotRequired" {
            problems.push(path.invalid(restart, "must be 'NotRequired' when `restartPolicy` is 'Never'"));
        }
    }
}

fn restart(container: &Value, path: &Path, problems: &mut Problems) {
    let rules = container.list("restartPolicyRules");
    match container.maybe_text("restartPolicy") {
        None if rules.is_empty() => return,
        None => {
            let detail = "must specify restartPolicy when restart rules are used";
            problems.push(path.child("restartPolicy").required(detail));
        }
        policy => {
            let allowed = ["Always", "Never", "OnFailure"];
            numbers::one_of_if_any(policy, &allowed, &path.child("restartPolicy"), problems);
        }
    }
    let path = path.child("restartPolicyRules");
    if rules.len() > MOST_RULES {
        problems.push(path.too_long(MOST_RULES));
    }
    for (index, rule) in rules.iter().enumerate() {
        let path = path.index(index);
        numbers::one_of_if_any(Some(rule.text("action")), &["Restart"], &path.child("action"), problems);
        let path = path.child("exitCodes");
        let Some(codes) = rule.field("exitCodes") else {
            problems.push(path.required("must be specified"));
            continue;
        };
        numbers::one_of_if_any(Some(codes.text("operator")), &["In", "NotIn"], &path.child("operator"), problems);
        if codes.list("values").len() > MOST_EXIT_CODES {
            problems.push(path.child("values").too_long(MOST_EXIT_CODES));
        }
    }
}
