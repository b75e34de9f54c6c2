//! Conditional defaults: what is filled in depends on other fields.
//!
//! A rule sees the map of its type before the table is consulted, so that it can tell what was said from what was not.

mod batch;
mod core;
mod image;
mod others;
mod pod;
mod service;
mod workloads;

#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

/// One rule.
pub(crate) struct Rule {
    /// The type.
    pub(super) of: &'static str,
    /// The fields that it decides about; the table has none of them.
    pub(super) fields: &'static [&'static str],
    /// Fills them in.
    pub(crate) fill: fn(&mut Map<String, Value>),
}

const fn rule(of: &'static str, fields: &'static [&'static str], fill: fn(&mut Map<String, Value>)) -> Rule {
    Rule { of, fields, fill }
}

/// All rules.
pub(super) static RULES: &[Rule] = &[
    rule("io.k8s.api.core.v1.Container", &["imagePullPolicy"], pod::pull_policy_of_container),
    rule("io.k8s.api.core.v1.EphemeralContainer", &["imagePullPolicy"], pod::ephemeral_container),
    rule("io.k8s.api.core.v1.ImageVolumeSource", &["pullPolicy"], pod::pull_policy_of_volume),
    rule("io.k8s.api.core.v1.PodSpec", &["serviceAccount", "serviceAccountName"], pod::service_account),
    rule("io.k8s.api.core.v1.PodSpec", &["enableServiceLinks", "resources"], |_| {}),
    rule("io.k8s.api.core.v1.ContainerPort", &["hostPort"], |_| {}),
    rule("io.k8s.api.core.v1.ResourceRequirements", &["requests"], |_| {}),
    rule("io.k8s.api.core.v1.Pod", &[], pod::of_pods_alone),
    rule("io.k8s.api.core.v1.Volume", &["emptyDir"], pod::volume_without_source),
    rule(
        "io.k8s.api.core.v1.ServiceSpec",
        &["sessionAffinityConfig", "externalTrafficPolicy", "internalTrafficPolicy", "allocateLoadBalancerNodePorts"],
        service::spec,
    ),
    rule("io.k8s.api.core.v1.Service", &[], service::points),
    rule("io.k8s.api.core.v1.LoadBalancerIngress", &["ipMode"], |_| {}),
    rule("io.k8s.api.core.v1.ServicePort", &["targetPort"], service::target_port),
    rule("io.k8s.api.core.v1.LimitRangeItem", &["default", "defaultRequest"], core::limit_range_item),
    rule("io.k8s.api.core.v1.Namespace", &[], core::namespace_name_label),
    rule("io.k8s.api.core.v1.ReplicationController", &[], core::replication_controller),
    rule("io.k8s.api.core.v1.ReplicationControllerSpec", &["selector"], |_| {}),
    rule("io.k8s.api.core.v1.PersistentVolumeClaimSpec", &["dataSource", "dataSourceRef"], core::data_source),
    rule("io.k8s.api.apps.v1.DeploymentStrategy", &["rollingUpdate"], workloads::deployment_strategy),
    rule("io.k8s.api.apps.v1.DaemonSetUpdateStrategy", &["rollingUpdate"], workloads::daemon_set_strategy),
    rule("io.k8s.api.apps.v1.RollingUpdateDeployment", &["maxUnavailable", "maxSurge"], |_| {}),
    rule("io.k8s.api.apps.v1.RollingUpdateDaemonSet", &["maxUnavailable", "maxSurge"], |_| {}),
    rule("io.k8s.api.apps.v1.StatefulSetUpdateStrategy", &["type", "rollingUpdate"], workloads::stateful_set_strategy),
    rule("io.k8s.api.batch.v1.Job", &[], batch::job),
    rule("io.k8s.api.batch.v1.JobSpec", batch::JOB_FIELDS, |_| {}),
    rule("io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler", &[], others::autoscaler_of_version_1),
    rule("io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerSpec", &["metrics"], others::metrics),
    rule("io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerBehavior", &["scaleUp", "scaleDown"], others::scaling_rules),
    rule(
        "io.k8s.api.autoscaling.v2.HPAScalingRules",
        &["policies", "selectPolicy", "stabilizationWindowSeconds"],
        |_| {},
    ),
    rule("io.k8s.api.networking.v1.NetworkPolicy", &[], others::policy_without_specification),
    rule("io.k8s.api.networking.v1.NetworkPolicySpec", &["policyTypes"], others::policy_types),
    rule("io.k8s.api.rbac.v1.Subject", &["apiGroup"], others::subject_group),
    rule(
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionNames",
        &["listKind", "singular"],
        others::definition_names,
    ),
];

/// Returns the rules of a type.
pub(crate) fn of(type_name: &str) -> impl Iterator<Item = &'static Rule> {
    RULES.iter().filter(move |rule| rule.of == type_name)
}

/// Tells whether a field is missing or null. Of a text that is a pointer, an empty one is no missing one.
fn is_missing(map: &Map<String, Value>, field: &str) -> bool {
    map.get(field).is_none_or(Value::is_null)
}

/// Tells whether a field is missing, null or an empty text.
fn is_unset(map: &Map<String, Value>, field: &str) -> bool {
    is_missing(map, field) || text(map, field).is_empty() && map.get(field).is_some_and(Value::is_string)
}

/// Sets a field that is missing.
fn set_missing(map: &mut Map<String, Value>, field: &str, value: impl Into<Value>) {
    if is_missing(map, field) {
        map.insert(field.to_owned(), value.into());
    }
}

/// Sets a text that is missing or empty.
fn set_unset(map: &mut Map<String, Value>, field: &str, value: impl Into<Value>) {
    if is_unset(map, field) {
        map.insert(field.to_owned(), value.into());
    }
}

/// Returns a text, empty if there is none.
fn text<'a>(map: &'a Map<String, Value>, field: &str) -> &'a str {
    map.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// Returns the map in a field, which is made if it is missing.
fn map_in<'a>(map: &'a mut Map<String, Value>, field: &str) -> Option<&'a mut Map<String, Value>> {
    if is_missing(map, field) {
        map.insert(field.to_owned(), Value::Object(Map::new()));
    }
    map.get_mut(field)?.as_object_mut()
}

/// Returns the maps in a list.
fn items<'a>(map: &'a mut Map<String, Value>, field: &str) -> impl Iterator<Item = &'a mut Map<String, Value>> {
    map.get_mut(field).and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_object_mut)
}

/// Tells whether a field holds a list or map with something in it.
fn holds_something(map: &Map<String, Value>, field: &str) -> bool {
    match map.get(field) {
        Some(Value::Array(items)) => !items.is_empty(),
        Some(Value::Object(map)) => !map.is_empty(),
        _ => false,
    }
}
