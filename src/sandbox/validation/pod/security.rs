//! Security contexts of Pods and containers, and when images are pulled.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{system, volumes};
use crate::sandbox::validation::Problems;
use crate::sandbox::validation::internal;
use crate::sandbox::validation::numbers;
use crate::sandbox::validation::path::Path;
use crate::sandbox::validation::read::{Entries, Read};

const MOST_PROFILE: usize = 4095;
const MOST_SYSCTL: usize = 253;
const SECCOMP: &str = "seccomp.security.alpha.kubernetes.io/pod";
const SECCOMP_OF_CONTAINER: &str = "container.seccomp.security.alpha.kubernetes.io/";
/// What annotations begin with that name the profile of a container.
pub(super) const APP_ARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";
const PROFILES: [&str; 3] = ["Localhost", "RuntimeDefault", "Unconfined"];

/// When an image is pulled.
pub(super) fn pull_policy(text: &str, path: &Path, problems: &mut Problems) {
    numbers::one_of(text, &["Always", "IfNotPresent", "Never"], path, problems);
}

/// The context of a container.
pub(super) fn of_container(container: &Value, host_users: bool, path: &Path, problems: &mut Problems) {
    let Some(context) = container.field("securityContext") else { return };
    let path = path.child("securityContext");
    for name in ["runAsUser", "runAsGroup"] {
        numbers::identity(context.number(name), &path.child(name), problems);
    }
    if let Some(mount) = context.maybe_text("procMount") {
        let at = path.child("procMount");
        numbers::one_of_if_any(Some(mount), &["Default", "Unmasked"], &at, problems);
        if host_users && mount == "Unmasked" {
            problems.push(at.invalid(mount, "`hostUsers` must be false to use `Unmasked`"));
        }
    }
    seccomp(context, &path, problems);
    if context.field("allowPrivilegeEscalation").and_then(Value::as_bool) == Some(false) {
        let shown = || internal::shown(internal::SECURITY_CONTEXT, context);
        if context.flag("privileged") {
            let detail = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
            problems.push(path.invalid_shown(shown(), detail));
        }
        let added = context.field("capabilities").map_or(&[][..], |capabilities| capabilities.list("add"));
        for _ in added.iter().filter(|capability| capability.as_str() == Some("CAP_SYS_ADMIN")) {
            let detail = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN";
            problems.push(path.invalid_shown(shown(), detail));
        }
    }
    system::windows_options(context, &path, problems);
    app_armor(context, &path, problems);
}

/// The context of a Pod.
pub(super) fn of_pod(spec: &Value, path: &Path, problems: &mut Problems) {
    let Some(context) = spec.field("securityContext") else { return };
    let path = path.child("securityContext");
    for name in ["fsGroup", "runAsUser", "runAsGroup"] {
        numbers::identity(context.number(name), &path.child(name), problems);
    }
    for (index, group) in context.list("supplementalGroups").iter().enumerate() {
        numbers::identity(group.as_i64(), &path.child("supplementalGroups").index(index), problems);
    }
    if spec.flag("shareProcessNamespace") && spec.flag("hostPID") {
        let detail = "ShareProcessNamespace and HostPID cannot both be enabled";
        problems.push(path.child("shareProcessNamespace").invalid(true, detail));
    }
    sysctls(context, spec, &path.child("sysctls"), problems);
    let choice = |name: &str, allowed: &[&str], problems: &mut Problems| {
        numbers::one_of_if_any(context.maybe_text(name), allowed, &path.child(name), problems);
    };
    choice("fsGroupChangePolicy", &["Always", "OnRootMismatch"], problems);
    seccomp(context, &path, problems);
    system::windows_options(context, &path, problems);
    app_armor(context, &path, problems);
    choice("supplementalGroupsPolicy", &["Merge", "Strict"], problems);
    // The other one needs a feature that is off.
    choice("seLinuxChangePolicy", &["Recursive"], problems);
}

