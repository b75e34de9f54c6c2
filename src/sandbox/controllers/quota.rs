//! ResourceQuotas: how much of what they limit is used, counted as admission counts it.

use serde_json::Value;

use super::deed::Outcome;
use super::fields::{at, is_leaving};
use super::offspring::MANAGER;
use crate::sandbox::admission::quota_status;
use crate::sandbox::custom;
use crate::sandbox::kind::Kind;
use crate::sandbox::kinds::Kinds;
use crate::sandbox::view::View;

pub(super) fn reconcile(view: &dyn View, quota: &Value) -> Outcome {
    let mut outcome = Outcome::default();
    if is_leaving(quota) {
        return outcome;
    }
    let (own, others) = (Kinds::new(), custom_kinds(view, quota));
    let kinds = own.iter().map(AsRef::as_ref).chain(&others);
    outcome.status(quota, quota_status(view, kinds, quota), MANAGER);
    outcome
}

/// Returns the custom kinds whose objects a quota counts: `count/graphs.example.com` bears the name of their definition.
fn custom_kinds(view: &dyn View, quota: &Value) -> Vec<Kind> {
    let hard = at(quota, "/spec/hard").and_then(Value::as_object).into_iter().flatten();
    let counted = hard.filter_map(|(resource, _)| resource.strip_prefix("count/"));
    let definitions = counted.filter_map(|name| view.get("apiextensions.k8s.io", "CustomResourceDefinition", "", name));
    definitions.flat_map(|definition| custom::kinds_of(&definition)).collect()
}
