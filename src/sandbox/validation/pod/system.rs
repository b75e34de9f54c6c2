//! What Pods for Windows and for Linux cannot say, and what only those for Windows can.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use crate::sandbox::validation::Problems;
use crate::sandbox::validation::names;
use crate::sandbox::validation::numbers;
use crate::sandbox::validation::path::Path;
use crate::sandbox::validation::read::Read;

const LISTS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];
const MOST_CREDENTIALS: usize = 64 * 1024;
const MOST_DOMAIN: usize = 256;
const MOST_USER: usize = 104;
/// Fields of a Pod for Windows that are forbidden: `true` if they are in its security context. The order is the server's.
const NOT_FOR_WINDOWS: [(&str, bool); 15] = [
    ("appArmorProfile", true),
    ("seLinuxOptions", true),
    ("hostUsers", false),
    ("hostPID", false),
    ("hostIPC", false),
    ("seccompProfile", true),
    ("fsGroup", true),
    ("fsGroupChangePolicy", true),
    ("sysctls", true),
    ("shareProcessNamespace", false),
    ("runAsUser", true),
    ("runAsGroup", true),
    ("supplementalGroups", true),
    ("supplementalGroupsPolicy", true),
    ("seLinuxChangePolicy", true),
];
/// The same of a container's security context.
const NOT_FOR_WINDOWS_CONTAINERS: [&str; 10] = [
    "appArmorProfile",
    "seLinuxOptions",
    "seccompProfile",
    "capabilities",
    "readOnlyRootFilesystem",
    "privileged",
    "allowPrivilegeEscalation",
    "procMount",
    "runAsUser",
    "runAsGroup",
];

static DOMAIN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let label = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?";
    let short = r#"[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}"#;
    Regex::new(&format!(r"^(?:{short}|{label}(?:\.{label})*)$")).ok()
});

/// All containers with the paths of their security contexts.
fn contexts<'s>(spec: &'s Value, path: &Path) -> Vec<(Path, Option<&'s Value>)> {
    let of_list = |list: &'static str| {
        let at = path.child(list);
        let named = move |(index, container): (usize, &'s Value)| {
            (at.index(index).child("securityContext"), container.field("securityContext"))
        };
        spec.list(list).iter().enumerate().map(named)
    };
    LISTS.into_iter().flat_map(of_list).collect()
}

/// The system that a Pod is for.
pub(super) fn of(spec: &Value, path: &Path, problems: &mut Problems) {
    let Some(system) = spec.field("os") else { return };
    let at = path.child("os");
    match system.text("name") {
        "" => problems.push(at.child("name").required("")),
        "linux" => for_linux(spec, path, problems),
        "windows" => for_windows(spec, path, problems),
        name => numbers::one_of_if_any(Some(name), &["linux", "windows"], &at, problems),
    }
}

fn for_linux(spec: &Value, path: &Path, problems: &mut Problems) {
    let whole = (path.child("securityContext"), spec.field("securityContext"));
    for (at, context) in std::iter::once(whole).chain(contexts(spec, path)) {
        if context.is_some_and(|context| context.field("windowsOptions").is_some()) {
            problems.push(at.child("windowsOptions").forbidden("windows options cannot be set for a linux pod"));
        }
    }
}

fn for_windows(spec: &Value, path: &Path, problems: &mut Problems) {
    let detail = "cannot be set for a windows pod";
    let is_set = |holder: &Value, name: &str| match holder.field(name) {
        Some(Value::Array(items)) => !items.is_empty(),
        // Of these two only `true` is something.
        Some(Value::Bool(value)) if matches!(name, "hostPID" | "hostIPC") => *value,
        other => other.is_some(),
    };
    let none = Value::Null;
    let whole = spec.field("securityContext").unwrap_or(&none);
    for (name, is_within) in NOT_FOR_WINDOWS {
        let (holder, at) = if is_within { (whole, path.child("securityContext")) } else { (spec, path.clone()) };
        if is_set(holder, name) {
            problems.push(at.child(name).forbidden(detail));
        }
    }
    for (at, context) in contexts(spec, path) {
        let Some(context) = context else { continue };
        let set = NOT_FOR_WINDOWS_CONTAINERS.iter().filter(|name| is_set(context, name));
        problems.extend(set.map(|name| at.child(name).forbidden(detail)));
    }
}

/// Containers that run as processes of the node: all do, or none.
pub(super) fn host_processes(spec: &Value, path: &Path, problems: &mut Problems) {
    let says = |context: Option<&Value>| context?.below(&["windowsOptions", "hostProcess"])?.as_bool();
    let whole = says(spec.field("securityContext"));
    let contexts = contexts(spec, path);
    let mut count = 0;
    for (at, context) in &contexts {
        let own = says(*context);
        if let (Some(own), Some(whole)) = (own, whole)
            && own != whole
        {
            let detail = format!("pod hostProcess value must be identical if both are specified, was {whole}");
            problems.push(at.child("windowsOptions").child("hostProcess").invalid(own, &detail));
        }
        count += usize::from(own.or(whole) == Some(true));
    }
    if count == 0 {
        return;
    }
    if count != contexts.len() {
        let detail = "If pod contains any hostProcess containers then all containers must be HostProcess containers";
        problems.push(path.invalid("", detail));
    }
    if !spec.flag("hostNetwork") {
        let detail = "hostNetwork must be true if pod contains any hostProcess containers";
        problems.push(path.child("hostNetwork").invalid(false, detail));
    }
}

