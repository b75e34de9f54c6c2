//! Limits of namespaces: ResourceQuotas and LimitRanges.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::Problems;
use super::internal;
use super::meta;
use super::names::{self, NameRule};
use super::path::Path;
use super::read::{Read, texts};
use super::resources;
use crate::resource::quantity::Quantity;

const COMPUTE: [&str; 7] = ["pods", "cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"];

/// A ResourceQuota.
pub(super) fn quota(object: &Value, problems: &mut Problems) {
    meta::of(object, true, NameRule::Subdomain, problems);
    quota_spec(object, problems);
    quota_amounts(object, problems);
}

/// A change of a ResourceQuota: its scopes stay.
pub(super) fn quota_update(live: &Value, object: &Value, problems: &mut Problems) {
    meta::of_update(live, object, problems);
    quota_spec(object, problems);
    let scopes = |object: &Value| -> Vec<Value> {
        object.field("spec").map_or_else(Vec::new, |spec| spec.list("scopes").to_vec())
    };
    let set = |object: &Value| -> BTreeSet<String> { scopes(object).iter().map(Value::to_string).collect() };
    if set(live) != set(object) {
        let new = scopes(object);
        let shown = if new.is_empty() { Value::Null } else { Value::Array(new) };
        problems.push(Path::new("spec").child("scopes").invalid(shown, "field is immutable"));
    }
}

/// What the status of a ResourceQuota counts.
pub(super) fn quota_status(live: &Value, object: &Value, problems: &mut Problems) {
    meta::of_update(live, object, problems);
    quota_amounts(object, problems);
}

fn quota_amounts(object: &Value, problems: &mut Problems) {
    let none = Value::Null;
    let status = object.field("status").unwrap_or(&none);
    for name in ["hard", "used"] {
        hard(status, name, &Path::new("status").child(name), problems);
    }
}

fn hard(holder: &Value, name: &str, path: &Path, problems: &mut Problems) {
    for (name, value) in holder.entries(name).iter() {
        let at = path.key(name);
        resources::quota_name(name, &at, problems);
        resources::amount(name, value, &at, problems);
    }
}

fn is_scope(scope: &str) -> bool {
    matches!(
        scope,
        "Terminating"
            | "NotTerminating"
            | "BestEffort"
            | "NotBestEffort"
            | "PriorityClass"
            | "VolumeAttributesClass"
            | "CrossNamespacePodAffinity"
    )
}

fn fits(scope: &str, resource: &str) -> bool {
    match scope {
        "Terminating" | "NotTerminating" | "NotBestEffort" | "PriorityClass" | "CrossNamespacePodAffinity" => {
            COMPUTE.contains(&resource)
        }
        "BestEffort" => resource == "pods",
        "VolumeAttributesClass" => matches!(resource, "persistentvolumeclaims" | "requests.storage"),
        _ => true,
    }
}

fn quota_spec(object: &Value, problems: &mut Problems) {
    let none = Value::Object(Map::new());
    let spec = object.field("spec").unwrap_or(&none);
    let path = Path::new("spec");
    hard(spec, "hard", &path.child("hard"), problems);
    let counted: Vec<&str> = spec
        .entries("hard")
        .iter()
        .map(|(name, _)| name)
        .filter(|name| resources::is_standard_for_quota(name))
        .collect();
    let scopes: Vec<&str> = texts(spec.list("scopes")).collect();
    let at = path.child("scopes");
    let shown = || if scopes.is_empty() { Value::Null } else { Value::from(spec.list("scopes")) };
    for scope in &scopes {
        if !is_scope(scope) {
            problems.push(at.invalid(shown(), "unsupported scope"));
        }
        for _ in counted.iter().filter(|name| !fits(scope, name)) {
            problems.push(at.invalid(shown(), "unsupported scope applied to resource"));
        }
    }
    let conflicts = |scopes: &[&str]| {
        [["BestEffort", "NotBestEffort"], ["Terminating", "NotTerminating"]]
            .iter()
            .filter(|pair| pair.iter().all(|scope| scopes.contains(scope)))
            .count()
    };
    for _ in 0..conflicts(&scopes) {
        problems.push(at.invalid(shown(), "conflicting scopes"));
    }
    let Some(selector) = spec.field("scopeSelector") else { return };
    let at = path.child("scopeSelector").child("matchExpressions");
    let mut selected = Vec::new();
    for requirement in selector.list("matchExpressions") {
        let scope = requirement.text("scopeName");
        selected.push(scope);
        if !is_scope(scope) {
            problems.push(at.child("scopeName").invalid(scope, "unsupported scope"));
        }
        for _ in counted.iter().filter(|name| !fits(scope, name)) {
            let shown = internal::shown("ScopeSelector", selector);
            problems.push(at.invalid_shown(shown, "unsupported scope applied to resource"));
        }
        scope_requirement(requirement, scope, &at, problems);
    }
    for _ in 0..conflicts(&selected) {
        problems.push(at.invalid(shown(), "conflicting scopes"));
    }
}

