//! The older version of `HorizontalPodAutoscaler`, some of whose annotations are fields of the newer one.

use serde_json::{Map, Value};

use super::fields::{at, remove, restore};

/// What annotations of the older version of an autoscaler stand for in the newer one, in which it is held.
const OF_STATUS: [&str; 2] =
    ["autoscaling.alpha.kubernetes.io/conditions", "autoscaling.alpha.kubernetes.io/current-metrics"];
const OF_SPEC: [&str; 2] = ["autoscaling.alpha.kubernetes.io/metrics", "autoscaling.alpha.kubernetes.io/behavior"];

/// A write of the object leaves what stands for the status.
pub(super) fn keep_status(live: &Value, object: &mut Value) {
    keep(live, object, &OF_STATUS);
}

/// A write of the status leaves what stands for the rest.
pub(super) fn keep_spec(live: &Value, object: &mut Value) {
    keep(live, object, &OF_SPEC);
}

fn keep(live: &Value, object: &mut Value, names: &[&str]) {
    for name in names {
        restore(object, live, &["metadata", "annotations", name]);
    }
    if at(object, &["metadata", "annotations"]).is_some_and(|all| all.as_object().is_some_and(Map::is_empty)) {
        remove(object, &["metadata", "annotations"]);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn who_writes_the_object_leaves_the_conditions_and_who_writes_the_status_the_metrics() {
        let with = |annotations: Value| json!({"metadata": {"annotations": annotations}});
        let live = with(json!({(OF_STATUS[0]): "[1]", (OF_SPEC[0]): "[2]"}));
        let mut object = with(json!({"note": "x", (OF_STATUS[1]): "[3]"}));
        keep_status(&live, &mut object);
        assert_eq!(object, with(json!({"note": "x", (OF_STATUS[0]): "[1]"})));
        keep_spec(&live, &mut object);
        assert_eq!(object, with(json!({"note": "x", (OF_STATUS[0]): "[1]", (OF_SPEC[0]): "[2]"})));
        keep_status(&json!({"metadata": {}}), &mut object);
        keep_spec(&json!({"metadata": {}}), &mut object);
        assert_eq!(object, with(json!({"note": "x"})));
        let mut bare = with(json!({(OF_STATUS[1]): "[3]"}));
        keep_status(&json!({"metadata": {}}), &mut bare);
        assert_eq!(bare, json!({"metadata": {}}));
    }
}
