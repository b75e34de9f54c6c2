//! Admission webhooks and aggregated APIs.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::Problems;
use super::meta;
use super::names::{self, NameRule};
use super::numbers;
use super::path::Path;
use super::policies;
use super::read::{Read, texts};
use super::same::same_field;
use super::selector;
use super::url;

/// A configuration of webhooks, new or changed.
pub(super) fn of(live: Option<&Value>, object: &Value, problems: &mut Problems) {
    meta::generic(object, false, NameRule::Subdomain, problems);
    let is_mutating = object.text("kind") == "MutatingWebhookConfiguration";
    let hooks = object.list("webhooks");
    // Conditions are looked into where any of them changes.
    let is_old = live.map(|live| live.list("webhooks")).is_some_and(|before| {
        before.len() == hooks.len()
            && before.iter().zip(hooks).all(|(before, hook)| same_field("matchConditions", before, hook))
    });
    let mut seen = BTreeSet::new();
    for (index, hook) in hooks.iter().enumerate() {
        let path = Path::new("webhooks").index(index);
        of_hook(hook, is_mutating, &path, problems);
        if !is_old {
            let at = path.child("matchConditions");
            policies::match_conditions(hook.list("matchConditions"), false, &at, problems);
        }
        review_versions(hook.list("admissionReviewVersions"), &path.child("admissionReviewVersions"), problems);
        let name = hook.text("name");
        if !name.is_empty() && !seen.insert(name) {
            problems.push(path.child("name").duplicate(name));
        }
    }
}

fn of_hook(hook: &Value, is_mutating: bool, path: &Path, problems: &mut Problems) {
    qualified_name(hook.text("name"), &path.child("name"), problems);
    for (index, rule) in hook.list("rules").iter().enumerate() {
        of_rule(rule, &path.child("rules").index(index), problems);
    }
    let choice = |name: &str, allowed: &[&str], problems: &mut Problems| {
        numbers::one_of_if_any(hook.maybe_text(name), allowed, &path.child(name), problems);
    };
    choice("failurePolicy", &["Fail", "Ignore"], problems);
    choice("matchPolicy", &["Equivalent", "Exact"], problems);
    if hook.field("sideEffects").is_none() {
        problems.push(path.child("sideEffects").required("must specify one of None, NoneOnDryRun"));
    }
    choice("sideEffects", &["None", "NoneOnDryRun"], problems);
    if let Some(seconds) = hook.number("timeoutSeconds").filter(|seconds| !(1..=30).contains(seconds)) {
        let detail = "the timeout value must be between 1 and 30 seconds";
        problems.push(path.child("timeoutSeconds").invalid(seconds, detail));
    }
    for name in ["namespaceSelector", "objectSelector"] {
        if let Some(selector) = hook.field(name) {
            selector::of(selector, &path.child(name), problems);
        }
    }
    if is_mutating {
        choice("reinvocationPolicy", &["IfNeeded", "Never"], problems);
    }
    let none = Value::Object(Map::new());
    let client = hook.field("clientConfig").unwrap_or(&none);
    let at = path.child("clientConfig");
    match (client.maybe_text("url"), client.field("service")) {
        (Some(url), None) => of_url(url, &at.child("url"), problems),
        (None, Some(service)) => of_service(service, &at.child("service"), problems),
        _ => problems.push(at.required("exactly one of url or service is required")),
    }
}

/// A name in a domain of at least three parts.
fn qualified_name(name: &str, path: &Path, problems: &mut Problems) {
    let messages = names::subdomain(name);
    if name.is_empty() {
        problems.push(path.required(""));
    } else if !messages.is_empty() {
        problems.push(path.invalid(name, &messages.join(",")));
    } else if name.split('.').count() < 3 {
        let detail = "should be a domain with at least three segments separated by dots";
        problems.push(path.invalid(name, detail));
    }
}

