//! What of an object must never be shown, and the values that may.

use serde_json::{Map, Value};

use super::{Attribution, FieldChange, Shown};
use crate::resource::GroupKind;

/// The annotation in which `kubectl apply` keeps a whole copy of what it was given: of a Secret, its values too.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The fields of a Secret that hold its values.
const SECRET_FIELDS: [&str; 2] = ["data", "stringData"];

/// Stands for a secret inside a larger value.
const MASK: &str = "(sensitive)";

fn is_secret(kind: &GroupKind) -> bool {
    kind.group.is_empty() && kind.kind == "Secret"
}

/// Returns what follows `.name` in `path`, if `path` is that field or one below it.
fn below<'a>(path: &'a str, name: &str) -> Option<&'a str> {
    let rest = path.strip_prefix('.')?.strip_prefix(name)?;
    (rest.is_empty() || rest.starts_with(['.', '['])).then_some(rest)
}

/// Tells whether the field at `path` of an object of this kind holds a secret: everything below `.data` and
/// `.stringData` of a Secret, and the copy of them that `kubectl apply` leaves in an annotation.
#[must_use]
pub fn is_sensitive(kind: &GroupKind, path: &str) -> bool {
    is_secret(kind)
        && (SECRET_FIELDS.iter().any(|field| below(path, field).is_some())
            || below(path, "metadata")
                .and_then(|rest| below(rest, "annotations"))
                // A key with dots is written `.a.b/c` by some and `["a.b/c"]` by others; either way it stands there whole.
                .is_some_and(|key| key.contains(LAST_APPLIED)))
}

/// Returns a value as it may be shown at `path`. A value that only contains secrets (a whole Secret, its metadata) comes
/// back with those parts masked.
#[must_use]
pub fn shown(kind: &GroupKind, path: &str, value: &Value) -> Shown {
    if is_sensitive(kind, path) {
        return Shown::Sensitive;
    }
    let mut value = value.clone();
    if is_secret(kind) {
        match path.strip_prefix('.').unwrap_or(path) {
            "" => {
                for field in SECRET_FIELDS {
                    mask_entry(value.as_object_mut(), field);
                }
                mask_entry(value.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut), LAST_APPLIED);
            }
            "metadata" => {
                mask_entry(value.pointer_mut("/annotations").and_then(Value::as_object_mut), LAST_APPLIED);
            }
            "metadata.annotations" => mask_entry(value.as_object_mut(), LAST_APPLIED),
            _ => {}
        }
    }
    Shown::Plain(value)
}

/// Masks one entry: of a map every value, so that it still tells the keys, of anything else the whole.
fn mask_entry(map: Option<&mut Map<String, Value>>, key: &str) {
    let Some(entry) = map.and_then(|map| map.get_mut(key)) else { return };
    match entry {
        Value::Object(values) => values.values_mut().for_each(|value| *value = Value::from(MASK)),
        other => *other = Value::from(MASK),
    }
}

/// Makes the change of one field, masked.
#[must_use]
pub fn field_change(
    kind: &GroupKind,
    path: &str,
    before: Option<&Value>,
    after: Option<&Value>,
    by: Option<Attribution>,
) -> FieldChange {
    FieldChange {
        path: path.to_owned(),
        before: before.map(|value| shown(kind, path, value)),
        after: after.map(|value| shown(kind, path, value)),
        by,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn secret() -> GroupKind {
        GroupKind::new("", "Secret")
    }

    #[test]
    fn the_values_of_a_secret_are_sensitive_and_its_names_are_not() {
        for path in [".data", ".data.PASSWORD", r#".data["tls.crt"]"#, ".stringData.x", ".stringData"] {
            assert!(is_sensitive(&secret(), path), "{path}");
        }
        for path in ["", ".type", ".metadata.name", ".metadata.labels.data", ".database", ".immutable"] {
            assert!(!is_sensitive(&secret(), path), "{path}");
        }
    }

    #[test]
    fn the_copy_that_kubectl_keeps_is_sensitive_in_either_notation() {
        assert!(is_sensitive(&secret(), &format!(".metadata.annotations.{LAST_APPLIED}")));
        assert!(is_sensitive(&secret(), &format!(r#".metadata.annotations["{LAST_APPLIED}"]"#)));
        assert!(!is_sensitive(&GroupKind::new("", "ConfigMap"), &format!(".metadata.annotations.{LAST_APPLIED}")));
    }

    #[test]
    fn other_kinds_called_secret_or_having_data_are_not_sensitive() {
        assert!(!is_sensitive(&GroupKind::new("", "ConfigMap"), ".data.x"));
        assert!(!is_sensitive(&GroupKind::new("example.com", "Secret"), ".data.x"));
    }

    #[test]
    fn a_value_that_contains_secrets_comes_back_masked() {
        let whole = json!({
            "kind": "Secret",
            "metadata": {"name": "s", "annotations": {LAST_APPLIED: "canary", "note": "seen"}},
            "data": {"a": "canary"}, "stringData": {"b": "canary"},
        });
        for (path, value) in [
            ("", &whole),
            (".metadata", &whole["metadata"]),
            (".metadata.annotations", &whole["metadata"]["annotations"]),
        ] {
            let Shown::Plain(masked) = shown(&secret(), path, value) else { panic!("{path} is not plain") };
            assert!(!masked.to_string().contains("canary"), "{path}: {masked}");
            assert!(masked.to_string().contains("seen"), "{path}: {masked}");
        }
    }

    #[test]
    fn a_changed_key_tells_which_and_no_more() {
        let change = field_change(&secret(), ".data.PASSWORD", None, Some(&json!("canary")), None);
        assert_eq!((change.before, change.after), (None, Some(Shown::Sensitive)));
        let open = field_change(&GroupKind::new("", "ConfigMap"), ".data.x", Some(&json!("1")), None, None);
        assert_eq!((open.before, open.after), (Some(Shown::Plain(json!("1"))), None));
    }
}
