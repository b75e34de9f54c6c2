//! The kinds of one OpenAPI document, in the form in which they are kept.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value;

use super::compile::compile;
use super::kinds::{ServedKind, line_key};
use super::table::Types;
use super::{Schema, builtin, is_kubernetes_type, schema_of};

/// The schemas of a group and version, as a server's document under `/openapi/v3` has them. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Schemas {
    /// The kinds, one a line.
    kinds: Arc<str>,
    types: Arc<Types>,
}

/// Between the kinds and the types of a written table; no line is empty.
const BORDER: &str = "\n\n";

impl Schemas {
    /// Compiles a document. What it refers to without having it, such as `ObjectMeta`, is taken from Kubernetes' own types.
    #[must_use]
    pub fn from_openapi(document: &Value) -> Self {
        let compiled = compile([document]);
        Self::of(compiled.kinds, builtin::complete(&compiled.types))
    }

    /// Reads what [`to_text`](Self::to_text) wrote; `None` if it did not.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let (kinds, types) = text.split_once(BORDER)?;
        let is_whole = types.ends_with('\n') && kinds.lines().all(|line| ServedKind::read(line).is_some());
        is_whole.then(|| Self::of(format!("{kinds}\n"), types.to_owned()))
    }

    /// Writes the compact form, in which a document is kept.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{}{BORDER}{}", self.kinds.trim_end(), self.types.text())
    }

    fn of(kinds: String, types: String) -> Self {
        let is_kubernetes = kinds.lines().filter_map(ServedKind::read).any(|(_, name)| is_kubernetes_type(name));
        Self { kinds: kinds.into(), types: Arc::new(Types::new(Cow::Owned(types), is_kubernetes)) }
    }

    /// Returns the schema of a kind; `None` where the document has no objects of it.
    #[must_use]
    pub fn get(&self, group: &str, version: &str, kind: &str) -> Option<Schema> {
        let key = line_key(group, version, kind);
        let line = self.kinds.lines().find(|line| line.split('\t').next() == Some(&key))?;
        let (kind, type_name) = ServedKind::read(line)?;
        schema_of(&self.types, kind, type_name)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ssa::Path;

    fn document() -> Value {
        let identity = json!({"group": "x.io", "version": "v1", "kind": "Thing"});
        json!({
            "paths": {"/apis/x.io/v1/namespaces/{namespace}/things/{name}": {"get": {"x-kubernetes-group-version-kind": identity}}},
            "components": {"schemas": {"io.x.v1.Thing": {"type": "object", "x-kubernetes-group-version-kind": [identity], "properties": {
                "metadata": {"$ref": "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"},
                "spec": {"type": "object", "properties": {"size": {"type": "integer"}}}}}}}
        })
    }

    #[test]
    fn what_was_written_reads_as_the_document_does() {
        let compiled = Schemas::from_openapi(&document());
        let text = compiled.to_text();
        let read = Schemas::from_text(&text).unwrap();
        assert_eq!(read.to_text(), text);
        for schemas in [compiled, read] {
            let thing = schemas.get("x.io", "v1", "Thing").unwrap();
            assert!(thing.kind().unwrap().namespaced && !thing.is_builtin());
            assert!(thing.at(&Path::parse(".spec.size").unwrap()).is_some());
            assert!(thing.at(&Path::parse(".metadata.finalizers").unwrap()).is_some());
            assert!(schemas.get("x.io", "v1", "Other").is_none());
        }
        for broken in ["", "x", &text[..text.len() - 3], &text[3..].replace('\t', " ")] {
            assert!(Schemas::from_text(broken).is_none(), "{broken}");
        }
    }
}
