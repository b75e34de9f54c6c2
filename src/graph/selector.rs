//! Label selectors, as far as references need them.

use serde_json::Value;

/// Looks a label up.
pub(super) type Labels<'a> = &'a dyn Fn(&str) -> Option<&'a str>;

/// Tells whether a plain map of labels (a Service's `selector`) selects these labels. An empty or absent map selects
/// nothing, as it does for a Service.
pub(super) fn equals(selector: Option<&Value>, labels: Labels<'_>) -> bool {
    selector
        .and_then(Value::as_object)
        .is_some_and(|wanted| !wanted.is_empty() && wanted.iter().all(|(key, value)| labels(key) == value.as_str()))
}

/// Tells whether a `LabelSelector` (`matchLabels`, `matchExpressions`) selects these labels. An empty or absent one
/// selects everything, as it does for a webhook. An operator that is not known selects too: better an edge too many.
pub(super) fn matches(selector: Option<&Value>, labels: Labels<'_>) -> bool {
    let Some(selector) = selector else { return true };
    let equal = selector
        .get("matchLabels")
        .and_then(Value::as_object)
        .is_none_or(|wanted| wanted.iter().all(|(key, value)| labels(key) == value.as_str()));
    let expressed = selector
        .get("matchExpressions")
        .and_then(Value::as_array)
        .is_none_or(|expressions| expressions.iter().all(|expression| holds(expression, labels)));
    equal && expressed
}

fn holds(expression: &Value, labels: Labels<'_>) -> bool {
    let text = |field: &str| expression.get(field).and_then(Value::as_str).unwrap_or_default();
    let value = labels(text("key"));
    let listed = value.is_some_and(|value| {
        expression
            .get("values")
            .and_then(Value::as_array)
            .is_some_and(|values| values.iter().any(|one| one.as_str() == Some(value)))
    });
    match text("operator") {
        "In" => listed,
        "NotIn" => !listed,
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn labels(key: &str) -> Option<&'static str> {
        (key == "app").then_some("web")
    }

    #[test]
    fn a_service_without_a_selector_selects_nothing() {
        assert!(!equals(None, &labels));
        assert!(!equals(Some(&json!({})), &labels));
        assert!(equals(Some(&json!({"app": "web"})), &labels));
        assert!(!equals(Some(&json!({"app": "web", "tier": "x"})), &labels));
    }

    #[test]
    fn expressions_follow_the_api() {
        let expression = |operator: &str, key: &str, values: Value| json!({"matchExpressions": [{"key": key, "operator": operator, "values": values}]});
        for (selector, expected) in [
            (json!({}), true),
            (json!({"matchLabels": {"app": "db"}}), false),
            (expression("In", "app", json!(["web", "db"])), true),
            (expression("NotIn", "app", json!(["web"])), false),
            (expression("NotIn", "missing", json!(["web"])), true),
            (expression("Exists", "app", json!(null)), true),
            (expression("DoesNotExist", "app", json!(null)), false),
        ] {
            assert_eq!(matches(Some(&selector), &labels), expected, "{selector}");
        }
    }
}
