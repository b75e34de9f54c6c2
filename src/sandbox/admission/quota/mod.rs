//! `ResourceQuota`: no more in a namespace than its quotas grant.
//!
//! What is used is counted from the objects that are stored, so that quotas hold without a controller; what they grant is
//! in their status, and in their spec until a controller has copied it there.

mod evaluator;
mod scopes;

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use self::evaluator::Evaluator;
use super::amounts::{Amount, Amounts, add, read};
use super::{Operation, Request};
use crate::sandbox::kind::Kind;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::strategy::fields::{at, text};
use crate::sandbox::view::View;

/// Refuses what a quota does not grant.
pub(super) fn review(request: &Request<'_>, object: &Value) -> Result<(), Refusal> {
    let evaluator = Evaluator::of(request.kind);
    let namespace = text(object, &["metadata", "namespace"]);
    if namespace.is_empty() || !evaluator.handles(request.subresource, request.operation, object) {
        return Ok(());
    }
    let now = request.view.now();
    for quota in request.view.list("", "ResourceQuota", Some(namespace)) {
        let hard = granted(&quota);
        let counted: BTreeSet<&String> = hard.keys().filter(|name| evaluator.counts(name)).collect();
        if counted.is_empty() || !evaluator.is_in_scope(&quota, object) {
            continue;
        }
        let name = text(&quota, &["metadata", "name"]);
        if let Some(missing) = evaluator.missing(&counted, object) {
            return Err(request.forbid(object, &format!("failed quota: {name}: {missing}")));
        }
        let mut wanted = evaluator.usage(object, now);
        if let Operation::Update(live) = request.operation
            && evaluator.is_in_scope(&quota, live)
        {
            let before = evaluator.usage(live, now);
            for (resource, amount) in &mut wanted {
                if let Some(before) = before.get(resource) {
                    *amount = amount.less(before);
                }
            }
        }
        wanted.retain(|resource, amount| amount.nano() != 0 && hard.contains_key(resource));
        if wanted.is_empty() {
            continue;
        }
        let used = used(request.view, request.kind, &evaluator, namespace, &quota);
        if request.subresource != Some("status")
            && let Some(why) = exceeded(&wanted, &used, &hard)
        {
            return Err(request.forbid(object, &format!("exceeded quota: {name}, {why}")));
        }
    }
    Ok(())
}

fn granted(quota: &Value) -> Amounts {
    let of_status = read(quota, &["status", "hard"]);
    if of_status.is_empty() { read(quota, &["spec", "hard"]) } else { of_status }
}

/// What the objects of one kind use up of a quota.
fn used(view: &dyn View, kind: &Kind, evaluator: &Evaluator, namespace: &str, quota: &Value) -> Amounts {
    let mut used = Amounts::new();
    for object in view.list(&kind.group, &kind.kind, Some(namespace)) {
        if evaluator.is_in_scope(quota, &object) {
            add(&mut used, &evaluator.usage(&object, view.now()));
        }
    }
    used
}

fn exceeded(wanted: &Amounts, used: &Amounts, hard: &Amounts) -> Option<String> {
    let nothing = Amount::count(0);
    let is_exceeded = |resource: &String, amount: &Amount| {
        let before = used.get(resource).map_or(0, Amount::nano);
        hard.get(resource).is_some_and(|most| before + amount.nano() > most.nano())
    };
    let over: Vec<&String> = wanted
        .iter()
        .filter(|(resource, amount)| is_exceeded(resource, amount))
        .map(|(resource, _)| resource)
        .collect();
    if over.is_empty() {
        return None;
    }
    let shown = |amounts: &Amounts| {
        let one = |resource: &&String| format!("{resource}={}", amounts.get(*resource).unwrap_or(&nothing));
        over.iter().map(one).collect::<Vec<String>>().join(",")
    };
    Some(format!("requested: {}, used: {}, limited: {}", shown(wanted), shown(used), shown(hard)))
}

/// Returns the status of a quota: what it grants, and what the objects of these kinds use of that. Of what none of them
/// counts for nothing is said.
#[must_use]
pub fn quota_status<'k>(view: &dyn View, kinds: impl IntoIterator<Item = &'k Kind>, quota: &Value) -> Value {
    let namespace = text(quota, &["metadata", "namespace"]);
    let hard = read(quota, &["spec", "hard"]);
    let mut all = Amounts::new();
    let mut seen: BTreeSet<(&str, &str)> = BTreeSet::new();
    for kind in kinds {
        let evaluator = Evaluator::of(kind);
        // A kind that is served in several versions counts once.
        if kind.namespaced
            && hard.keys().any(|name| evaluator.counts(name))
            && seen.insert((kind.group.as_str(), kind.kind.as_str()))
        {
            for name in hard.keys().filter(|name| evaluator.counts(name)) {
                all.entry(name.clone()).or_insert(Amount::count(0));
            }
            let mut used = used(view, kind, &evaluator, namespace, quota);
            used.retain(|name, _| hard.contains_key(name));
            add(&mut all, &used);
        }
    }
    let used: Map<String, Value> = all.into_iter().map(|(name, amount)| (name, amount.to_string().into())).collect();
    json!({"hard": at(quota, &["spec", "hard"]).cloned().unwrap_or_default(), "used": used})
}
