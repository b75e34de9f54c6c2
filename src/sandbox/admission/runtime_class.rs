//! `RuntimeClass`: what the runtime of a pod needs beside it, and where it is to be had.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Request;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::strategy::fields::{at, entries, items, put, same, text};

const OVERHEAD: [&str; 2] = ["overhead", "podFixed"];
const MISMATCH: &str = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";

fn class_of(request: &Request<'_>, pod: &Value) -> Result<Option<Arc<Value>>, Refusal> {
    let name = text(pod, &["spec", "runtimeClassName"]);
    if name.is_empty() {
        return Ok(None);
    }
    match request.view.get("node.k8s.io", "RuntimeClass", "", name) {
        Some(class) => Ok(Some(class)),
        None => Err(request.forbid(pod, &format!("pod rejected: RuntimeClass {name:?} not found"))),
    }
}

/// Compares lists of amounts, which are told apart by where they stand.
fn same_overhead(class: Option<&Value>, pod: Option<&Value>) -> bool {
    let framed = |amounts: Option<&Value>| json!({"podFixed": amounts});
    same(Some(&framed(class)), Some(&framed(pod)))
}

pub(super) fn admit(request: &Request<'_>, pod: &mut Value) -> Result<(), Refusal> {
    if !request.is_for("", "Pod") {
        return Ok(());
    }
    let Some(class) = class_of(request, pod)? else { return Ok(()) };
    if at(&class, &["overhead"]).is_some() {
        let overhead = at(&class, &OVERHEAD);
        let is_set = entries(pod, &["spec", "overhead"]).next().is_some();
        if is_set && !same_overhead(overhead, at(pod, &["spec", "overhead"])) {
            return Err(request.forbid(pod, MISMATCH));
        }
        if let Some(overhead) = overhead {
            put(pod, &["spec", "overhead"], overhead.clone());
        }
    }
    for (key, value) in entries(&class, &["scheduling", "nodeSelector"]) {
        let (wanted, given) = (value.as_str().unwrap_or_default(), text(pod, &["spec", "nodeSelector", key]));
        if at(pod, &["spec", "nodeSelector", key]).is_some() && given != wanted {
            let why = format!(
                "conflict: runtimeClass.scheduling.nodeSelector[{key}] = {wanted}; pod.spec.nodeSelector[{key}] = {given}"
            );
            return Err(request.forbid(pod, &why));
        }
        put(pod, &["spec", "nodeSelector", key], value.clone());
    }
    if at(&class, &["scheduling"]).is_some() {
        let all: Vec<&Value> = [items(pod, &["spec", "tolerations"]), items(&class, &["scheduling", "tolerations"])]
            .into_iter()
            .flatten()
            .collect();
        let merged = merged(&all);
        if !merged.is_empty() {
            put(pod, &["spec", "tolerations"], merged);
        }
    }
    Ok(())
}

/// Tolerations without those that another one includes; of equal ones the first stays.
fn merged(all: &[&Value]) -> Vec<Value> {
    let mut merged: Vec<Value> = Vec::new();
    for (index, toleration) in all.iter().enumerate() {
        let mut later = all.iter().skip(index + 1);
        let is_redundant = merged.iter().any(|other| includes(other, toleration))
            || later.any(|other| !same(Some(other), Some(toleration)) && includes(other, toleration));
        if !is_redundant {
            merged.push((*toleration).clone());
        }
    }
    merged
}

fn includes(wider: &Value, narrower: &Value) -> bool {
    if same(Some(wider), Some(narrower)) {
        return true;
    }
    let part = |toleration, field| text(toleration, &[field]).to_owned();
    let (key, operator, effect) = (part(wider, "key"), part(wider, "operator"), part(wider, "effect"));
    if part(narrower, "key") != key && !(key.is_empty() && operator == "Exists") {
        return false;
    }
    if part(narrower, "effect") != effect && !effect.is_empty() {
        return false;
    }
    if effect == "NoExecute" {
        let seconds = |toleration| at(toleration, &["tolerationSeconds"]).and_then(Value::as_i64);
        match (seconds(wider), seconds(narrower)) {
            (Some(_), None) => return false,
            (Some(wider), Some(narrower)) if wider < narrower => return false,
            _ => {}
        }
    }
    match operator.as_str() {
        "" | "Equal" => part(narrower, "operator") == "Equal" && part(wider, "value") == part(narrower, "value"),
        "Exists" => true,
        _ => false,
    }
}

pub(super) fn review(request: &Request<'_>, pod: &Value) -> Result<(), Refusal> {
    if !request.is_for("", "Pod") || !request.is_create() {
        return Ok(());
    }
    let class = class_of(request, pod)?.filter(|class| at(class, &["overhead"]).is_some());
    let given = at(pod, &["spec", "overhead"]);
    match class {
        Some(class) if !same_overhead(at(&class, &OVERHEAD), given) => Err(request.forbid(pod, MISMATCH)),
        None if given.is_some() => {
            let why = "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead";
            Err(request.forbid(pod, why))
        }
        _ => Ok(()),
    }
}
