//! Workloads: Deployments, ReplicaSets, StatefulSets and DaemonSets.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::Problems;
use super::claim;
use super::internal;
use super::meta;
use super::names::{self, NameRule};
use super::numbers;
use super::path::Path;
use super::pod;
use super::read::Read;
use super::same::{same, same_field};
use super::selector::{self, Answer};

const NO_MATCH: &str = "`selector` does not match template `labels`";

/// The specification; empty if there is none.
pub(super) fn spec_of(object: &Value) -> Value {
    object.field("spec").cloned().unwrap_or_else(|| Value::Object(Map::new()))
}

/// A count that is not negative.
pub(super) fn count(spec: &Value, name: &str, path: &Path, problems: &mut Problems) {
    numbers::not_negative_if_any(spec.number(name), &path.child(name), problems);
}

/// A selector that must be there and say something. Returns what it says about the template's labels.
fn required_selector(spec: &Value, called: &str, path: &Path, problems: &mut Problems) -> Answer {
    let selector = spec.field("selector");
    let at = path.child("selector");
    match selector {
        None => problems.push(at.required("")),
        Some(selector) => {
            selector::of(selector, &at, problems);
            if selector::is_empty(selector) {
                let detail = format!("empty selector is invalid for {called}");
                problems.push(at.invalid_shown("{}".to_owned(), &detail));
            }
        }
    }
    selector::ask(selector, spec.below(&["template", "metadata", "labels"]))
}

/// Labels that the selector does not match.
pub(super) fn unmatched_labels(spec: &Value, path: &Path, problems: &mut Problems) {
    let labels = spec.below(&["template", "metadata", "labels"]).cloned().unwrap_or_default();
    problems.push(path.child("template").child("metadata").child("labels").invalid(labels, NO_MATCH));
}

/// The template of the Pods.
pub(super) fn template(spec: &Value, path: &Path, problems: &mut Problems) {
    let none = Value::Null;
    pod::of_template(spec.field("template").unwrap_or(&none), &path.child("template"), problems);
}

/// Pods that are kept running are always started again, and have no deadline.
pub(super) fn runs_forever(spec: &Value, called: &str, path: &Path, problems: &mut Problems) {
    let at = path.child("template").child("spec");
    let none = Value::Null;
    let pods = spec.below(&["template", "spec"]).unwrap_or(&none);
    let policy = pods.text("restartPolicy");
    if policy != "Always" {
        problems.push(at.child("restartPolicy").not_supported(policy, &["Always"]));
    }
    if pods.field("activeDeadlineSeconds").is_some() {
        let detail = format!("activeDeadlineSeconds in {called} is not Supported");
        problems.push(at.child("activeDeadlineSeconds").forbidden(&detail));
    }
}

fn selected_template(spec: &Value, answer: Answer, path: &Path, problems: &mut Problems) {
    if answer == Answer::Unreadable {
        let shown = selector::shown(spec.field("selector"));
        problems.push(path.child("selector").invalid_shown(shown, "invalid label selector"));
        return;
    }
    if answer == Answer::Differs {
        unmatched_labels(spec, path, problems);
    }
    template(spec, path, problems);
    runs_forever(spec, "ReplicaSet", path, problems);
}

fn selector_stays(live: &Value, object: &Value, problems: &mut Problems) {
    let (before, after) = (spec_of(live), spec_of(object));
    if !same_field("selector", &before, &after) {
        let shown = selector::shown(after.field("selector"));
        problems.push(Path::new("spec").child("selector").invalid_shown(shown, "field is immutable"));
    }
}

/// A Deployment.
pub(super) fn deployment(object: &Value, problems: &mut Problems) {
    meta::of(object, true, NameRule::Subdomain, problems);
    deployment_spec(object, problems);
}

