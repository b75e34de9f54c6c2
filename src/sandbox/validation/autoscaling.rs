//! HorizontalPodAutoscalers, in the form of `autoscaling/v2`.

use serde_json::{Map, Value};

use super::Problems;
use super::meta;
use super::names::{self, NameRule};
use super::numbers;
use super::path::Path;
use super::read::Read;
use super::resources;

const MOST_WINDOW: i64 = 3600;
const MOST_PERIOD: i64 = 1800;
/// The sources in the order in which the server looks at them, with their types.
const SOURCES: [(&str, &str); 5] = [
    ("object", "Object"),
    ("external", "External"),
    ("pods", "Pods"),
    ("resource", "Resource"),
    ("containerResource", "ContainerResource"),
];
const TYPES: [&str; 5] = ["ContainerResource", "External", "Object", "Pods", "Resource"];

/// An autoscaler.
pub(super) fn of(object: &Value, problems: &mut Problems) {
    meta::of(object, true, NameRule::Subdomain, problems);
    of_spec(object, None, problems);
}

/// A change of an autoscaler.
pub(super) fn of_update(live: &Value, object: &Value, problems: &mut Problems) {
    meta::of_update(live, object, problems);
    of_spec(object, Some(live), problems);
}

/// What the `apiVersion` of a reference may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    /// One of a group with a name.
    Named,
    /// One of any group.
    Any,
    /// Anything: it was so before.
    Unchecked,
}

fn of_spec(object: &Value, live: Option<&Value>, problems: &mut Problems) {
    let none = Value::Object(Map::new());
    let spec = object.field("spec").unwrap_or(&none);
    let path = Path::new("spec");
    let least = spec.number("minReplicas");
    let most = spec.number("maxReplicas").unwrap_or_default();
    let was_zero = live.and_then(|live| live.below(&["spec", "minReplicas"])).and_then(Value::as_i64) == Some(0);
    let bound = i64::from(!was_zero);
    if let Some(least) = least.filter(|least| *least < bound) {
        problems.push(path.child("minReplicas").invalid(least, &format!("must be greater than or equal to {bound}")));
    }
    if most < 1 {
        problems.push(path.child("maxReplicas").invalid(most, "must be greater than 0"));
    }
    if least.is_some_and(|least| most < least) {
        problems.push(path.child("maxReplicas").invalid(most, "must be greater than or equal to `minReplicas`"));
    }
    let scaled = spec.field("scaleTargetRef").unwrap_or(&none);
    target(scaled, group_of_target(scaled, live), &path.child("scaleTargetRef"), problems);
    let described = group_of_described(live);
    let metrics = spec.list("metrics");
    let at = path.child("metrics");
    for (index, metric) in metrics.iter().enumerate() {
        of_metric(metric, described, &at.index(index), problems);
    }
    let has_outside = metrics.iter().any(|metric| matches!(metric.text("type"), "Object" | "External"));
    if least == Some(0) && !has_outside {
        problems.push(
            at.forbidden("must specify at least one Object or External metric to support scaling to zero replicas"),
        );
    }
    if let Some(behavior) = spec.field("behavior") {
        for name in ["scaleUp", "scaleDown"] {
            if let Some(rules) = behavior.field(name) {
                of_rules(rules, &path.child("behavior").child(name), problems);
            }
        }
    }
}

fn group_of_target(scaled: &Value, live: Option<&Value>) -> Group {
    let is_same = |before: &Value| ["apiVersion", "kind"].iter().all(|name| before.text(name) == scaled.text(name));
    match live.map(|live| live.below(&["spec", "scaleTargetRef"]).unwrap_or(&Value::Null)) {
        Some(before) if is_same(before) => Group::Unchecked,
        // The only kind of the core group that can be scaled.
        _ if scaled.text("kind") == "ReplicationController" => Group::Any,
        _ => Group::Named,
    }
}

fn group_of_described(live: Option<&Value>) -> Group {
    let metrics = live.and_then(|live| live.field("spec")).map_or(&[][..], |spec| spec.list("metrics"));
    let is_wrong = |metric: &Value| {
        let described = metric.below(&["object", "describedObject"]);
        metric.text("type") == "Object"
            && described.is_some_and(|described| unfit_version(described, Group::Any).is_some())
    };
    if metrics.iter().any(is_wrong) { Group::Unchecked } else { Group::Any }
}

