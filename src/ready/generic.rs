//! Custom resources and all kinds without a rule of their own, by the conventions that most controllers keep (kstatus): `observedGeneration` and the conditions
//! `Stalled`, `Reconciling` and `Ready`. One that says none of these is ready.

use serde_json::Value;

use super::condition::{self, Condition};
use super::{Readiness, generation};

pub(super) fn by_convention(object: &Value, wanted: i64) -> Readiness {
    if let Some(waiting) = generation::unobserved(object, wanted, false) {
        return waiting;
    }
    let is_current = |condition: &Condition<'_>| condition.observed_generation.is_none_or(|seen| seen >= wanted);
    if let Some(stalled) = condition::is_true(object, "Stalled").filter(is_current) {
        return Readiness::Failed(stalled.words("its controller has given up"));
    }
    if let Some(reconciling) = condition::is_true(object, "Reconciling") {
        return Readiness::Waiting(reconciling.words("its controller is at work"));
    }
    match condition::find(object, "Ready") {
        None => Readiness::Ready,
        Some(ready) if !is_current(&ready) => {
            Readiness::Waiting(format!("condition Ready is not yet about generation {wanted}"))
        }
        Some(ready) if ready.status == "True" => Readiness::Ready,
        Some(ready) => Readiness::Waiting(ready.words("condition Ready is not true")),
    }
}
