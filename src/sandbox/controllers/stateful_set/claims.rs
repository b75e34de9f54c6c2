//! The claims of a StatefulSet's pods: made from its templates, and gone with it only if it says so.

use serde_json::{Value, json};

use super::{COMPONENT, Set};
use crate::sandbox::controllers::deed::Outcome;
use crate::sandbox::controllers::fields::{
    at, controller_reference, is_leaving, items, name, namespace, same, set, text, uid,
};
use crate::sandbox::controllers::offspring::MANAGER;
use crate::sandbox::view::View;

pub(super) fn name_of(object: &Value, template: &Value, ordinal: i64) -> String {
    format!("{}-{}-{ordinal}", name(template), name(object))
}

/// Tells whether a claim of this number is on its way out.
pub(super) fn is_stale(view: &dyn View, stateful: &Set<'_>, ordinal: i64) -> bool {
    items(stateful.object, "/spec/volumeClaimTemplates").iter().any(|template| {
        let claim = name_of(stateful.object, template, ordinal);
        let claim = view.get("", "PersistentVolumeClaim", namespace(stateful.object), &claim);
        claim.is_some_and(|claim| is_leaving(&claim))
    })
}

/// Makes the claims that a pod lacks.
pub(super) fn make(view: &dyn View, stateful: &Set<'_>, ordinal: i64, outcome: &mut Outcome) {
    let object = stateful.object;
    for template in items(object, "/spec/volumeClaimTemplates") {
        let claim_name = name_of(object, template, ordinal);
        if view.get("", "PersistentVolumeClaim", namespace(object), &claim_name).is_some() {
            continue;
        }
        let mut labels = at(template, "/metadata/labels").cloned().unwrap_or_else(|| json!({}));
        let selected = at(object, "/spec/selector/matchLabels").and_then(Value::as_object);
        for (key, value) in selected.into_iter().flatten() {
            set(&mut labels, &[key], value.clone());
        }
        let mut metadata = json!({"name": claim_name, "namespace": namespace(object), "labels": labels});
        if let Some(annotations) = at(template, "/metadata/annotations").filter(|annotations| annotations.is_object()) {
            set(&mut metadata, &["annotations"], annotations.clone());
        }
        if wants(stateful, "whenDeleted") {
            set(&mut metadata, &["ownerReferences"], json!([controller_reference(object)]));
        }
        let claim = json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata,
            "spec": template.get("spec").cloned().unwrap_or_default()
        });
        outcome.create(claim, MANAGER);
        let pod = format!("{}-{ordinal}", name(object));
        let message = format!("Create Claim {claim_name} Pod {pod} in StatefulSet {} success", name(object));
        outcome.normal(object, COMPONENT, "SuccessfulCreate", message);
    }
}

/// Tells whether claims go with what they belong to, in that case.
fn wants(stateful: &Set<'_>, case: &str) -> bool {
    let policy = at(stateful.object, "/spec/persistentVolumeClaimRetentionPolicy");
    policy.and_then(|policy| policy.get(case)).is_some_and(|policy| policy == "Delete")
}

/// Keeps the owners of the claims as the retention policy wants them: the set, or a pod that is scaled away.
pub(super) fn keep_owners(view: &dyn View, stateful: &Set<'_>, outcome: &mut Outcome) {
    let object = stateful.object;
    let (when_deleted, when_scaled) = (wants(stateful, "whenDeleted"), wants(stateful, "whenScaled"));
    for (ordinal, pod) in &stateful.pods {
        for template in items(object, "/spec/volumeClaimTemplates") {
            let claim = name_of(object, template, *ordinal);
            let Some(claim) = view.get("", "PersistentVolumeClaim", namespace(object), &claim) else { continue };
            if is_leaving(&claim) {
                continue;
            }
            let is_scaled_away = !stateful.has(*ordinal);
            let mut wanted: Vec<Value> = items(&claim, "/metadata/ownerReferences")
                .iter()
                .filter(|owner| ![uid(object), uid(pod)].contains(&text(owner, "/uid")))
                .cloned()
                .collect();
            if when_deleted && !(when_scaled && is_scaled_away) {
                wanted.push(controller_reference(object));
            }
            if when_scaled && is_scaled_away {
                wanted.push(controller_reference(pod));
            }
            let present = items(&claim, "/metadata/ownerReferences");
            if !same(&Value::from(present), &Value::from(wanted.clone())) {
                let mut owned = (*claim).clone();
                set(&mut owned, &["metadata", "ownerReferences"], Value::from(wanted));
                outcome.update(owned, MANAGER);
            }
        }
    }
}
