//! The shape of kinds: which fields there are, which lists are sets or maps, which values are one.
//!
//! Kubernetes' own kinds come from a table in the binary ([`builtin()`]), others from the OpenAPI document that a server
//! publishes ([`Schemas`]). Nothing is read before it is used: a run touches a handful of kinds out of 80.

mod atom;
mod builtin;
pub mod compile;
mod document;
mod kinds;
mod shape;
mod table;

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use serde_json::Value;

use self::table::Types;
use super::field_set::FieldSet;
use super::path::{Path, PathElement};

pub(crate) use self::atom::{Atom, Branch, MapType, MapView, TypeRef};
pub use self::atom::{ListKind, ListType, Scalar};
pub use self::builtin::{Release, builtin, builtin_in, builtin_kinds, scale};
pub use self::document::Schemas;
pub use self::kinds::ServedKind;
pub use self::shape::Shape;
pub(crate) use self::table::Types as TypeTable;

/// The shape of a kind, or of a value inside one. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Schema {
    pub(crate) types: Arc<Types>,
    pub(crate) reference: TypeRef,
    /// Set at the root of a kind.
    kind: Option<Arc<ServedKind>>,
}

fn schema_of(types: &Arc<Types>, kind: ServedKind, type_name: &str) -> Option<Schema> {
    let reference = TypeRef::Named { index: types.find(type_name)?, atomic: None };
    Some(Schema { types: Arc::clone(types), reference, kind: Some(Arc::new(kind)) })
}

impl Schema {
    /// Reads the schema of a kind from an OpenAPI v3 document as the server has it under `/openapi/v3/apis/GROUP/VERSION`.
    ///
    /// What the document refers to without having it, such as ObjectMeta, is taken from Kubernetes' own types.
    #[must_use]
    pub fn from_openapi(document: &Value, group: &str, version: &str, kind: &str) -> Option<Self> {
        Schemas::from_openapi(document).get(group, version, kind)
    }

    /// Returns the schema of a kind of which nothing is known: maps are granular, lists are one value.
    #[must_use]
    pub fn deduced() -> Self {
        let types = Arc::new(Types::new(Cow::Borrowed(""), false));
        Self { types, reference: TypeRef::Deduced, kind: None }
    }

    /// Returns the kind, at the root of one.
    #[must_use]
    pub fn kind(&self) -> Option<&ServedKind> {
        self.kind.as_deref()
    }

    /// Tells whether the server keeps objects of this kind in structures of its own, and not as JSON.
    #[must_use]
    pub fn is_builtin(&self) -> bool {
        self.types.builtin
    }

    /// Returns the name of the type, where it has one: `io.k8s.api.core.v1.Container`.
    #[must_use]
    pub fn type_name(&self) -> Option<&str> {
        self.types.name_of(&self.reference)
    }

    pub(crate) fn atom(&self) -> Atom<'_> {
        self.types.resolve(&self.reference)
    }

    /// Returns the same, borrowed.
    #[must_use]
    pub fn shape(&self) -> Shape<'_> {
        Shape::of(&self.types, &self.reference)
    }

    fn inside(&self, reference: &TypeRef) -> Self {
        Self { types: Arc::clone(&self.types), reference: reference.clone(), kind: None }
    }

    /// Returns the schema one step further; `None` if there can be nothing.
    #[must_use]
    pub fn child(&self, element: &PathElement) -> Option<Self> {
        let atom = self.atom();
        match element {
            PathElement::Field(name) => atom.map?.map.under(name).map(|reference| self.inside(reference)),
            _ => self.items(),
        }
    }

    /// Returns the schema at the end of a path; `None` if there can be nothing.
    #[must_use]
    pub fn at(&self, path: &Path) -> Option<Self> {
        path.iter().try_fold(self.clone(), |schema, element| schema.child(element))
    }

    /// Returns the schema of a declared or allowed field.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<Self> {
        self.atom().map?.map.under(name).map(|reference| self.inside(reference))
    }

    /// Returns the schema of a list's items.
    #[must_use]
    pub fn items(&self) -> Option<Self> {
        self.atom().list.map(|list| self.inside(&list.element))
    }

    /// Returns the scalar that may be here.
    #[must_use]
    pub fn scalar(&self) -> Option<Scalar> {
        self.shape().scalar()
    }

    /// Returns the declared fields, sorted.
    #[must_use]
    pub fn field_names(&self) -> Vec<&str> {
        self.shape().field_names()
    }

    /// Returns the fields that a write of the object itself leaves alone, and that nobody comes to own by it.
    #[must_use]
    pub fn reset_fields(&self) -> &'static FieldSet {
        match self.kind() {
            Some(kind) if kind.group == "certificates.k8s.io" && kind.kind == "CertificateSigningRequest" => {
                &STATUS_AND_SPEC
            }
            Some(kind) if kind.has_status => &STATUS,
            _ => &NOTHING,
        }
    }
}

static NOTHING: FieldSet = FieldSet::new();
static STATUS: LazyLock<FieldSet> = LazyLock::new(|| [Path::of_fields(&["status"])].into_iter().collect());
static STATUS_AND_SPEC: LazyLock<FieldSet> =
    LazyLock::new(|| [Path::of_fields(&["status"]), Path::of_fields(&["spec"])].into_iter().collect());

/// Tells from the name of a definition whether it is one of Kubernetes' own, and not a custom resource's.
fn is_kubernetes_type(name: &str) -> bool {
    ["io.k8s.api.", "io.k8s.kube-aggregator.pkg.", "io.k8s.apiextensions-apiserver.pkg."]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}
