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
        let mut requirements = Vec::new();
        for term in split_terms(text).into_iter().filter(|term| !term.is_empty()) {
            let (field, value, equal) =
                split_term(&term).ok_or_else(|| format!("invalid selector: '{text}'; can't understand '{term}'"))?;
            requirements.push(Requirement { field, value: unescaped(&value), equal });
        }
        Ok(Self(requirements))
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
    if of_all.contains(&field) && (kind.namespaced || field == "metadata.name" || known.is_empty()) {
        return Ok(());
    }
    if known.iter().any(|(name, _)| *name == field) || custom.contains(&field) {
        return Ok(());
    }
    Err(if known.is_empty() && kind.custom.is_none() {
        format!("{field:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\"")
    } else if kind.is("batch", "Job") {
        format!("field label {field:?} not supported for Job")
    } else {
        format!("field label not supported: {field}")
    })
}

fn value_of(object: &Value, field: &str) -> String {
    // The source of an event is the component that is known to have seen it.
    let core;
    let path = match field {
        "reportingController" => "reportingComponent",
        field if field.starts_with("regarding.") => {
            core = field.replacen("regarding", "involvedObject", 1);
            core.as_str()
        }
        "source" => "source.component",
        "status.successful" => "status.succeeded",
        "status.podIPs" => "status.podIP",
        field => field,
    };
    let found = path.split('.').try_fold(object, |value, step| value.get(step));
    match found {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => SELECTABLE
            .iter()
            .flat_map(|(_, _, fields)| *fields)
            .find(|(name, _)| *name == field)
            .map_or_else(String::new, |(_, missing)| (*missing).to_owned()),
        Some(other) => other.to_string(),
    }
}

/// Splits at commas that no backslash stands before.
fn split_terms(text: &str) -> Vec<String> {
    let mut terms = vec![String::new()];
    let mut escaped = false;
    for found in text.chars() {
        if found == ',' && !escaped {
            terms.push(String::new());
            continue;
        }
        escaped = found == '\\' && !escaped;
        if let Some(term) = terms.last_mut() {
            term.push(found);
        }
    }
    terms
}

fn split_term(term: &str) -> Option<(String, String, bool)> {
    let at = term.find(['=', '!'])?;
    let rest = &term[at..];
    let (value, equal) = if let Some(value) = rest.strip_prefix("!=") {
        (value, false)
    } else if let Some(value) = rest.strip_prefix("==") {
        (value, true)
    } else {
        (rest.strip_prefix('=')?, true)
    };
    Some((term[..at].to_owned(), value.to_owned(), equal))
}

fn unescaped(value: &str) -> String {
    let mut text = String::new();
    let mut escaped = false;
    for found in value.chars() {
        if found == '\\' && !escaped {
            escaped = true;
            continue;
        }
        escaped = false;
        text.push(found);
    }
    text
}
