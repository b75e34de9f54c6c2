//! The pieces that the JSON forms share. Every map and list is in a stable order; a key that has nothing to say is left out.
//!
//! A field's value is `{"value": …}`, `{"sensitive": true}` or `{"unknown": true}` (known after the apply), so that no
//! value can be mistaken for one of the others.

use serde::Serialize;
use serde_json::Value;

use crate::diff::{Attribution, FieldChange, Shown, is_invisible};
use crate::plan::{Base, Conflict};
use crate::resource::ObjectRef;

/// Version of all JSON forms. The minor part grows when something is added, the major part when something that is there
/// changes its meaning or goes.
pub(super) const FORMAT_VERSION: &str = "1.0";

/// An object's identity.
#[derive(Serialize)]
pub(super) struct ObjectJson<'a> {
    group: &'a str,
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'a str>,
    name: &'a str,
}

impl<'a> From<&'a ObjectRef> for ObjectJson<'a> {
    fn from(object: &'a ObjectRef) -> Self {
        Self { group: &object.group, kind: &object.kind, namespace: object.namespace.as_deref(), name: &object.name }
    }
}

/// A value that may be shown.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ShownJson<'a> {
    Value(&'a Value),
    Sensitive(bool),
    Unknown(bool),
}

impl<'a> From<&'a Shown> for ShownJson<'a> {
    fn from(shown: &'a Shown) -> Self {
        match shown {
            Shown::Plain(value) => Self::Value(value),
            Shown::Sensitive => Self::Sensitive(true),
            Shown::Unknown => Self::Unknown(true),
        }
    }
}

/// Who set a field.
#[derive(Serialize)]
pub(super) struct AttributionJson<'a> {
    pub(super) manager: &'a str,
    operation: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    subresource: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) time: Option<&'a str>,
}

impl<'a> From<&'a Attribution> for AttributionJson<'a> {
    fn from(by: &'a Attribution) -> Self {
        Self {
            manager: &by.manager,
            operation: &by.operation,
            subresource: by.subresource.as_deref(),
            time: by.time.as_deref(),
        }
    }
}

/// A changed field. Without `before` it was absent, without `after` it will be.
#[derive(Serialize)]
pub(super) struct FieldJson<'a> {
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<ShownJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<ShownJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) by: Option<AttributionJson<'a>>,
}

impl<'a> From<&'a FieldChange> for FieldJson<'a> {
    fn from(change: &'a FieldChange) -> Self {
        Self {
            path: &change.path,
            before: change.before.as_ref().map(Into::into),
            after: change.after.as_ref().map(Into::into),
            by: change.by.as_ref().map(Into::into),
        }
    }
}

/// A field in another manager's hand.
#[derive(Serialize)]
pub(super) struct ConflictJson<'a> {
    field: &'a str,
    pub(super) by: AttributionJson<'a>,
}

impl<'a> From<&'a Conflict> for ConflictJson<'a> {
    fn from(conflict: &'a Conflict) -> Self {
        Self { field: &conflict.field, by: (&conflict.by).into() }
    }
}

/// What a run was decided on. `lineage` is absent where there was no state yet.
#[derive(Serialize)]
pub(super) struct BaseJson<'a> {
    stack: &'a str,
    namespace: &'a str,
    stack_digest: String,
    cluster: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) lineage: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) serial: Option<u64>,
}

impl<'a> From<&'a Base> for BaseJson<'a> {
    fn from(base: &'a Base) -> Self {
        Self {
            stack: &base.stack,
            namespace: &base.namespace,
            stack_digest: base.stack_digest.to_string(),
            cluster: &base.cluster.0,
            lineage: base.lineage.as_ref().map(|lineage| lineage.0.as_str()),
            serial: Some(base.serial.0),
        }
    }
}

/// Returns a document as indented JSON with a newline at its end.
pub(super) fn document_text(document: &impl Serialize) -> String {
    // Our documents have string keys and plain data only, for which serialising cannot fail.
    let mut text = escaped(&serde_json::to_string_pretty(document).unwrap_or_default());
    text.push('\n');
    text
}

/// Returns a document as JSON on one line, without a newline.
pub(super) fn line_text(document: &impl Serialize) -> String {
    escaped(&serde_json::to_string(document).unwrap_or_default())
}

/// Writes as `\uXXXX` what JSON allows raw but a terminal would act on. Such characters stand only inside strings, so the
/// data stays the same.
fn escaped(json: &str) -> String {
    use std::fmt::Write as _;
    let mut safe = String::with_capacity(json.len());
    for character in json.chars() {
        if character != '\n' && is_invisible(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(character);
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_survives_and_nothing_invisible_is_printed(text in any::<String>()) {
            let printed = line_text(&text);
            prop_assert!(!printed.contains(is_invisible));
            prop_assert_eq!(serde_json::from_str::<String>(&printed).unwrap(), text);
        }
    }

    #[test]
    fn characters_beyond_sixteen_bits_become_two_escapes() {
        assert_eq!(line_text(&"\u{e0041}\u{9b}"), r#""\udb40\udc41\u009b""#);
    }
}
