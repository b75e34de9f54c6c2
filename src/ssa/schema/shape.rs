//! One place of a schema, borrowed: for a walk that looks at every field of every object.

use super::Scalar;
use super::atom::{Atom, ListKind, TypeRef};
use super::table::Types;

/// What may stand at one place.
#[derive(Clone, Copy)]
pub struct Shape<'s> {
    types: &'s Types,
    reference: &'s TypeRef,
}

impl<'s> Shape<'s> {
    pub(super) fn of(types: &'s Types, reference: &'s TypeRef) -> Self {
        Self { types, reference }
    }

    fn atom(self) -> Atom<'s> {
        self.types.resolve(self.reference)
    }

    /// Returns the shape of a declared or allowed field.
    #[must_use]
    pub fn field(self, name: &str) -> Option<Self> {
        self.atom().map?.map.under(name).map(|reference| Self { reference, ..self })
    }

    /// Returns the shape of a list's items.
    #[must_use]
    pub fn items(self) -> Option<Self> {
        self.atom().list.map(|list| Self { reference: &list.element, ..self })
    }

    /// Returns the list's kind, if a list may be here.
    #[must_use]
    pub fn list_kind(self) -> Option<&'s ListKind> {
        self.atom().list.map(|list| &list.kind)
    }

    /// Returns the scalar that may be here.
    #[must_use]
    pub fn scalar(self) -> Option<Scalar> {
        self.atom().scalar
    }

    /// Tells whether a map may be here.
    #[must_use]
    pub fn is_map(self) -> bool {
        self.atom().map.is_some()
    }

    /// Returns the declared fields, sorted.
    #[must_use]
    pub fn field_names(self) -> Vec<&'s str> {
        let fields = self.atom().map.map(|map| map.map.fields());
        fields.into_iter().flatten().map(|(name, _)| name.as_ref()).collect()
    }

    /// Tells whether a key that is no declared field is an error.
    #[must_use]
    pub fn allows_only_its_fields(self) -> bool {
        let atom = self.atom();
        atom.scalar.is_none() && atom.map.is_some_and(|map| map.map.element.is_none())
    }
}
