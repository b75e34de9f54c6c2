//! How many there should be, and how many there must be.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::sandbox::table::Row;
use crate::sandbox::table::fields::Fields;

pub(super) fn autoscaler(autoscaler: Fields<'_>, now: Timestamp) -> Row {
    let target = autoscaler.at("/spec/scaleTargetRef").map(Fields).unwrap_or(Fields(&Value::Null));
    vec![
        json!(autoscaler.name()),
        json!(format!("{}/{}", target.text("/kind"), target.text("/name"))),
        json!(metrics(autoscaler)),
        json!(autoscaler.scalar("/spec/minReplicas").unwrap_or_else(|| "<unset>".to_owned())),
        json!(autoscaler.integer("/spec/maxReplicas")),
        json!(autoscaler.integer("/status/currentReplicas")),
        autoscaler.age(now),
    ]
    .into()
}

/// Lists two metrics, each as what there is and what there should be.
fn metrics(autoscaler: Fields<'_>) -> String {
    let statuses: Vec<Fields<'_>> = autoscaler.items("/status/currentMetrics").collect();
    let mut shown: Vec<String> = autoscaler
        .items("/spec/metrics")
        .enumerate()
        .map(|(index, metric)| one_metric(metric, statuses.get(index).copied().unwrap_or(Fields(&Value::Null))))
        .collect();
    // What version 1 can say.
    if let Some(target) = autoscaler.scalar("/spec/targetCPUUtilizationPercentage") {
        let current = autoscaler.scalar("/status/currentCPUUtilizationPercentage");
        let current = current.map_or_else(|| "<unknown>".to_owned(), |current| format!("{current}%"));
        shown.push(format!("cpu: {current}/{target}%"));
    }
    let count = shown.len();
    shown.truncate(2);
    match count {
        0 => "<none>".to_owned(),
        1 | 2 => shown.join(", "),
        _ => format!("{} + {} more...", shown.join(", "), count - 2),
    }
}

fn one_metric(metric: Fields<'_>, status: Fields<'_>) -> String {
    let unknown = || "<unknown>".to_owned();
    let field = match metric.text("/type") {
        "External" => "external",
        "Pods" => "pods",
        "Object" => "object",
        "Resource" => "resource",
        "ContainerResource" => "containerResource",
        _ => return "<unknown type>".to_owned(),
    };
    let target = |value: &str| metric.scalar(&format!("/{field}/target/{value}"));
    let is_known = status.at(&format!("/{field}")).is_some();
    let current = |value: &str| status.scalar(&format!("/{field}/current/{value}"));
    // An amount that a known metric does not tell is printed as nothing at all where it may be missing, and else as zero.
    let amount = |value: &str, missing: &str| match is_known {
        true => current(value).unwrap_or_else(|| missing.to_owned()),
        false => unknown(),
    };
    match field {
        "pods" => format!("{}/{}", amount("averageValue", "<nil>"), target("averageValue").unwrap_or_default()),
        "external" | "object" => match target("averageValue") {
            Some(average) => format!("{}/{average} (avg)", current("averageValue").unwrap_or_else(unknown)),
            None => format!("{}/{}", amount("value", "<nil>"), target("value").unwrap_or_default()),
        },
        _ => {
            let name = metric.scalar(&format!("/{field}/name")).unwrap_or_default();
            match target("averageValue") {
                Some(average) => format!("{name}: {}/{average}", amount("averageValue", "<nil>")),
                None => {
                    let percent = |value: String| format!("{value}%");
                    let now = current("averageUtilization").map_or_else(unknown, percent);
                    let wanted = target("averageUtilization").map_or_else(|| "<auto>".to_owned(), percent);
                    format!("{name}: {now}/{wanted}")
                }
            }
        }
    }
}

pub(super) fn scale(scale: Fields<'_>, now: Timestamp) -> Row {
    vec![
        json!(scale.name()),
        json!(scale.integer("/spec/replicas")),
        json!(scale.integer("/status/replicas")),
        scale.age(now),
    ]
    .into()
}

pub(super) fn disruption_budget(budget: Fields<'_>, now: Timestamp) -> Row {
    let or_none = |path: &str| json!(budget.scalar(path).unwrap_or_else(|| "N/A".to_owned()));
    vec![
        json!(budget.name()),
        or_none("/spec/minAvailable"),
        or_none("/spec/maxUnavailable"),
        json!(budget.integer("/status/disruptionsAllowed")),
        budget.age(now),
    ]
    .into()
}
