//! Amounts of resources: their names, their quantities, requests against limits.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Problems;
use super::names;
use super::path::Path;
use super::read::Read;
use crate::resource::quantity::Quantity;
use crate::sandbox::admission::amounts;

const OBJECT_COUNTS: [&str; 9] = [
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "services.nodeports",
    "services.loadbalancers",
];
const COMPUTE: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];
const COMPUTE_REQUESTS: [&str; 3] = ["requests.cpu", "requests.memory", "requests.ephemeral-storage"];
const COMPUTE_LIMITS: [&str; 3] = ["limits.cpu", "limits.memory", "limits.ephemeral-storage"];

/// Reads a quantity, which decoding made a text.
pub(super) fn quantity(value: &Value) -> Option<Quantity> {
    match value {
        Value::String(text) => Quantity::parse(text).ok(),
        Value::Number(number) => Quantity::parse(&number.to_string()).ok(),
        _ => None,
    }
}

fn is_huge_page(name: &str) -> bool {
    name.starts_with("hugepages-")
}

fn is_quota_huge_page(name: &str) -> bool {
    is_huge_page(name) || name.starts_with("requests.hugepages-")
}

pub(super) fn is_native(name: &str) -> bool {
    !name.contains('/') || name.contains("kubernetes.io/")
}

fn is_extended(name: &str) -> bool {
    !is_native(name) && !name.starts_with("requests.") && names::qualified(&format!("requests.{name}")).is_empty()
}

/// Tells whether more of a resource may be allowed than asked for.
pub(super) fn may_overcommit(name: &str) -> bool {
    is_native(name) && !is_huge_page(name)
}

fn is_standard(name: &str) -> bool {
    is_standard_for_quota(name) || name == "storage"
}

/// Tells whether a quota may count this.
pub(super) fn is_standard_for_quota(name: &str) -> bool {
    COMPUTE.contains(&name)
        || COMPUTE_REQUESTS.contains(&name)
        || COMPUTE_LIMITS.contains(&name)
        || OBJECT_COUNTS.contains(&name)
        || name == "requests.storage"
        || is_quota_huge_page(name)
}

/// The name of a resource anywhere. Tells whether it is one.
pub(super) fn name(name: &str, path: &Path, problems: &mut Problems) -> bool {
    let messages = names::qualified(name);
    if !messages.is_empty() {
        problems.extend(path.each(name, messages));
        return false;
    }
    if !name.contains('/') && !is_standard(name) {
        problems.push(path.invalid(name, "must be a standard resource type or fully qualified"));
        return false;
    }
    true
}

/// The name of a resource of a container.
pub(super) fn container_name(text: &str, path: &Path, problems: &mut Problems) {
    name(text, path, problems);
    if text.matches('/').count() == 0 {
        if !COMPUTE.contains(&text) && !is_huge_page(text) {
            problems.push(path.invalid(text, "must be a standard resource for containers"));
        }
    } else if !is_native(text) && !is_extended(text) {
        problems.push(path.invalid(text, "doesn't follow extended resource name standard"));
    }
}

/// The name of a resource of a whole Pod.
fn pod_name(text: &str, path: &Path, problems: &mut Problems) {
    if name(text, path, problems) && !matches!(text, "cpu" | "memory") && !is_huge_page(text) {
        problems.push(path.not_supported(text, &["cpu", "hugepages-", "memory"]));
    }
}

/// The name of what a quota counts.
pub(super) fn quota_name(text: &str, path: &Path, problems: &mut Problems) {
    name(text, path, problems);
    if !text.contains('/') && !is_standard_for_quota(text) {
        problems.push(path.invalid(text, "must be a standard resource for quota"));
    }
}

