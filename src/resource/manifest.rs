//! One Kubernetes object as somebody wrote it, with the few things about it that must hold before any stage may see it.

use std::fmt;
use std::sync::OnceLock;

use serde_json::{Map, Value};
use thiserror::Error;

use super::{Digest, GroupKind, ObjectRef};

/// Why a value is no object that could be applied.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ManifestError {
    /// The value is not a map.
    #[error("an object must be a map")]
    NotAMap,
    /// A field that every object has is missing or empty.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// A field has another type than every object's has.
    #[error("`{0}` must be a string")]
    NotAString(&'static str),
    /// The object is named by the server, so there is nothing to recognise it by later.
    #[error("`metadata.generateName` has no fixed name to find the object by; give it `metadata.name`")]
    GenerateName,
}

/// One object with `apiVersion`, `kind` and `metadata.name`. Its namespace, where it has one, is set.
///
/// The content of a Secret may be inside while a run lasts; `Debug` never shows it.
#[derive(Clone)]
pub struct Manifest {
    object: Value,
    /// Taken out once: every stage asks for it, about each object, many times.
    identity: ObjectRef,
    /// Made when it is first asked for: a stack is digested as a whole, and each of its objects by itself.
    digest: OnceLock<Digest>,
}

impl PartialEq for Manifest {
    fn eq(&self, other: &Self) -> bool {
        self.object == other.object
    }
}

impl Manifest {
    /// Checks the fields that make an object recognisable and takes the value.
    ///
    /// # Errors
    /// See [`ManifestError`].
    pub fn new(object: Value) -> Result<Self, ManifestError> {
        let map = object.as_object().ok_or(ManifestError::NotAMap)?;
        text(map, "apiVersion", "apiVersion")?;
        text(map, "kind", "kind")?;
        let metadata = map.get("metadata").and_then(Value::as_object).ok_or(ManifestError::Missing("metadata"))?;
        if metadata.get("name").is_none() && metadata.contains_key("generateName") {
            return Err(ManifestError::GenerateName);
        }
        text(metadata, "name", "metadata.name")?;
        if metadata.get("namespace").is_some_and(|namespace| !namespace.is_string()) {
            return Err(ManifestError::NotAString("metadata.namespace"));
        }
        let group = group_of(text_of(map.get("apiVersion")));
        let namespace = metadata.get("namespace").and_then(Value::as_str);
        let identity = ObjectRef::new(group, text_of(map.get("kind")), namespace, text_of(metadata.get("name")));
        Ok(Self { object, identity, digest: OnceLock::new() })
    }

    /// Returns the object.
    #[must_use]
    pub fn object(&self) -> &Value {
        &self.object
    }

    /// Returns the object, for changes that leave its identity alone.
    pub fn object_mut(&mut self) -> &mut Value {
        self.digest.take();
        &mut self.object
    }

    /// Returns the digest of the object.
    #[must_use]
    pub fn digest(&self) -> Digest {
        *self.digest.get_or_init(|| Digest::of(&self.object))
    }

    /// Returns the object itself.
    #[must_use]
    pub fn into_object(self) -> Value {
        self.object
    }

    /// Returns `apiVersion`, such as `apps/v1`.
    #[must_use]
    pub fn api_version(&self) -> &str {
        text_of(self.object.get("apiVersion"))
    }

    /// Returns the group, empty for the core group.
    #[must_use]
    pub fn group(&self) -> &str {
        &self.identity.group
    }

    /// Returns the version, such as `v1`.
    #[must_use]
    pub fn version(&self) -> &str {
        self.api_version().rsplit_once('/').map_or(self.api_version(), |(_, version)| version)
    }

    /// Returns the kind.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.identity.kind
    }

    /// Returns the group and kind.
    #[must_use]
    pub fn group_kind(&self) -> GroupKind {
        self.identity.group_kind()
    }

    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.identity.name
    }

    /// Returns the namespace, where one is set.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        self.identity.namespace.as_deref()
    }

    /// Sets or removes the namespace.
    pub fn set_namespace(&mut self, namespace: Option<&str>) {
        if let Some(metadata) = self.object_mut().get_mut("metadata").and_then(Value::as_object_mut) {
            match namespace {
                Some(namespace) => metadata.insert("namespace".to_owned(), Value::from(namespace)),
                None => metadata.remove("namespace"),
            };
            self.identity.namespace = namespace.map(str::to_owned);
        }
    }

    /// Returns the value of a label.
    #[must_use]
    pub fn label(&self, key: &str) -> Option<&str> {
        self.object.get("metadata")?.get("labels")?.get(key)?.as_str()
    }

    /// Sets a label, making the map of labels where there is none.
    pub fn set_label(&mut self, key: &str, value: &str) {
        if let Some(metadata) = self.object_mut().get_mut("metadata").and_then(Value::as_object_mut)
            && let Some(labels) = map_at(metadata, "labels")
        {
            labels.insert(key.to_owned(), Value::from(value));
        }
    }

    /// Returns the identity.
    #[must_use]
    pub fn object_ref(&self) -> &ObjectRef {
        &self.identity
    }

    /// Tells whether this is a core `Secret`, whose content is never shown.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.identity.is_secret()
    }
}

