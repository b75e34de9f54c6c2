//! Ingresses and their classes.

use serde_json::{Map, Value};

use super::Problems;
use super::meta;
use super::names::{self, NameRule};
use super::numbers;
use super::path::Path;
use super::read::{Read, texts};

const CLASS: &str = "kubernetes.io/ingress.class";
const MOST_CONTROLLER: usize = 250;

/// An Ingress.
pub(super) fn of(object: &Value, problems: &mut Problems) {
    body(object, None, problems);
    let annotation = object.below(&["metadata", "annotations", CLASS]).and_then(Value::as_str);
    let class = object.below(&["spec", "ingressClassName"]).and_then(Value::as_str);
    if let (Some(annotation), Some(class)) = (annotation, class)
        && annotation != class
    {
        let at = Path::new("annotations").child(CLASS);
        problems.push(at.invalid(annotation, "must match `ingressClassName` when both are specified"));
    }
}

/// A change of an Ingress.
pub(super) fn of_update(live: &Value, object: &Value, problems: &mut Problems) {
    meta::of_update(live, object, problems);
    body(object, Some(live), problems);
}

/// The status of an Ingress: where it is reached.
pub(super) fn of_status(live: &Value, object: &Value, problems: &mut Problems) {
    meta::of_update(live, object, problems);
    let points = object.below(&["status", "loadBalancer"]).map_or(&[][..], |balancer| balancer.list("ingress"));
    for (index, point) in points.iter().enumerate() {
        let at = Path::new("status").child("loadBalancer").child("ingress").index(index);
        let (address, host) = (point.text("ip"), point.text("hostname"));
        if !address.is_empty() {
            numbers::ip(address, &at.child("ip"), problems);
        }
        if !host.is_empty() {
            problems.extend(at.child("hostname").each(host, names::subdomain(host)));
            if numbers::address(host).is_some() {
                problems.push(at.child("hostname").invalid(host, "must be a DNS name, not an IP address"));
            }
        }
    }
}

fn body(object: &Value, live: Option<&Value>, problems: &mut Problems) {
    meta::of(object, true, NameRule::Subdomain, problems);
    let none = Value::Object(Map::new());
    let spec = object.field("spec").unwrap_or(&none);
    let before = live.and_then(|live| live.field("spec")).unwrap_or(&none);
    let path = Path::new("spec");
    let rules = spec.list("rules");
    let backend = spec.field("defaultBackend");
    if rules.is_empty() && backend.is_none() {
        problems.push(path.invalid(
            spec.field("rules").cloned().unwrap_or_default(),
            "either `defaultBackend` or `rules` must be specified",
        ));
    }
    if let Some(backend) = backend {
        of_backend(backend, &path.child("defaultBackend"), problems);
    }
    let tolerates_wildcards = before.list("rules").iter().any(|rule| {
        let mut found = Vec::new();
        of_paths(rule, &Path::new(""), &mut found);
        rule.text("host").contains('*') && !found.is_empty()
    });
    for (index, rule) in rules.iter().enumerate() {
        of_rule(rule, tolerates_wildcards, &path.child("rules").index(index), problems);
    }
    let is_bad = |name: &str| !name.is_empty() && !names::subdomain(name).is_empty();
    let tolerates_secrets = before.list("tls").iter().any(|tls| is_bad(tls.text("secretName")));
    for (index, tls) in spec.list("tls").iter().enumerate() {
        let at = path.child("tls").index(index);
        for (index, host) in texts(tls.list("hosts")).enumerate() {
            let messages = if host.contains('*') { names::wildcard_subdomain(host) } else { names::subdomain(host) };
            problems.extend(at.child("hosts").index(index).each(host, messages));
        }
        let name = tls.text("secretName");
        if !tolerates_secrets && !name.is_empty() {
            problems.extend(at.child("secretName").each(name, names::subdomain(name)));
        }
    }
    if let Some(class) = spec.maybe_text("ingressClassName") {
        problems.extend(path.child("ingressClassName").each(class, names::subdomain(class)));
    }
}

fn of_rule(rule: &Value, tolerates_wildcards: bool, path: &Path, problems: &mut Problems) {
    let host = rule.text("host");
    let at = path.child("host");
    let is_wildcard = host.contains('*');
    if !host.is_empty() {
        if numbers::address(host).is_some() {
            problems.push(at.invalid(host, "must be a DNS name, not an IP address"));
        }
        let messages = if is_wildcard { names::wildcard_subdomain(host) } else { names::subdomain(host) };
        problems.extend(at.each(host, messages));
    }
    if !is_wildcard || !tolerates_wildcards {
        of_paths(rule, path, problems);
    }
}

fn of_paths(rule: &Value, path: &Path, problems: &mut Problems) {
    let Some(http) = rule.field("http") else { return };
    let at = path.child("http").child("paths");
    let paths = http.list("paths");
    if paths.is_empty() {
        problems.push(at.required(""));
    }
    for (index, path) in paths.iter().enumerate() {
        of_path(path, &at.index(index), problems);
    }
}

