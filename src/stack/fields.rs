//! The fields of objects of Kubernetes' own kinds: whether each exists, and holds what it should.
//!
//! What must be there is left to the server, which knows the defaults.

use serde_json::Value;

use super::nearest::did_you_mean;
use super::trail::Trail;
use crate::resource::Manifest;
use crate::resource::quantity::Quantity;
use crate::ssa::builtin;
use crate::ssa::schema::{Scalar, Shape};
use crate::yaml::{Node, Spot};

/// One field that is wrong.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mistake {
    /// JSON pointer to it.
    pub pointer: String,
    /// True if the name is wrong rather than the value.
    pub by_key: bool,
    /// What is wrong.
    pub message: String,
    /// What would help.
    pub hint: Option<String>,
}

/// Returns all mistakes in an object of a kind that is known; `None` if it is not.
pub(super) fn mistakes(manifest: &Manifest) -> Option<Vec<Mistake>> {
    let schema = builtin(manifest.group(), manifest.version(), manifest.kind())?;
    let mut walk = Walk { mistakes: Vec::new(), shows_values: !manifest.is_secret() };
    walk.value(schema.shape(), manifest.object(), &Trail::Object);
    Some(walk.mistakes)
}

struct Walk {
    mistakes: Vec<Mistake>,
    /// False for Secrets, whose values stand in no message.
    shows_values: bool,
}

impl Walk {
    fn push(&mut self, place: &Trail<'_>, by_key: bool, message: String, hint: Option<String>) {
        self.mistakes.push(Mistake { pointer: place.pointer(), by_key, message, hint });
    }

    fn value(&mut self, schema: Shape<'_>, value: &Value, place: &Trail<'_>) {
        match value {
            Value::Null => {}
            Value::Object(map) if schema.is_map() => {
                for (name, value) in map {
                    let below = Trail::Field(place, name);
                    match schema.field(name) {
                        Some(field) => self.value(field, value, &below),
                        None if schema.allows_only_its_fields() => {
                            let hint = did_you_mean(name, schema.field_names());
                            self.push(&below, true, format!("unknown field `{name}`"), hint);
                        }
                        None => {}
                    }
                }
            }
            Value::Array(items) if schema.list_kind().is_some() => {
                if let Some(item_schema) = schema.items() {
                    for (index, item) in items.iter().enumerate() {
                        self.value(item_schema, item, &Trail::Item(place, index));
                    }
                }
            }
            _ => self.scalar(schema, value, place),
        }
    }

    fn scalar(&mut self, schema: Shape<'_>, value: &Value, place: &Trail<'_>) {
        let expected = match (schema.scalar(), value) {
            (Some(Scalar::Quantity), Value::String(text)) => return self.quantity(text, place),
            (Some(Scalar::Quantity), Value::Number(_)) => return,
            (Some(Scalar::Numeric), Value::Number(_)) | (Some(Scalar::Boolean), Value::Bool(_)) => return,
            (Some(Scalar::String | Scalar::Time | Scalar::MicroTime), Value::String(_)) => return,
            (Some(Scalar::IntOrString), Value::String(_) | Value::Number(_)) => return,
            (Some(Scalar::Untyped), _) => return,
            (Some(Scalar::Quantity), _) => "a quantity such as `500m` or `10Gi`",
            (Some(Scalar::Numeric), _) => "a number",
            (Some(Scalar::Boolean), _) => "a boolean",
            (Some(Scalar::String | Scalar::Time | Scalar::MicroTime), _) => "a string",
            (Some(Scalar::IntOrString), _) => "a number or a string",
            (None, _) if schema.is_map() => "a map",
            (None, _) if schema.list_kind().is_some() => "a list",
            (None, _) => return,
        };
        let found = if self.shows_values {
            format!(", found {}", Node::from_json(value, Spot::default()).describe())
        } else {
            String::new()
        };
        let hint = match (expected, value) {
            ("a string", Value::Number(_) | Value::Bool(_)) => Some("put it in quotes".to_owned()),
            ("a number" | "a boolean", Value::String(_)) => Some("take away the quotes".to_owned()),
            _ => None,
        };
        self.push(place, false, format!("expected {expected}{found}"), hint);
    }

    fn quantity(&mut self, text: &str, place: &Trail<'_>) {
        if let Err(error) = Quantity::parse(text) {
            self.push(place, false, error.to_string(), corrected(text));
        }
    }
}

/// Guesses what a mistaken quantity was meant to be: `10GB` is `10G`, `1gi` is `1Gi`.
fn corrected(text: &str) -> Option<String> {
    let text = text.trim();
    let digits = text.trim_end_matches(|character: char| character.is_ascii_alphabetic()).trim_end();
    let suffix = text[digits.len()..].trim();
    let suffix = suffix.strip_suffix(['b', 'B']).unwrap_or(suffix);
    let known = ["Ki", "Mi", "Gi", "Ti", "Pi", "k", "M", "G", "T", "P", "m"];
    let suffix = known.into_iter().find(|name| name.eq_ignore_ascii_case(suffix))?;
    let whole = format!("{digits}{suffix}");
    Quantity::parse(&whole).is_ok().then(|| format!("did you mean `{whole}`?"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_quantity_with_a_slip_is_put_right() {
        assert_eq!(corrected("10GB").as_deref(), Some("did you mean `10G`?"));
        assert_eq!(corrected("1gib").as_deref(), Some("did you mean `1Gi`?"));
        assert_eq!(corrected("512 Mi").as_deref(), Some("did you mean `512Mi`?"));
        assert_eq!(corrected("lots"), None);
    }

    #[test]
    fn a_value_of_a_secret_stands_in_no_message() {
        let manifest = Manifest::new(
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "stringData": {"k": 1234}}),
        );
        let mistakes = mistakes(&manifest.unwrap()).unwrap();
        assert_eq!(mistakes.len(), 1);
        assert!(!mistakes[0].message.contains("1234"), "{mistakes:?}");
    }
}
