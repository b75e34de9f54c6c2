//! The compact table of types: one line a type, read when it is first used.
//!
//! A line is `NAME⇥JSON`, and lines are sorted by name. In the JSON, a type is one of
//! - a letter: `s` string, `n` numeric, `b` boolean, `u` any scalar, `q` quantity, `t` time, `T` time in millionths of a
//!   second, `i` int or string, `d` deduced from the value, `*` anything as one value;
//! - `@NAME`, a line; `{"@": NAME, "a": BOOL}` the same with another map type;
//! - `{"l": KIND, "e": TYPE}` a list, KIND being `a`, `s` or the keys;
//! - `{"f": {FIELD: TYPE}, "d": {FIELD: DEFAULT}, "r": [REQUIRED], "e": TYPE, "a": 1}` a map, all but `f` being optional;
//! - `{"any": [LIST, MAP]}` any scalar, or one of the two.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, LazyLock, OnceLock};

use serde_json::{Map, Value};

use super::atom::{Atom, AtomType, FieldType, ListKind, ListType, MapType, MapView, Scalar, TypeRef};
use crate::ssa::known::Known;

static DEDUCED: LazyLock<AtomType> = LazyLock::new(|| free_form(TypeRef::Deduced, false));
static UNTYPED: LazyLock<AtomType> = LazyLock::new(|| free_form(TypeRef::Untyped, true));
static INT_OR_STRING: LazyLock<AtomType> =
    LazyLock::new(|| AtomType { scalar: Some(Scalar::IntOrString), ..free_form(TypeRef::Deduced, false) });

fn free_form(element: TypeRef, atomic: bool) -> AtomType {
    AtomType {
        scalar: Some(Scalar::Untyped),
        list: Some(ListType { kind: ListKind::Atomic, element: TypeRef::Untyped }),
        map: Some(MapType { element: Some(element), atomic, ..MapType::default() }),
    }
}

/// All types of a document, each read when it is first asked for.
pub(crate) struct Types {
    text: Cow<'static, str>,
    lines: Vec<Line>,
    slots: Vec<OnceLock<AtomType>>,
    known: Vec<OnceLock<Known>>,
    /// Whether these are Kubernetes' own types, which the server keeps as structures and not as JSON.
    pub(crate) builtin: bool,
}

/// Where a line lies in the text: its beginning, the end of the name, its end.
struct Line(usize, usize, usize);

impl fmt::Debug for Types {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Types({} lines)", self.lines.len())
    }
}

