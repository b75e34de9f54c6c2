//! Environment variables of containers.

use serde_json::Value;

use crate::sandbox::validation::Problems;
use crate::sandbox::validation::names;
use crate::sandbox::validation::path::Path;
use crate::sandbox::validation::read::Read;
use crate::sandbox::validation::resources;

const ENVIRONMENT_FIELDS: [&str; 9] = [
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];
const VOLUME_FIELDS: [&str; 5] =
    ["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];
const AMOUNTS: [&str; 6] = [
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];

/// The variables of a container.
pub(super) fn variables(container: &Value, path: &Path, problems: &mut Problems) {
    let path = path.child("env");
    for (index, variable) in container.list("env").iter().enumerate() {
        let path = path.index(index);
        let name = variable.text("name");
        if name.is_empty() {
            problems.push(path.child("name").required(""));
        } else {
            problems.extend(path.child("name").each(name, names::variable(name)));
        }
        if let Some(source) = variable.field("valueFrom") {
            value_from(source, variable.text("value"), &path.child("valueFrom"), problems);
        }
    }
}

fn value_from(source: &Value, value: &str, path: &Path, problems: &mut Problems) {
    let mut sources = 0;
    for sort in ["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef"] {
        let Some(reference) = source.field(sort) else { continue };
        let path = path.child(sort);
        sources += 1;
        match sort {
            "fieldRef" => field_of_pod(reference, &ENVIRONMENT_FIELDS, &path, problems),
            "resourceFieldRef" => amount_of_container(reference, false, &path, problems),
            "fileKeyRef" => key_of_file(reference, &path, problems),
            _ => key_of_object(reference, &path, problems),
        }
    }
    let detail = match sources {
        0 => "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`",
        _ if !value.is_empty() => "may not be specified when `value` is not empty",
        1 => return,
        _ => "may not have more than one field specified at a time",
    };
    problems.push(path.invalid("", detail));
}

/// A field of the Pod, in a volume.
pub(super) fn field_in_volume(reference: &Value, path: &Path, problems: &mut Problems) {
    field_of_pod(reference, &VOLUME_FIELDS, path, problems);
}

/// An amount of a container, in a volume.
pub(super) fn amount_in_volume(reference: &Value, path: &Path, problems: &mut Problems) {
    amount_of_container(reference, true, path, problems);
}

fn field_of_pod(reference: &Value, allowed: &[&str], path: &Path, problems: &mut Problems) {
    let version = reference.text("apiVersion");
    let field = reference.text("fieldPath");
    if version.is_empty() {
        problems.push(path.child("apiVersion").required(""));
        return;
    }
    if field.is_empty() {
        problems.push(path.child("fieldPath").required(""));
        return;
    }
    let at = path.child("fieldPath");
    if version != "v1" {
        let detail = format!("error converting fieldPath: unsupported pod version: {version}");
        problems.push(at.invalid(field, &detail));
        return;
    }
    let subscripted = field.strip_suffix("']").and_then(|rest| rest.split_once("['"));
    let known = [
        "metadata.annotations",
        "metadata.labels",
        "metadata.name",
        "metadata.namespace",
        "metadata.uid",
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.serviceAccountName",
        "spec.schedulerName",
        "status.phase",
        "status.hostIP",
        "status.hostIPs",
        "status.podIP",
        "status.podIPs",
    ];
    match subscripted {
        Some(("metadata.annotations", key)) => problems.extend(path.each(key, names::qualified(&key.to_lowercase()))),
        Some(("metadata.labels", key)) => problems.extend(path.each(key, names::qualified(key))),
        Some(_) => {
            let detail = format!("error converting fieldPath: field label does not support subscript: {field}");
            problems.push(at.invalid(field, &detail));
        }
        None if field == "spec.host" => field_known("spec.nodeName", allowed, &at, problems),
        None if known.contains(&field) => field_known(field, allowed, &at, problems),
        None => {
            let detail = format!("error converting fieldPath: field label not supported: {field}");
            problems.push(at.invalid(field, &detail));
        }
    }
}

fn field_known(field: &str, allowed: &[&str], path: &Path, problems: &mut Problems) {
    if !allowed.contains(&field) {
        problems.push(path.not_supported(field, allowed));
    }
}

fn amount_of_container(reference: &Value, in_volume: bool, path: &Path, problems: &mut Problems) {
    let name = reference.text("resource");
    let is_huge_page = name.starts_with("requests.hugepages-") || name.starts_with("limits.hugepages-");
    if in_volume && reference.text("containerName").is_empty() {
        problems.push(path.child("containerName").required(""));
    } else if name.is_empty() {
        problems.push(path.child("resource").required(""));
    } else if !AMOUNTS.contains(&name) && !is_huge_page {
        problems.push(path.child("resource").not_supported(name, &AMOUNTS));
    }
    divisor(name, is_huge_page, reference, path, problems);
}

fn divisor(name: &str, is_huge_page: bool, reference: &Value, path: &Path, problems: &mut Problems) {
    const SIZES: &str = "1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei";
    let Some(divisor) = reference.field("divisor").and_then(resources::quantity) else { return };
    if divisor.nano() == 0 {
        return;
    }
    let divisor = divisor.canonical();
    let is_size = SIZES.split(", ").any(|size| size == divisor);
    let problem = match name.split_once('.').map_or("", |(_, resource)| resource) {
        "cpu" if !matches!(divisor.as_str(), "1m" | "1") => {
            "only divisor's values 1m and 1 are supported with the cpu resource".to_owned()
        }
        "memory" if !is_size => format!("only divisor's values {SIZES} are supported with the memory resource"),
        "ephemeral-storage" if !is_size => {
            format!("only divisor's values {SIZES} are supported with the local ephemeral storage resource")
        }
        _ if is_huge_page && !is_size => {
            format!("only divisor's values {SIZES} are supported with the hugepages resource")
        }
        _ => return,
    };
    problems.push(path.child("divisor").invalid(name, &problem));
}

fn key_of_object(reference: &Value, path: &Path, problems: &mut Problems) {
    let name = reference.text("name");
    problems.extend(path.child("name").each(name, names::subdomain(name)));
    let key = reference.text("key");
    if key.is_empty() {
        problems.push(path.child("key").required(""));
    } else {
        problems.extend(path.child("key").each(key, names::config_key(key)));
    }
}

fn key_of_file(reference: &Value, path: &Path, problems: &mut Problems) {
    let rules: [(&str, names::Rule); 2] = [("key", names::variable), ("volumeName", names::label)];
    for (name, rule) in rules {
        match reference.text(name) {
            "" => problems.push(path.child(name).required("")),
            text => problems.extend(path.child(name).each(text, rule(text))),
        }
    }
    match reference.text("path") {
        "" => problems.push(path.child("path").required("")),
        text => super::volumes::no_backsteps(text, &path.child("path"), problems),
    }
}

/// Whole objects as sources of variables.
pub(super) fn sources(container: &Value, path: &Path, problems: &mut Problems) {
    let path = path.child("envFrom");
    for (index, source) in container.list("envFrom").iter().enumerate() {
        let at = path.index(index);
        let prefix = source.text("prefix");
        if !prefix.is_empty() {
            problems.extend(at.child("prefix").each(prefix, names::variable(prefix)));
        }
        let mut sources = 0;
        for sort in ["configMapRef", "secretRef"] {
            let Some(reference) = source.field(sort) else { continue };
            sources += 1;
            let at = at.child(sort).child("name");
            match reference.text("name") {
                "" => problems.push(at.required("")),
                name => problems.extend(at.each(name, names::NameRule::Subdomain.of_prefix(name))),
            }
        }
        match sources {
            0 => problems.push(path.invalid("", "must specify one of: `configMapRef` or `secretRef`")),
            1 => {}
            _ => problems.push(path.invalid("", "may not have more than one field specified at a time")),
        }
    }
}
