//! What the `baseline` standard forbids: known ways to get hold of the node.

use serde_json::Value;

use super::{Finding, containers, counted, distinct, names, plural, quoted, setters};
use crate::sandbox::strategy::fields::{at, entries, items, number, text};

const CAPABILITIES: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];
const SYSCTLS: [&str; 12] = [
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_wmem",
];
const SELINUX: [&str; 5] = ["", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"];
const APP_ARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";

/// What of a pod is forbidden, in the order of the checks.
pub(super) fn findings(metadata: &Value, spec: &Value) -> Vec<(String, String)> {
    let checks = [
        app_armor(metadata, spec),
        capabilities(spec),
        host_namespaces(spec),
        host_paths(spec),
        host_ports(spec),
        hosts(spec),
        privileged(spec),
        if has_own_users(spec) { None } else { proc_mount(spec) },
        selinux(spec),
        seccomp(spec),
        sysctls(spec),
        host_process(spec),
    ];
    checks.into_iter().flatten().collect()
}

/// The checks that hold in the `restricted` standard as well; the others are sharper there.
pub(super) fn findings_for_restricted(metadata: &Value, spec: &Value) -> Vec<(String, String)> {
    let checks = [
        app_armor(metadata, spec),
        host_namespaces(spec),
        host_ports(spec),
        hosts(spec),
        privileged(spec),
        selinux(spec),
        sysctls(spec),
        host_process(spec),
    ];
    checks.into_iter().flatten().collect()
}

/// Tells whether the users of a pod are none of the node's.
pub(super) fn has_own_users(spec: &Value) -> bool {
    at(spec, &["hostUsers"]) == Some(&Value::Bool(false))
}

fn finding(reason: &str, detail: String) -> Finding {
    Some((reason.to_owned(), detail))
}

fn is_true(value: &Value, path: &[&str]) -> bool {
    at(value, path) == Some(&Value::Bool(true))
}

fn app_armor(metadata: &Value, spec: &Value) -> Finding {
    const TYPE: [&str; 3] = ["securityContext", "appArmorProfile", "type"];
    let is_bad = |value: &Value| {
        at(value, &TYPE[..2]).is_some() && !matches!(text(value, &TYPE), "RuntimeDefault" | "Localhost")
    };
    let bad_containers = names(spec, is_bad);
    let mut setting: Vec<String> = setters(is_bad(spec), &bad_containers).into_iter().collect();
    let values = std::iter::once(spec).chain(containers(spec)).filter(|value| is_bad(value));
    let mut values: Vec<String> =
        distinct(values.map(|value| text(value, &TYPE))).into_iter().map(str::to_owned).collect();
    let is_bad_annotation = |(key, value): &(&String, &Value)| {
        let value = value.as_str().unwrap_or_default();
        key.starts_with(APP_ARMOR)
            && !(value.is_empty() || value == "runtime/default" || value.starts_with("localhost/"))
    };
    let annotations = entries(metadata, &["annotations"]).filter(is_bad_annotation);
    let mut annotations: Vec<String> = annotations.map(|(key, value)| format!("{key}={value}")).collect();
    if !annotations.is_empty() {
        annotations.sort();
        setting.push(plural("annotation", annotations.len()));
        values.extend(annotations);
    }
    if setting.is_empty() {
        return None;
    }
    let reason = plural("forbidden AppArmor profile", values.len());
    let detail = format!("{} must not set AppArmor profile type to {}", setting.join(" and "), quoted(&values));
    Some((reason, detail))
}

fn capabilities(spec: &Value) -> Finding {
    let added = |container| items(container, &["securityContext", "capabilities", "add"]).iter();
    let forbidden =
        |container| added(container).filter_map(Value::as_str).filter(|capability| !CAPABILITIES.contains(capability));
    let bad = names(spec, |container| forbidden(container).next().is_some());
    if bad.is_empty() {
        return None;
    }
    let all = distinct(containers(spec).flat_map(forbidden));
    let containers = counted("container", &bad);
    let detail = format!("{containers} must not include {} in securityContext.capabilities.add", quoted(&all));
    finding("non-default capabilities", detail)
}

fn host_namespaces(spec: &Value) -> Finding {
    let shared = ["hostNetwork", "hostPID", "hostIPC"].into_iter().filter(|field| is_true(spec, &[field]));
    let shared: Vec<String> = shared.map(|field| format!("{field}=true")).collect();
    if shared.is_empty() { None } else { finding("host namespaces", shared.join(", ")) }
}

fn host_paths(spec: &Value) -> Finding {
    let volumes = items(spec, &["volumes"]).iter().filter(|volume| at(volume, &["hostPath"]).is_some());
    let volumes: Vec<&str> = volumes.map(|volume| text(volume, &["name"])).collect();
    if volumes.is_empty() { None } else { finding("hostPath volumes", counted("volume", &volumes)) }
}

fn host_ports(spec: &Value) -> Finding {
    let used = |container| {
        let ports = items(container, &["ports"]).iter();
        ports.filter_map(|port| number(port, &["hostPort"])).filter(|port| *port != 0).map(|port| port.to_string())
    };
    let bad = names(spec, |container| used(container).next().is_some());
    if bad.is_empty() {
        return None;
    }
    let ports: Vec<String> = containers(spec).flat_map(used).collect();
    let ports = distinct(ports.iter().map(String::as_str));
    let uses = if bad.len() == 1 { "uses" } else { "use" };
    let word = plural("hostPort", ports.len());
    finding("hostPort", format!("{} {uses} {word} {}", counted("container", &bad), ports.join(", ")))
}

/// Probes and hooks that go to other hosts.
fn hosts(spec: &Value) -> Finding {
    let hosts = |container| {
        let handlers: [&[&str]; 5] = [
            &["livenessProbe"],
            &["readinessProbe"],
            &["startupProbe"],
            &["lifecycle", "postStart"],
            &["lifecycle", "preStop"],
        ];
        let handlers = handlers.into_iter().filter_map(move |path| at(container, path));
        handlers
            .flat_map(|handler| ["httpGet", "tcpSocket"].map(|action| text(handler, &[action, "host"])))
            .filter(|host| !host.is_empty())
    };
    let bad = distinct(names(spec, |container| hosts(container).next().is_some()));
    if bad.is_empty() {
        return None;
    }
    let all = distinct(containers(spec).flat_map(hosts));
    let uses = if bad.len() == 1 { "uses" } else { "use" };
    let detail = format!("{} {uses} {}", counted("container", &bad), counted("probe or lifecycle host", &all));
    finding("probe or lifecycle host", detail)
}

fn privileged(spec: &Value) -> Finding {
    let bad = names(spec, |container| is_true(container, &["securityContext", "privileged"]));
    let detail = || format!("{} must not set securityContext.privileged=true", counted("container", &bad));
    if bad.is_empty() { None } else { finding("privileged", detail()) }
}

pub(super) fn proc_mount(spec: &Value) -> Finding {
    let mount = |container| text(container, &["securityContext", "procMount"]);
    let bad = names(spec, |container| !matches!(mount(container), "" | "Default"));
    if bad.is_empty() {
        return None;
    }
    let mounts = distinct(containers(spec).map(mount).filter(|mount| !matches!(*mount, "" | "Default")));
    let detail =
        format!("{} must not set securityContext.procMount to {}", counted("container", &bad), quoted(&mounts));
    finding("procMount", detail)
}

fn selinux(spec: &Value) -> Finding {
    fn options(value: &Value) -> Option<&Value> {
        at(value, &["securityContext", "seLinuxOptions"])
    }
    fn part<'v>(value: &'v Value, field: &str) -> &'v str {
        options(value).map_or("", |options| text(options, &[field]))
    }
    let is_bad_type = |value: &Value| !SELINUX.contains(&part(value, "type"));
    let is_bad =
        |value: &Value| is_bad_type(value) || !part(value, "user").is_empty() || !part(value, "role").is_empty();
    let setting = setters(is_bad(spec), &names(spec, is_bad))?;
    let all: Vec<&Value> = std::iter::once(spec).chain(containers(spec)).collect();
    let types = all
        .iter()
        .filter(|value| is_bad_type(value))
        .map(|value| options(value).map_or("", |options| text(options, &["type"])));
    let types = distinct(types);
    let mut wrong = Vec::new();
    if !types.is_empty() {
        wrong.push(counted("type", &types));
    }
    for field in ["user", "role"] {
        if all.iter().any(|value| options(value).is_some_and(|options| !text(options, &[field]).is_empty())) {
            wrong.push(format!("{field} may not be set"));
        }
    }
    let detail = format!("{setting} set forbidden securityContext.seLinuxOptions: {}", wrong.join("; "));
    finding("seLinuxOptions", detail)
}

