//! The status of a StatefulSet.

use serde_json::{Value, json};

use super::Set;
use crate::sandbox::controllers::deed::Outcome;
use crate::sandbox::controllers::fields::{is_leaving, items, label, name, number, set};
use crate::sandbox::controllers::offspring::{self, MANAGER};
use crate::sandbox::controllers::revision::LABEL;
use crate::sandbox::view::View;

pub(super) fn write(view: &dyn View, stateful: &Set<'_>, outcome: &mut Outcome) {
    let object = stateful.object;
    let min_ready = number(object, "/spec/minReadySeconds").unwrap_or(0);
    let pods: Vec<&Value> = stateful.pods.values().map(AsRef::as_ref).collect();
    let ready = pods.iter().filter(|pod| offspring::is_ready(pod)).count();
    let available = pods.iter().filter(|pod| offspring::is_available(pod, min_ready, view.now(), outcome)).count();
    let update = name(&stateful.revisions.present);
    let of = |revision: &str| pods.iter().filter(|pod| !is_leaving(pod) && label(pod, LABEL) == revision).count();
    let updated = of(update);
    let mut current = name(&stateful.current);
    let mut current_count = of(current);
    let wanted = usize::try_from(stateful.replicas()).unwrap_or(0);
    if stateful.is_rolling() && updated == wanted && updated == pods.len() && ready == wanted {
        // The update is complete.
        current = update;
        current_count = updated;
    }
    let mut status = json!({
        "observedGeneration": number(object, "/metadata/generation").unwrap_or(0), "replicas": pods.len(),
        "readyReplicas": ready, "availableReplicas": available, "currentReplicas": current_count,
        "updatedReplicas": updated, "currentRevision": current, "updateRevision": update,
        "collisionCount": number(object, "/status/collisionCount").unwrap_or(0)
    });
    let conditions = items(object, "/status/conditions");
    if !conditions.is_empty() {
        set(&mut status, &["conditions"], Value::from(conditions));
    }
    outcome.status(object, status, MANAGER);
}