/// An amount is not negative, and whole where only whole ones exist.
pub(super) fn amount(name: &str, value: &Value, path: &Path, problems: &mut Problems) {
    let Some(quantity) = quantity(value) else { return };
    if quantity.nano() < 0 {
        problems.push(path.invalid(quantity.canonical(), "must be greater than or equal to 0"));
    }
    let is_counted = OBJECT_COUNTS.contains(&name) || is_extended(name);
    if is_counted && quantity.rounded_to_milli().nano() % 1_000_000_000 != 0 {
        problems.push(path.invalid(quantity.canonical(), "must be an integer"));
    }
}

/// An amount that is not below zero when it is rounded up. Tells whether it is so.
pub(super) fn whole_amount(value: &Value, path: &Path, problems: &mut Problems) -> bool {
    let whole = quantity(value).map_or(0, |quantity| quantity.value());
    if whole < 0 {
        problems.push(path.invalid(i64::try_from(whole).unwrap_or(i64::MIN), "must be a valid resource quantity"));
    }
    whole >= 0
}

/// An amount above zero.
pub(super) fn positive(value: &Value, path: &Path, problems: &mut Problems) -> bool {
    let Some(quantity) = quantity(value) else { return true };
    if quantity.nano() <= 0 {
        problems.push(path.invalid(quantity.canonical(), "must be greater than zero"));
        return false;
    }
    true
}

/// Requests and limits of a container.
pub(super) fn of_container(resources: &Value, claims: &BTreeSet<&str>, path: &Path, problems: &mut Problems) {
    requirements(resources, container_name, claims, path, problems);
}

/// Requests and limits of a whole Pod, which are at least those of its containers.
pub(super) fn of_pod(spec: &Value, claims: &BTreeSet<&str>, path: &Path, problems: &mut Problems) {
    let Some(resources) = spec.field("resources") else { return };
    let path = path.child("resources");
    if spec.field("os").is_some_and(|system| system.text("name") == "windows") {
        problems.push(path.forbidden("may not be set for a windows pod"));
        return;
    }
    if !resources.list("claims").is_empty() {
        problems.push(path.child("claims").forbidden("claims may not be set for Resources at pod-level"));
    }
    requirements(resources, pod_name, claims, &path, problems);
    for list in ["requests", "limits"] {
        let whole = resources.entries(list);
        for (name, amount) in amounts::of_containers(spec, list) {
            if let Some(given) = whole.get(&name).and_then(quantity)
                && (list == "requests" || is_huge_page(&name))
                && amount.nano() > given.nano()
            {
                let detail = format!("must be greater than or equal to aggregate container {list} of {amount}");
                problems.push(path.child(list).key(&name).invalid(given.canonical(), &detail));
            }
        }
    }
    let whole = resources.entries("limits");
    for (index, container) in spec.list("containers").iter().enumerate() {
        let own = container.field("resources").unwrap_or(&Value::Null).entries("limits");
        for (name, value) in own.iter() {
            if let (Some(own), Some(most)) = (quantity(value), whole.get(name).and_then(quantity))
                && own > most
            {
                let at = path.child("containers").index(index).key(name).child("limits");
                let detail = format!("must be less than or equal to pod limits of {}", most.canonical());
                problems.push(at.invalid(own.canonical(), &detail));
            }
        }
    }
}

