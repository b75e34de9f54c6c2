//! One pod of a StatefulSet.

use serde_json::{Value, json};

use super::{COMPONENT, Set, claims};
use crate::sandbox::controllers::deed::Outcome;
use crate::sandbox::controllers::fields::{items, name, set, text};
use crate::sandbox::controllers::offspring::{self, MANAGER, Named};
use crate::sandbox::controllers::revision::{self, LABEL};
use crate::sandbox::view::View;

pub(super) fn make(view: &dyn View, stateful: &Set<'_>, ordinal: i64, outcome: &mut Outcome) {
    let object = stateful.object;
    let revision = stateful.revision_of(ordinal);
    let template = revision::template(revision);
    let pod_name = format!("{}-{ordinal}", name(object));
    let prefix = format!("{}-", name(object));
    let mut pod = offspring::make(object, &template, &Named::As { name: &pod_name, prefix: &prefix }, view);
    for (label, value) in [
        (LABEL, name(revision).to_owned()),
        ("statefulset.kubernetes.io/pod-name", pod_name.clone()),
        ("apps.kubernetes.io/pod-index", ordinal.to_string()),
    ] {
        set(&mut pod, &["metadata", "labels", label], Value::from(value));
    }
    set(&mut pod, &["spec", "hostname"], Value::from(pod_name.as_str()));
    if !text(object, "/spec/serviceName").is_empty() {
        set(&mut pod, &["spec", "subdomain"], Value::from(text(object, "/spec/serviceName")));
    }
    let templates = items(object, "/spec/volumeClaimTemplates");
    let own = |volume: &&Value| !templates.iter().any(|template| name(template) == text(volume, "/name"));
    let mut volumes: Vec<Value> = templates
        .iter()
        .map(|template| {
            let claim = claims::name_of(object, template, ordinal);
            json!({"name": name(template), "persistentVolumeClaim": {"claimName": claim}})
        })
        .collect();
    volumes.extend(items(&template, "/spec/volumes").iter().filter(own).cloned());
    if !volumes.is_empty() {
        set(&mut pod, &["spec", "volumes"], Value::from(volumes));
    }
    outcome.create(pod, MANAGER);
    let message = format!("Create Pod {pod_name} in StatefulSet {} successful", name(object));
    outcome.normal(object, COMPONENT, "SuccessfulCreate", message);
}

pub(super) fn delete(stateful: &Set<'_>, pod: &Value, outcome: &mut Outcome) {
    outcome.delete(pod);
    let message = format!("Delete Pod {} in StatefulSet {} successful", name(pod), name(stateful.object));
    outcome.normal(stateful.object, COMPONENT, "SuccessfulDelete", message);
}
