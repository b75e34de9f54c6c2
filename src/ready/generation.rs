//! Which generation a status must be about.

use serde_json::Value;

use super::{Readiness, number};

/// Returns the generation that counts: the one the write returned, else the object's own.
pub(super) fn wanted(object: &Value, written: Option<i64>) -> i64 {
    written.or_else(|| number(object, "/metadata/generation")).unwrap_or(0)
}

/// Tells of a read that is older than the write: a cache or a watch may still deliver one.
pub(super) fn stale_read(object: &Value, written: Option<i64>) -> Option<Readiness> {
    let read = number(object, "/metadata/generation")?;
    let written = written?;
    (read < written).then(|| Readiness::Waiting(format!("generation {written} is not seen yet, only {read}")))
}

/// Tells that the controller has not looked at the wanted generation yet. A status that never says its generation is
/// behind only for kinds whose controllers always say it.
pub(super) fn unobserved(object: &Value, wanted: i64, always_said: bool) -> Option<Readiness> {
    let observed = number(object, "/status/observedGeneration");
    match observed {
        Some(observed) if observed >= wanted => None,
        None if !always_said => None,
        Some(observed) => Some(format!("its controller has seen generation {observed}, not yet {wanted}")),
        None => Some("its controller has not seen it yet".to_owned()),
    }
    .map(Readiness::Waiting)
}