/// What a security context says for Windows.
pub(super) fn windows_options(context: &Value, path: &Path, problems: &mut Problems) {
    let Some(options) = context.field("windowsOptions") else { return };
    let path = path.child("windowsOptions");
    if let Some(name) = options.maybe_text("gmsaCredentialSpecName") {
        problems.extend(path.child("gmsaCredentialSpecName").each(name, names::subdomain(name)));
    }
    if let Some(credentials) = options.maybe_text("gmsaCredentialSpec") {
        let detail = match credentials.len() {
            0 => "gmsaCredentialSpec cannot be an empty string",
            1..=MOST_CREDENTIALS => "",
            _ => "gmsaCredentialSpec size must be under 64 KiB",
        };
        if !detail.is_empty() {
            problems.push(path.child("gmsaCredentialSpec").invalid(credentials, detail));
        }
    }
    let Some(name) = options.maybe_text("runAsUserName") else { return };
    let details = unfit_user(name);
    problems.extend(details.iter().map(|detail| path.child("runAsUserName").invalid(name, detail)));
}

fn unfit_user(name: &str) -> Vec<String> {
    let (domain, user) = match name.split_once('\\') {
        None => (None, name),
        Some((domain, user)) => (Some(domain), user),
    };
    let only = if name.is_empty() {
        "cannot be an empty string"
    } else if name.chars().any(|letter| letter.is_ascii_control()) {
        "cannot contain control characters"
    } else if user.contains('\\') {
        "cannot contain more than one backslash"
    } else {
        ""
    };
    if !only.is_empty() {
        return vec![format!("runAsUserName {only}")];
    }
    let mut unfit = Vec::new();
    if domain.is_some_and(|domain| domain.len() >= MOST_DOMAIN) {
        unfit.push(format!("runAsUserName's Domain length must be under {MOST_DOMAIN} characters"));
    }
    if let (Some(domain), Some(form)) = (domain, DOMAIN.as_ref())
        && !form.is_match(domain)
    {
        unfit.push("runAsUserName's Domain doesn't match the NetBios nor the DNS format".to_owned());
    }
    if user.is_empty() {
        unfit.push("runAsUserName's User cannot be empty".to_owned());
    } else if user.len() > MOST_USER {
        unfit.push(format!("runAsUserName's User length must not be longer than {MOST_USER} characters"));
    }
    if !user.is_empty() && user.chars().all(|letter| matches!(letter, '.' | ' ')) {
        unfit.push("runAsUserName's User cannot contain only periods or spaces".to_owned());
    }
    let forbidden = r#""/\:;|=,+*?<>@[]"#;
    if user.contains(|letter| forbidden.contains(letter)) {
        unfit.push(format!("runAsUserName's User cannot contain the following characters: {forbidden}"));
    }
    unfit
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sandbox::validation::tests::lines;

    fn told(look: fn(&Value, &Path, &mut Problems), spec: &Value) -> String {
        let mut problems = Problems::new();
        look(spec, &Path::new("spec"), &mut problems);
        lines(&problems)
    }

    #[test]
    fn a_pod_says_nothing_that_its_system_does_not_know() {
        let spec = json!({"os": {"name": "windows"}, "hostPID": true, "hostIPC": false, "hostUsers": true,
            "securityContext": {"runAsUser": 1, "windowsOptions": {}},
            "containers": [{}, {"securityContext": {"privileged": false, "windowsOptions": {}}}]});
        insta::assert_snapshot!(told(of, &spec), @r"
        spec.hostUsers: Forbidden: cannot be set for a windows pod
        spec.hostPID: Forbidden: cannot be set for a windows pod
        spec.securityContext.runAsUser: Forbidden: cannot be set for a windows pod
        spec.containers[1].securityContext.privileged: Forbidden: cannot be set for a windows pod
        ");
        let mut linux = spec.clone();
        linux["os"]["name"] = json!("linux");
        insta::assert_snapshot!(told(of, &linux), @r"
        spec.securityContext.windowsOptions: Forbidden: windows options cannot be set for a linux pod
        spec.containers[1].securityContext.windowsOptions: Forbidden: windows options cannot be set for a linux pod
        ");
    }

    #[test]
    fn all_containers_are_processes_of_the_node_or_none_is() {
        let spec = json!({"containers": [{"securityContext": {"windowsOptions": {"hostProcess": true}}}, {}]});
        insta::assert_snapshot!(told(host_processes, &spec), @r#"
        spec: Invalid value: "": If pod contains any hostProcess containers then all containers must be HostProcess containers
        spec.hostNetwork: Invalid value: false: hostNetwork must be true if pod contains any hostProcess containers
        "#);
    }

    #[test]
    fn users_of_windows_have_a_form() {
        assert!(unfit_user(r"NT AUTHORITY\Local Service").is_empty());
        assert_eq!(unfit_user(r"a\b\c"), ["runAsUserName cannot contain more than one backslash"]);
        assert_eq!(unfit_user(". ."), ["runAsUserName's User cannot contain only periods or spaces"]);
        let domain = "runAsUserName's Domain doesn't match the NetBios nor the DNS format";
        assert_eq!(unfit_user(r".a\"), [domain, "runAsUserName's User cannot be empty"]);
    }
}
