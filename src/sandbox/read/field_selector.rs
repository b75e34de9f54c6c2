//! Field selectors: a handful of fields a kind, compared as texts (`k8s.io/apimachinery/pkg/fields`).

use serde_json::Value;

use crate::sandbox::kind::Kind;

/// Requirements that all must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldSelector(Vec<Requirement>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    field: String,
    value: String,
    equal: bool,
}

/// A field's path, and what a missing one reads as.
type Field = (&'static str, &'static str);

/// Fields beside name and namespace that can be selected by, of which group and kind. As the server has them.
const SELECTABLE: &[(&str, &str, &[Field])] = &[
    (
        "",
        "Pod",
        &[
            ("spec.nodeName", ""),
            ("spec.restartPolicy", ""),
            ("spec.schedulerName", ""),
            ("spec.serviceAccountName", ""),
            ("spec.hostNetwork", "false"),
            ("status.phase", ""),
            ("status.podIP", ""),
            ("status.podIPs", ""),
            ("status.nominatedNodeName", ""),
        ],
    ),
    ("", "Node", &[("spec.unschedulable", "false")]),
    ("", "Namespace", &[("status.phase", "")]),
    ("", "Secret", &[("type", "")]),
    ("", "Service", &[("spec.clusterIP", ""), ("spec.type", "")]),
    ("", "ReplicationController", &[("status.replicas", "0")]),
    ("", "Event", EVENT),
    ("events.k8s.io", "Event", NEWER_EVENT),
    ("batch", "Job", &[("status.successful", "0")]),
    ("certificates.k8s.io", "CertificateSigningRequest", &[("spec.signerName", "")]),
    ("resource.k8s.io", "ResourceSlice", &[("spec.nodeName", ""), ("spec.driver", "")]),
];

const EVENT: &[(&str, &str)] = &[
    ("involvedObject.kind", ""),
    ("involvedObject.namespace", ""),
    ("involvedObject.name", ""),
    ("involvedObject.uid", ""),
    ("involvedObject.apiVersion", ""),
    ("involvedObject.resourceVersion", ""),
    ("involvedObject.fieldPath", ""),
    ("reason", ""),
    ("reportingComponent", ""),
    ("source", ""),
    ("type", ""),
];

/// The newer group has other names for the fields of the same objects.
const NEWER_EVENT: &[(&str, &str)] = &[
    ("regarding.kind", ""),
    ("regarding.namespace", ""),
    ("regarding.name", ""),
    ("regarding.uid", ""),
    ("regarding.apiVersion", ""),
    ("regarding.resourceVersion", ""),
    ("regarding.fieldPath", ""),
    ("reason", ""),
    ("reportingController", ""),
    ("type", ""),
];

fn extras(kind: &Kind) -> &'static [(&'static str, &'static str)] {
    let known = SELECTABLE.iter().find(|(group, name, _)| kind.is(group, name));
    known.map_or(&[], |(_, _, fields)| fields)
}

impl FieldSelector {
    /// Reads a selector.
    ///
    /// # Errors
    /// What is wrong, in the server's words.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut terms = split_terms(text);
        // The server looks at them in this order.
        terms.sort_unstable();
        let read = |term: &&str| {
            let (field, value, equal) =
                split_term(term).ok_or_else(|| format!("invalid selector: '{text}'; can't understand '{term}'"))?;
            Ok(Requirement { field: field.to_owned(), value: unescaped(value)?, equal })
        };
        terms.iter().filter(|term| !term.is_empty()).map(read).collect::<Result<_, _>>().map(Self)
    }

    /// Holds a selector to the fields that objects of a kind can be selected by.
    ///
    /// # Errors
    /// The first that is none of them, in the server's words.
    pub fn check(&self, kind: &Kind) -> Result<(), String> {
        self.0.iter().try_for_each(|requirement| check(kind, &requirement.field))
    }

    /// Takes objects of one name only.
    #[must_use]
    pub fn of_name(name: &str) -> Self {
        Self(vec![Requirement { field: "metadata.name".to_owned(), value: name.to_owned(), equal: true }])
    }

    /// Returns the one name that objects must have, if there is one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.0
            .iter()
            .find(|requirement| requirement.equal && requirement.field == "metadata.name")
            .map(|requirement| requirement.value.as_str())
    }

    /// Tells whether everything is taken.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tells whether an object is taken.
    #[must_use]
    pub fn takes(&self, object: &Value) -> bool {
        self.0
            .iter()
            .all(|requirement| (value_of(object, &requirement.field) == requirement.value) == requirement.equal)
    }
}

fn check(kind: &Kind, field: &str) -> Result<(), String> {
    let of_all = ["metadata.name", "metadata.namespace"];
    let custom: Vec<&str> = kind
        .custom
        .iter()
        .filter_map(|custom| custom.version.get("selectableFields")?.as_array())
        .flatten()
        .filter_map(|selectable| selectable.get("jsonPath")?.as_str())
        .map(|path| path.trim_start_matches('.'))
        .collect();
    let known = extras(kind);
    // Kinds without fields of their own take both, wherever their objects are.
    let is_plain = known.is_empty() && kind.custom.is_none();
    if of_all.contains(&field) && (kind.namespaced || field == "metadata.name" || is_plain) {
        return Ok(());
    }
    if known.iter().any(|(name, _)| *name == field) || custom.contains(&field) {
        return Ok(());
    }
    Err(if is_plain {
        format!("{field:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\"")
    } else if kind.is("batch", "Job") {
        format!("field label {field:?} not supported for Job")
    } else {
        format!("field label not supported: {field}")
    })
}

