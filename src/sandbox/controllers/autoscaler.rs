//! HorizontalPodAutoscalers: there are no metrics, and they say so, as on a cluster without a metrics server.

use serde_json::{Value, json};

use super::condition::{self, Said};
use super::deed::Outcome;
use super::fields::{at, group_of, is_leaving, items, namespace, number, set, text};
use super::namespace::plural;
use super::offspring::MANAGER;
use crate::sandbox::view::View;

const COMPONENT: &str = "horizontal-pod-autoscaler";

pub(super) fn reconcile(view: &dyn View, scaler: &Value) -> Outcome {
    let mut outcome = Outcome::default();
    if is_leaving(scaler) {
        return outcome;
    }
    let reference = at(scaler, "/spec/scaleTargetRef").unwrap_or(&Value::Null);
    let (kind, name) = (text(reference, "/kind"), text(reference, "/name"));
    let group = group_of(text(reference, "/apiVersion"));
    let target = view.get(group, kind, namespace(scaler), name);
    let mut conditions = items(scaler, "/status/conditions").to_vec();
    let mut put = |kind: &str, status: &str, reason: &str, message: &str| {
        let said = Said { kind, status, reason, message };
        let made = condition::make(condition::among(&conditions, kind), said, view.now());
        condition::put(&mut conditions, made);
    };
    let mut status = scaler.get("status").cloned().unwrap_or_else(|| json!({}));
    let mut said: Vec<(&str, String)> = Vec::new();
    match &target {
        None => {
            let resource = if group.is_empty() { plural(kind) } else { format!("{}.{group}", plural(kind)) };
            let error = format!("{resource} {name:?} not found");
            let message = format!("the HPA controller was unable to get the target's current scale: {error}");
            put("AbleToScale", "False", "FailedGetScale", &message);
            said.push(("FailedGetScale", error));
        }
        Some(target) => {
            let message = "the HPA controller was able to get the target's current scale";
            put("AbleToScale", "True", "SucceededGetScale", message);
            set(&mut status, &["currentReplicas"], Value::from(number(target, "/status/replicas").unwrap_or(0)));
            set(&mut status, &["desiredReplicas"], Value::from(0));
            if number(target, "/spec/replicas") == Some(0) {
                let message = "scaling is disabled since the replica count of the target is zero";
                put("ScalingActive", "False", "ScalingDisabled", message);
            } else {
                let (reason, error) = no_metrics(scaler);
                put(
                    "ScalingActive",
                    "False",
                    reason,
                    &format!("the HPA was unable to compute the replica count: {error}"),
                );
                let metrics = items(scaler, "/spec/metrics").len().max(1);
                said.push((reason, error.clone()));
                let resource = match reason {
                    // The real words for a resource wrap the error once more.
                    "FailedGetResourceMetric" => format!("failed to get {} resource metric value: ", resource(scaler)),
                    _ => String::new(),
                };
                let message =
                    format!("invalid metrics ({metrics} invalid out of {metrics}), first error is: {resource}{error}");
                said.push(("FailedComputeMetricsReplicas", message));
            }
        }
    }
    set(&mut status, &["conditions"], Value::from(conditions));
    let reasons = |object: &Value| -> Vec<String> {
        let reason = |condition: &Value| text(condition, "/reason").to_owned();
        items(object, "/conditions").iter().map(reason).collect()
    };
    let is_new = scaler.get("status").is_none_or(|before| reasons(before) != reasons(&status));
    if outcome.status(scaler, status, MANAGER) && is_new {
        for (reason, message) in said {
            outcome.warning(scaler, COMPONENT, reason, message);
        }
    }
    outcome
}

/// What the first metric fails with: the APIs of metrics are not served.
fn no_metrics(scaler: &Value) -> (&'static str, String) {
    const MISSING: &str = "the server could not find the requested resource";
    let metric = items(scaler, "/spec/metrics").first().unwrap_or(&Value::Null);
    let name = |path: &str| text(metric, path).to_owned();
    match text(metric, "/type") {
        kind @ ("Pods" | "Object") => {
            let lower = kind.to_lowercase();
            let name = name(&format!("/{lower}/metric/name"));
            let error = format!(
                "failed to get {lower} metric value: unable to get metric {name}: unable to fetch metrics from custom metrics \
                 API: {MISSING}"
            );
            (if kind == "Pods" { "FailedGetPodsMetric" } else { "FailedGetObjectMetric" }, error)
        }
        "External" => {
            let name = name("/external/metric/name");
            let error = format!(
                "unable to get external metric {name}: unable to fetch metrics from external metrics API: {MISSING}"
            );
            ("FailedGetExternalMetric", error)
        }
        _ => {
            let resource = resource(scaler);
            let error = format!(
                "failed to get {resource} utilization: unable to get metrics for resource {resource}: unable to fetch metrics \
                 from resource metrics API: {MISSING} (get pods.metrics.k8s.io)"
            );
            ("FailedGetResourceMetric", error)
        }
    }
}

/// The resource that the first metric is about.
fn resource(scaler: &Value) -> &str {
    match text(scaler, "/spec/metrics/0/resource/name") {
        "" => "cpu",
        name => name,
    }
}
