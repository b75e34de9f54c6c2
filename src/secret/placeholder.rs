//! A Secret as it may be written to a file: every key there, every value empty.
//!
//! The rules of an empty value hold everywhere: [`fill()`](super::fill()) takes it for absent, so a placeholder that somebody
//! applied with kubectl is filled by the next apply and never kept as a password.

use serde_json::{Map, Value};

use super::{Entropy, SecretSpec, Source, TemplatePart};

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

/// Returns the field `stringData` of the Secret with all its keys and no value.
#[must_use]
pub fn placeholder(spec: &SecretSpec) -> Map<String, Value> {
    spec.keys.keys().map(|key| (key.clone(), Value::from(""))).collect()
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

    use serde_json::json;

    use super::*;
    use crate::resource::ObjectRef;

    #[test]
    fn a_placeholder_tells_what_to_fill_in_and_holds_no_value() {
        let parts = vec![
            TemplatePart::Text("pg://".to_owned()),
            TemplatePart::Key { key: "PW".to_owned(), urlencode: true },
            TemplatePart::Text("@h\n".to_owned()),
        ];
        let keys = BTreeMap::from([
            ("AUTH_SECRET".to_owned(), Source::Generate { entropy: Entropy::Bytes(32) }),
            ("API_KEY".to_owned(), Source::Env { variable: "API_KEY".to_owned(), optional: true }),
            ("URL".to_owned(), Source::Template(parts)),
        ]);
        let spec = SecretSpec { object: ObjectRef::new("", "Secret", Some("n"), "s"), keys };
        insta::assert_snapshot!(placeholder_comment(&spec), @"
        # Placeholders: fill in before `kubectl apply`, or live values are overwritten with nothing.
        #   API_KEY: the environment variable `API_KEY` (optional)
        #   AUTH_SECRET: 32 random bytes in URL-safe base64
        #   URL: derived: `pg://${urlencode(PW)}@h `
        ");
        assert_eq!(Value::from(placeholder(&spec)), json!({"API_KEY": "", "AUTH_SECRET": "", "URL": ""}));
    }
}
