//! Label selectors.

use serde_json::Value;

use super::fields::{at, items, text};

/// Tells whether a `LabelSelector` matches the labels of an object. One that is missing matches nothing, an empty one
/// everything.
pub fn matches(selector: Option<&Value>, object: &Value) -> bool {
    let Some(selector) = selector.filter(|selector| selector.is_object()) else { return false };
    let labels = at(object, "/metadata/labels");
    let equal = selector.get("matchLabels").is_none_or(|wanted| all_equal(wanted, labels));
    equal && items(selector, "/matchExpressions").iter().all(|expression| meets(expression, labels))
}

/// Tells whether a plain map of labels, such as `spec.selector` of a Service, matches an object. An empty one matches
/// nothing.
pub(super) fn matches_map(selector: Option<&Value>, object: &Value) -> bool {
    let wanted = selector.and_then(Value::as_object);
    wanted.is_some_and(|wanted| !wanted.is_empty())
        && selector.is_some_and(|selector| all_equal(selector, at(object, "/metadata/labels")))
}

/// Tells whether labels have all these values.
pub(super) fn all_equal(wanted: &Value, labels: Option<&Value>) -> bool {
    let Some(wanted) = wanted.as_object() else { return true };
    wanted.iter().all(|(key, value)| labels.and_then(|labels| labels.get(key)) == Some(value))
}

/// Tells whether labels meet one requirement of a selector or of a node affinity.
pub(super) fn meets(expression: &Value, labels: Option<&Value>) -> bool {
    let value = labels.and_then(|labels| labels.get(text(expression, "/key"))).and_then(Value::as_str);
    let values = items(expression, "/values");
    let is_among = value.is_some_and(|value| values.iter().any(|wanted| wanted == value));
    let number = |text: &str| text.parse::<i64>().ok();
    let bound = values.first().and_then(Value::as_str).and_then(number);
    match text(expression, "/operator") {
        "In" => is_among,
        "NotIn" => !is_among,
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        "Gt" => value.and_then(number) > bound && bound.is_some(),
        "Lt" => value.and_then(number).is_some() && value.and_then(number) < bound,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_selector_matches_as_the_servers_do() {
        let object = json!({"metadata": {"labels": {"a": "1", "b": "2"}}});
        let cases = [
            (json!({}), true),
            (json!({"matchLabels": {"a": "1"}}), true),
            (json!({"matchLabels": {"a": "2"}}), false),
            (json!({"matchExpressions": [{"key": "a", "operator": "In", "values": ["1", "3"]}]}), true),
            (json!({"matchExpressions": [{"key": "c", "operator": "NotIn", "values": ["1"]}]}), true),
            (json!({"matchExpressions": [{"key": "c", "operator": "Exists"}]}), false),
            (json!({"matchExpressions": [{"key": "c", "operator": "DoesNotExist"}]}), true),
        ];
        for (selector, expected) in cases {
            assert_eq!(matches(Some(&selector), &object), expected, "{selector}");
        }
        assert!(!matches(None, &object));
        assert!(!matches_map(Some(&json!({})), &object));
    }
}
