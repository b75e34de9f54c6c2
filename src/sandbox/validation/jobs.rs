//! Jobs and CronJobs.

use serde_json::{Map, Value};

use super::Problems;
use super::internal;
use super::job_policies::{failure_policy, success_policy};
use super::meta;
use super::names::{self, NameRule};
use super::numbers;
use super::path::Path;
use super::pod;
use super::read::Read;
use super::same::same_field;
use super::selector::{self, Answer};

const MOST_PARALLEL: i64 = 100_000;
const MANY_COMPLETIONS: i64 = 100_000;
const MOST_WITH_MANY: i64 = 10_000;
const MOST_MANAGED_BY: usize = 63;

/// A Job, with the selector that the server made.
pub(super) fn job(object: &Value, problems: &mut Problems) {
    meta::of(object, true, NameRule::Subdomain, problems);
    let none = Value::Object(Map::new());
    let spec = object.field("spec").unwrap_or(&none);
    let path = Path::new("spec");
    made_selector(object, spec, problems);
    job_spec(spec, &path, problems);
    let completions = spec.number("completions").unwrap_or_default();
    if spec.text("completionMode") == "Indexed" && completions > 0 {
        let name = object.below(&["metadata", "name"]).and_then(Value::as_str).unwrap_or_default();
        let last = format!("{name}-{}", completions - 1);
        if !names::label(&last).is_empty() {
            let detail = format!("will not able to create pod with invalid DNS label: {last}");
            problems.push(Path::new("metadata").child("name").invalid(name, &detail));
        }
    }
}

/// A selector that the server makes fits the labels that it makes.
fn made_selector(object: &Value, spec: &Value, problems: &mut Problems) {
    let Some(selector) = spec.field("selector").filter(|_| !spec.flag("manualSelector")) else { return };
    let of = |name: &str| object.below(&["metadata", name]).and_then(Value::as_str).unwrap_or_default();
    let (uid, name) = (of("uid"), of("name"));
    if uid.is_empty() {
        problems.push(Path::new("metadata").child("uid").required(""));
    }
    let none = Value::Null;
    let labels = spec.below(&["template", "metadata", "labels"]).unwrap_or(&none);
    let path = Path::new("spec").child("template").child("metadata").child("labels");
    let mut expected = Map::new();
    for (key, value) in [
        ("controller-uid", uid),
        ("job-name", name),
        ("batch.kubernetes.io/controller-uid", uid),
        ("batch.kubernetes.io/job-name", name),
    ] {
        let detail = format!("must be '{value}'");
        match labels.maybe_text(key) {
            None => problems.push(path.key(key).required(&detail)),
            Some(actual) if actual != value => problems.push(path.key(key).invalid(labels.clone(), &detail)),
            Some(_) => {}
        }
        expected.insert(key.to_owned(), Value::from(value));
    }
    if selector::ask(Some(selector), Some(&Value::Object(expected))) == Answer::Differs {
        let shown = selector::shown(Some(selector));
        problems.push(Path::new("spec").child("selector").invalid_shown(shown, "`selector` not auto-generated"));
    }
}

fn job_spec(spec: &Value, path: &Path, problems: &mut Problems) {
    of_spec(spec, path, problems);
    let selector = spec.field("selector");
    match selector {
        None => problems.push(path.child("selector").required("")),
        Some(selector) => selector::of(selector, &path.child("selector"), problems),
    }
    let labels = spec.below(&["template", "metadata", "labels"]);
    if selector::ask(selector, labels) == Answer::Differs {
        let at = path.child("template").child("metadata").child("labels");
        problems.push(at.invalid(labels.cloned().unwrap_or_default(), "`selector` does not match template `labels`"));
    }
}