fn deployment_spec(object: &Value, problems: &mut Problems) {
    let spec = &spec_of(object);
    let path = Path::new("spec");
    count(spec, "replicas", &path, problems);
    let answer = required_selector(spec, "deployment", &path, problems);
    selected_template(spec, answer, &path, problems);
    if let Some(strategy) = spec.field("strategy") {
        deployment_strategy(strategy, &path.child("strategy"), problems);
    }
    count(spec, "minReadySeconds", &path, problems);
    count(spec, "revisionHistoryLimit", &path, problems);
    count(spec, "progressDeadlineSeconds", &path, problems);
    if let Some(deadline) = spec.number("progressDeadlineSeconds")
        && deadline <= spec.number("minReadySeconds").unwrap_or_default()
    {
        problems.push(path.child("progressDeadlineSeconds").invalid(deadline, "must be greater than minReadySeconds"));
    }
}

fn deployment_strategy(strategy: &Value, path: &Path, problems: &mut Problems) {
    let at = path.child("rollingUpdate");
    let update = strategy.field("rollingUpdate");
    match (strategy.text("type"), update) {
        ("Recreate", Some(_)) => {
            problems.push(at.forbidden("may not be specified when strategy `type` is 'Recreate'"));
        }
        ("Recreate", None) => {}
        ("RollingUpdate", None) => problems.push(at.required("this should be defaulted and never be nil")),
        ("RollingUpdate", Some(update)) => {
            let (unavailable, surge) = (update.field("maxUnavailable"), update.field("maxSurge"));
            for (name, value) in [("maxUnavailable", unavailable), ("maxSurge", surge)] {
                numbers::count_or_percent(value.unwrap_or(&Value::Null), &at.child(name), problems);
            }
            let at = at.child("maxUnavailable");
            let shown = unavailable.cloned().unwrap_or_else(|| Value::from(0));
            if numbers::amount_of(unavailable) == 0 && numbers::amount_of(surge) == 0 {
                problems.push(at.invalid(shown.clone(), "may not be 0 when `maxSurge` is 0"));
            }
            numbers::at_most_all(&shown, &at, problems);
        }
        _ => {
            let mut problem = path.not_supported("", &["Recreate", "RollingUpdate"]);
            problem.value = Some(internal::shown("DeploymentStrategy", strategy));
            problems.push(problem);
        }
    }
}

/// A change of a Deployment.
pub(super) fn deployment_update(live: &Value, object: &Value, problems: &mut Problems) {
    meta::of_update(live, object, problems);
    deployment_spec(object, problems);
    selector_stays(live, object, problems);
}

/// A ReplicaSet.
pub(super) fn replica_set(object: &Value, problems: &mut Problems) {
    meta::of(object, true, NameRule::Subdomain, problems);
    replica_set_spec(object, problems);
}

fn replica_set_spec(object: &Value, problems: &mut Problems) {
    let spec = &spec_of(object);
    let path = Path::new("spec");
    count(spec, "replicas", &path, problems);
    count(spec, "minReadySeconds", &path, problems);
    let answer = required_selector(spec, "deployment", &path, problems);
    selected_template(spec, answer, &path, problems);
}

/// A change of a ReplicaSet.
pub(super) fn replica_set_update(live: &Value, object: &Value, problems: &mut Problems) {
    meta::of_update(live, object, problems);
    replica_set_spec(object, problems);
    selector_stays(live, object, problems);
}

/// A StatefulSet.
pub(super) fn stateful_set(object: &Value, problems: &mut Problems) {
    meta::of(object, true, NameRule::Label, problems);
    stateful_set_spec(object, true, true, problems);
}