/// Returns what is wrong with the `apiVersion` of a reference.
fn unfit_version(reference: &Value, group: Group) -> Option<String> {
    let version = reference.text("apiVersion");
    let slashes = version.matches('/').count();
    match group {
        Group::Unchecked => None,
        _ if slashes > 1 => Some(format!("unexpected GroupVersion string: {version}")),
        Group::Named if slashes == 0 || version.starts_with('/') => {
            Some("apiVersion must specify API group".to_owned())
        }
        _ => None,
    }
}

fn target(reference: &Value, group: Group, path: &Path, problems: &mut Problems) {
    for name in ["kind", "name"] {
        match reference.text(name) {
            "" => problems.push(path.child(name).required("")),
            text => problems.extend(path.child(name).each(text, names::segment(text))),
        }
    }
    if let Some(detail) = unfit_version(reference, group) {
        problems.push(path.child("apiVersion").invalid(reference.text("apiVersion"), &detail));
    }
}

fn of_metric(metric: &Value, described: Group, path: &Path, problems: &mut Problems) {
    let sort = metric.text("type");
    let at = path.child("type");
    if sort.is_empty() {
        problems.push(at.required("must specify a metric source type"));
    }
    numbers::one_of_if_any(Some(sort), &TYPES, &at, problems);
    let present: Vec<&str> =
        SOURCES.iter().map(|(name, _)| *name).filter(|name| metric.field(name).is_some()).collect();
    if let Some(first) = present.first()
        && let Some(source) = metric.field(first)
    {
        of_source(first, source, described, &path.child(first), problems);
    }
    let expected = SOURCES.iter().find(|(_, called)| *called == sort).map(|(name, _)| *name);
    match expected {
        None => numbers::one_of_if_any(Some(sort), &TYPES, &at, problems),
        Some(name) if metric.field(name).is_none() => {
            problems.push(path.child(name).required("must populate information for the given metric source"));
        }
        Some(_) => {}
    }
    if present.len() != 1 {
        for name in present.iter().filter(|name| Some(**name) != expected) {
            problems.push(path.child(name).forbidden("must populate the given metric source only"));
        }
    }
}

fn of_source(sort: &str, source: &Value, described: Group, path: &Path, problems: &mut Problems) {
    let none = Value::Object(Map::new());
    let aim = source.field("target").unwrap_or(&none);
    let at = path.child("target");
    let has = |name: &str| aim.field(name).is_some();
    if sort == "object" {
        let object = source.field("describedObject").unwrap_or(&none);
        target(object, described, &path.child("describedObject"), problems);
    }
    match sort {
        "object" | "external" | "pods" => {
            let here = path.child("metric").child("name");
            match source.field("metric").map_or("", |metric| metric.text("name")) {
                "" => problems.push(here.required("must specify a metric name")),
                name => problems.extend(here.each(name, names::segment(name))),
            }
        }
        _ => {
            let name = source.text("name");
            if name.is_empty() {
                problems.push(path.child("name").required("must specify a resource name"));
            } else if sort == "containerResource" {
                resources::container_name(name, &path.child("name"), problems);
            }
            if sort == "containerResource" {
                match source.text("container") {
                    "" => problems.push(path.child("container").required("must specify a container")),
                    name => problems.extend(path.child("container").each(name, names::label(name))),
                }
            }
        }
    }
    of_target(aim, &at, problems);
    match sort {
        "object" if !has("value") && !has("averageValue") => {
            problems.push(at.child("averageValue").required("must set either a target value or averageValue"));
        }
        "external" if !has("value") && !has("averageValue") => {
            let detail = "must set either a target value for metric or a per-pod target";
            problems.push(at.child("averageValue").required(detail));
        }
        "external" if has("value") && has("averageValue") => {
            let detail = "may not set both a target value for metric and a per-pod target";
            problems.push(at.child("value").forbidden(detail));
        }
        "pods" if !has("averageValue") => {
            problems.push(at.child("averageValue").required("must specify a positive target averageValue"));
        }
        "resource" | "containerResource" => match (has("averageUtilization"), has("averageValue")) {
            (false, false) => {
                let detail = "must set either a target raw value or a target utilization";
                problems.push(at.child("averageUtilization").required(detail));
            }
            (true, true) => {
                let detail = "may not set both a target raw value and a target utilization";
                problems.push(at.child("averageValue").forbidden(detail));
            }
            _ => {}
        },
        _ => {}
    }
}

