//! What a value may be: a scalar, a list, a map, or one of several of them.

use std::sync::Arc;

use serde_json::Value;

use crate::ssa::text::head;

/// A scalar, with what the server knows of it beyond its JSON type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scalar {
    /// An integer or another number.
    Numeric,
    /// `true` or `false`.
    Boolean,
    /// Text.
    String,
    /// Any scalar.
    Untyped,
    /// An amount such as `500m`; stored as [`Quantity::canonical`](crate::resource::quantity::Quantity::canonical) has it.
    Quantity,
    /// A point in time, stored in seconds.
    Time,
    /// A point in time, stored in millionths of a second.
    MicroTime,
    /// A number or text, as given.
    IntOrString,
}

/// How the items of a list are told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListKind {
    /// They are not: the list is one value.
    Atomic,
    /// By themselves: scalars, each once.
    Set,
    /// By the values of these fields.
    Map(Vec<String>),
}

/// A list.
#[derive(Debug, PartialEq)]
pub struct ListType {
    /// How items are told apart.
    pub kind: ListKind,
    pub(crate) element: TypeRef,
}

/// A map: fields with a type of their own, and what other keys hold.
#[derive(Debug, Default, PartialEq)]
pub struct MapType {
    pub(super) fields: Fields,
    /// The type under any other key; `None` if there may be none.
    pub(crate) element: Option<TypeRef>,
    /// Whether the map is one value.
    pub(crate) atomic: bool,
    pub(crate) required: Vec<Box<str>>,
}

/// Declared fields. Every walk over an object looks up each of its fields here, so names are told apart by their first
/// eight bytes, read as one number, before any are compared.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Fields {
    /// Sorted by name.
    named: Vec<(Box<str>, FieldType)>,
    /// The number of each, in the same order.
    heads: Vec<u64>,
}

impl MapType {
    /// Makes a map of declared fields.
    pub(super) fn of_fields(mut named: Vec<(Box<str>, FieldType)>) -> Self {
        named.sort_by(|(left, _), (right, _)| left.cmp(right));
        let heads = named.iter().map(|(name, _)| head(name)).collect();
        Self { fields: Fields { named, heads }, ..Self::default() }
    }

    /// Returns the declared fields, sorted by name.
    pub(crate) fn fields(&self) -> &[(Box<str>, FieldType)] {
        &self.fields.named
    }

    pub(crate) fn field(&self, name: &str) -> Option<&FieldType> {
        let head = head(name);
        let at = self.fields.heads.partition_point(|other| *other < head);
        self.field_at(name, head, at).1
    }

    /// Does the same for names that are asked for in their order, each from where the last was found. Returns where to go on.
    pub(crate) fn next_field(&self, name: &str, from: usize) -> (usize, Option<&FieldType>) {
        let head = head(name);
        let rest = self.fields.heads.get(from..).unwrap_or_default();
        let passed = rest.iter().position(|other| *other >= head).unwrap_or(rest.len());
        self.field_at(name, head, from + passed)
    }

    fn field_at(&self, name: &str, head: u64, mut at: usize) -> (usize, Option<&FieldType>) {
        let Fields { named, heads } = &self.fields;
        let from = at;
        while heads.get(at) == Some(&head) {
            let Some((field, declared)) = named.get(at) else { break };
            // The first eight bytes are the same.
            if field.len() == name.len() && (name.len() <= 8 || field.as_ref() == name) {
                return (at, Some(declared));
            }
            at += 1;
        }
        (from, None)
    }

    /// Tells whether nothing is declared of what is inside, be it what it may.
    pub(crate) fn is_free(&self) -> bool {
        self.fields.named.is_empty() && matches!(self.element, Some(TypeRef::Deduced | TypeRef::Untyped))
    }

    /// Returns the type under a key, whether it is a declared field or another key that may be there.
    pub(crate) fn under(&self, name: &str) -> Option<&TypeRef> {
        self.field(name).map(|field| &field.reference).or(self.element.as_ref())
    }