fn scope_requirement(requirement: &Value, scope: &str, path: &Path, problems: &mut Problems) {
    let operator = requirement.text("operator");
    let only_exists =
        ["BestEffort", "NotBestEffort", "Terminating", "NotTerminating", "CrossNamespacePodAffinity"].contains(&scope);
    if only_exists && operator != "Exists" {
        let detail = "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
        problems.push(path.child("operator").invalid(operator, detail));
    }
    let values = requirement.list("values");
    match operator {
        "In" | "NotIn" if values.is_empty() => {
            let detail = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
            problems.push(path.child("values").required(detail));
        }
        "Exists" | "DoesNotExist" if !values.is_empty() => {
            let detail = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
            problems.push(path.child("values").invalid(Value::from(values), detail));
        }
        "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
        other => problems.push(path.child("operator").invalid(other, "not a valid selector operator")),
    }
}

/// A LimitRange.
pub(super) fn limit_range(object: &Value, problems: &mut Problems) {
    meta::of(object, true, NameRule::Subdomain, problems);
    let none = Value::Null;
    let spec = object.field("spec").unwrap_or(&none);
    let mut seen = BTreeSet::new();
    for (index, limit) in spec.list("limits").iter().enumerate() {
        let path = Path::new("spec.limits").index(index);
        let sort = limit.text("type");
        limit_type(sort, &path.child("type"), problems);
        if !seen.insert(sort) {
            problems.push(path.child("type").duplicate(sort));
        }
        of_limit(limit, sort, &path, problems);
    }
}

fn limit_type(sort: &str, path: &Path, problems: &mut Problems) {
    let messages = names::qualified(sort);
    if messages.is_empty() {
        if !sort.contains('/') && !matches!(sort, "Pod" | "Container" | "PersistentVolumeClaim") {
            problems.push(path.invalid(sort, "must be a standard limit type or fully qualified"));
        }
    } else {
        problems.extend(path.each(sort, messages));
    }
}

fn of_limit(limit: &Value, sort: &str, path: &Path, problems: &mut Problems) {
    let mut keys = BTreeSet::new();
    let named = |list: &str, problems: &mut Problems, keys: &mut BTreeSet<String>| {
        for (name, _) in limit.entries(list).iter() {
            let at = path.child(list).key(name);
            if matches!(sort, "Pod" | "Container") {
                resources::container_name(name, &at, problems);
            } else {
                resources::name(name, &at, problems);
            }
            keys.insert(name.to_owned());
        }
    };
    named("max", problems, &mut keys);
    named("min", problems, &mut keys);
    for list in ["default", "defaultRequest"] {
        if sort != "Pod" {
            named(list, problems, &mut keys);
        } else if !limit.entries(list).is_empty() {
            problems.push(path.child(list).forbidden("may not be specified when `type` is 'Pod'"));
        }
    }
    let has_storage = |list: &str| limit.entries(list).has("storage");
    if sort == "PersistentVolumeClaim" && !has_storage("min") && !has_storage("max") {
        let detail = "either minimum or maximum storage value is required, but neither was provided";
        problems.push(path.child("limits").required(detail));
    }
    named("maxLimitRequestRatio", problems, &mut keys);
    for key in &keys {
        compare(limit, key, sort, path, problems);
    }
}

fn compare(limit: &Value, key: &str, sort: &str, path: &Path, problems: &mut Problems) {
    let of = |list: &str| limit.entries(list).get(key).and_then(resources::quantity);
    let (least, most, ratio) = (of("min"), of("max"), of("maxLimitRequestRatio"));
    let (default, request) = if sort == "Pod" { (None, None) } else { (of("default"), of("defaultRequest")) };
    let mut ordered =
        |low: &Option<Quantity>, high: &Option<Quantity>, list: &str, shown: &Option<Quantity>, words: [&str; 2]| {
            if let (Some(low), Some(high), Some(shown)) = (low, high, shown)
                && low > high
            {
                let (low, high) = (low.canonical(), high.canonical());
                let detail = format!("{} {low} is greater than {} {high}", words[0], words[1]);
                problems.push(path.child(list).key(key).invalid(shown.canonical(), &detail));
            }
        };
    ordered(&least, &most, "min", &least, ["min value", "max value"]);
    ordered(&least, &request, "defaultRequest", &request, ["min value", "default request value"]);
    ordered(&request, &most, "defaultRequest", &request, ["default request value", "max value"]);
    ordered(&request, &default, "defaultRequest", &request, ["default request value", "default limit value"]);
    ordered(&least, &default, "default", &least, ["min value", "default value"]);
    ordered(&default, &most, "default", &most, ["default value", "max value"]);
    if let Some(ratio) = &ratio {
        let at = path.child("maxLimitRequestRatio").key(key);
        if ratio.nano() < 1_000_000_000 {
            problems.push(at.invalid(ratio.canonical(), &format!("ratio {} is less than 1", ratio.canonical())));
        }
        if let (Some(least), Some(most)) = (&least, &most) {
            // Floating point, as the server does it.
            #[expect(clippy::cast_precision_loss, reason = "the server divides the same way")]
            let bound = most.nano() as f64 / least.nano() as f64;
            #[expect(clippy::cast_precision_loss, reason = "the server divides the same way")]
            let actual = ratio.nano() as f64 / 1e9;
            if actual > bound {
                let detail = format!("ratio {} is greater than max/min = {bound:.6}", ratio.canonical());
                problems.push(at.invalid(ratio.canonical(), &detail));
            }
        }
    }
    if let (Some(default), Some(request)) = (&default, &request)
        && !resources::may_overcommit(key)
        && default != request
    {
        let detail = format!(
            "default value {} must equal to defaultRequest value {} in {key}",
            default.canonical(),
            request.canonical()
        );
        problems.push(path.child("defaultRequest").key(key).invalid(request.canonical(), &detail));
    }
}