fn of_target(target: &Value, path: &Path, problems: &mut Problems) {
    let sort = target.text("type");
    if sort.is_empty() {
        problems.push(path.child("type").required("must specify a metric target type"));
    }
    if !matches!(sort, "Utilization" | "Value" | "AverageValue") {
        problems.push(path.child("type").invalid(sort, "must be either Utilization, Value, or AverageValue"));
    }
    for name in ["value", "averageValue"] {
        if let Some(amount) = target.field(name).and_then(resources::quantity).filter(|amount| amount.nano() <= 0) {
            problems.push(path.child(name).invalid(amount.canonical(), "must be positive"));
        }
    }
    if let Some(share) = target.number("averageUtilization").filter(|share| *share < 1) {
        problems.push(path.child("averageUtilization").invalid(share, "must be greater than 0"));
    }
}

fn of_rules(rules: &Value, path: &Path, problems: &mut Problems) {
    let at = path.child("stabilizationWindowSeconds");
    if let Some(window) = rules.number("stabilizationWindowSeconds") {
        if window < 0 {
            problems.push(at.invalid(window, "must be greater than or equal to zero"));
        }
        if window > MOST_WINDOW {
            problems.push(at.invalid(window, &format!("must be less than or equal to {MOST_WINDOW}")));
        }
    }
    let choice = rules.maybe_text("selectPolicy");
    numbers::one_of_if_any(choice, &["Disabled", "Max", "Min"], &path.child("selectPolicy"), problems);
    let policies = rules.list("policies");
    let at = path.child("policies");
    if policies.is_empty() {
        problems.push(at.required("must specify at least one Policy"));
    }
    for (index, policy) in policies.iter().enumerate() {
        let at = at.index(index);
        numbers::one_of_if_any(Some(policy.text("type")), &["Percent", "Pods"], &at.child("type"), problems);
        for name in ["value", "periodSeconds"] {
            let value = policy.number(name).unwrap_or_default();
            if value <= 0 {
                problems.push(at.child(name).invalid(value, "must be greater than zero"));
            }
            if name == "periodSeconds" && value > MOST_PERIOD {
                problems.push(at.child(name).invalid(value, &format!("must be less than or equal to {MOST_PERIOD}")));
            }
        }
    }
    let tolerance = rules.field("tolerance").and_then(resources::quantity);
    if let Some(tolerance) = tolerance.filter(|tolerance| tolerance.nano() < 0) {
        problems.push(path.child("tolerance").invalid(tolerance.canonical(), "must be greater than or equal to 0"));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sandbox::validation::tests::lines;

    fn scaler(version: &str, kind: &str) -> Value {
        json!({"metadata": {"name": "s", "namespace": "n"}, "spec": {
            "minReplicas": 1, "maxReplicas": 2, "scaleTargetRef": {"apiVersion": version, "kind": kind, "name": "a"}}})
    }

    fn told(live: Option<&Value>, object: &Value) -> String {
        let mut problems = Problems::new();
        match live {
            Some(live) => of_update(live, object, &mut problems),
            None => of(object, &mut problems),
        }
        lines(&problems)
    }

    #[test]
    fn a_scaled_kind_is_of_a_group_unless_it_was_of_none_before() {
        let refused = "spec.scaleTargetRef.apiVersion: Invalid value: \"v1\": apiVersion must specify API group\n";
        assert_eq!(told(None, &scaler("v1", "Deployment")), refused);
        assert_eq!(told(None, &scaler("", "ReplicationController")), "");
        assert_eq!(told(Some(&scaler("apps/v1", "Deployment")), &scaler("v1", "Deployment")), refused);
        assert_eq!(told(Some(&scaler("v1", "Deployment")), &scaler("v1", "Deployment")), "");
    }
}
