//! How replicas move between the ReplicaSets of a Deployment.

use serde_json::Value;

use super::revision::{DESIRED, MOST};
use super::{COMPONENT, Sets, bounds, replicas};
use crate::sandbox::controllers::deed::Outcome;
use crate::sandbox::controllers::fields::{annotation, is_leaving, name, number, set, text};
use crate::sandbox::controllers::offspring::{self, MANAGER};
use crate::sandbox::controllers::pod::is_over;
use crate::sandbox::view::View;

fn available(set: &Value) -> i64 {
    number(set, "/status/availableReplicas").unwrap_or(0)
}

/// Returns how many replicas the new ReplicaSet may have, of which it has `present`.
pub(super) fn room(deployment: &Value, sets: &Sets, present: i64) -> i64 {
    let wanted = replicas(deployment);
    if text(deployment, "/spec/strategy/type") == "Recreate" {
        return wanted;
    }
    let most = wanted + bounds(deployment).0;
    let there: i64 = sets.all().map(|set| replicas(set)).sum();
    if there >= most { present } else { present + (most - there).min(wanted - present) }
}

/// Sets the replicas of a ReplicaSet. Tells whether they changed.
fn resize(deployment: &Value, replica_set: &Value, count: i64, outcome: &mut Outcome) -> bool {
    let present = replicas(replica_set);
    let desired = replicas(deployment).to_string();
    let most = (replicas(deployment) + bounds(deployment).0).to_string();
    let noted = annotation(replica_set, DESIRED) == Some(&desired) && annotation(replica_set, MOST) == Some(&most);
    if present == count && noted {
        return false;
    }
    let mut resized = replica_set.clone();
    set(&mut resized, &["spec", "replicas"], Value::from(count));
    set(&mut resized, &["metadata", "annotations", DESIRED], Value::from(desired));
    set(&mut resized, &["metadata", "annotations", MOST], Value::from(most));
    outcome.update(resized, MANAGER);
    if present != count {
        let way = if present < count { "up" } else { "down" };
        let message = format!("Scaled {way} replica set {} from {present} to {count}", name(replica_set));
        outcome.normal(deployment, COMPONENT, "ScalingReplicaSet", message);
    }
    true
}

/// Tells whether somebody changed the replicas of the Deployment since its ReplicaSets were last resized.
pub(super) fn is_scaled(deployment: &Value, sets: &Sets) -> bool {
    let desired = replicas(deployment).to_string();
    sets.all().filter(|set| replicas(set) > 0).any(|set| annotation(set, DESIRED).is_some_and(|noted| noted != desired))
}

/// Scales without rolling out: the one active ReplicaSet, or all in proportion.
pub(super) fn scale(deployment: &Value, sets: &Sets, outcome: &mut Outcome) -> bool {
    let wanted = replicas(deployment);
    let active: Vec<&Value> = sets.all().map(AsRef::as_ref).filter(|set| replicas(set) > 0).collect();
    if active.len() <= 1 {
        let latest = sets.new.as_deref().or(sets.old.last().map(AsRef::as_ref));
        let Some(only) = active.first().copied().or(latest) else { return false };
        return resize(deployment, only, wanted, outcome);
    }
    if let Some(new) = &sets.new
        && replicas(new) == wanted
        && available(new) == wanted
        && annotation(new, DESIRED) == Some(wanted.to_string().as_str())
    {
        let mut is_moved = false;
        for set in sets.old.iter().filter(|set| replicas(set) > 0) {
            is_moved |= resize(deployment, set, 0, outcome);
        }
        return is_moved;
    }
    let allowed = if wanted > 0 { wanted + bounds(deployment).0 } else { 0 };
    let total: i64 = active.iter().map(|set| replicas(set)).sum();
    let to_add = allowed - total;
    let mut sizes: Vec<(&Value, i64)> = active.into_iter().map(|set| (set, replicas(set))).collect();
    sizes.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    if to_add > 0 {
        // Of equal ones the newest grows first; they come oldest first.
        sizes.reverse();
        sizes.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    }
    let mut added = 0;
    for (set, size) in &mut sizes {
        let noted: i64 = annotation(set, MOST).and_then(|most| most.parse().ok()).unwrap_or(total).max(1);
        // The share of this one in the new whole, rounded to the nearest.
        let (wide, of) = (i128::from(*size) * i128::from(allowed), i128::from(noted));
        let grown = i64::try_from((2 * wide + of).div_euclid(2 * of)).unwrap_or(i64::MAX) - *size;
        let left = to_add - added;
        let grown = if to_add > 0 { grown.clamp(0, left.max(0)) } else { grown.clamp(left.min(0), 0) };
        *size += grown;
        added += grown;
    }
    if let Some((_, size)) = sizes.first_mut() {
        *size = (*size + to_add - added).max(0);
    }
    let mut is_moved = false;
    for (set, size) in sizes {
        is_moved |= resize(deployment, set, size, outcome);
    }
    is_moved
}

/// One step of a rolling update.
pub(super) fn roll(deployment: &Value, sets: &Sets, outcome: &mut Outcome) -> bool {
    let Some(new) = &sets.new else { return false };
    let wanted = replicas(deployment);
    let present = replicas(new);
    let count = if present > wanted { wanted } else { room(deployment, sets, present) };
    if count != present {
        return resize(deployment, new, count, outcome);
    }
    shrink_old(deployment, sets, new, outcome)
}

fn shrink_old(deployment: &Value, sets: &Sets, new: &Value, outcome: &mut Outcome) -> bool {
    let mut sizes: Vec<(&Value, i64)> =
        sets.old.iter().map(|set| (set.as_ref(), replicas(set))).filter(|(_, size)| *size > 0).collect();
    let least = replicas(deployment) - bounds(deployment).1;
    let total: i64 = sets.all().map(|set| replicas(set)).sum();
    let unavailable_new = replicas(new) - available(new);
    let mut removable = total - least - unavailable_new;
    if removable <= 0 || sizes.is_empty() {
        return false;
    }
    // First those that do nothing for availability.
    for (set, size) in &mut sizes {
        let unhealthy = (*size - available(set)).clamp(0, removable.max(0));
        *size -= unhealthy;
        removable -= unhealthy;
    }
    let mut spare = sets.sum("/status/availableReplicas") - least;
    for (_, size) in &mut sizes {
        let removed = (*size).min(spare.max(0));
        *size -= removed;
        spare -= removed;
    }
    let mut is_moved = false;
    for (set, size) in sizes {
        if size != replicas(set) {
            is_moved |= resize(deployment, set, size, outcome);
        }
    }
    is_moved
}

/// Takes all replicas from the old ReplicaSets. Tells whether their pods are still there.
pub(super) fn empty_old(deployment: &Value, sets: &Sets, view: &dyn View, outcome: &mut Outcome) -> bool {
    let mut is_moved = false;
    for set in sets.old.iter().filter(|set| replicas(set) > 0) {
        is_moved |= resize(deployment, set, 0, outcome);
    }
    let has_pods = |set: &Value| offspring::owned(view, set, "Pod").iter().any(|pod| !is_over(pod) || is_leaving(pod));
    is_moved || sets.old.iter().any(|set| has_pods(set))
}

/// One step of an update that stops the old pods before it starts new ones.
pub(super) fn recreate(deployment: &Value, sets: &Sets, view: &dyn View, outcome: &mut Outcome) -> bool {
    if empty_old(deployment, sets, view, outcome) {
        return true;
    }
    let Some(new) = &sets.new else { return false };
    replicas(new) != replicas(deployment) && resize(deployment, new, replicas(deployment), outcome)
}