impl Types {
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Takes a table whose lines are sorted by name.
    pub(crate) fn new(text: Cow<'static, str>, builtin: bool) -> Self {
        let mut lines = Vec::new();
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            let whole = line.trim_end_matches('\n');
            lines.push(Line(start, start + whole.find('\t').unwrap_or(whole.len()), start + whole.len()));
            start += line.len();
        }
        let slots = lines.iter().map(|_| OnceLock::new()).collect();
        let known = lines.iter().map(|_| OnceLock::new()).collect();
        Self { text, lines, slots, known, builtin }
    }

    pub(super) fn line(&self, index: usize) -> (&str, &str) {
        let Line(start, middle, end) = self.lines[index];
        (&self.text[start..middle], self.text[middle..end].trim_start_matches('\t'))
    }

    fn name(&self, index: usize) -> &str {
        let Line(start, middle, _) = self.lines[index];
        &self.text[start..middle]
    }

    /// Returns the name of a type that has a line of its own.
    pub(crate) fn name_of(&self, reference: &TypeRef) -> Option<&str> {
        match reference {
            TypeRef::Named { index, .. } => Some(self.name(*index)),
            _ => None,
        }
    }

    /// Returns what is known of a type beyond its schema.
    pub(crate) fn known(&self, reference: &TypeRef) -> Option<&Known> {
        match reference {
            TypeRef::Named { index, .. } => Some(self.known[*index].get_or_init(|| Known::of(self.name(*index)))),
            _ => None,
        }
    }

    /// Finds a type by its name.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        // Names are compared within the text, so that no line is read for it.
        let (mut low, mut high) = (0, self.lines.len());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.name(middle).cmp(name) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Some(middle),
            }
        }
        None
    }

    /// Returns the type behind a reference.
    pub(crate) fn resolve<'a>(&'a self, reference: &'a TypeRef) -> Atom<'a> {
        match reference {
            TypeRef::Scalar(Scalar::IntOrString) => Atom::of(&INT_OR_STRING, None),
            TypeRef::Scalar(scalar) => Atom::of_scalar(*scalar),
            TypeRef::Deduced => Atom::of(&DEDUCED, None),
            TypeRef::Untyped => Atom::of(&UNTYPED, None),
            TypeRef::Named { index, atomic } => Atom::of(self.atom(*index), *atomic),
            TypeRef::Inline(atom) => Atom::of(atom, None),
        }
    }

    /// Returns the map behind a reference, if a map may be there.
    pub(crate) fn map_of<'a>(&'a self, reference: &'a TypeRef) -> Option<MapView<'a>> {
        match reference {
            TypeRef::Named { index, atomic } => {
                let map = self.atom(*index).map.as_ref()?;
                Some(MapView { map, atomic: atomic.unwrap_or(map.atomic) })
            }
            _ => self.resolve(reference).map,
        }
    }

    /// Returns the list behind a reference, if a list may be there.
    pub(crate) fn list_of<'a>(&'a self, reference: &'a TypeRef) -> Option<&'a ListType> {
        self.resolve(reference).list
    }

    fn atom(&self, index: usize) -> &AtomType {
        self.slots[index].get_or_init(|| {
            let value: Value = serde_json::from_str(self.line(index).1).unwrap_or_default();
            self.read_atom(&value)
        })
    }

    fn read_atom(&self, value: &Value) -> AtomType {
        match value {
            Value::Object(map) => self.read_structure(map),
            _ => match self.read(value) {
                TypeRef::Scalar(scalar) => AtomType { scalar: Some(scalar), ..AtomType::default() },
                TypeRef::Untyped => free_form(TypeRef::Untyped, true),
                _ => free_form(TypeRef::Deduced, false),
            },
        }
    }

    fn read_structure(&self, map: &Map<String, Value>) -> AtomType {
        if let Some([list, object]) = map.get("any").and_then(Value::as_array).map(Vec::as_slice) {
            let list = list.as_object().map(|list| self.read_list(list));
            let object = object.as_object().map(|object| self.read_map(object));
            return AtomType { scalar: Some(Scalar::Untyped), list, map: object };
        }
        if map.contains_key("l") {
            return AtomType { list: Some(self.read_list(map)), ..AtomType::default() };
        }
        AtomType { map: Some(self.read_map(map)), ..AtomType::default() }
    }

    fn read_list(&self, map: &Map<String, Value>) -> ListType {
        let kind = match map.get("l") {
            Some(Value::Array(keys)) => {
                ListKind::Map(keys.iter().filter_map(Value::as_str).map(str::to_owned).collect())
            }
            Some(Value::String(kind)) if kind == "s" => ListKind::Set,
            _ => ListKind::Atomic,
        };
        ListType { kind, element: map.get("e").map_or(TypeRef::Untyped, |element| self.read(element)) }
    }

    fn read_map(&self, map: &Map<String, Value>) -> MapType {
        let defaults = map.get("d").and_then(Value::as_object);
        let fields = map.get("f").and_then(Value::as_object).into_iter().flatten();
        let fields = fields.map(|(name, field)| {
            let default = defaults.and_then(|defaults| defaults.get(name)).cloned();
            (name.as_str().into(), FieldType { reference: self.read(field), default })
        });
        MapType {
            element: map.get("e").map(|element| self.read(element)),
            atomic: map.contains_key("a"),
            required: map
                .get("r")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(Into::into)
                .collect(),
            ..MapType::of_fields(fields.collect())
        }
    }

    fn read(&self, value: &Value) -> TypeRef {
        match value {
            Value::String(text) => match text.as_str() {
                "s" => TypeRef::Scalar(Scalar::String),
                "n" => TypeRef::Scalar(Scalar::Numeric),
                "b" => TypeRef::Scalar(Scalar::Boolean),
                "u" => TypeRef::Scalar(Scalar::Untyped),
                "q" => TypeRef::Scalar(Scalar::Quantity),
                "t" => TypeRef::Scalar(Scalar::Time),
                "T" => TypeRef::Scalar(Scalar::MicroTime),
                "i" => TypeRef::Scalar(Scalar::IntOrString),
                "*" => TypeRef::Untyped,
                name => self.named(name.strip_prefix('@').unwrap_or_default(), None),
            },
            Value::Object(map) => match map.get("@").and_then(Value::as_str) {
                Some(name) => self.named(name, map.get("a").and_then(Value::as_bool)),
                None => TypeRef::Inline(Arc::new(self.read_structure(map))),
            },
            _ => TypeRef::Deduced,
        }
    }

    fn named(&self, name: &str, atomic: Option<bool>) -> TypeRef {
        self.find(name).map_or(TypeRef::Deduced, |index| TypeRef::Named { index, atomic })
    }
}
