//! Update strategies of workloads.

use serde_json::{Map, Value};

use super::{is_missing, map_in, text};

/// Only a rolling update, which is what there is where nothing is said, has settings.
pub(super) fn rolling_update(strategy: &mut Map<String, Value>) {
    if matches!(text(strategy, "type"), "" | "RollingUpdate") {
        map_in(strategy, "rollingUpdate");
    }
}

/// Here settings are filled in only where nothing at all is said.
pub(super) fn stateful_set_strategy(strategy: &mut Map<String, Value>) {
    if is_missing(strategy, "type") {
        strategy.insert("type".to_owned(), Value::from("RollingUpdate"));
        map_in(strategy, "rollingUpdate");
    }
}
