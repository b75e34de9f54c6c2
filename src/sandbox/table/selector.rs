//! Label selectors and labels as text.

use serde_json::Value;

use super::fields::Fields;

/// Writes labels as `a=b,c=d`, or `<none>`.
pub(super) fn labels(fields: Fields<'_>, path: &str) -> String {
    let mut pairs: Vec<String> = fields
        .map(path)
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    pairs.sort();
    if pairs.is_empty() { "<none>".to_owned() } else { pairs.join(",") }
}

/// Writes a label selector, `<none>` if it has no requirement, `<error>` if it is none.
pub(super) fn selector(fields: Fields<'_>, path: &str) -> String {
    match requirements(fields, path) {
        Some(text) if text.is_empty() => "<none>".to_owned(),
        Some(text) => text,
        None => "<error>".to_owned(),
    }
}

/// Writes the requirements of a label selector; `None` if one of them makes no sense.
pub(super) fn requirements(fields: Fields<'_>, path: &str) -> Option<String> {
    fields.at(path).map_or_else(|| Some(String::new()), selector_text)
}

/// Writes a label selector as a query has it, its requirements sorted by key; `None` if one of them makes no sense.
pub(in crate::sandbox) fn selector_text(selector: &Value) -> Option<String> {
    let selector = Fields(selector);
    let mut requirements: Vec<(&str, String)> = selector
        .map("/matchLabels")
        .into_iter()
        .flatten()
        .map(|(key, value)| (key.as_str(), format!("{key}={}", value.as_str().unwrap_or_default())))
        .collect();
    for expression in selector.items("/matchExpressions") {
        let key = expression.text("/key");
        let mut values = expression.texts("/values");
        values.sort_unstable();
        let text = match (expression.text("/operator"), values.is_empty()) {
            ("In", false) => format!("{key} in ({})", values.join(",")),
            ("NotIn", false) => format!("{key} notin ({})", values.join(",")),
            ("Exists", true) => key.to_owned(),
            ("DoesNotExist", true) => format!("!{key}"),
            _ => return None,
        };
        requirements.push((key, text));
    }
    requirements.sort_by(|left, right| left.0.cmp(right.0));
    Some(requirements.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join(","))
}

/// Writes a label selector as Go prints the structure itself: the server does so for the parameters of policies.
pub(super) fn structure(selector: &Value) -> String {
    let fields = Fields(selector);
    let labels: Vec<String> = fields
        .map("/matchLabels")
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}: {},", value.as_str().unwrap_or_default()))
        .collect();
    let expressions: String = fields
        .items("/matchExpressions")
        .map(|expression| {
            let values = expression.texts("/values").join(" ");
            let (key, operator) = (expression.text("/key"), expression.text("/operator"));
            format!("LabelSelectorRequirement{{Key:{key},Operator:{operator},Values:[{values}],}},")
        })
        .collect();
    let labels = labels.concat();
    format!(
        "&LabelSelector{{MatchLabels:map[string]string{{{labels}}},MatchExpressions:[]LabelSelectorRequirement{{{expressions}}},}}"
    )
}
