//! Looking up fields by JSON pointers.

use serde_json::Value;

/// Returns the value at a JSON pointer that has no `~` in it. Objects are asked for thousands of them, and `Value::pointer`
/// copies each step twice on its way.
#[must_use]
pub fn at<'v>(object: &'v Value, pointer: &str) -> Option<&'v Value> {
    let Some(mut rest) = pointer.get(1..) else { return Some(object) };
    let mut value = object;
    loop {
        let (step, further) = rest.split_at(rest.bytes().position(|byte| byte == b'/').unwrap_or(rest.len()));
        value = match value {
            Value::Object(fields) => fields.get(step)?,
            Value::Array(items) => items.get(step.parse::<usize>().ok()?)?,
            _ => return None,
        };
        match further.get(1..) {
            Some(further) => rest = further,
            None => return Some(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pointer_leads_where_it_says() {
        let object = json!({"a": {"b": [{"c": 1}, 2], "": 3}, "d": null});
        for pointer in
            ["", "/a", "/a/b/0/c", "/a/b/1", "/a/", "/d", "/d/e", "/a/b/2", "/a/b/x", "/e", "/a/b/0/c/d", "/"]
        {
            assert_eq!(at(&object, pointer), object.pointer(pointer), "{pointer}");
        }
    }
}
