//! A Secret as it may be written to a file: every key there, every value empty.
//!
//! The rules of an empty value hold everywhere: [`fill()`](super::fill()) takes it for absent, so a placeholder that somebody
//! applied with kubectl is filled by the next apply and never kept as a password.

use serde_json::{Map, Value, json};

use super::{Entropy, SecretSpec, Source, TemplatePart};
use crate::resource::{Manifest, ManifestError};

impl Source {
    /// Tells in a few words where the value comes from; never the value.
    #[must_use]
    pub fn describe(&self) -> String {
        let (text, optional) = match self {
            Self::Generate { entropy: Entropy::Bytes(length) } => {
                (format!("{length} random bytes in URL-safe base64"), false)
            }
            Self::Generate { entropy: Entropy::Characters { length, alphabet } } => {
                (format!("{length} random characters out of `{alphabet}`"), false)
            }
            Self::Env { variable, optional } => (format!("the environment variable `{variable}`"), *optional),
            Self::File { path, optional } => (format!("the file `{}`", path.display()), *optional),
            Self::Existing { secret, key, optional } => (format!("key `{key}` of {secret}"), *optional),
            Self::Template(parts) => (format!("derived: `{}`", template_text(parts)), false),
        };
        if optional { format!("{text} (optional)") } else { text }
    }
}

fn template_text(parts: &[TemplatePart]) -> String {
    parts
        .iter()
        .map(|part| match part {
            TemplatePart::Text(text) => text.replace("${", "$${"),
            TemplatePart::Key { key, urlencode: true } => format!("${{urlencode({key})}}"),
            TemplatePart::Key { key, urlencode: false } => format!("${{{key}}}"),
        })
        .collect()
}

/// Returns the Secret with all its keys and no value.
///
/// # Errors
/// None for a Secret that has a name.
pub fn placeholder(spec: &SecretSpec) -> Result<Manifest, ManifestError> {
    let data: Map<String, Value> = spec.keys.keys().map(|key| (key.clone(), Value::from(""))).collect();
    let mut manifest = Manifest::new(json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": spec.object.name},
        "type": "Opaque",
        "data": data,
    }))?;
    if spec.object.namespace.is_some() {
        manifest.set_namespace(spec.object.namespace.as_deref());
    }
    Ok(manifest)
}

/// Returns what a file with a [`placeholder`] says above it, as YAML comments: what to fill in, key by key.
#[must_use]
pub fn placeholder_comment(spec: &SecretSpec) -> String {
    let mut comment =
        String::from("# Placeholders: fill in before `kubectl apply`, or live values are overwritten with nothing.\n");
    for (key, source) in &spec.keys {
        // A line break inside would end the comment.
        comment.push_str(&format!("#   {key}: {}\n", source.describe().replace(['\n', '\r'], " ")));
    }
    comment
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::resource::ObjectRef;
    use crate::secret::parse_template;

    #[test]
    fn a_placeholder_tells_what_to_fill_in_and_holds_no_value() {
        let keys = BTreeMap::from([
            ("AUTH_SECRET".to_owned(), Source::Generate { entropy: Entropy::Bytes(32) }),
            ("API_KEY".to_owned(), Source::Env { variable: "API_KEY".to_owned(), optional: true }),
            ("URL".to_owned(), Source::Template(parse_template("pg://${urlencode(PW)}@h\n").unwrap())),
        ]);
        let spec = SecretSpec { object: ObjectRef::new("", "Secret", Some("n"), "s"), keys };
        insta::assert_snapshot!(placeholder_comment(&spec), @"
        # Placeholders: fill in before `kubectl apply`, or live values are overwritten with nothing.
        #   API_KEY: the environment variable `API_KEY` (optional)
        #   AUTH_SECRET: 32 random bytes in URL-safe base64
        #   URL: derived: `pg://${urlencode(PW)}@h `
        ");
        assert_eq!(
            *placeholder(&spec).unwrap().object(),
            json!({
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": "s", "namespace": "n"},
                "type": "Opaque",
                "data": {"API_KEY": "", "AUTH_SECRET": "", "URL": ""},
            })
        );
    }
}