/// What a Job is to do, without its selector.
pub(super) fn of_spec(spec: &Value, path: &Path, problems: &mut Problems) {
    for name in [
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
        "backoffLimitPerIndex",
        "maxFailedIndexes",
    ] {
        numbers::not_negative_if_any(spec.number(name), &path.child(name), problems);
    }
    if spec.field("maxFailedIndexes").is_some() && spec.field("backoffLimitPerIndex").is_none() {
        problems.push(path.child("backoffLimitPerIndex").required("when maxFailedIndexes is specified"));
    }
    if let Some(manager) = spec.maybe_text("managedBy") {
        let at = path.child("managedBy");
        names::domain_path(manager, &at, problems);
        if manager.len() > MOST_MANAGED_BY {
            problems.push(at.too_long(MOST_MANAGED_BY));
        }
    }
    let is_indexed = completion_mode(spec, path, problems);
    if let Some(policy) = spec.field("podFailurePolicy") {
        failure_policy(policy, spec, &path.child("podFailurePolicy"), problems);
    }
    if let Some(policy) = spec.field("successPolicy") {
        let at = path.child("successPolicy");
        if is_indexed {
            success_policy(policy, spec, &at, problems);
        } else {
            let shown = internal::shown("SuccessPolicy", policy);
            problems.push(at.invalid_shown(shown, "requires indexed completion mode"));
        }
    }
    let allowed: &[&str] =
        if spec.field("podFailurePolicy").is_some() { &["Failed"] } else { &["Failed", "TerminatingOrFailed"] };
    let replacement = spec.maybe_text("podReplacementPolicy");
    numbers::one_of_if_any(replacement, allowed, &path.child("podReplacementPolicy"), problems);
    pod::of_template(spec.field("template").unwrap_or(&Value::Null), &path.child("template"), problems);
    let policy = spec.below(&["template", "spec", "restartPolicy"]).and_then(Value::as_str).unwrap_or_default();
    let at = path.child("template").child("spec").child("restartPolicy");
    match policy {
        "Always" | "" => problems.push(at.required("valid values: \"OnFailure\", \"Never\"")),
        "Never" => {}
        "OnFailure" if spec.field("podFailurePolicy").is_some() => {
            problems.push(at.invalid(policy, "only \"Never\" is supported when podFailurePolicy is specified"));
        }
        "OnFailure" => {}
        other => problems.push(at.not_supported(other, &["OnFailure", "Never"])),
    }
}

/// Looks at what depends on how completions count. Tells whether each has its index.
fn completion_mode(spec: &Value, path: &Path, problems: &mut Problems) -> bool {
    let mode = spec.maybe_text("completionMode");
    numbers::one_of_if_any(mode, &["NonIndexed", "Indexed"], &path.child("completionMode"), problems);
    let number = |name: &str| spec.number(name);
    let completions = number("completions");
    if mode == Some("Indexed") {
        if completions.is_none() {
            problems.push(path.child("completions").required("when completion mode is Indexed"));
        }
        let limit = |name: &str, most: i64, detail: &str, problems: &mut Problems| {
            if let Some(value) = number(name).filter(|value| *value > most) {
                problems.push(path.child(name).invalid(value, detail));
            }
        };
        let detail = format!("must be less than or equal to {MOST_PARALLEL} when completion mode is Indexed");
        limit("parallelism", MOST_PARALLEL, &detail, problems);
        if let Some(completions) = completions {
            limit("maxFailedIndexes", completions, "must be less than or equal to completions", problems);
        }
        limit("maxFailedIndexes", MOST_PARALLEL, &format!("must be less than or equal to {MOST_PARALLEL}"), problems);
        if completions.is_some_and(|completions| completions > MANY_COMPLETIONS)
            && number("backoffLimitPerIndex").is_some()
        {
            if number("maxFailedIndexes").is_none() {
                let detail = format!("must be specified when completions is above {MANY_COMPLETIONS}");
                problems.push(path.child("maxFailedIndexes").required(&detail));
            }
            let detail = format!(
                "must be less than or equal to {MOST_WITH_MANY} when completions are above {MANY_COMPLETIONS} and used with backoff limit per index"
            );
            limit("parallelism", MOST_WITH_MANY, &detail, problems);
            limit("maxFailedIndexes", MOST_WITH_MANY, &detail, problems);
        }
    } else if matches!(mode, None | Some("NonIndexed")) {
        for name in ["backoffLimitPerIndex", "maxFailedIndexes"] {
            if let Some(value) = number(name) {
                problems.push(path.child(name).invalid(value, "requires indexed completion mode"));
            }
        }
    }
    mode == Some("Indexed")
}

