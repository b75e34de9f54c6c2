//! `config`: a ConfigMap of plain settings.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::block::{below, manifest};
use super::labels::{labels, metadata, name_problem};
use super::{Expansion, Remark, ServiceContext};
use crate::resource::is_data_key;
use crate::secret::clear_text_secret;

/// The values of a ConfigMap have at most 1 MiB together; the server does not count the keys.
const LARGEST: usize = 1 << 20;

/// A ConfigMap of plain settings.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ConfigBlock {
    /// The ConfigMap's name; by default the service's.
    #[serde(default)]
    name: Option<String>,
    /// The settings. Every value is a string: write `"5432"`, not `5432`. Secrets do not belong here.
    data: BTreeMap<String, String>,
}

pub(super) fn expand(block: ConfigBlock, context: ServiceContext<'_>) -> Result<Expansion, Vec<Remark>> {
    let name = block.name.as_deref().unwrap_or(context.name);
    let remarks = problems(&block, name);
    if !remarks.is_empty() {
        return Err(remarks);
    }
    let config_map = manifest(json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(context, name, &labels(context, name, "config")),
        "data": block.data,
    }))
    .map_err(|remark| vec![remark])?;
    Ok(Expansion { manifests: vec![config_map], ..Expansion::default() })
}

fn problems(block: &ConfigBlock, name: &str) -> Vec<Remark> {
    let pointer = if block.name.is_some() { "/name" } else { "" };
    let mut remarks = Vec::from_iter(name_problem(name, pointer));
    for (key, value) in &block.data {
        let pointer = below("/data", key);
        if !is_data_key(key) {
            remarks.push(
                Remark::new(&pointer, format!("`{key}` is no key for a ConfigMap"))
                    .hinted("a key has letters, digits, `-`, `_` and `.`, and at most 253 of them"),
            );
        }
        if let Some(why) = clear_text_secret(key, value) {
            remarks.push(
                Remark::new(&pointer, format!("the value of `{key}` looks like a secret: {why}"))
                    .hinted("say under `secrets` where it comes from; its value never stands in the file")
                    .concealed(),
            );
        }
    }
    let size: usize = block.data.values().map(String::len).sum();
    if size > LARGEST {
        remarks.push(Remark::new("/data", format!("a ConfigMap holds at most {LARGEST} bytes, this has {size}")));
    }
    remarks
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::expand;
    use super::super::tests::yaml;
    use super::*;

    const CONTEXT: ServiceContext<'_> =
        ServiceContext { stack: "mathison", namespace: "mathison-system", name: "config" };

    fn problems_of(block: Value) -> String {
        let remarks = expand("config", &block, &CONTEXT).unwrap_err();
        remarks.iter().map(|remark| format!("{}: {}\n", remark.pointer, remark.message)).collect()
    }

    #[test]
    fn the_config_map_is_plain() {
        let block = json!({"name": "mathison-config", "data": {"NODE_ENV": "production"}});
        let expansion = expand("config", &block, &CONTEXT).unwrap();
        insta::assert_snapshot!(yaml(&expansion.manifests), @"
        apiVersion: v1
        data:
          NODE_ENV: production
        kind: ConfigMap
        metadata:
          labels:
            app.kubernetes.io/component: config
            app.kubernetes.io/instance: mathison
            app.kubernetes.io/managed-by: mathison
            app.kubernetes.io/name: mathison-config
            app.kubernetes.io/part-of: mathison
          name: mathison-config
          namespace: mathison-system
        ");
    }

    #[test]
    fn bad_names_keys_and_secrets_are_refused() {
        insta::assert_snapshot!(
            problems_of(json!({"name": "Config", "data": {"a b": "x", "AUTH_SECRET": "hunter2"}})),
            @"
        /name: a name has lower-case letters, digits, `-` and `.`, and each part between dots starts and ends with a letter or digit; `C` at position 1 is not allowed
        /data/AUTH_SECRET: the value of `AUTH_SECRET` looks like a secret: its name says so
        /data/a b: `a b` is no key for a ConfigMap
        "
        );
        let long = "a".repeat(64);
        insta::assert_snapshot!(problems_of(json!({"name": long, "data": {}})), @"/name: the name is also a label, which has at most 63 characters; this has 64");
    }

    #[test]
    fn the_values_have_a_mebibyte_and_the_keys_do_not_count() {
        let expanded = |length| {
            let block = json!({"data": {"some-key": "a".repeat(length)}});
            expand("config", &block, &CONTEXT).is_ok()
        };
        assert!(expanded(LARGEST) && !expanded(LARGEST + 1));
    }
}