fn seccomp(context: &Value, path: &Path, problems: &mut Problems) {
    let Some(profile) = context.field("seccompProfile") else { return };
    let path = path.child("seccompProfile");
    let sort = profile.text("type");
    if sort.is_empty() {
        problems.push(path.child("type").required("type is required when seccompProfile is set"));
    } else {
        numbers::one_of_if_any(Some(sort), &PROFILES, &path.child("type"), problems);
    }
    let at = path.child("localhostProfile");
    match (sort, profile.maybe_text("localhostProfile")) {
        ("Localhost", None) => problems.push(at.required("must be set when seccomp type is Localhost")),
        ("Localhost", Some(file)) => volumes::descending_path(file, &at, problems),
        (_, Some(file)) => {
            let shown = format!("{{\"Type\":{},\"LocalhostProfile\":{}}}", Value::from(sort), Value::from(file));
            problems.push(at.invalid_shown(shown, "can only be set when seccomp type is Localhost"));
        }
        (_, None) => {}
    }
}

/// Profiles as they were asked for before there were fields for them.
pub(super) fn annotations(annotations: &Entries<'_>, spec: &Value, path: &Path, problems: &mut Problems) {
    let of_pod = annotations.texts().filter(|(key, _)| *key == SECCOMP);
    for (key, profile) in of_pod.chain(annotations.texts().filter(|(key, _)| key.starts_with(SECCOMP_OF_CONTAINER))) {
        let at = path.child(key);
        match profile.strip_prefix("localhost/") {
            Some(file) => volumes::descending_path(file, &at, problems),
            None if matches!(profile, "runtime/default" | "docker/default" | "unconfined") => {}
            None => problems.push(at.invalid(profile, "must be a valid seccomp profile")),
        }
    }
    for (key, profile) in annotations.texts() {
        let Some(container) = key.strip_prefix(APP_ARMOR) else { continue };
        let lists = ["initContainers", "containers", "ephemeralContainers"];
        if !lists.iter().flat_map(|list| spec.list(list)).any(|known| known.text("name") == container) {
            problems.push(path.key(key).invalid(container, "container not found"));
        }
        if !matches!(profile, "" | "runtime/default" | "unconfined") && !profile.starts_with("localhost/") {
            problems.push(path.key(key).invalid(profile, &format!("invalid AppArmor profile name: {profile:?}")));
        }
    }
}

/// Where a profile is asked for both ways, both say the same. `path` is that of the specification.
pub(super) fn annotations_match(metadata: &Value, spec: &Value, path: &Path, problems: &mut Problems) {
    let annotations = metadata.entries("annotations");
    let annotated = |key: &str| annotations.get(key).and_then(Value::as_str);
    let profile = |holder: &'_ Value, name: &str| holder.below(&["securityContext", name]).cloned();
    let at = |path: &Path, name: &str| path.child("securityContext").child(name);
    if let (Some(annotation), Some(profile)) = (annotated(SECCOMP), profile(spec, "seccompProfile")) {
        let allowed = ["runtime/default", "docker/default"];
        says_the_same(annotation, &profile, &allowed, "seccomp", &at(path, "seccompProfile"), problems);
    }
    let containers = |list: &'static str| {
        let named = move |(index, container)| (path.child(list).index(index), container);
        spec.list(list).iter().enumerate().map(named)
    };
    let lists = ["initContainers", "containers", "ephemeralContainers"];
    for (path, container) in lists.into_iter().flat_map(containers) {
        let key = format!("{SECCOMP_OF_CONTAINER}{}", container.text("name"));
        if let (Some(annotation), Some(profile)) = (annotated(&key), profile(container, "seccompProfile")) {
            let allowed = ["runtime/default", "docker/default"];
            says_the_same(annotation, &profile, &allowed, "seccomp", &at(&path, "seccompProfile"), problems);
        }
    }
    if spec.below(&["os", "name"]).and_then(Value::as_str) == Some("windows") {
        return;
    }
    for (path, container) in lists.into_iter().flat_map(containers) {
        let key = format!("{APP_ARMOR}{}", container.text("name"));
        let profile = profile(container, "appArmorProfile").or_else(|| profile(spec, "appArmorProfile"));
        if let (Some(annotation), Some(profile)) = (annotated(&key), profile) {
            let at = at(&path, "appArmorProfile");
            says_the_same(annotation, &profile, &["runtime/default"], "apparmor", &at, problems);
        }
    }
}