/// A change of a Job: what it runs stays.
pub(super) fn job_update(live: &Value, object: &Value, problems: &mut Problems) {
    meta::of_update(live, object, problems);
    let none = Value::Object(Map::new());
    let before = live.field("spec").unwrap_or(&none);
    let after = object.field("spec").unwrap_or(&none);
    let path = Path::new("spec");
    job_spec(after, &path, problems);
    completions_stay(before, after, &path.child("completions"), problems);
    let stays = |name: &str, shown: String, problems: &mut Problems| {
        if !same_field(name, before, after) {
            problems.push(path.child(name).invalid_shown(shown, "field is immutable"));
        }
    };
    stays("selector", selector::shown(after.field("selector")), problems);
    let mut expected = before.clone();
    if before.flag("suspend") && live.below(&["status", "startTime"]).is_none() {
        scheduling_may_change(&mut expected, after);
    }
    if !same_field("template", &expected, after) {
        let shown = internal::shown(internal::POD_TEMPLATE, after.field("template").unwrap_or(&none));
        problems.push(path.child("template").invalid_shown(shown, "field is immutable"));
    }
    let plain = |name: &str| after.field(name).map_or_else(|| "null".to_owned(), Value::to_string);
    let structure = |name: &str, structure: &str| {
        after.field(name).map_or_else(|| "null".to_owned(), |value| internal::shown(structure, value))
    };
    stays("completionMode", plain("completionMode"), problems);
    stays("podFailurePolicy", structure("podFailurePolicy", "PodFailurePolicy"), problems);
    stays("backoffLimitPerIndex", plain("backoffLimitPerIndex"), problems);
    stays("managedBy", plain("managedBy"), problems);
    stays("successPolicy", structure("successPolicy", "SuccessPolicy"), problems);
}

fn completions_stay(before: &Value, after: &Value, path: &Path, problems: &mut Problems) {
    let completions = after.field("completions");
    if same_field("completions", before, after) {
        return;
    }
    let shown = completions.cloned().unwrap_or_default();
    if after.text("completionMode") != "Indexed" {
        problems.push(path.invalid(shown, "field is immutable"));
    } else if completions.is_some() && completions != after.field("parallelism") {
        problems.push(path.invalid(shown, "can only be modified in tandem with spec.parallelism"));
    }
}

/// Before it began, a Job that is suspended may be told to run elsewhere.
fn scheduling_may_change(expected: &mut Value, after: &Value) {
    let places = [
        "/template/metadata/annotations",
        "/template/metadata/labels",
        "/template/spec/nodeSelector",
        "/template/spec/tolerations",
        "/template/spec/schedulingGates",
        "/template/spec/affinity/nodeAffinity",
    ];
    for place in places {
        let new = after.pointer(place).cloned();
        let Some((outer, name)) = place.rsplit_once('/') else { continue };
        if outer.ends_with("/affinity")
            && expected.pointer(outer).is_none()
            && after.pointer(outer).is_some_and(Value::is_object)
            && let Some(spec) = expected.pointer_mut("/template/spec").and_then(Value::as_object_mut)
        {
            spec.insert("affinity".to_owned(), Value::Object(Map::new()));
        }
        if let Some(map) = expected.pointer_mut(outer).and_then(Value::as_object_mut) {
            match new {
                Some(new) => map.insert(name.to_owned(), new),
                None => map.remove(name),
            };
        }
    }
    // It may go as a whole where it had nothing else.
    let is_empty = |spec: &Value| spec.field("affinity").and_then(Value::as_object).is_some_and(Map::is_empty);
    if after.pointer("/template/spec/affinity").is_none_or(Value::is_null)
        && let Some(spec) =
            expected.pointer_mut("/template/spec").filter(|spec| is_empty(spec)).and_then(Value::as_object_mut)
    {
        spec.remove("affinity");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_affinity_of_a_suspended_job_may_go_and_need_not_come() {
        let of = |spec: Value| json!({"template": {"spec": spec}});
        for (before, after) in [(json!({}), json!({})), (json!({"affinity": {"nodeAffinity": {"x": 1}}}), json!({}))] {
            let mut expected = of(before);
            scheduling_may_change(&mut expected, &of(after.clone()));
            assert_eq!(expected, of(after));
        }
    }
}