fn of_path(path: &Value, at: &Path, problems: &mut Problems) {
    let Some(sort) = path.maybe_text("pathType") else {
        problems.push(at.child("pathType").required("pathType must be specified"));
        return;
    };
    let text = path.text("path");
    let here = at.child("path");
    match sort {
        "Exact" | "Prefix" => {
            if !text.starts_with('/') {
                problems.push(here.invalid(text, "must be an absolute path"));
            }
            for part in ["//", "/./", "/../", "%2f", "%2F"].iter().filter(|part| text.contains(**part)) {
                problems.push(here.invalid(text, &format!("must not contain '{part}'")));
            }
            for end in ["/..", "/."].iter().filter(|end| text.ends_with(**end)) {
                problems.push(here.invalid(text, &format!("cannot end with '{end}'")));
            }
        }
        "ImplementationSpecific" => {
            if !text.is_empty() && !text.starts_with('/') {
                problems.push(here.invalid(text, "must be an absolute path"));
            }
        }
        other => {
            let sorts = ["Exact", "ImplementationSpecific", "Prefix"];
            problems.push(at.child("pathType").not_supported(other, &sorts));
        }
    }
    of_backend(path.field("backend").unwrap_or(&Value::Null), &at.child("backend"), problems);
}

fn of_backend(backend: &Value, path: &Path, problems: &mut Problems) {
    match (backend.field("resource"), backend.field("service")) {
        (Some(_), Some(_)) => problems.push(path.invalid("", "cannot set both resource and service backends")),
        (None, None) => problems.push(path.invalid("", "resource or service backend is required")),
        (Some(resource), None) => reference(resource, &path.child("resource"), problems),
        (None, Some(service)) => {
            let at = path.child("service");
            match service.text("name") {
                "" => problems.push(at.child("name").required("")),
                name => problems.extend(at.child("name").each(name, names::label_1035(name))),
            }
            let none = Value::Null;
            let port = service.field("port").unwrap_or(&none);
            let (name, number) = (port.text("name"), port.number("number").unwrap_or_default());
            let at = at.child("port");
            match (name, number) {
                ("", 0) => problems.push(path.required("port name or number is required")),
                ("", number) => numbers::port(number, &at.child("number"), problems),
                (name, 0) => problems.extend(at.child("name").each(name, names::port(name))),
                _ => problems.push(path.invalid("", "cannot set both port name & port number")),
            }
        }
    }
}

fn reference(reference: &Value, path: &Path, problems: &mut Problems) {
    if let Some(group) = reference.maybe_text("apiGroup") {
        problems.extend(path.child("apiGroup").each(group, names::subdomain(group)));
    }
    for name in ["kind", "name"] {
        match reference.text(name) {
            "" => problems.push(path.child(name).required("")),
            text => problems.extend(path.child(name).each(text, names::segment(text))),
        }
    }
}

/// A class of Ingresses.
pub(super) fn class(object: &Value, problems: &mut Problems) {
    meta::of(object, false, NameRule::Subdomain, problems);
    let none = Value::Null;
    let spec = object.field("spec").unwrap_or(&none);
    let at = Path::new("spec").child("controller");
    let controller = spec.text("controller");
    if controller.len() > MOST_CONTROLLER {
        problems.push(at.too_long(MOST_CONTROLLER));
    }
    names::domain_path(controller, &at, problems);
    let Some(parameters) = spec.field("parameters") else { return };
    let at = Path::new("spec").child("parameters");
    reference(parameters, &at, problems);
    let namespace = parameters.maybe_text("namespace");
    let here = at.child("namespace");
    match (parameters.maybe_text("scope"), namespace) {
        (None, _) => problems.push(at.child("scope").required("")),
        (Some("Namespace"), None) => problems.push(here.required("`parameters.scope` is set to 'Namespace'")),
        (Some("Namespace"), Some(namespace)) => problems.extend(here.each(namespace, names::label(namespace))),
        (Some("Cluster"), Some(_)) => problems.push(here.forbidden("`parameters.scope` is set to 'Cluster'")),
        (Some("Cluster"), None) => {}
        (Some(other), _) => problems.push(at.child("scope").not_supported(other, &["Cluster", "Namespace"])),
    }
}

/// A change of a class: its controller stays.
pub(super) fn class_update(live: &Value, object: &Value, problems: &mut Problems) {
    meta::of_update(live, object, problems);
    let controller = |object: &Value| object.below(&["spec", "controller"]).cloned();
    if controller(live) != controller(object) {
        let shown = controller(object).unwrap_or_else(|| Value::from(""));
        problems.push(Path::new("spec").child("controller").invalid(shown, "field is immutable"));
    }
    class(object, problems);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sandbox::validation::tests::lines;

    #[test]
    fn an_address_of_an_ingress_is_no_name() {
        let live = json!({"metadata": {"name": "a", "namespace": "n"}});
        let mut object = live.clone();
        object["status"] =
            json!({"loadBalancer": {"ingress": [{"ip": "1.2.3.4", "hostname": "a.b"}, {"hostname": "1.2.3.4"}]}});
        let mut problems = Problems::new();
        of_status(&live, &object, &mut problems);
        assert_eq!(
            lines(&problems),
            "status.loadBalancer.ingress[1].hostname: Invalid value: \"1.2.3.4\": must be a DNS name, not an IP address\n"
        );
    }

    #[test]
    fn no_rules_are_shown_as_they_were_given() {
        for (spec, shown) in [(json!({"rules": []}), "[]"), (json!({}), "null")] {
            let mut problems = Problems::new();
            body(&json!({"metadata": {"name": "a", "namespace": "n"}, "spec": spec}), None, &mut problems);
            let told = format!("spec: Invalid value: {shown}: either `defaultBackend` or `rules` must be specified\n");
            assert_eq!(lines(&problems), told);
        }
    }
}