fn says_the_same(
    annotation: &str,
    profile: &Value,
    runtime: &[&str],
    what: &str,
    path: &Path,
    problems: &mut Problems,
) {
    let local = annotation.strip_prefix("localhost/");
    let is_same = match profile.text("type") {
        "Unconfined" => annotation == "unconfined",
        "RuntimeDefault" => runtime.contains(&annotation),
        "Localhost" if local.is_some() && profile.maybe_text("localhostProfile") != local => {
            let detail = format!("{what} profile in annotation and field must match");
            problems.push(path.child("localhostProfile").forbidden(&detail));
            true
        }
        "Localhost" => local.is_some(),
        _ => true,
    };
    if !is_same {
        problems.push(path.child("type").forbidden(&format!("{what} type in annotation and field must match")));
    }
}

fn app_armor(context: &Value, path: &Path, problems: &mut Problems) {
    let Some(profile) = context.field("appArmorProfile") else { return };
    let path = path.child("appArmorProfile");
    let at = path.child("localhostProfile");
    let file = profile.maybe_text("localhostProfile");
    match profile.text("type") {
        "Localhost" => {
            let trimmed = file.map(str::trim);
            if trimmed != file {
                problems.push(at.invalid(file.unwrap_or_default(), "must not be padded with whitespace"));
            } else if file.unwrap_or_default().is_empty() {
                problems.push(at.required("must be set when AppArmor type is Localhost"));
            }
            if file.is_some_and(|file| file.len() > MOST_PROFILE) {
                problems.push(at.too_long(MOST_PROFILE));
            }
        }
        "RuntimeDefault" | "Unconfined" => {
            if let Some(file) = file {
                problems.push(at.invalid(file, "can only be set when AppArmor type is Localhost"));
            }
        }
        "" => problems.push(path.child("type").required("type is required when appArmorProfile is set")),
        other => problems.push(path.child("type").not_supported(other, &PROFILES)),
    }
}

fn sysctls(context: &Value, spec: &Value, path: &Path, problems: &mut Problems) {
    const EXPRESSION: &str = r"^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$";
    let is_end = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_segment = |segment: &str| {
        let bytes = segment.as_bytes();
        matches!((bytes.first(), bytes.last()), (Some(first), Some(last)) if is_end(*first) && is_end(*last))
            && bytes.iter().all(|byte| is_end(*byte) || matches!(byte, b'-' | b'_'))
    };
    let mut seen = BTreeSet::new();
    for (index, sysctl) in context.list("sysctls").iter().enumerate() {
        let at = path.index(index).child("name");
        let name = sysctl.text("name");
        if name.is_empty() {
            problems.push(at.required(""));
        } else if name.len() > MOST_SYSCTL || !name.split(['.', '/']).all(is_segment) {
            let detail = format!("must have at most {MOST_SYSCTL} characters and match regex {EXPRESSION}");
            problems.push(at.invalid(name, &detail));
        } else if seen.contains(name) {
            problems.push(at.duplicate(name));
        }
        let dotted = name.replace('/', ".");
        let is_of_ipc = ["kernel.shm", "kernel.msg", "fs.mqueue."].iter().any(|prefix| dotted.starts_with(prefix))
            || dotted == "kernel.sem";
        if spec.flag("hostNetwork") && dotted.starts_with("net.") {
            problems.push(at.invalid(name, "may not be specified when 'hostNetwork' is true"));
        } else if spec.flag("hostIPC") && is_of_ipc {
            problems.push(at.invalid(name, "may not be specified when 'hostIPC' is true"));
        }
        seen.insert(name);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sandbox::validation::tests::lines;

    #[test]
    fn profiles_that_are_asked_for_twice_are_the_same() {
        let metadata = json!({"annotations": {
            "seccomp.security.alpha.kubernetes.io/pod": "docker/default",
            "container.seccomp.security.alpha.kubernetes.io/a": "localhost/x",
            "container.apparmor.security.beta.kubernetes.io/a": "unconfined"
        }});
        let spec = json!({
            "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}, "appArmorProfile": {"type": "RuntimeDefault"}},
            "containers": [{"name": "a", "securityContext": {"seccompProfile": {"type": "Localhost", "localhostProfile": "y"}}}]
        });
        let mut problems = Problems::new();
        annotations_match(&metadata, &spec, &Path::new("spec"), &mut problems);
        insta::assert_snapshot!(lines(&problems), @r"
        spec.containers[0].securityContext.seccompProfile.localhostProfile: Forbidden: seccomp profile in annotation and field must match
        spec.containers[0].securityContext.appArmorProfile.type: Forbidden: apparmor type in annotation and field must match
        ");
    }
}