fn stateful_set_spec(object: &Value, is_new: bool, checks_pods: bool, problems: &mut Problems) {
    let spec = &spec_of(object);
    let path = Path::new("spec");
    let at = path.child("podManagementPolicy");
    match spec.text("podManagementPolicy") {
        "" => problems.push(at.required("")),
        "OrderedReady" | "Parallel" => {}
        other => problems.push(at.invalid(other, "must be 'OrderedReady' or 'Parallel'")),
    }
    stateful_set_strategy(spec, &path.child("updateStrategy"), problems);
    if let Some(policy) = spec.field("persistentVolumeClaimRetentionPolicy") {
        let at = path.child("persistentVolumeClaimRetentionPolicy");
        for name in ["whenDeleted", "whenScaled"] {
            numbers::one_of_if_any(Some(policy.text(name)), &["Retain", "Delete"], &at.child(name), problems);
        }
    }
    let claims = spec.list("volumeClaimTemplates");
    if is_new {
        for (index, claim) in claims.iter().enumerate() {
            let at = path.child("volumeClaimTemplates").index(index).child("spec");
            claim::of_spec(claim.field("spec").unwrap_or(&Value::Null), &at, problems);
        }
    }
    count(spec, "replicas", &path, problems);
    count(spec, "minReadySeconds", &path, problems);
    if let Some(ordinals) = spec.field("ordinals") {
        numbers::not_negative_if_any(ordinals.number("start"), &path.child("ordinals.start"), problems);
    }
    let service = spec.text("serviceName");
    if is_new && !service.is_empty() {
        problems.extend(path.child("serviceName").each(service, names::label(service)));
    }
    match required_selector(spec, "statefulset", &path, problems) {
        Answer::Unreadable => {
            let shown = selector::shown(spec.field("selector"));
            problems.push(path.child("selector").invalid_shown(shown, ""));
        }
        answer => {
            if answer == Answer::Differs {
                unmatched_labels(spec, &path, problems);
            }
            stateful_template(spec, claims, checks_pods, &path, problems);
        }
    }
    runs_forever(spec, "StatefulSet", &path, problems);
}

/// The template of a StatefulSet: claims become volumes; names of Pods are given, and so not looked at.
fn stateful_template(spec: &Value, claims: &[Value], checks_pods: bool, path: &Path, problems: &mut Problems) {
    let mut template = spec.field("template").cloned().unwrap_or_else(|| Value::Object(Map::new()));
    if let Some(pods) = template.get_mut("spec").and_then(Value::as_object_mut) {
        pods.remove("subdomain");
        pods.remove("hostname");
        if !claims.is_empty() {
            let mut names = BTreeSet::new();
            let mut volumes: Vec<Value> = Vec::new();
            for claim in claims {
                let name = claim.field("metadata").map_or("", |metadata| metadata.text("name"));
                if names.insert(name) {
                    volumes.push(serde_json::json!({"name": name, "persistentVolumeClaim": {"claimName": name}}));
                }
            }
            let own = pods.get("volumes").and_then(Value::as_array).cloned().unwrap_or_default();
            volumes.extend(own.into_iter().filter(|volume| !names.contains(volume.text("name"))));
            pods.insert("volumes".to_owned(), Value::Array(volumes));
        }
    }
    let at = path.child("template");
    if checks_pods {
        pod::of_template(&template, &at, problems);
    }
    let none = Value::Null;
    let metadata = template.field("metadata").unwrap_or(&none);
    pod::template_metadata(metadata, template.field("spec").unwrap_or(&none), &at, problems);
}

fn stateful_set_strategy(spec: &Value, path: &Path, problems: &mut Problems) {
    let none = Value::Null;
    let strategy = spec.field("updateStrategy").unwrap_or(&none);
    let update = strategy.field("rollingUpdate");
    let at = path.child("rollingUpdate");
    match (strategy.text("type"), update) {
        ("", _) => problems.push(path.required("")),
        ("OnDelete", Some(update)) => {
            let shown = internal::shown("RollingUpdateStatefulSetStrategy", update);
            problems.push(at.invalid_shown(shown, "only allowed for updateStrategy 'RollingUpdate'"));
        }
        ("RollingUpdate", Some(update)) => {
            count(update, "partition", &at, problems);
            if let Some(unavailable) = update.field("maxUnavailable") {
                let at = at.child("maxUnavailable");
                numbers::count_or_percent(unavailable, &at, problems);
                if numbers::amount_of(Some(unavailable)) == 0 {
                    problems.push(at.invalid(unavailable.clone(), "cannot be 0"));
                }
                numbers::at_most_all(unavailable, &at, problems);
            }
        }
        ("OnDelete" | "RollingUpdate", None) => {}
        _ => {
            let shown = internal::shown("StatefulSetUpdateStrategy", strategy);
            problems.push(path.invalid_shown(shown, "must be 'RollingUpdate' or 'OnDelete'"));
        }
    }
}