/// What a webhook or a policy is asked about.
pub(super) fn of_rule(rule: &Value, path: &Path, problems: &mut Problems) {
    let operations = rule.list("operations");
    let at = path.child("operations");
    if operations.is_empty() {
        problems.push(at.required(""));
    }
    let is_any = |items: &[Value]| texts(items).any(|item| item == "*");
    if operations.len() > 1 && is_any(operations) {
        let detail = "if '*' is present, must not specify other operations";
        problems.push(at.invalid(Value::from(operations), detail));
    }
    for (index, operation) in texts(operations).enumerate() {
        let allowed = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];
        numbers::one_of_if_any(Some(operation), &allowed, &at.index(index), problems);
    }
    for (name, others) in [("apiGroups", "API groups"), ("apiVersions", "API versions")] {
        let items = rule.list(name);
        let at = path.child(name);
        if items.is_empty() {
            problems.push(at.required(""));
        }
        if items.len() > 1 && is_any(items) {
            let detail = format!("if '*' is present, must not specify other {others}");
            problems.push(at.invalid(Value::from(items), &detail));
        }
        for (index, _) in texts(items).enumerate().filter(|(_, item)| name == "apiVersions" && item.is_empty()) {
            problems.push(at.index(index).required(""));
        }
    }
    of_resources(rule.list("resources"), &path.child("resources"), problems);
    let scopes = ["*", "Cluster", "Namespaced"];
    numbers::one_of_if_any(rule.maybe_text("scope"), &scopes, &path.child("scope"), problems);
}

fn of_resources(resources: &[Value], path: &Path, problems: &mut Problems) {
    if resources.is_empty() {
        problems.push(path.required(""));
    }
    let (mut all_below, mut of_all) = (BTreeSet::new(), BTreeSet::new());
    let (mut is_double, mut is_single, mut has_whole) = (false, false, false);
    for (index, resource) in texts(resources).enumerate() {
        let at = path.index(index);
        if resource.is_empty() {
            problems.push(at.required(""));
            continue;
        }
        is_double |= resource == "*/*";
        is_single |= resource == "*";
        let Some((whole, part)) = resource.split_once('/') else {
            has_whole = resource != "*";
            continue;
        };
        if all_below.contains(whole) {
            problems.push(at.invalid(resource, &format!("if '{whole}/*' is present, must not specify {resource}")));
        }
        if of_all.contains(part) {
            problems.push(at.invalid(resource, &format!("if '*/{part}' is present, must not specify {resource}")));
        }
        if part == "*" {
            all_below.insert(whole);
        }
        if whole == "*" {
            of_all.insert(part);
        }
    }
    if resources.len() > 1 && is_double {
        let detail = "if '*/*' is present, must not specify other resources";
        problems.push(path.invalid(Value::from(resources), detail));
    }
    if is_single && has_whole {
        let detail = "if '*' is present, must not specify other resources without subresources";
        problems.push(path.invalid(Value::from(resources), detail));
    }
}

/// What is wrong with the webhook that converts between the versions of a definition, given its `clientConfig` and the
/// versions of the reviews that it understands.
pub(in crate::sandbox) fn conversion(client: Option<&Value>, versions: &[Value], path: &str) -> Problems {
    let (path, mut problems) = (Path::new(path), Problems::new());
    let at = path.child("webhookClientConfig");
    match client.map(|client| (client.maybe_text("url"), client.field("service"))) {
        None => problems.push(at.required("required when strategy is set to Webhook")),
        Some((Some(url), None)) => of_url(url, &at.child("url"), &mut problems),
        Some((None, Some(service))) => of_service(service, &at.child("service"), &mut problems),
        Some(_) => problems.push(at.required("exactly one of url or service is required")),
    }
    let at = path.child("conversionReviewVersions");
    match versions {
        [] => problems.push(at.required("")),
        versions => known_versions(versions, &at, &mut problems),
    }
    problems
}

fn review_versions(versions: &[Value], path: &Path, problems: &mut Problems) {
    match versions {
        [] => problems.push(path.required("must specify one of v1, v1beta1")),
        versions => known_versions(versions, path, problems),
    }
}

fn known_versions(versions: &[Value], path: &Path, problems: &mut Problems) {
    let mut seen = BTreeSet::new();
    for (index, version) in texts(versions).enumerate() {
        let at = path.index(index);
        if seen.insert(version) {
            problems.extend(at.each(version, names::label_1035(version)));
        } else {
            problems.push(at.invalid(version, "duplicate version"));
        }
    }
    if !seen.contains("v1") && !seen.contains("v1beta1") {
        problems.push(path.invalid(Value::from(versions), "must include at least one of v1, v1beta1"));
    }
}

