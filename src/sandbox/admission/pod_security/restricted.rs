//! What the `restricted` standard demands beyond `baseline`: as little as a pod can do with.

use serde_json::Value;

use super::baseline::{self, has_own_users, proc_mount, seccomp};
use super::{Finding, containers, counted, distinct, names, plural, quoted, setters};
use crate::sandbox::strategy::fields::{at, items, number, text};

const VOLUMES: [&str; 9] = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
];
/// What a restricted volume is called where its field is not what it is called.
const OTHER_NAMES: [(&str, &str); 1] = [("storageOS", "storageos")];

/// What of a pod is forbidden, in the order of the checks.
pub(super) fn findings(metadata: &Value, spec: &Value) -> Vec<(String, String)> {
    let is_windows = text(spec, &["os", "name"]) == "windows";
    let mut all = baseline::findings_for_restricted(metadata, spec);
    let unless = |is_exempt: bool, check: fn(&Value) -> Finding| if is_exempt { None } else { check(spec) };
    let checks = [
        unless(is_windows, escalation),
        unless(is_windows, capabilities),
        proc_mount(spec),
        volumes(spec),
        unless(has_own_users(spec), non_root),
        unless(has_own_users(spec), user),
        unless(is_windows, profile),
    ];
    all.extend(checks.into_iter().flatten());
    all
}

fn finding(reason: &str, detail: String) -> Finding {
    Some((reason.to_owned(), detail))
}

fn escalation(spec: &Value) -> Finding {
    let allows = |container: &Value| {
        at(container, &["securityContext", "allowPrivilegeEscalation"]) != Some(&Value::Bool(false))
    };
    let bad = names(spec, allows);
    let detail = || format!("{} must set securityContext.allowPrivilegeEscalation=false", counted("container", &bad));
    if bad.is_empty() { None } else { finding("allowPrivilegeEscalation != false", detail()) }
}

fn capabilities(spec: &Value) -> Finding {
    let list = |container, which| items(container, &["securityContext", "capabilities", which]).iter();
    let forbidden =
        |container| list(container, "add").filter_map(Value::as_str).filter(|name| *name != "NET_BIND_SERVICE");
    let keeping = names(spec, |container| !list(container, "drop").any(|name| name == "ALL"));
    let adding = names(spec, |container| forbidden(container).next().is_some());
    let mut details = Vec::new();
    if !keeping.is_empty() {
        details
            .push(format!("{} must set securityContext.capabilities.drop=[\"ALL\"]", counted("container", &keeping)));
    }
    if !adding.is_empty() {
        let added = distinct(containers(spec).flat_map(forbidden));
        details.push(format!(
            "{} must not include {} in securityContext.capabilities.add",
            counted("container", &adding),
            quoted(&added)
        ));
    }
    if details.is_empty() { None } else { finding("unrestricted capabilities", details.join("; ")) }
}

fn volumes(spec: &Value) -> Finding {
    fn source(volume: &Value) -> &str {
        let fields = volume.as_object().into_iter().flatten();
        fields.map(|(field, _)| field.as_str()).find(|field| *field != "name").unwrap_or("unknown")
    }
    let bad: Vec<&Value> =
        items(spec, &["volumes"]).iter().filter(|volume| !VOLUMES.contains(&source(volume))).collect();
    if bad.is_empty() {
        return None;
    }
    let called = |field| OTHER_NAMES.iter().find(|(name, _)| *name == field).map_or(field, |(_, other)| *other);
    let types = distinct(bad.iter().map(|volume| called(source(volume))));
    let volumes: Vec<&str> = bad.iter().map(|volume| text(volume, &["name"])).collect();
    let uses = if bad.len() == 1 { "uses" } else { "use" };
    let word = plural("restricted volume type", types.len());
    let detail = format!("{} {uses} {word} {}", counted("volume", &volumes), quoted(&types));
    finding("restricted volume types", detail)
}

fn non_root(spec: &Value) -> Finding {
    const REASON: &str = "runAsNonRoot != true";
    fn set(value: &Value) -> Option<bool> {
        at(value, &["securityContext", "runAsNonRoot"]).and_then(Value::as_bool)
    }
    let is_root = |value: &Value| set(value) == Some(false);
    if let Some(setting) = setters(is_root(spec), &names(spec, is_root)) {
        return finding(REASON, format!("{setting} must not set securityContext.runAsNonRoot=false"));
    }
    let silent = names(spec, |container| set(container).is_none() && set(spec) != Some(true));
    let detail = || format!("pod or {} must set securityContext.runAsNonRoot=true", counted("container", &silent));
    if silent.is_empty() { None } else { finding(REASON, detail()) }
}

fn user(spec: &Value) -> Finding {
    let is_root = |value: &Value| number(value, &["securityContext", "runAsUser"]) == Some(0);
    let setting = setters(is_root(spec), &names(spec, is_root))?;
    finding("runAsUser=0", format!("{setting} must not set runAsUser=0"))
}

fn profile(spec: &Value) -> Finding {
    let has = |value: &Value| at(value, &["securityContext", "seccompProfile"]).is_some();
    if let Some(bad) = seccomp(spec) {
        return Some(bad);
    }
    let silent = names(spec, |container| !has(container) && !has(spec));
    let detail = || {
        let containers = counted("container", &silent);
        format!(
            "pod or {containers} must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\""
        )
    };
    if silent.is_empty() { None } else { finding("seccompProfile", detail()) }
}
