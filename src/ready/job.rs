//! Jobs: done when complete. A Job that runs has done nothing yet.

use serde_json::Value;

use super::{Readiness, condition, number};

pub(super) fn job(object: &Value) -> Readiness {
    // The target conditions come first and only wait for the last pods to end; the verdict no longer changes.
    for kind in ["Failed", "FailureTarget"] {
        if let Some(failed) = condition::is_true(object, kind) {
            return Readiness::Failed(failed.words("the Job failed"));
        }
    }
    if condition::is_true(object, "Complete").is_some() {
        return Readiness::Ready;
    }
    if object.pointer("/spec/suspend").and_then(Value::as_bool) == Some(true) {
        return Readiness::Waiting("the Job is suspended".to_owned());
    }
    let status = |field: &str| number(object, &format!("/status/{field}")).unwrap_or(0);
    let completions = number(object, "/spec/completions").unwrap_or(1);
    let failed = match status("failed") {
        0 => String::new(),
        1 => ", 1 attempt failed".to_owned(),
        failed => format!(", {failed} attempts failed"),
    };
    Readiness::Waiting(format!(
        "{}/{completions} completions, {}{failed}",
        status("succeeded"),
        match status("active") {
            1 => "1 pod running".to_owned(),
            active => format!("{active} pods running"),
        }
    ))
}
