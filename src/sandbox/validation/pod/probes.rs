//! Probes and life cycle hooks of containers.

use serde_json::Value;

use crate::sandbox::validation::Problems;
use crate::sandbox::validation::names;
use crate::sandbox::validation::numbers;
use crate::sandbox::validation::path::Path;
use crate::sandbox::validation::read::Read;

const SIGNALS: [&str; 65] = [
    "SIGABRT",
    "SIGALRM",
    "SIGBUS",
    "SIGCHLD",
    "SIGCLD",
    "SIGCONT",
    "SIGFPE",
    "SIGHUP",
    "SIGILL",
    "SIGINT",
    "SIGIO",
    "SIGIOT",
    "SIGKILL",
    "SIGPIPE",
    "SIGPOLL",
    "SIGPROF",
    "SIGPWR",
    "SIGQUIT",
    "SIGRTMAX",
    "SIGRTMAX-1",
    "SIGRTMAX-10",
    "SIGRTMAX-11",
    "SIGRTMAX-12",
    "SIGRTMAX-13",
    "SIGRTMAX-14",
    "SIGRTMAX-2",
    "SIGRTMAX-3",
    "SIGRTMAX-4",
    "SIGRTMAX-5",
    "SIGRTMAX-6",
    "SIGRTMAX-7",
    "SIGRTMAX-8",
    "SIGRTMAX-9",
    "SIGRTMIN",
    "SIGRTMIN+1",
    "SIGRTMIN+10",
    "SIGRTMIN+11",
    "SIGRTMIN+12",
    "SIGRTMIN+13",
    "SIGRTMIN+14",
    "SIGRTMIN+15",
    "SIGRTMIN+2",
    "SIGRTMIN+3",
    "SIGRTMIN+4",
    "SIGRTMIN+5",
    "SIGRTMIN+6",
    "SIGRTMIN+7",
    "SIGRTMIN+8",
    "SIGRTMIN+9",
    "SIGSEGV",
    "SIGSTKFLT",
    "SIGSTOP",
    "SIGSYS",
    "SIGTERM",
    "SIGTRAP",
    "SIGTSTP",
    "SIGTTIN",
    "SIGTTOU",
    "SIGURG",
    "SIGUSR1",
    "SIGUSR2",
    "SIGVTALRM",
    "SIGWINCH",
    "SIGXCPU",
    "SIGXFSZ",
];

/// The three probes of a container.
pub(super) fn of(container: &Value, path: &Path, problems: &mut Problems) {
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let Some(probe) = container.field(name) else { continue };
        let path = path.child(name);
        common(probe, &path, problems);
        if name == "readinessProbe" {
            if let Some(grace) = probe.number("terminationGracePeriodSeconds") {
                let detail = "must not be set for readinessProbes";
                problems.push(path.child("terminationGracePeriodSeconds").invalid(grace, detail));
            }
        } else {
            let threshold = probe.number("successThreshold").unwrap_or_default();
            if threshold != 1 {
                problems.push(path.child("successThreshold").invalid(threshold, "must be 1"));
            }
        }
    }
}

fn common(probe: &Value, path: &Path, problems: &mut Problems) {
    handler(probe, &["exec", "httpGet", "tcpSocket", "grpc"], None, path, problems);
    for name in ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"] {
        numbers::not_negative(probe.number(name).unwrap_or_default(), &path.child(name), problems);
    }
    if let Some(grace) = probe.number("terminationGracePeriodSeconds").filter(|grace| *grace <= 0) {
        problems.push(path.child("terminationGracePeriodSeconds").invalid(grace, "must be greater than 0"));
    }
}

/// The hooks of a container.
pub(super) fn lifecycle(hooks: &Value, grace: Option<i64>, os: &str, path: &Path, problems: &mut Problems) {
    for name in ["postStart", "preStop"] {
        if let Some(hook) = hooks.field(name) {
            handler(hook, &["exec", "httpGet", "tcpSocket", "sleep"], grace, &path.child(name), problems);
        }
    }
    let Some(signal) = hooks.maybe_text("stopSignal") else { return };
    let at = path.child("stopSignal");
    match os {
        "windows" => numbers::one_of_if_any(Some(signal), &["SIGKILL", "SIGTERM"], &at, problems),
        "linux" => numbers::one_of_if_any(Some(signal), &SIGNALS, &at, problems),
        "" => problems.push(at.forbidden("may not be set for containers with empty `spec.os.name`")),
        _ => {}
    }
}

fn handler(holder: &Value, sorts: &[&str], grace: Option<i64>, path: &Path, problems: &mut Problems) {
    let mut is_first = true;
    for sort in sorts {
        let Some(action) = holder.field(sort) else { continue };
        let path = path.child(sort);
        if !is_first {
            problems.push(path.forbidden("may not specify more than 1 handler type"));
            continue;
        }
        is_first = false;
        match *sort {
            "exec" if action.list("command").is_empty() => problems.push(path.child("command").required("")),
            "httpGet" => http(action, &path, problems),
            "tcpSocket" => numbers::port_or_name(action.field("port"), &path.child("port"), problems),
            "grpc" => numbers::port(action.number("port").unwrap_or_default(), &path.child("port"), problems),
            "sleep" => sleep(action, grace, &path, problems),
            _ => {}
        }
    }
    if is_first {
        problems.push(path.required("must specify a handler type"));
    }
}

fn http(action: &Value, path: &Path, problems: &mut Problems) {
    if action.text("path").is_empty() {
        problems.push(path.child("path").required(""));
    }
    numbers::port_or_name(action.field("port"), &path.child("port"), problems);
    let scheme = action.text("scheme");
    if !matches!(scheme, "HTTP" | "HTTPS") {
        problems.push(path.child("scheme").not_supported(scheme, &["HTTP", "HTTPS"]));
    }
    for header in action.list("httpHeaders") {
        let name = header.text("name");
        problems.extend(path.child("httpHeaders").each(name, names::header(name)));
    }
}

fn sleep(action: &Value, grace: Option<i64>, path: &Path, problems: &mut Problems) {
    let seconds = action.number("seconds").unwrap_or_default();
    if let Some(grace) = grace.filter(|grace| seconds < 0 || seconds > *grace) {
        let detail = format!("must be non-negative and less than terminationGracePeriodSeconds ({grace})");
        problems.push(path.invalid(seconds, &detail));
    }
}