    pub(crate) fn is_required(&self, name: &str) -> bool {
        self.required.iter().any(|required| required.as_ref() == name)
    }
}

/// A declared field.
#[derive(Debug, PartialEq)]
pub(crate) struct FieldType {
    pub(crate) reference: TypeRef,
    /// The default that OpenAPI tells.
    pub(crate) default: Option<Value>,
}

/// A type where it is used.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TypeRef {
    /// A scalar.
    Scalar(Scalar),
    /// Anything: maps are granular, lists are atomic.
    Deduced,
    /// Anything, as one value.
    Untyped,
    /// A line of the table; `atomic` overrides what is said there.
    Named { index: usize, atomic: Option<bool> },
    /// A type that has no name.
    Inline(Arc<AtomType>),
}

/// A type: at least one of the three.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct AtomType {
    pub(crate) scalar: Option<Scalar>,
    pub(crate) list: Option<ListType>,
    pub(crate) map: Option<MapType>,
}

/// A type as seen from where it is used.
#[derive(Clone, Copy)]
pub(crate) struct Atom<'a> {
    pub(crate) scalar: Option<Scalar>,
    pub(crate) list: Option<&'a ListType>,
    pub(crate) map: Option<MapView<'a>>,
}

/// A map type together with whether it is one value here.
#[derive(Clone, Copy)]
pub(crate) struct MapView<'a> {
    pub(crate) map: &'a MapType,
    pub(crate) atomic: bool,
}

/// The one of an atom's types that a value is held to.
#[derive(Clone, Copy)]
pub(crate) enum Branch<'a> {
    Map(MapView<'a>),
    Scalar(Scalar),
    List(&'a ListType),
}

impl<'a> Atom<'a> {
    pub(crate) fn of_scalar(scalar: Scalar) -> Self {
        Self { scalar: Some(scalar), list: None, map: None }
    }

    pub(crate) fn of(atom: &'a AtomType, atomic: Option<bool>) -> Self {
        let map = atom.map.as_ref().map(|map| MapView { map, atomic: atomic.unwrap_or(map.atomic) });
        Self { scalar: atom.scalar, list: atom.list.as_ref(), map }
    }

    /// Keeps the type that the value's shape asks for; all of them if it asks for none of these.
    fn deduced(self, value: Option<&Value>) -> Self {
        let nothing = Self { scalar: None, list: None, map: None };
        match value {
            Some(Value::Bool(_) | Value::Number(_) | Value::String(_)) if self.scalar.is_some() => {
                Self { scalar: self.scalar, ..nothing }
            }
            Some(Value::Array(_)) if self.list.is_some() => Self { list: self.list, ..nothing },
            Some(Value::Object(_)) if self.map.is_some() => Self { map: self.map, ..nothing },
            _ => self,
        }
    }

    fn first(self) -> Option<Branch<'a>> {
        self.map.map(Branch::Map).or(self.scalar.map(Branch::Scalar)).or(self.list.map(Branch::List))
    }

    /// Returns the type that a value is held to. Null tries map, scalar, list.
    pub(crate) fn branch(self, value: Option<&Value>) -> Option<Branch<'a>> {
        self.deduced(value).first()
    }

    /// Returns the types that two values of one field are held to: one, or first the left's and then the right's where
    /// their shapes differ.
    pub(crate) fn branches(self, left: Option<&Value>, right: Option<&Value>) -> [Option<Branch<'a>>; 2] {
        let (of_left, of_right) = (self.deduced(left), self.deduced(right));
        let shape = |atom: Self| (atom.scalar.is_some(), atom.list.is_some(), atom.map.is_some());
        match (left, right) {
            (_, None) => [of_left.first(), None],
            (None, _) => [of_right.first(), None],
            _ if shape(of_left) == shape(of_right) => [of_right.first(), None],
            _ => [of_left.first(), of_right.first()],
        }
    }
}
