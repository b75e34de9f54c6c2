//! Label selectors: what may be written, what they match, how the server shows them.

use serde_json::{Map, Value, json};

use super::Problems;
use super::meta;
use super::names;
use super::path::Path;
use super::read::{Read, texts};

/// A label selector.
pub(super) fn of(selector: &Value, path: &Path, problems: &mut Problems) {
    meta::labels(selector, "matchLabels", path, problems);
    for (index, requirement) in selector.list("matchExpressions").iter().enumerate() {
        let path = path.child("matchExpressions").index(index);
        let values = requirement.list("values");
        match requirement.text("operator") {
            "In" | "NotIn" if values.is_empty() => {
                problems.push(path.child("values").required("must be specified when `operator` is 'In' or 'NotIn'"));
            }
            "Exists" | "DoesNotExist" if !values.is_empty() => {
                let detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
                problems.push(path.child("values").forbidden(detail));
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            other => problems.push(path.child("operator").invalid(other, "not a valid selector operator")),
        }
        let key = requirement.text("key");
        problems.extend(path.child("key").each(key, names::qualified(key)));
        for (index, value) in texts(values).enumerate() {
            problems.extend(path.child("values").index(index).each(value, names::label_value(value)));
        }
    }
}

/// What a selector says about labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// It cannot be read.
    Unreadable,
    /// It says nothing, and so matches everything.
    Empty,
    /// It matches the labels.
    Matches,
    /// It does not.
    Differs,
}

/// Asks a selector about labels; no selector matches nothing.
pub(super) fn ask(selector: Option<&Value>, labels: Option<&Value>) -> Answer {
    let Some(selector) = selector else { return Answer::Differs };
    let mut problems = Vec::new();
    of(selector, &Path::new(""), &mut problems);
    if !problems.is_empty() {
        return Answer::Unreadable;
    }
    if is_empty(selector) {
        return Answer::Empty;
    }
    let empty = Value::Null;
    let labels = labels.unwrap_or(&empty);
    let has_all = selector.entries("matchLabels").texts().all(|(key, value)| labels.maybe_text(key) == Some(value));
    let fits = |requirement: &Value| {
        let value = labels.maybe_text(requirement.text("key"));
        let is_listed = value.is_some_and(|value| texts(requirement.list("values")).any(|listed| listed == value));
        match requirement.text("operator") {
            "In" => is_listed,
            "NotIn" => !is_listed,
            "Exists" => value.is_some(),
            _ => value.is_none(),
        }
    };
    if has_all && selector.list("matchExpressions").iter().all(fits) { Answer::Matches } else { Answer::Differs }
}

/// Tells whether a selector names no label at all.
pub(super) fn is_empty(selector: &Value) -> bool {
    selector.entries("matchLabels").is_empty() && selector.list("matchExpressions").is_empty()
}

/// A selector in the order of the server's fields.
pub(super) fn shown(selector: Option<&Value>) -> String {
    let Some(selector) = selector else { return "null".to_owned() };
    let mut parts = Vec::new();
    let labels: Map<String, Value> =
        selector.entries("matchLabels").iter().map(|(key, value)| (key.to_owned(), value.clone())).collect();
    if !labels.is_empty() {
        parts.push(format!("\"matchLabels\":{}", Value::Object(labels)));
    }
    let requirements: Vec<String> = selector
        .list("matchExpressions")
        .iter()
        .map(|requirement| {
            let values = requirement.list("values");
            let values = if values.is_empty() { String::new() } else { format!(",\"values\":{}", json!(values)) };
            format!(
                "{{\"key\":{},\"operator\":{}{values}}}",
                json!(requirement.text("key")),
                json!(requirement.text("operator"))
            )
        })
        .collect();
    if !requirements.is_empty() {
        parts.push(format!("\"matchExpressions\":[{}]", requirements.join(",")));
    }
    format!("{{{}}}", parts.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_answers_about_labels() {
        let labels = json!({"app": "web"});
        let ask = |selector: Value| ask(Some(&selector), Some(&labels));
        assert_eq!(ask(json!({})), Answer::Empty);
        assert_eq!(ask(json!({"matchLabels": {"app": "web"}})), Answer::Matches);
        assert_eq!(ask(json!({"matchLabels": {"app": "db"}})), Answer::Differs);
        assert_eq!(ask(json!({"matchExpressions": [{"key": "app", "operator": "Exists"}]})), Answer::Matches);
        assert_eq!(
            ask(json!({"matchExpressions": [{"key": "x", "operator": "NotIn", "values": ["1"]}]})),
            Answer::Matches
        );
        assert_eq!(ask(json!({"matchExpressions": [{"key": "x", "operator": "Is"}]})), Answer::Unreadable);
        assert_eq!(super::ask(None, Some(&labels)), Answer::Differs);
    }

    #[test]
    fn a_selector_is_shown_with_its_labels_first() {
        let selector =
            json!({"matchExpressions": [{"values": ["1"], "operator": "In", "key": "x"}], "matchLabels": {"a": "b"}});
        assert_eq!(
            shown(Some(&selector)),
            r#"{"matchLabels":{"a":"b"},"matchExpressions":[{"key":"x","operator":"In","values":["1"]}]}"#
        );
    }
}