fn value_of(object: &Value, field: &str) -> String {
    let at = |path: &str| path.split('.').try_fold(object, |value, step| value.get(step));
    let text = |value: Option<&Value>| match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    };
    let said = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
    let group = said("apiVersion").split_once('/').map_or("", |(group, _)| group);
    let own = SELECTABLE.iter().find(|(of, kind, _)| *of == group && *kind == said("kind"));
    let Some((_, kind, fields)) = own else { return text(at(field)) };
    let value = match (*kind, field) {
        ("Event", "reportingController") => text(at("reportingComponent")),
        ("Event", "source") => match text(at("source.component")) {
            component if component.is_empty() => text(at("reportingComponent")),
            component => component,
        },
        ("Event", field) if field.starts_with("regarding.") => {
            text(at(&field.replacen("regarding", "involvedObject", 1)))
        }
        ("Job", "status.successful") => text(at("status.succeeded")),
        // It can be asked for, but no pod has it.
        ("Pod", "status.podIPs") => String::new(),
        (_, field) => text(at(field)),
    };
    match fields.iter().find(|(name, _)| *name == field) {
        Some((_, missing)) if value.is_empty() => (*missing).to_owned(),
        _ => value,
    }
}

/// Splits at commas that no backslash stands before.
fn split_terms(text: &str) -> Vec<&str> {
    let mut escaped = false;
    let is_comma = |found: char| {
        let splits = found == ',' && !escaped;
        escaped = found == '\\' && !escaped;
        splits
    };
    text.split(is_comma).collect()
}

fn split_term(term: &str) -> Option<(&str, &str, bool)> {
    let at = term.char_indices().map(|(at, _)| at).find(|at| {
        let rest = term.get(*at..).unwrap_or_default();
        rest.starts_with('=') || rest.starts_with("!=")
    })?;
    let (field, rest) = term.split_at_checked(at)?;
    let equal = rest.strip_prefix("==").or_else(|| rest.strip_prefix('='));
    let value = equal.or_else(|| rest.strip_prefix("!="))?;
    Some((field, value, equal.is_some()))
}

/// Takes the backslashes away that stand before commas, signs of equality and other backslashes, and nowhere else.
fn unescaped(value: &str) -> Result<String, String> {
    let invalid = |sequence: &str| Err(format!("invalid field selector: invalid escape sequence: {sequence}"));
    let mut text = String::with_capacity(value.len());
    let mut letters = value.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some(escaped @ ('\\' | ',' | '=')) => text.push(escaped),
                Some(other) => return invalid(&format!("\\{other}")),
                None => return invalid("\\"),
            },
            // Go prints the number of the character.
            ',' | '=' => {
                let number = u32::from(letter);
                return Err(format!("invalid field selector: unescaped character in value: {number}"));
            }
            other => text.push(other),
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn mistakes_read_as_the_servers() {
        let error = |text: &str| FieldSelector::read(text).unwrap_err();
        assert_eq!(error("b,a"), "invalid selector: 'b,a'; can't understand 'a'");
        assert_eq!(error("a=b=c"), "invalid field selector: unescaped character in value: 61");
        assert_eq!(error(r"a=b\x"), r"invalid field selector: invalid escape sequence: \x");
        assert_eq!(error(r"a=b\"), r"invalid field selector: invalid escape sequence: \");
        let read = |field: &str, value: &str, equal: bool| {
            FieldSelector(vec![Requirement { field: field.to_owned(), value: value.to_owned(), equal }])
        };
        assert_eq!(FieldSelector::read(r"a==b\,c\=d\\,").unwrap(), read("a", r"b,c=d\", true));
        assert_eq!(FieldSelector::read("a!b!=é").unwrap(), read("a!b", "é", false));
    }

    #[test]
    fn fields_are_those_of_their_kind() {
        let takes = |object: &Value, selector: &str| FieldSelector::read(selector).unwrap().takes(object);
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "status": {"podIP": "10.0.0.1"}});
        assert!(takes(&pod, "spec.hostNetwork=false,status.podIP=10.0.0.1,status.podIPs="));
        assert!(!takes(&pod, "status.podIPs=10.0.0.1"));
        let event =
            json!({"apiVersion": "v1", "kind": "Event", "source": {}, "reportingComponent": "default-scheduler"});
        assert!(takes(&event, "source=default-scheduler,reportingController=default-scheduler"));
        let own = json!({"apiVersion": "h.example.com/v1", "kind": "Pod", "source": "a", "status": {}});
        assert!(takes(&own, "source=a,spec.hostNetwork=,status.podIPs="));
    }
}
