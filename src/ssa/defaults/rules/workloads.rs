//! Update strategies of workloads.

use serde_json::{Map, Value};

use super::{is_unset, map_in, text};

pub(super) fn deployment_strategy(strategy: &mut Map<String, Value>) {
    rolling_update(strategy, &Value::from("25%"), &Value::from("25%"));
}

pub(super) fn daemon_set_strategy(strategy: &mut Map<String, Value>) {
    rolling_update(strategy, &Value::from(1), &Value::from(0));
}

/// Only a rolling update, which is what there is where nothing is said, has settings.
fn rolling_update(strategy: &mut Map<String, Value>, unavailable: &Value, surge: &Value) {
    if !matches!(text(strategy, "type"), "" | "RollingUpdate") {
        return;
    }
    let Some(settings) = map_in(strategy, "rollingUpdate") else { return };
    for (field, default) in [("maxUnavailable", unavailable), ("maxSurge", surge)] {
        // A pointer: an empty text is something, and is refused.
        if settings.get(field).is_none_or(Value::is_null) {
            settings.insert(field.to_owned(), default.clone());
        }
    }
}

/// Here settings are filled in only where nothing at all is said.
pub(super) fn stateful_set_strategy(strategy: &mut Map<String, Value>) {
    if is_unset(strategy, "type") {
        strategy.insert("type".to_owned(), Value::from("RollingUpdate"));
        map_in(strategy, "rollingUpdate");
    }
}
