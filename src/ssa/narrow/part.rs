//! A part of an apply: what is looked at of the live object, the configuration and the manager's own fields.

use serde_json::{Map, Value};

use crate::ssa::field_set::{FieldSet, FieldsError};
use crate::ssa::path::PathElement;

/// A part of an apply, or of one value in it. It has something of at least one of the three.
pub(in crate::ssa) struct Part {
    /// Of the live object.
    pub(in crate::ssa) live: Option<Value>,
    /// Of the configuration.
    pub(in crate::ssa) config: Option<Value>,
    /// Whether the value itself is owned by the manager.
    is_owned: bool,
    /// What the manager owns in it.
    pub(in crate::ssa) owned: FieldSet,
    /// Where these are.
    pub(in crate::ssa) touched: Touched,
}

/// The places that a part is made of.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::ssa) enum Touched {
    /// The value with all that is in it.
    Whole,
    /// These fields of a map, sorted by name.
    Fields(Vec<(String, Touched)>),
    /// These items of a list, by their places in the live one; and perhaps new ones behind all others.
    Items(Vec<(usize, Touched)>),
}

impl Touched {
    /// Goes to the touched fields of a map that are there.
    pub(in crate::ssa) fn each_field(&self, map: &mut Map<String, Value>, mut go: impl FnMut(&str, &mut Value, &Self)) {
        match self {
            Self::Whole => map.iter_mut().for_each(|(name, value)| go(name, value, self)),
            Self::Fields(fields) => {
                for (name, touched) in fields {
                    if let Some(value) = map.get_mut(name) {
                        go(name, value, touched);
                    }
                }
            }
            Self::Items(_) => {}
        }
    }

    /// Goes to the touched items of a list that are there.
    pub(in crate::ssa) fn each_item(&self, list: &mut [Value], mut go: impl FnMut(&mut Value, &Self)) {
        match self {
            Self::Whole => list.iter_mut().for_each(|item| go(item, self)),
            Self::Fields(_) => {}
            Self::Items(items) => {
                for (place, touched) in items {
                    if let Some(item) = list.get_mut(*place) {
                        go(item, touched);
                    }
                }
            }
        }
    }
}

impl Part {
    /// Takes a value with all that is in it; `owned` are the manager's fields as they are encoded.
    pub(super) fn whole(
        live: Option<&Value>,
        config: Option<&Value>,
        owned: Option<&Value>,
    ) -> Result<Self, FieldsError> {
        let (is_owned, owned) = owned.map(FieldSet::read_node).transpose()?.unwrap_or_default();
        Ok(Self { is_owned, owned, ..Self::named(live, config) })
    }

    /// Takes a scalar that nobody owns.
    pub(super) fn named(live: Option<&Value>, config: Option<&Value>) -> Self {
        let (live, config) = (live.cloned(), config.cloned());
        Self { live, config, is_owned: false, owned: FieldSet::new(), touched: Touched::Whole }
    }

    /// Adds what an item is named by to a part of it.
    pub(super) fn named_by(mut self, keys: &[String], live: &Value, config: &Value) -> Self {
        let Touched::Fields(fields) = &mut self.touched else { return self };
        for key in keys {
            let Err(place) = fields.binary_search_by(|(name, _)| name.cmp(key)) else { continue };
            let (live, config) = (live.get(key), config.get(key));
            for (part, value) in [(&mut self.live, live), (&mut self.config, config)] {
                if let (Some(Value::Object(part)), Some(value)) = (part, value) {
                    part.insert(key.clone(), value.clone());
                }
            }
            self.owned.insert_node(PathElement::field(key.as_str()), config.is_some(), FieldSet::new());
            fields.insert(place, (key.clone(), Touched::Whole));
        }
        self
    }

    /// Takes a scalar that the manager owns.
    pub(super) fn owned(live: &Value, config: &Value) -> Self {
        Self { is_owned: true, ..Self::named(Some(live), Some(config)) }
    }
}

/// Tells whether whoever applies this owns anything by it: an empty list is nothing to be owned.
fn claims(config: &Value) -> bool {
    match config {
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => map.is_empty() || map.values().any(claims),
        _ => true,
    }
}

/// A part of a map, as it is put together.
#[derive(Default)]
pub(super) struct MapPart {
    live: Map<String, Value>,
    config: Map<String, Value>,
    owned: FieldSet,
    fields: Vec<(String, Touched)>,
}

impl MapPart {
    pub(super) fn take(&mut self, name: &str, part: Part) {
        let Part { live, config, is_owned, owned, touched } = part;
        self.live.extend(live.map(|live| (name.to_owned(), live)));
        self.config.extend(config.map(|config| (name.to_owned(), config)));
        self.owned.insert_node(PathElement::field(name), is_owned, owned);
        self.fields.push((name.to_owned(), touched));
    }

    /// Tells whether its configuration claims anything.
    pub(super) fn claims(&self) -> bool {
        self.config.values().any(claims)
    }

    pub(super) fn done(self, is_owned: bool) -> Part {
        let Self { live, config, owned, mut fields } = self;
        fields.sort_by(|left, right| left.0.cmp(&right.0));
        let (live, config) = (Some(Value::Object(live)), Some(Value::Object(config)));
        Part { live, config, is_owned, owned, touched: Touched::Fields(fields) }
    }
}

/// A part of a list, as it is put together.
#[derive(Default)]
pub(super) struct ListPart {
    live: Vec<Value>,
    config: Vec<Value>,
    owned: FieldSet,
    items: Vec<(usize, Touched)>,
}

impl ListPart {
    /// Takes what is behind all others taken.
    pub(super) fn take(&mut self, name: PathElement, place: usize, part: Part) {
        let Part { live, config, is_owned, owned, touched } = part;
        self.live.extend(live);
        self.config.extend(config);
        self.owned.insert_node(name, is_owned, owned);
        self.items.push((place, touched));
    }

    /// Puts an item among others, of which the configuration has none.
    pub(super) fn put(&mut self, place: usize, (name, part): (PathElement, Part)) {
        let Part { live, config, is_owned, owned, touched } = part;
        let among = self.items.partition_point(|(other, _)| *other < place);
        if let Some(live) = live {
            self.live.insert(among, live);
        }
        self.config.extend(config);
        self.owned.insert_node(name, is_owned, owned);
        self.items.insert(among, (place, touched));
    }

    /// Takes a new item.
    pub(super) fn append(&mut self, part: Part) {
        self.config.extend(part.config);
    }

    pub(super) fn has(&self, place: usize) -> bool {
        self.items.binary_search_by(|(other, _)| other.cmp(&place)).is_ok()
    }

    /// Tells whether its configuration claims anything, as every item does.
    pub(super) fn claims(&self) -> bool {
        !self.config.is_empty()
    }

    pub(super) fn done(self, is_owned: bool) -> Part {
        let (live, config) = (Some(Value::Array(self.live)), Some(Value::Array(self.config)));
        Part { live, config, is_owned, owned: self.owned, touched: Touched::Items(self.items) }
    }
}
