//! `SECRET/KEY`: one key of a Secret in the stack's namespace, as a block names it.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Remark, ServiceContext};
use crate::resource::ObjectRef;
use crate::secret::secret_and_key;

/// A Secret and a key of it, written `SECRET/KEY`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(transparent)]
pub(super) struct SecretKey(String);

impl JsonSchema for SecretKey {
    fn schema_name() -> Cow<'static, str> {
        "SecretKey".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "writeOnly": true, "examples": ["mathison-secrets/POSTGRES_PASSWORD"]})
    }
}

impl SecretKey {
    /// Returns the Secret's name and the key; empty where the text has no `/`.
    fn parts(&self) -> (&str, &str) {
        self.0.split_once('/').unwrap_or((&self.0, ""))
    }

    /// Returns the problem with the text, if there is one.
    pub(super) fn problem(&self, pointer: &str) -> Option<Remark> {
        secret_and_key(&self.0).is_none().then(|| {
            // Neither repeated nor shown: somebody may have written the password itself.
            Remark::new(pointer, "must name a Secret and a key of it, as `SECRET/KEY`")
                .hinted("for example `mathison-secrets/POSTGRES_PASSWORD`; the value itself never stands in the file")
                .concealed()
        })
    }

    /// Returns an environment variable of a container that holds the value.
    pub(super) fn env(&self, variable: &str) -> Value {
        let (secret, key) = self.parts();
        json!({"name": variable, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}})
    }

    /// Returns the Secret's identity and the key.
    pub(super) fn object_and_key(&self, context: ServiceContext<'_>) -> (ObjectRef, String) {
        let (secret, key) = self.parts();
        (ObjectRef::new("", "Secret", Some(context.namespace), secret), key.to_owned())
    }
}
