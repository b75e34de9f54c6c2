//! Writes that would change nothing but times are none.

use serde_json::Value;

/// Gives the entries of an object the times that are stored, if both objects differ in nothing but times. Both are in the form
/// in which they are stored; the resource version does not count.
pub fn keep_times_if_equal(live: &Value, object: &mut Value) {
    let entries = |object: &Value| object.pointer("/metadata/managedFields").and_then(Value::as_array).cloned();
    let (Some(stored), Some(written)) = (entries(live), entries(object)) else { return };
    if stored.len() != written.len() || stored == written {
        return;
    }
    let timeless = |entry: &Value| {
        let mut entry = entry.clone();
        if let Some(entry) = entry.as_object_mut() {
            entry.remove("time");
        }
        entry
    };
    let same_entries = stored.iter().map(timeless).eq(written.iter().map(timeless));
    if same_entries
        && without_entries(live) == without_entries(object)
        && let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut)
    {
        metadata.insert("managedFields".to_owned(), Value::Array(stored));
    }
}

fn without_entries(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
        metadata.remove("resourceVersion");
    }
    object
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
}
