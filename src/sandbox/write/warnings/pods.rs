//! What is to be said of pods, wherever their specification stands (`pkg/api/pod/warnings.go`).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::addresses::of_address;
use super::nodes::{self, old_label};
use super::paths::overlaps;
use crate::resource::quantity::Quantity;
use crate::sandbox::strategy::fields::{at, entries, items, number, text};

/// Annotations that do nothing any more.
const OLD_ANNOTATIONS: [(&str, &str); 3] = [
    (
        "scheduler.alpha.kubernetes.io/critical-pod",
        r#"non-functional in v1.16+; use the "priorityClassName" field instead"#,
    ),
    ("security.alpha.kubernetes.io/sysctls", r#"non-functional in v1.11+; use the "sysctls" field instead"#),
    ("security.alpha.kubernetes.io/unsafe-sysctls", r#"non-functional in v1.11+; use the "sysctls" field instead"#),
];

/// Plugins of volumes that are deprecated, with how messages call them, in the order in which the server looks for them.
const OLD_VOLUMES: [(&str, &str, &str); 9] = [
    ("photonPersistentDisk", "photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"),
    ("gitRepo", "gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"),
    ("scaleIO", "scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
    ("flocker", "flocker", "deprecated in v1.22, non-functional in v1.25+"),
    ("storageos", "storageOS", "deprecated in v1.22, non-functional in v1.25+"),
    ("quobyte", "quobyte", "deprecated in v1.22, non-functional in v1.25+"),
    ("glusterfs", "glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
    ("cephfs", "cephfs", "deprecated in v1.28, non-functional in v1.31+"),
    ("rbd", "rbd", "deprecated in v1.28, non-functional in v1.31+"),
];

const NOTHING: &str = "a null labelSelector results in matching no pod";
const SECCOMP: &str = r#"non-functional in v1.27+; use the "seccompProfile" field instead"#;

/// Returns what is to be said of a pod or template, at a path that ends in a dot or is empty.
pub(super) fn of(path: &str, pods: &Value) -> Vec<String> {
    let Some(spec) = at(pods, &["spec"]) else { return Vec::new() };
    let containers = containers(path, spec);
    let mut told = Vec::new();
    labels_of_nodes(path, spec, &mut told);
    let annotations = |name: &str| at(pods, &["metadata", "annotations", name]);
    for (name, what) in OLD_ANNOTATIONS {
        if annotations(name).is_some() {
            told.push(format!("{path}metadata.annotations[{name}]: {what}"));
        }
    }
    volumes(path, spec, &mut told);
    told.extend(overlaps(spec));
    repeated(path, spec, &mut told);
    for amount in ["memory", "ephemeral-storage"] {
        fractional(&format!("{path}spec.overhead"), at(spec, &["overhead", amount]), amount, &mut told);
    }
    let profile = ["securityContext", "seccompProfile"];
    let seccomp = "seccomp.security.alpha.kubernetes.io/pod";
    if at(spec, &profile).is_none() && annotations(seccomp).is_some() {
        told.push(format!("{path}metadata.annotations[{seccomp}]: {SECCOMP}"));
    }
    for (at_path, container) in &containers {
        let name = text(container, &["name"]);
        let seccomp = format!("container.seccomp.security.alpha.kubernetes.io/{name}");
        if at(container, &profile).is_none() && annotations(&seccomp).is_some() {
            told.push(format!("{path}metadata.annotations[{seccomp}]: {SECCOMP}"));
        }
        let armor = format!("container.apparmor.security.beta.kubernetes.io/{name}");
        let has_field = at(container, &["securityContext", "appArmorProfile"]).is_some();
        if !path.is_empty()
            && !has_field
            && let Some(annotation) = annotations(&armor).and_then(Value::as_str)
            && !says_the_same(at(spec, &["securityContext", "appArmorProfile"]), annotation)
        {
            told.push(format!(
                r#"{path}metadata.annotations[{armor}]: deprecated since v1.30; use the "appArmorProfile" field instead"#
            ));
        }
        for amount in ["memory", "ephemeral-storage"] {
            for list in ["limits", "requests"] {
                let value = at(container, &["resources", list, amount]);
                fractional(&format!("{at_path}.resources.{list}"), value, amount, &mut told);
            }
        }
        hidden_variables(at_path, container, &mut told);
    }
    ports(&containers, &mut told);
    if number(spec, &["terminationGracePeriodSeconds"]).is_some_and(|seconds| seconds < 0) {
        told.push(format!(
            "{path}spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1"
        ));
    }
    affinity(path, spec, &mut told);
    for (index, server) in items(spec, &["dnsConfig", "nameservers"]).iter().enumerate() {
        let server = server.as_str().unwrap_or_default();
        told.extend(of_address(&format!("{path}spec.dnsConfig.nameservers[{index}]"), server));
    }
    for (index, alias) in items(spec, &["hostAliases"]).iter().enumerate() {
        told.extend(of_address(&format!("{path}spec.hostAliases[{index}].ip"), text(alias, &["ip"])));
    }
    told
}

/// All containers with their paths.
fn containers<'v>(path: &str, spec: &'v Value) -> Vec<(String, &'v Value)> {
    let of_list = |list: &'static str| {
        let named = move |(index, container)| (format!("{path}spec.{list}[{index}]"), container);
        items(spec, &[list]).iter().enumerate().map(named)
    };
    ["initContainers", "containers", "ephemeralContainers"].into_iter().flat_map(of_list).collect()
}

fn labels_of_nodes(path: &str, spec: &Value, told: &mut Vec<String>) {
    for (key, _) in entries(spec, &["nodeSelector"]) {
        told.extend(old_label(key).map(|what| format!("{path}spec.nodeSelector[{key}]: {what}")));
    }
    let affinity = ["affinity", "nodeAffinity"];
    let required = "requiredDuringSchedulingIgnoredDuringExecution";
    let terms = items(spec, &[affinity[0], affinity[1], required, "nodeSelectorTerms"]);
    for (index, term) in terms.iter().enumerate() {
        let at = format!("{path}spec.affinity.nodeAffinity.{required}.nodeSelectorTerms[{index}]");
        told.extend(nodes::of_term(&at, term, false));
    }
    let preferred = "preferredDuringSchedulingIgnoredDuringExecution";
    for (index, term) in items(spec, &[affinity[0], affinity[1], preferred]).iter().enumerate() {
        let at = format!("{path}spec.affinity.nodeAffinity.{preferred}[{index}].preference");
        told.extend(nodes::of_term(&at, term.get("preference").unwrap_or(&Value::Null), true));
    }
    for (index, constraint) in items(spec, &["topologySpreadConstraints"]).iter().enumerate() {
        let at_path = format!("{path}spec.topologySpreadConstraints[{index}]");
        let key = text(constraint, &["topologyKey"]);
        told.extend(old_label(key).map(|what| format!("{at_path}.topologyKey: {key} is {what}")));
        if at(constraint, &["labelSelector"]).is_none() {
            told.push(format!("{at_path}.labelSelector: {NOTHING}"));
        }
    }
}

fn volumes(path: &str, spec: &Value, told: &mut Vec<String>) {
    for (index, volume) in items(spec, &["volumes"]).iter().enumerate() {
        for (plugin, called, what) in OLD_VOLUMES {
            // A claim that lives as long as its pod is looked at between the others.
            if plugin == "cephfs" {
                let claim = at(volume, &["ephemeral", "volumeClaimTemplate", "spec"]);
                let at_path = format!("{path}spec.volumes[{index}].ephemeral.volumeClaimTemplate.spec");
                told.extend(claim.into_iter().flat_map(|claim| super::of_claim(&at_path, claim)));
            }
            if at(volume, &[plugin]).is_some() {
                told.push(format!("{path}spec.volumes[{index}].{called}: {what}"));
            }
        }
    }
}

fn repeated(path: &str, spec: &Value, told: &mut Vec<String>) {
    for (list, field) in [("hostAliases", "ip"), ("imagePullSecrets", "name")] {
        let mut seen = BTreeSet::new();
        for (index, item) in items(spec, &[list]).iter().enumerate() {
            let value = text(item, &[field]);
            if !seen.insert(value) {
                told.push(format!("{path}spec.{list}[{index}].{field}: duplicate {field} {value:?}"));
            }
        }
    }
    for (index, secret) in items(spec, &["imagePullSecrets"]).iter().enumerate() {
        if text(secret, &["name"]).is_empty() {
            told.push(format!("{path}spec.imagePullSecrets[{index}].name: invalid empty name \"\""));
        }
    }
}

/// Tells of bytes that are no whole number.
pub(super) fn fractional(path: &str, value: Option<&Value>, name: &str, told: &mut Vec<String>) {
    let Some(value) = value.and_then(Value::as_str) else { return };
    let is_fraction = Quantity::parse(value).is_ok_and(|quantity| {
        const MILLI: i128 = 1_000_000;
        quantity.rounded_to_milli().nano() / MILLI % 1_000 != 0
    });
    if is_fraction {
        told.push(format!("{path}[{name}]: fractional byte value {value:?} is invalid, must be an integer"));
    }
}

fn says_the_same(profile: Option<&Value>, annotation: &str) -> bool {
    let Some(profile) = profile else { return false };
    let (kind, name) = (text(profile, &["type"]), text(profile, &["localhostProfile"]));
    match annotation {
        "unconfined" => kind == "Unconfined",
        "runtime/default" => kind == "RuntimeDefault",
        other => other
            .strip_prefix("localhost/")
            .is_some_and(|local| !local.is_empty() && kind == "Localhost" && local == name),
    }
}

/// A variable that is given again, without a word of what it was.
fn hidden_variables(path: &str, container: &Value, told: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    for (index, variable) in items(container, &["env"]).iter().enumerate() {
        let name = text(variable, &["name"]);
        if seen.insert(name) {
            continue;
        }
        let reference = format!("$({name})");
        let value = text(variable, &["value"]);
        let is_from = at(variable, &["valueFrom"]).is_some();
        if is_from || value == reference || !value.contains(&reference) {
            told.push(format!(
                "{path}.env[{index}]: hides previous definition of {name:?}, which may be dropped when using apply"
            ));
        }
    }
}

fn ports(containers: &[(String, &Value)], told: &mut Vec<String>) {
    let each = || {
        containers.iter().flat_map(|(path, container)| {
            let ports = items(container, &["ports"]).iter().enumerate();
            ports.map(move |(index, port)| (format!("{path}.ports[{index}]"), port))
        })
    };
    let on_host = |port: &Value| number(port, &["hostPort"]).unwrap_or_default();
    let address = |port: &Value| text(port, &["hostIP"]).to_owned();
    let mut seen: BTreeMap<(i64, &str), Vec<(String, &Value)>> = BTreeMap::new();
    for (path, port) in each() {
        if !address(port).is_empty() && on_host(port) == 0 {
            told.push(format!(
                "{path}: hostIP set without hostPort: {{Name:{} HostPort:0 ContainerPort:{} Protocol:{} HostIP:{}}}",
                text(port, &["name"]),
                number(port, &["containerPort"]).unwrap_or_default(),
                text(port, &["protocol"]),
                address(port)
            ));
        }
        let key = (number(port, &["containerPort"]).unwrap_or_default(), text(port, &["protocol"]));
        let others = seen.entry(key).or_default();
        for (other_path, other) in others.iter() {
            let (one, two) = (address(port), address(other));
            let how = if one == two && on_host(port) == on_host(other) {
                "duplicate"
            } else if on_host(port) == 0 || on_host(other) == 0 {
                "overlapping"
            } else if on_host(port) == on_host(other) && one.is_empty() != two.is_empty() {
                "dangerously ambiguous"
            } else {
                continue;
            };
            told.push(format!("{path}: {how} port definition with {other_path}"));
        }
        others.push((path, port));
    }
    let mut names: BTreeMap<&str, String> = BTreeMap::new();
    for (path, port) in each() {
        let name = text(port, &["name"]);
        if name.is_empty() {
            continue;
        }
        match names.get(name) {
            Some(other) => told.push(format!(
                "{path}: duplicate port name {name:?} with {other}, services and probes that select ports by name will use \
                 {other}"
            )),
            None => {
                names.insert(name, path);
            }
        }
    }
}

fn affinity(path: &str, spec: &Value, told: &mut Vec<String>) {
    for affinity in ["podAffinity", "podAntiAffinity"] {
        for (list, term, of_term) in [
            ("requiredDuringSchedulingIgnoredDuringExecution", &["labelSelector"][..], "labelSelector"),
            (
                "preferredDuringSchedulingIgnoredDuringExecution",
                &["podAffinityTerm", "labelSelector"][..],
                "podAffinityTerm.labelSelector",
            ),
        ] {
            for (index, item) in items(spec, &["affinity", affinity, list]).iter().enumerate() {
                if at(item, term).is_none() {
                    told.push(format!("{path}spec.affinity.{affinity}.{list}[{index}].{of_term}: {NOTHING}"));
                }
            }
        }
    }
}
