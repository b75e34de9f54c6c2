//! Values as Go's `fmt` prints them inside the server's typing errors.

use serde_json::Value;

/// Returns what `%#v` prints of a wrapped value: `&value.valueUnstructured{Value:"a"}`.
pub(crate) fn wrapped_syntax(value: &Value) -> String {
    format!("&value.valueUnstructured{{Value:{}}}", syntax(value))
}

/// Returns what `%v` prints of a wrapped value: `&{a}`.
pub(crate) fn wrapped_plain(value: &Value) -> String {
    format!("&{{{}}}", plain(value))
}

/// Returns what `%T` prints of a value.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

fn syntax(value: &Value) -> String {
    match value {
        Value::Null => "interface {}(nil)".to_owned(),
        Value::Array(items) => format!("[]interface {{}}{{{}}}", joined(items.iter().map(syntax), ", ")),
        Value::Object(map) => {
            let entries = map.iter().map(|(key, value)| format!("{}:{}", Value::from(key.as_str()), syntax(value)));
            format!("map[string]interface {{}}{{{}}}", joined(entries, ", "))
        }
        other => other.to_string(),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", joined(items.iter().map(plain), " ")),
        Value::Object(map) => {
            format!("map[{}]", joined(map.iter().map(|(key, value)| format!("{key}:{}", plain(value))), " "))
        }
        other => other.to_string(),
    }
}

fn joined(parts: impl Iterator<Item = String>, separator: &str) -> String {
    parts.collect::<Vec<_>>().join(separator)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_printed_as_go_prints_them() {
        insta::assert_snapshot!(wrapped_syntax(&json!({"a": ["x", 1], "b": null})), @r#"&value.valueUnstructured{Value:map[string]interface {}{"a":[]interface {}{"x", 1}, "b":interface {}(nil)}}"#);
        insta::assert_snapshot!(wrapped_plain(&json!({"a": ["x", 1], "b": null})), @"&{map[a:[x 1] b:<nil>]}");
        insta::assert_snapshot!(wrapped_plain(&json!([1])), @"&{[1]}");
    }
}