/// Profiles for system calls that are no protection.
pub(super) fn seccomp(spec: &Value) -> Finding {
    const TYPE: [&str; 3] = ["securityContext", "seccompProfile", "type"];
    let is_bad = |value: &Value| {
        at(value, &TYPE[..2]).is_some() && !matches!(text(value, &TYPE), "RuntimeDefault" | "Localhost")
    };
    let setting = setters(is_bad(spec), &names(spec, is_bad))?;
    let bad = std::iter::once(spec).chain(containers(spec)).filter(|value| is_bad(value));
    let values = distinct(bad.map(|value| text(value, &TYPE)));
    let detail = format!("{setting} must not set securityContext.seccompProfile.type to {}", quoted(&values));
    finding("seccompProfile", detail)
}

fn sysctls(spec: &Value) -> Finding {
    let set = items(spec, &["securityContext", "sysctls"]).iter().map(|sysctl| text(sysctl, &["name"]));
    let forbidden: Vec<&str> = set.filter(|name| !SYSCTLS.contains(name)).collect();
    if forbidden.is_empty() { None } else { finding("forbidden sysctls", forbidden.join(", ")) }
}

fn host_process(spec: &Value) -> Finding {
    let is_bad = |value: &Value| is_true(value, &["securityContext", "windowsOptions", "hostProcess"]);
    let setting = setters(is_bad(spec), &names(spec, is_bad))?;
    finding("hostProcess", format!("{setting} must not set securityContext.windowsOptions.hostProcess=true"))
}
