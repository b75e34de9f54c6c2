//! A kind that is served: how it is called, where its objects live, what may be done with them.

use std::sync::Arc;

use crate::ssa::Schema;

/// One served kind at one version. Built-in ones come from a table, others from a CustomResourceDefinition.
#[derive(Debug, Clone)]
pub struct Kind {
    /// API group, empty for the core group.
    pub group: String,
    /// Version within the group.
    pub version: String,
    /// Kind, such as `StatefulSet`.
    pub kind: String,
    /// Its name in paths, such as `statefulsets`.
    pub plural: String,
    /// Its name for one object, such as `statefulset`.
    pub singular: String,
    /// Kind of its lists, such as `StatefulSetList`.
    pub list_kind: String,
    /// Abbreviations, such as `sts`.
    pub short_names: Vec<String>,
    /// Groups of kinds that it belongs to, such as `all`.
    pub categories: Vec<String>,
    /// Whether its objects are in namespaces.
    pub namespaced: bool,
    /// What may be done with an object or a collection: `create`, `delete`, `deletecollection`, `get`, `list`, `patch`,
    /// `update`, `watch`; in this order, as discovery tells them.
    pub verbs: Vec<&'static str>,
    /// What lies below an object: `status`, `scale`, …
    pub subresources: Vec<Subresource>,
    /// The shape of its objects.
    pub schema: Schema,
    /// What its definition says, of a custom resource.
    pub custom: Option<Arc<Custom>>,
}

/// A subresource as discovery tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subresource {
    /// Its name in paths.
    pub name: String,
    /// The API group and version of its own kind, where it differs from the parent's (`autoscaling`, `v1` for `Scale`).
    pub group_version: Option<(String, String)>,
    /// Kind of what is read or written there.
    pub kind: String,
    /// What may be done with it.
    pub verbs: Vec<&'static str>,
}

/// What a CustomResourceDefinition says about one version of its kind.
#[derive(Debug, Clone)]
pub struct Custom {
    /// The structural schema (`openAPIV3Schema`) of this version.
    pub structural: serde_json::Value,
    /// The whole entry of `spec.versions`: printer columns, subresources, selectable fields.
    pub version: serde_json::Value,
    /// Version in which objects are stored.
    pub storage_version: String,
    /// What every answer warns of, if this version is deprecated.
    pub deprecation: Option<String>,
}

impl Kind {
    /// `apiVersion` of its objects.
    #[must_use]
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { [self.group.as_str(), "/", &self.version].concat() }
    }

    /// `deployments.apps`, or `secrets` for the core group: how errors name the resource.
    #[must_use]
    pub fn qualified(&self) -> String {
        if self.group.is_empty() { self.plural.clone() } else { [self.plural.as_str(), ".", &self.group].concat() }
    }

    /// Returns a subresource by its name.
    #[must_use]
    pub fn subresource(&self, name: &str) -> Option<&Subresource> {
        self.subresources.iter().find(|subresource| subresource.name == name)
    }

    /// Tells whether requests of a verb are taken. A definition that is being deleted tells of fewer verbs than it takes.
    #[must_use]
    pub fn takes(&self, verb: &str) -> bool {
        self.custom.is_some() || self.verbs.contains(&verb)
    }

    /// Tells whether this is the built-in kind of that name.
    #[must_use]
    pub fn is(&self, group: &str, kind: &str) -> bool {
        self.group == group && self.kind == kind
    }
}
