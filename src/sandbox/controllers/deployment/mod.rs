//! Deployments: one ReplicaSet a template, and the way from the old ones to the new one.
//!
//! [`revision`] finds or makes the ReplicaSet of the present template, [`rollout`] moves the replicas, and [`status`] says
//! how far it has come.

mod revision;
mod rollout;
mod status;

use std::sync::Arc;

use serde_json::Value;

use super::deed::Outcome;
use super::fields::{at, flag, is_leaving, number, share, text};
use super::offspring;
use crate::sandbox::view::View;

const COMPONENT: &str = "deployment-controller";

pub(super) fn reconcile(view: &dyn View, deployment: &Value) -> Outcome {
    let mut outcome = Outcome::default();
    let selector = at(deployment, "/spec/selector");
    offspring::adopt(view, deployment, ("apps", "ReplicaSet"), selector, &mut outcome);
    if !outcome.is_idle() {
        return outcome;
    }
    let sets = Sets::find(view, deployment);
    if is_leaving(deployment) {
        status::write(view, deployment, &sets, &mut outcome);
        return outcome;
    }
    let is_paused = flag(deployment, "/spec/paused");
    if let Some(new) = &sets.new {
        if revision::annotate(deployment, new, &sets, &mut outcome) {
            return outcome;
        }
    } else if !is_paused {
        if is_recreating(deployment) && rollout::empty_old(deployment, &sets, view, &mut outcome) {
            status::write(view, deployment, &sets, &mut outcome);
            return outcome;
        }
        revision::make(view, deployment, &sets, &mut outcome);
        return outcome;
    }
    let is_moved = if is_paused || rollout::is_scaled(deployment, &sets) {
        rollout::scale(deployment, &sets, &mut outcome)
    } else if is_recreating(deployment) {
        rollout::recreate(deployment, &sets, view, &mut outcome)
    } else {
        rollout::roll(deployment, &sets, &mut outcome)
    };
    if !is_moved && (is_paused || status::is_complete(deployment, deployment.get("status").unwrap_or(&Value::Null))) {
        revision::clean_up(deployment, &sets, &mut outcome);
    }
    status::write(view, deployment, &sets, &mut outcome);
    outcome
}

fn is_recreating(deployment: &Value) -> bool {
    text(deployment, "/spec/strategy/type") == "Recreate"
}

/// The ReplicaSets of a Deployment: that of the present template, and the others, oldest first.
struct Sets {
    new: Option<Arc<Value>>,
    old: Vec<Arc<Value>>,
}

impl Sets {
    fn find(view: &dyn View, deployment: &Value) -> Self {
        let mut all = offspring::owned(view, deployment, "ReplicaSet");
        let made =
            |set: &Value| (text(set, "/metadata/creationTimestamp").to_owned(), text(set, "/metadata/name").to_owned());
        all.sort_by_key(|set| made(set));
        let template = at(deployment, "/spec/template").unwrap_or(&Value::Null);
        let new = all.iter().position(|set| revision::is_of(set, template));
        let new = new.map(|index| all.remove(index));
        Self { new, old: all }
    }

    fn all(&self) -> impl Iterator<Item = &Arc<Value>> {
        self.old.iter().chain(self.new.iter())
    }

    fn sum(&self, pointer: &str) -> i64 {
        self.all().map(|set| number(set, pointer).unwrap_or(0)).sum()
    }
}

fn replicas(object: &Value) -> i64 {
    number(object, "/spec/replicas").unwrap_or(1)
}

/// Returns how many pods more, and how many fewer, there may be during a rollout.
fn bounds(deployment: &Value) -> (i64, i64) {
    if is_recreating(deployment) {
        return (0, 0);
    }
    let of = |field: &str, round_up: bool| {
        let value = at(deployment, "/spec/strategy/rollingUpdate").and_then(|rolling| rolling.get(field));
        share(value, replicas(deployment), round_up)
            .unwrap_or_else(|| share(Some(&Value::from("25%")), replicas(deployment), round_up).unwrap_or(0))
    };
    let (surge, unavailable) = (of("maxSurge", true), of("maxUnavailable", false));
    // Without either nothing could move.
    let unavailable = if surge == 0 && unavailable == 0 { 1 } else { unavailable };
    (surge, unavailable.min(replicas(deployment)))
}
