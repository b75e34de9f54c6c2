//! Writes that would change nothing but times are none.

use serde_json::Value;

/// Gives the entries of an object the times that are stored, if both objects differ in nothing but times. Both are in the form
/// in which they are stored; the resource version does not count.
pub fn keep_times_if_equal(live: &Value, object: &mut Value) {
    fn entries(object: &Value) -> Option<&Vec<Value>> {
        object.pointer("/metadata/managedFields").and_then(Value::as_array)
    }
    let (Some(stored), Some(written)) = (entries(live), entries(object)) else { return };
    let pairs = || stored.iter().zip(written);
    let same_entries =
        stored.len() == written.len() && pairs().all(|(stored, written)| same(stored, written, &["time"]));
    if !same_entries || stored == written || !same_but_for_entries(live, object) {
        return;
    }
    let stored = Value::Array(stored.clone());
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.insert("managedFields".to_owned(), stored);
    }
}

fn same_but_for_entries(left: &Value, right: &Value) -> bool {
    same(left, right, &["metadata"])
        && match (left.get("metadata"), right.get("metadata")) {
            (Some(left), Some(right)) => same(left, right, &["managedFields", "resourceVersion"]),
            (left, right) => left == right,
        }
}

/// Tells whether two values are the same but for some of their fields.
fn same(left: &Value, right: &Value, but_for: &[&str]) -> bool {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            let counts = |(name, _): &(&String, &Value)| !but_for.contains(&name.as_str());
            left.iter().filter(counts).eq(right.iter().filter(counts))
        }
        (left, right) => left == right,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: &str, time: Option<&str>) -> Value {
        let mut entry = json!({"manager": "a", "operation": "Apply"});
        if let Some(time) = time {
            entry["time"] = json!(time);
        }
        json!({"metadata": {"managedFields": [entry]}, "data": {"a": value}})
    }

    #[test]
    fn times_stay_only_where_all_else_is_the_same() {
        let live = object("1", Some("2026-01-02T03:04:05Z"));
        let mut same = object("1", Some("2026-01-02T03:04:06Z"));
        keep_times_if_equal(&live, &mut same);
        assert_eq!(same, live);
        let other = object("2", Some("2026-01-02T03:04:06Z"));
        let mut written = other.clone();
        keep_times_if_equal(&live, &mut written);
        assert_eq!(written, other);
    }

    #[test]
    fn what_is_no_object_is_compared_whole() {
        for (one, other) in [(json!(null), json!(1)), (json!({"metadata": 1}), json!({"metadata": 2}))] {
            assert!(same(&one, &one, &[]) && !same(&one, &other, &[]));
        }
    }
}
