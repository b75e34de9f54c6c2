//! `LimitRanger`: what containers get that ask for nothing, and what pods and claims may ask for.

use std::sync::Arc;

use serde_json::Value;

use super::amounts::{Amount, Amounts, ONE, of_pod, read};
use super::{Operation, Request};
use crate::sandbox::refusal::Refusal;
use crate::sandbox::strategy::fields::{at, entries, items, items_mut, put, text};

const ANNOTATION: [&str; 3] = ["metadata", "annotations", "kubernetes.io/limit-ranger"];

fn ranges(request: &Request<'_>, object: &Value) -> Vec<Arc<Value>> {
    let is_covered = match request.operation {
        Operation::Create => request.is_for("", "Pod") || request.is_for("", "PersistentVolumeClaim"),
        Operation::Update(live) => {
            let is_resized = request.kind.is("", "Pod") && request.subresource == Some("resize");
            at(live, &["metadata", "deletionTimestamp"]).is_none()
                && (is_resized || request.is_for("", "PersistentVolumeClaim"))
        }
    };
    if !is_covered || request.kind.custom.is_some() {
        return Vec::new();
    }
    request.view.list("", "LimitRange", Some(text(object, &["metadata", "namespace"])))
}

/// Gives containers the default requests and limits of their namespace, and notes that in an annotation.
pub(super) fn fill_in(request: &Request<'_>, pod: &mut Value) {
    if !request.kind.is("", "Pod") {
        return;
    }
    for range in ranges(request, pod) {
        let mut notes = Vec::new();
        for (list, what) in [("containers", "container"), ("initContainers", "init container")] {
            for container in items_mut(pod, &["spec", list]) {
                let name = text(container, &["name"]).to_owned();
                for (field, default, word) in
                    [("requests", "defaultRequest", "request"), ("limits", "default", "limit")]
                {
                    let set = fill(container, field, default, &range);
                    if !set.is_empty() {
                        notes.push(format!("{} {word} for {what} {name}", set.join(", ")));
                    }
                }
            }
        }
        if !notes.is_empty() {
            put(pod, &ANNOTATION, format!("LimitRanger plugin set: {}", notes.join("; ")));
        }
    }
}

/// Fills in what is missing; returns the names of what was, sorted.
fn fill(container: &mut Value, field: &str, default: &str, range: &Value) -> Vec<String> {
    let mut set = Vec::new();
    for limit in limits_of(range, "Container") {
        for (name, amount) in entries(limit, &[default]) {
            let is_set_here = set.contains(name);
            if is_set_here || at(container, &["resources", field, name]).is_none() {
                put(container, &["resources", field, name], amount.clone());
                if !is_set_here {
                    set.push(name.clone());
                }
            }
        }
    }
    set.sort();
    set
}

fn limits_of<'r>(range: &'r Value, of_type: &'r str) -> impl Iterator<Item = &'r Value> {
    items(range, &["spec", "limits"]).iter().filter(move |limit| text(limit, &["type"]) == of_type)
}

/// Refuses what is beyond the limits of the namespace.
pub(super) fn review(request: &Request<'_>, object: &Value) -> Result<(), Refusal> {
    for range in ranges(request, object) {
        let mut problems: Vec<String> = Vec::new();
        for limit in items(&range, &["spec", "limits"]) {
            match (request.kind.kind.as_str(), text(limit, &["type"])) {
                ("Pod", "Container") => {
                    for container in
                        ["containers", "initContainers"].iter().flat_map(|list| items(object, &["spec", list]))
                    {
                        let asked = ["requests", "limits"].map(|field| read(container, &["resources", field]));
                        check(limit, "Container", &asked, &mut problems);
                    }
                }
                ("Pod", "Pod") => {
                    check(limit, "Pod", &["requests", "limits"].map(|field| of_pod(object, field)), &mut problems)
                }
                ("PersistentVolumeClaim", "PersistentVolumeClaim") => check_claim(limit, object, &mut problems),
                _ => {}
            }
        }
        let mut distinct: Vec<String> = Vec::new();
        for problem in problems {
            if !distinct.contains(&problem) {
                distinct.push(problem);
            }
        }
        match distinct.as_slice() {
            [] => {}
            [only] => return Err(request.forbid(object, only)),
            several => return Err(request.forbid(object, &format!("[{}]", several.join(", ")))),
        }
    }
    Ok(())
}

fn check(limit: &Value, of_type: &str, [requests, limits]: &[Amounts; 2], problems: &mut Vec<String>) {
    for (name, least) in &read(limit, &["min"]) {
        problems.extend(too_little(of_type, name, least, requests.get(name), limits.get(name)));
    }
    for (name, most) in &read(limit, &["max"]) {
        let usage = format!("maximum {name} usage per {of_type} is {most}");
        problems.extend(match (requests.get(name), limits.get(name)) {
            (_, None) => Some(format!("{usage}.  No limit is specified")),
            (_, Some(limit)) if limit.nano() > most.nano() => Some(format!("{usage}, but limit is {limit}")),
            (Some(request), _) if request.nano() > most.nano() => Some(format!("{usage}, but request is {request}")),
            _ => None,
        });
    }
    for (name, most) in &read(limit, &["maxLimitRequestRatio"]) {
        let ratio = format!("{name} max limit to request ratio per {of_type} is {most}, but");
        let given = |amounts: &Amounts| amounts.get(name).map(Amount::nano).filter(|nano| *nano != 0);
        problems.extend(match (given(requests), given(limits)) {
            (None, _) => Some(format!("{ratio} no request is specified or request is 0")),
            (_, None) => Some(format!("{ratio} no limit is specified or limit is 0")),
            (Some(request), Some(limit)) => (limit.saturating_mul(ONE) > request.saturating_mul(most.nano()))
                .then(|| format!("{ratio} provided ratio is {:.6}", quotient(limit, request))),
        });
    }
}

/// The server shows the ratio as a floating-point number, of thousandths.
#[expect(clippy::cast_precision_loss, reason = "it is shown with six digits after the point")]
fn quotient(limit: i128, request: i128) -> f64 {
    limit as f64 / request as f64
}

fn too_little(
    of_type: &str,
    name: &str,
    least: &Amount,
    request: Option<&Amount>,
    limit: Option<&Amount>,
) -> Option<String> {
    let usage = format!("minimum {name} usage per {of_type} is {least}");
    match (request, limit) {
        (None, _) => Some(format!("{usage}.  No request is specified")),
        (Some(request), _) if request.nano() < least.nano() => Some(format!("{usage}, but request is {request}")),
        (_, Some(limit)) if limit.nano() < least.nano() => Some(format!("{usage}, but limit is {limit}")),
        _ => None,
    }
}

/// Of a claim only the request counts.
fn check_claim(limit: &Value, claim: &Value, problems: &mut Vec<String>) {
    const TYPE: &str = "PersistentVolumeClaim";
    let requests = read(claim, &["spec", "resources", "requests"]);
    for (name, least) in &read(limit, &["min"]) {
        problems.extend(too_little(TYPE, name, least, requests.get(name), None));
    }
    for (name, most) in &read(limit, &["max"]) {
        let usage = format!("maximum {name} usage per {TYPE} is {most}");
        problems.extend(match requests.get(name) {
            None => Some(format!("{usage}.  No request is specified")),
            Some(request) if request.nano() > most.nano() => Some(format!("{usage}, but request is {request}")),
            _ => None,
        });
    }
}