impl fmt::Debug for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Manifest({})", self.object_ref())
    }
}

fn group_of(api_version: &str) -> &str {
    api_version.rsplit_once('/').map_or("", |(group, _)| group)
}

/// Returns the map under a key, which is made where there is none. A template that finds no label to write leaves
/// `labels:` behind, which is null.
pub(crate) fn map_at<'m>(map: &'m mut Map<String, Value>, key: &str) -> Option<&'m mut Map<String, Value>> {
    let value = map.entry(key).or_insert(Value::Null);
    if value.is_null() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut()
}

fn text_of(value: Option<&Value>) -> &str {
    value.and_then(Value::as_str).unwrap_or_default()
}

fn text(map: &Map<String, Value>, key: &str, name: &'static str) -> Result<(), ManifestError> {
    match map.get(key) {
        None | Some(Value::Null) => Err(ManifestError::Missing(name)),
        Some(Value::String(text)) if text.is_empty() => Err(ManifestError::Missing(name)),
        Some(Value::String(_)) => Ok(()),
        Some(_) => Err(ManifestError::NotAString(name)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn identity_leaves_the_version_out() {
        let manifest = Manifest::new(
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "n"}}),
        )
        .unwrap();
        assert_eq!(*manifest.object_ref(), ObjectRef::new("apps", "Deployment", Some("n"), "web"));
        assert_eq!((manifest.group(), manifest.version()), ("apps", "v1"));
    }

    #[test]
    fn identity_follows_the_namespace() {
        let mut manifest =
            Manifest::new(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}})).unwrap();
        manifest.set_namespace(Some("n"));
        assert_eq!(*manifest.object_ref(), ObjectRef::new("", "ConfigMap", Some("n"), "a"));
        assert_eq!(manifest.object()["metadata"]["namespace"], "n");
        manifest.set_namespace(None);
        assert_eq!(*manifest.object_ref(), ObjectRef::new("", "ConfigMap", None, "a"));
        assert_eq!(manifest.object()["metadata"], json!({"name": "a"}));
    }

    #[test]
    fn the_digest_follows_every_change() {
        let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}});
        let mut manifest = Manifest::new(object).unwrap();
        let is_right = |manifest: &Manifest| manifest.digest() == Digest::of(manifest.object());
        assert!(is_right(&manifest));
        manifest.set_label("a", "b");
        assert!(is_right(&manifest));
        manifest.set_namespace(Some("n"));
        assert!(is_right(&manifest));
        manifest.object_mut()["data"] = json!({"k": "v"});
        assert!(is_right(&manifest) && is_right(&manifest.clone()));
    }

    #[test]
    fn a_label_is_set_where_there_are_none_yet() {
        for metadata in [json!({"name": "a"}), json!({"name": "a", "labels": null}), json!({"name": "a", "labels": {}})]
        {
            let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata});
            let mut manifest = Manifest::new(object).unwrap();
            manifest.set_label("a", "b");
            assert_eq!(manifest.label("a"), Some("b"));
        }
    }

    #[test]
    fn debug_never_shows_content() {
        let manifest = Manifest::new(
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"a": "canary"}}),
        )
        .unwrap();
        assert_eq!(format!("{manifest:?}"), "Manifest(Secret s)");
    }

    #[test]
    fn what_cannot_be_recognised_is_refused() {
        assert_eq!(Manifest::new(json!([])), Err(ManifestError::NotAMap));
        assert_eq!(
            Manifest::new(json!({"kind": "A", "metadata": {"name": "x"}})),
            Err(ManifestError::Missing("apiVersion"))
        );
        assert_eq!(
            Manifest::new(json!({"apiVersion": "v1", "kind": "A", "metadata": {"generateName": "x-"}})),
            Err(ManifestError::GenerateName)
        );
        assert_eq!(
            Manifest::new(json!({"apiVersion": "v1", "kind": "A", "metadata": {"name": 3}})),
            Err(ManifestError::NotAString("metadata.name"))
        );
    }
}
