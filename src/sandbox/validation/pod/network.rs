//! What a Pod says about names and networks: DNS, host names, host ports.

use serde_json::Value;

use crate::sandbox::validation::Problems;
use crate::sandbox::validation::names;
use crate::sandbox::validation::numbers;
use crate::sandbox::validation::path::Path;
use crate::sandbox::validation::read::{Read, texts};

const MOST_NAMESERVERS: usize = 3;
const MOST_SEARCHES: usize = 32;
const MOST_SEARCH_CHARACTERS: usize = 2048;
const MOST_HOSTNAME: usize = 64;

/// How names are looked up.
pub(super) fn dns(spec: &Value, path: &Path, problems: &mut Problems) {
    let path = path.child("dnsConfig");
    let is_none = spec.text("dnsPolicy") == "None";
    let Some(config) = spec.field("dnsConfig") else {
        if is_none {
            problems.push(path.required("must provide `dnsConfig` when `dnsPolicy` is None"));
        }
        return;
    };
    let servers = config.list("nameservers");
    let at = path.child("nameservers");
    if is_none && servers.is_empty() {
        problems.push(at.required("must provide at least one DNS nameserver when `dnsPolicy` is None"));
        return;
    }
    if servers.len() > MOST_NAMESERVERS {
        let detail = format!("must not have more than {MOST_NAMESERVERS} nameservers");
        problems.push(at.invalid(servers.to_vec(), &detail));
    }
    for (index, server) in texts(servers).enumerate() {
        numbers::ip(server, &at.index(index), problems);
    }
    let searches = config.list("searches");
    let at = path.child("searches");
    if searches.len() > MOST_SEARCHES {
        let detail = format!("must not have more than {MOST_SEARCHES} search paths");
        problems.push(at.invalid(searches.to_vec(), &detail));
    }
    let length = texts(searches).map(str::len).sum::<usize>() + searches.len().saturating_sub(1);
    if length > MOST_SEARCH_CHARACTERS {
        let detail = format!(
            "must not have more than {MOST_SEARCH_CHARACTERS} characters (including spaces) in the search list"
        );
        problems.push(at.invalid(searches.to_vec(), &detail));
    }
    for (index, search) in texts(searches).enumerate().filter(|(_, search)| *search != ".") {
        let search = search.strip_suffix('.').unwrap_or(search);
        problems.extend(at.index(index).each(search, names::subdomain_with_underscore(search)));
    }
    for (index, option) in config.list("options").iter().enumerate() {
        if option.text("name").is_empty() {
            problems.push(path.child("options").index(index).required("must not be empty"));
        }
    }
}

/// Ports of containers that share the node's network.
pub(super) fn host_network(spec: &Value, is_pod: bool, path: &Path, problems: &mut Problems) {
    if !spec.flag("hostNetwork") {
        return;
    }
    for (index, container) in spec.list("containers").iter().enumerate() {
        for (place, port) in container.list("ports").iter().enumerate() {
            let host = port.number("hostPort").unwrap_or_default();
            let own = port.number("containerPort").unwrap_or_default();
            if (is_pod || host != 0) && host != own {
                let at = path.child("containers").index(index).child("ports").index(place).child("hostPort");
                problems.push(at.invalid(host, "must match `containerPort` when `hostNetwork` is true"));
            }
        }
    }
}

/// What is closed to a Pod with users of its own.
pub(super) fn host_users(spec: &Value, path: &Path, problems: &mut Problems) {
    if spec.field("hostUsers").and_then(Value::as_bool).unwrap_or(true) {
        return;
    }
    for (name, called) in [("hostNetwork", "hostNetwork"), ("hostPID", "HostPID"), ("hostIPC", "HostIPC")] {
        if spec.flag(name) {
            problems.push(path.child(called).forbidden("when `hostUsers` is false"));
        }
    }
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        for (index, container) in spec.list(list).iter().enumerate() {
            if !container.list("volumeDevices").is_empty() {
                let at = path.child(list).index(index).child("volumeDevices");
                problems.push(at.forbidden("when `hostUsers` is false"));
            }
        }
    }
}

/// A host name in place of the Pod's own.
pub(super) fn hostname_override(spec: &Value, path: &Path, problems: &mut Problems) {
    let Some(name) = spec.maybe_text("hostnameOverride") else { return };
    let path = path.child("hostnameOverride");
    for (flag, detail) in [
        ("setHostnameAsFQDN", "may not be specified when setHostnameAsFQDN is true"),
        ("hostNetwork", "may not be specified when hostNetwork is true"),
    ] {
        if spec.flag(flag) {
            problems.push(path.forbidden(detail));
        }
    }
    if name.len() > MOST_HOSTNAME {
        problems.push(path.too_long(MOST_HOSTNAME));
    }
    problems.extend(path.each(name, names::subdomain(name)));
}

/// Names that are written into the containers' `/etc/hosts`.
pub(super) fn host_aliases(spec: &Value, path: &Path, problems: &mut Problems) {
    for (index, alias) in spec.list("hostAliases").iter().enumerate() {
        let path = path.child("hostAliases").index(index);
        numbers::ip(alias.text("ip"), &path.child("ip"), problems);
        for (index, name) in texts(alias.list("hostnames")).enumerate() {
            problems.extend(path.child("hostnames").index(index).each(name, names::subdomain(name)));
        }
    }
}
