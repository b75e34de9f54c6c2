//! What other objects live in or are defined by: namespaces, definitions, API services.

use serde_json::Value;

use super::{Readiness, condition, text};

pub(super) fn namespace(object: &Value) -> Readiness {
    match text(object, "/status/phase") {
        "Active" => Readiness::Ready,
        "" => Readiness::Waiting("the namespace is not active yet".to_owned()),
        phase => Readiness::Waiting(format!("the namespace is {phase}")),
    }
}

pub(super) fn definition(object: &Value) -> Readiness {
    if let Some(refused) = condition::is_false(object, "NamesAccepted") {
        return Readiness::Failed(refused.words("its names are taken by another definition"));
    }
    if condition::is_true(object, "Established").is_some() {
        return Readiness::Ready;
    }
    Readiness::Waiting("the definition is not established yet".to_owned())
}

pub(super) fn api_service(object: &Value) -> Readiness {
    match condition::find(object, "Available") {
        Some(available) if available.status == "True" => Readiness::Ready,
        Some(available) => Readiness::Waiting(available.words("the API service is not available")),
        None => Readiness::Waiting("the API service is not available yet".to_owned()),
    }
}