/// A change of a StatefulSet.
pub(super) fn stateful_set_update(live: &Value, object: &Value, problems: &mut Problems) {
    meta::of_update(live, object, problems);
    let mut before = Vec::new();
    stateful_set_spec(live, false, true, &mut before);
    stateful_set_spec(object, false, before.is_empty(), problems);
    let without_mutable = |object: &Value| {
        let mut spec = spec_of(object);
        if let Some(map) = spec.as_object_mut() {
            for name in [
                "replicas",
                "template",
                "updateStrategy",
                "minReadySeconds",
                "ordinals",
                "revisionHistoryLimit",
                "persistentVolumeClaimRetentionPolicy",
            ] {
                map.remove(name);
            }
        }
        spec
    };
    if !same(Some(&without_mutable(live)), Some(&without_mutable(object))) {
        let detail = "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
        problems.push(Path::new("spec").forbidden(detail));
    }
}

/// A DaemonSet.
pub(super) fn daemon_set(object: &Value, problems: &mut Problems) {
    meta::of(object, true, NameRule::Subdomain, problems);
    daemon_set_spec(object, problems);
}

fn daemon_set_spec(object: &Value, problems: &mut Problems) {
    let spec = &spec_of(object);
    let path = Path::new("spec");
    let selector = spec.field("selector");
    let at = path.child("selector");
    if let Some(selector) = selector {
        selector::of(selector, &at, problems);
    }
    if selector::ask(selector, spec.below(&["template", "metadata", "labels"])) == Answer::Differs {
        unmatched_labels(spec, &path, problems);
    }
    if selector.is_some_and(selector::is_empty) {
        problems.push(at.invalid_shown("{}".to_owned(), "empty selector is invalid for daemonset"));
    }
    template(spec, &path, problems);
    runs_forever(spec, "DaemonSet", &path, problems);
    count(spec, "minReadySeconds", &path, problems);
    if let Some(strategy) = spec.field("updateStrategy") {
        daemon_set_strategy(strategy, &path.child("updateStrategy"), problems);
    }
    count(spec, "revisionHistoryLimit", &path, problems);
}

fn daemon_set_strategy(strategy: &Value, path: &Path, problems: &mut Problems) {
    let at = path.child("rollingUpdate");
    match (strategy.text("type"), strategy.field("rollingUpdate")) {
        ("OnDelete", _) => {}
        ("RollingUpdate", None) => problems.push(at.required("")),
        ("RollingUpdate", Some(update)) => {
            let zero = Value::from(0);
            let of = |name: &str| update.field(name).unwrap_or(&zero);
            for name in ["maxUnavailable", "maxSurge"] {
                numbers::count_or_percent(of(name), &at.child(name), problems);
            }
            for name in ["maxUnavailable", "maxSurge"] {
                numbers::at_most_all(of(name), &at.child(name), problems);
            }
            let is_some = |name: &str| numbers::amount_of(Some(of(name))) != 0;
            match (is_some("maxUnavailable"), is_some("maxSurge")) {
                (true, true) => {
                    let detail = "may not be set when maxUnavailable is non-zero";
                    problems.push(at.child("maxSurge").invalid(of("maxSurge").clone(), detail));
                }
                (false, false) => {
                    problems.push(at.child("maxUnavailable").required("cannot be 0 when maxSurge is 0"));
                }
                _ => {}
            }
        }
        _ => {
            let mut problem = path.not_supported("", &["RollingUpdate", "OnDelete"]);
            problem.value = Some(internal::shown("DaemonSetUpdateStrategy", strategy));
            problems.push(problem);
        }
    }
}

/// A change of a DaemonSet.
pub(super) fn daemon_set_update(live: &Value, object: &Value, problems: &mut Problems) {
    meta::of_update(live, object, problems);
    selector_stays(live, object, problems);
    daemon_set_spec(object, problems);
}
