//! `PodSecurity`: the standards (`baseline`, `restricted`) that the labels of a namespace hold its pods to.
//!
//! The standards are those of the served version, whichever version a label asks for. What is only audited is not looked
//! at: there is no audit log.

mod baseline;
mod namespace;
mod restricted;

use serde_json::Value;

use super::{Operation, Request};
use crate::sandbox::refusal::Refusal;
use crate::sandbox::strategy::fields::{at, items, text};

const LABEL: &str = "pod-security.kubernetes.io/";
const LEVELS: [&str; 3] = ["privileged", "baseline", "restricted"];
/// Operations on a pod that do not change what it is.
const IGNORED: [&str; 8] = ["exec", "attach", "binding", "eviction", "log", "portforward", "proxy", "status"];

/// What a check finds: the reason, and what exactly.
type Finding = Option<(String, String)>;

/// The level that a namespace sets for a mode, and how it is written with its version.
struct Policy<'n> {
    level: &'n str,
    written: String,
}

impl<'n> Policy<'n> {
    fn of(namespace: &'n Value, mode: &str) -> Self {
        let label = |name: String| text(namespace, &["metadata", "labels", &name]);
        let level = match label(format!("{LABEL}{mode}")) {
            "" => "privileged",
            level if LEVELS.contains(&level) => level,
            // What is written wrong is enforced strictly, but not warned of.
            _ if mode == "enforce" => "restricted",
            _ => "privileged",
        };
        let version = match label(format!("{LABEL}{mode}-version")) {
            "" => "latest",
            version => version,
        };
        Self { level, written: format!("{level}:{version}") }
    }

    /// Returns the reasons and the details of what is wrong with a pod.
    fn findings(&self, metadata: &Value, spec: &Value) -> Vec<(String, String)> {
        match self.level {
            "baseline" => baseline::findings(metadata, spec),
            "restricted" => restricted::findings(metadata, spec),
            _ => Vec::new(),
        }
    }

    /// Says how a pod violates the policy.
    fn violation(&self, metadata: &Value, spec: &Value) -> Option<String> {
        let findings = self.findings(metadata, spec);
        let shown: Vec<String> = findings.into_iter().map(|(reason, detail)| format!("{reason} ({detail})")).collect();
        (!shown.is_empty()).then(|| format!("violate PodSecurity {:?}: {}", self.written, shown.join(", ")))
    }
}

/// Judges a pod, what makes pods, or the labels of a namespace; the answer are warnings.
pub(super) fn review(request: &Request<'_>, object: &Value) -> Result<Vec<String>, Refusal> {
    if request.kind.custom.is_some() {
        return Ok(Vec::new());
    }
    if request.kind.is("", "Namespace") {
        return namespace::review(request, object);
    }
    let is_pod = request.kind.is("", "Pod");
    let Some(template) = template_of(request, object) else { return Ok(Vec::new()) };
    let metadata = at(template, &["metadata"]).unwrap_or(&Value::Null);
    let spec = at(template, &["spec"]).unwrap_or(&Value::Null);
    let namespace = text(object, &["metadata", "namespace"]);
    let Some(namespace) = request.view.get("", "Namespace", "", namespace) else { return Ok(Vec::new()) };
    if is_pod && let Some(violation) = Policy::of(&namespace, "enforce").violation(metadata, spec) {
        // "violate" is what it would do, "violates" what it does.
        return Err(request.forbid(object, &violation.replacen("violate", "violates", 1)));
    }
    let warning = Policy::of(&namespace, "warn").violation(metadata, spec);
    Ok(warning.into_iter().map(|violation| format!("would {violation}")).collect())
}

/// The pod in an object: itself, or the template that it makes pods from.
fn template_of<'o>(request: &Request<'_>, object: &'o Value) -> Option<&'o Value> {
    if request.kind.is("", "Pod") {
        let is_ignored = request.subresource.is_some_and(|name| IGNORED.contains(&name));
        let is_same = matches!(request.operation, Operation::Update(live) if has_same_images(live, object));
        return (!is_ignored && !is_same).then_some(object);
    }
    if request.subresource.is_some() {
        return None;
    }
    match (request.kind.group.as_str(), request.kind.kind.as_str()) {
        ("", "PodTemplate") => at(object, &["template"]),
        ("", "ReplicationController")
        | ("apps", "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet")
        | ("batch", "Job") => at(object, &["spec", "template"]),
        ("batch", "CronJob") => at(object, &["spec", "jobTemplate", "spec", "template"]),
        _ => None,
    }
}

/// Of a pod only images can change in a way that matters, and containers come in to look at it.
fn has_same_images(live: &Value, pod: &Value) -> bool {
    let image = |container: &Value| text(container, &["image"]).to_owned();
    let is_same = |list: &str| {
        let (before, now) = (items(live, &["spec", list]), items(pod, &["spec", list]));
        before.len() == now.len() && before.iter().zip(now).all(|(before, now)| image(before) == image(now))
    };
    let known = |container: &Value| {
        let mut before = items(live, &["spec", "ephemeralContainers"]).iter();
        before.any(|before| before.get("name") == container.get("name") && image(before) == image(container))
    };
    is_same("containers") && is_same("initContainers") && items(pod, &["spec", "ephemeralContainers"]).iter().all(known)
}

/// All containers of a pod.
fn containers(spec: &Value) -> impl Iterator<Item = &Value> {
    let of = |list: &'static str| items(spec, &[list]).iter();
    of("initContainers").chain(of("containers")).chain(of("ephemeralContainers"))
}

/// The names of the containers that a check finds at fault.
fn names<'s>(spec: &'s Value, is_at_fault: impl Fn(&'s Value) -> bool) -> Vec<&'s str> {
    containers(spec).filter(|container| is_at_fault(container)).map(|container| text(container, &["name"])).collect()
}

/// `"a", "b"`
fn quoted<S: AsRef<str>>(texts: &[S]) -> String {
    texts.iter().map(|text| format!("\"{}\"", text.as_ref())).collect::<Vec<String>>().join(", ")
}

/// `container "a"`, or `containers "a", "b"`
fn counted<S: AsRef<str>>(what: &str, texts: &[S]) -> String {
    format!("{} {}", plural(what, texts.len()), quoted(texts))
}

fn plural(what: &str, number: usize) -> String {
    if number == 1 { what.to_owned() } else { format!("{what}s") }
}

/// Who sets something: the pod, some of its containers, or both.
fn setters(is_pod: bool, containers: &[&str]) -> Option<String> {
    let of_pod = is_pod.then(|| "pod".to_owned());
    let of_containers = (!containers.is_empty()).then(|| counted("container", containers));
    let all: Vec<String> = of_pod.into_iter().chain(of_containers).collect();
    (!all.is_empty()).then(|| all.join(" and "))
}

/// Distinct texts, sorted.
fn distinct<'t>(texts: impl IntoIterator<Item = &'t str>) -> Vec<&'t str> {
    let set: std::collections::BTreeSet<&str> = texts.into_iter().collect();
    set.into_iter().collect()
}