fn of_url(url: &str, path: &Path, problems: &mut Problems) {
    const FORM: &str = "; desired format: https://host[/path]";
    let url = match url::parse(url) {
        Ok(url) => url,
        Err(error) => {
            problems.push(path.required(&format!("url must be a valid URL: {error}{FORM}")));
            return;
        }
    };
    if url.scheme != "https" {
        problems.push(path.invalid(url.scheme, &format!("'https' is the only allowed URL scheme{FORM}")));
    }
    if url.host.is_empty() {
        problems.push(path.invalid("", &format!("host must be specified{FORM}")));
    }
    if let Some(user) = url.user {
        problems.push(path.invalid(user, "user information is not permitted in the URL"));
    }
    if !url.fragment.is_empty() {
        problems.push(path.invalid(url.fragment, "fragments are not permitted in the URL"));
    }
    if !url.query.is_empty() {
        problems.push(path.invalid(url.query, "query parameters are not permitted in the URL"));
    }
}

fn of_service(service: &Value, path: &Path, problems: &mut Problems) {
    // The server takes the one for the other when it calls its own check.
    for (name, called) in [("namespace", "name"), ("name", "namespace")] {
        if service.text(name).is_empty() {
            problems.push(path.child(called).required(""));
        }
    }
    port(service, &path.child("port"), problems);
    let at = path.child("path");
    let text = service.text("path");
    match text {
        "" | "/" => return,
        "//" => {
            problems.push(at.invalid(text, "segment[0] may not be empty"));
            return;
        }
        _ if !text.starts_with('/') => problems.push(at.invalid(text, "must start with a '/'")),
        _ => {}
    }
    let mut rest = text.chars();
    rest.next();
    let rest = rest.as_str();
    for (index, step) in rest.strip_suffix('/').unwrap_or(rest).split('/').enumerate() {
        if step.is_empty() {
            problems.push(at.invalid(text, &format!("segment[{index}] may not be empty")));
            continue;
        }
        for message in names::subdomain(step) {
            problems.push(at.invalid(text, &format!("segment[{index}]: {message}")));
        }
    }
}

fn port(service: &Value, path: &Path, problems: &mut Problems) {
    let port = service.number("port").unwrap_or_default();
    if !(1..=65535).contains(&port) {
        problems.push(path.invalid(port, "port is not valid: must be between 1 and 65535, inclusive"));
    }
}

/// An aggregated API.
pub(super) fn api_service(object: &Value, problems: &mut Problems) {
    let none = Value::Object(Map::new());
    let spec = object.field("spec").unwrap_or(&none);
    let (group, version) = (spec.text("group"), spec.text("version"));
    let expected = format!("{version}.{group}");
    let rule = |name: &str| {
        let messages = names::segment(name);
        if messages.is_empty() && name != expected {
            return vec![format!("must be `spec.version+\".\"+spec.group`: {expected:?}")];
        }
        messages
    };
    meta::with_name(object, false, rule, rule, problems);
    let path = Path::new("spec");
    if group.is_empty() && version != "v1" {
        let detail = "only v1 may have an empty group and it better be legacy kube";
        problems.push(path.child("group").required(detail));
    }
    if !group.is_empty() {
        problems.extend(path.child("group").each(group, names::subdomain(group)));
    }
    problems.extend(path.child("version").each(version, names::label_1035(version)));
    for (name, most) in [("groupPriorityMinimum", 20_000), ("versionPriority", 1000)] {
        let value = spec.number(name).unwrap_or_default();
        if value <= 0 || value > most {
            problems.push(path.child(name).invalid(value, &format!("must be positive and less than {most}")));
        }
    }
    let bundle = STANDARD.decode(spec.text("caBundle")).unwrap_or_default();
    let is_insecure = spec.flag("insecureSkipTLSVerify");
    let insecure = path.child("insecureSkipTLSVerify");
    let Some(service) = spec.field("service") else {
        if !bundle.is_empty() {
            let shown = format!("{} bytes", bundle.len());
            problems.push(path.child("caBundle").invalid(shown, "local APIServices may not have a caBundle"));
        }
        if is_insecure {
            problems.push(insecure.invalid(true, "local APIServices may not have insecureSkipTLSVerify"));
        }
        return;
    };
    let at = path.child("service");
    for name in ["namespace", "name"] {
        if service.text(name).is_empty() {
            problems.push(at.child(name).required(""));
        }
    }
    port(service, &at.child("port"), problems);
    if is_insecure && !bundle.is_empty() {
        problems.push(insecure.invalid(true, "may not be true if caBundle is present"));
    }
}
