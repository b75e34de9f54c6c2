//! Requests and limits: does each container have what was declared?

use std::collections::BTreeSet;

use serde_json::Value;

use crate::resource::Manifest;
use crate::resource::quantity::Quantity;

use super::CheckOutcome;

pub(super) fn judge(declared: Option<&Manifest>, live: &Value) -> CheckOutcome {
    let Some(declared) = declared else {
        return CheckOutcome::Skipped("the workload is not declared in this stack".to_owned());
    };
    let declared: Vec<&Value> = containers(declared.object()).collect();
    if declared.is_empty() {
        return CheckOutcome::Skipped("the workload declares no containers".to_owned());
    }
    let problems: Vec<String> = declared.into_iter().flat_map(|container| compare(container, live)).collect();
    if problems.is_empty() { CheckOutcome::Passed } else { CheckOutcome::Failed(problems.join("; ")) }
}

pub(super) fn containers(workload: &Value) -> impl Iterator<Item = &Value> {
    let spec = workload
        .pointer("/spec/jobTemplate/spec/template/spec")
        .or_else(|| workload.pointer("/spec/template/spec"))
        .or_else(|| workload.get("spec"));
    ["initContainers", "containers"].into_iter().filter_map(move |field| spec?.get(field)?.as_array()).flatten()
}

fn compare(declared: &Value, live: &Value) -> Vec<String> {
    let name = declared.get("name").and_then(Value::as_str).unwrap_or_default();
    let found = containers(live).find(|container| container.get("name").and_then(Value::as_str) == Some(name));
    let Some(found) = found else { return vec![format!("container {name} is missing")] };
    let mut problems = Vec::new();
    for (field, word) in [("requests", "request"), ("limits", "limit")] {
        let wanted = amounts(declared, field);
        let actual = amounts(found, field);
        if wanted.is_empty() {
            problems.push(format!("container {name} declares no {field}"));
            continue;
        }
        let resources: BTreeSet<&str> = wanted.iter().chain(&actual).map(|(resource, _)| resource.as_str()).collect();
        for resource in resources {
            let of = |amounts: &[(String, String)]| {
                amounts.iter().find(|(name, _)| name == resource).map(|(_, amount)| amount.clone())
            };
            match (of(&wanted), of(&actual)) {
                (Some(wanted), Some(actual)) if !same(&wanted, &actual) => problems
                    .push(format!("container {name} has the {resource} {word} `{actual}`, declared is `{wanted}`")),
                (Some(wanted), None) => {
                    problems.push(format!("container {name} has no {resource} {word}, declared is `{wanted}`"));
                }
                // A LimitRange or the defaulting of requests from limits may add more; what was declared still holds.
                _ => {}
            }
        }
    }
    problems
}

fn amounts(container: &Value, field: &str) -> Vec<(String, String)> {
    let listed = container.get("resources").and_then(|resources| resources.get(field)).and_then(Value::as_object);
    listed
        .into_iter()
        .flatten()
        .map(|(resource, amount)| {
            let text = amount.as_str().map_or_else(|| amount.to_string(), str::to_owned);
            (resource.clone(), text)
        })
        .collect()
}

/// Compares amounts, not spellings: the server stores `1000m` as `1`.
fn same(wanted: &str, actual: &str) -> bool {
    match (Quantity::parse(wanted), Quantity::parse(actual)) {
        (Ok(wanted), Ok(actual)) => wanted.rounded_to_milli() == actual.rounded_to_milli(),
        _ => wanted == actual,
    }
}