fn requirements(
    resources: &Value,
    check_name: fn(&str, &Path, &mut Problems),
    claims: &BTreeSet<&str>,
    path: &Path,
    problems: &mut Problems,
) {
    let limits = resources.entries("limits");
    let requests = resources.entries("requests");
    let limits_path = path.child("limits");
    let requests_path = path.child("requests");
    for (name, value) in limits.iter() {
        let at = limits_path.key(name);
        check_name(name, &at, problems);
        amount(name, value, &at, problems);
        huge_page(name, value, &at, problems);
    }
    for (name, value) in requests.iter() {
        let at = requests_path.key(name);
        check_name(name, &at, problems);
        amount(name, value, &at, problems);
        if let (Some(request), Some(limit)) = (quantity(value), limits.get(name).and_then(quantity)) {
            let relation = match may_overcommit(name) {
                false if request != limit => Some("must be equal to"),
                true if request > limit => Some("must be less than or equal to"),
                _ => None,
            };
            if let Some(relation) = relation {
                let detail = format!("{relation} {name} limit of {}", limit.canonical());
                problems.push(requests_path.invalid(request.canonical(), &detail));
            }
        } else if !limits.has(name) && !may_overcommit(name) {
            problems.push(limits_path.required("Limit must be set for non overcommitable resources"));
        }
        huge_page(name, value, &at, problems);
    }
    let any = |test: fn(&str) -> bool| limits.iter().chain(requests.iter()).any(|(name, _)| test(name));
    if any(is_huge_page) && !any(|name| matches!(name, "cpu" | "memory")) {
        problems.push(path.forbidden("HugePages require cpu or memory"));
    }
    claim_names(resources, claims, &path.child("claims"), problems);
}

fn huge_page(name: &str, value: &Value, path: &Path, problems: &mut Problems) {
    let Some(size) = name.strip_prefix("hugepages-") else { return };
    let Some(amount) = quantity(value) else { return };
    let is_multiple = Quantity::parse(size).is_ok_and(|size| size.value() > 0 && amount.value() % size.value() == 0);
    if !is_multiple {
        let detail = format!("{} is not positive integer multiple of {name}", amount.canonical());
        problems.push(path.invalid(amount.canonical(), &detail));
    }
}

fn claim_names(resources: &Value, claims: &BTreeSet<&str>, path: &Path, problems: &mut Problems) {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for (index, claim) in resources.list("claims").iter().enumerate() {
        let at = path.index(index);
        let name = claim.text("name");
        if name.is_empty() {
            problems.push(at.required(""));
            continue;
        }
        if seen.contains(name) {
            problems.push(at.duplicate(name));
        } else {
            let request = claim.text("request");
            let key = if request.is_empty() { name.to_owned() } else { format!("{name}/{request}") };
            if !request.is_empty() {
                problems.extend(at.child("request").each(request, names::label(request)));
            }
            if seen.contains(&key) {
                problems.push(at.duplicate(key.as_str()));
            } else if request.is_empty() {
                let others = seen.iter().filter(|other| other.split_once('/').is_some_and(|(first, _)| first == name));
                problems.extend(others.map(|_| at.duplicate(name)));
            }
            seen.insert(key);
        }
        if !claims.contains(name) {
            let mut problem = at.not_found(name);
            let known: Vec<&str> = claims.iter().copied().collect();
            problem.detail = match known.as_slice() {
                [] => "must be one of the names in pod.spec.resourceClaims which is empty".to_owned(),
                known => format!("must be one of the names in pod.spec.resourceClaims: {}", known.join(", ")),
            };
            problems.push(problem);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sandbox::validation::tests::lines;

    #[test]
    fn requests_stay_below_limits() {
        let mut problems = Vec::new();
        let resources = json!({
            "limits": {"cpu": "1", "memory": "-1Gi", "gpu": "1", "a.b/gpu": "1500m"},
            "requests": {"cpu": "1500m", "hugepages-2Mi": "3Mi"}
        });
        of_container(&resources, &BTreeSet::new(), &Path::new("r"), &mut problems);
        insta::assert_snapshot!(lines(&problems), @r#"
        r.limits[a.b/gpu]: Invalid value: "1500m": must be an integer
        r.limits[gpu]: Invalid value: "gpu": must be a standard resource type or fully qualified
        r.limits[gpu]: Invalid value: "gpu": must be a standard resource for containers
        r.limits[memory]: Invalid value: "-1Gi": must be greater than or equal to 0
        r.requests: Invalid value: "1500m": must be less than or equal to cpu limit of 1
        r.limits: Required value: Limit must be set for non overcommitable resources
        r.requests[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi
        "#);
    }
}
