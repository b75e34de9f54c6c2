//! Reading fields of objects as Go's structures hold them: what is missing is empty.

use serde_json::{Map, Value};

/// Fields of a decoded object.
pub(super) trait Read {
    /// A field that is there and not null.
    fn field(&self, name: &str) -> Option<&Value>;
    /// A text; empty if there is none.
    fn text(&self, name: &str) -> &str;
    /// A text behind a pointer.
    fn maybe_text(&self, name: &str) -> Option<&str>;
    /// A number behind a pointer.
    fn number(&self, name: &str) -> Option<i64>;
    /// A truth value; false if there is none.
    fn flag(&self, name: &str) -> bool;
    /// The items of a list; none if there is no list.
    fn list(&self, name: &str) -> &[Value];
    /// The entries of a map; none if there is no map.
    fn entries(&self, name: &str) -> Entries<'_>;
    /// A field below another.
    fn below(&self, path: &[&str]) -> Option<&Value>;
}

/// The entries of a map, in the order of their keys.
pub(super) struct Entries<'a>(Option<&'a Map<String, Value>>);

impl<'a> Entries<'a> {
    pub(super) fn len(&self) -> usize {
        self.0.map_or(0, Map::len)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        self.0.and_then(|map| map.get(key))
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&'a str, &'a Value)> + use<'a> {
        self.0.into_iter().flatten().map(|(key, value)| (key.as_str(), value))
    }

    /// The entries with their values as texts.
    pub(super) fn texts(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        self.iter().map(|(key, value)| (key, value.as_str().unwrap_or_default()))
    }
}

impl Read for Value {
    fn field(&self, name: &str) -> Option<&Value> {
        self.get(name).filter(|value| !value.is_null())
    }

    fn text(&self, name: &str) -> &str {
        self.maybe_text(name).unwrap_or_default()
    }

    fn maybe_text(&self, name: &str) -> Option<&str> {
        self.field(name).and_then(Value::as_str)
    }

    fn number(&self, name: &str) -> Option<i64> {
        self.field(name).and_then(Value::as_i64)
    }

    fn flag(&self, name: &str) -> bool {
        self.field(name).and_then(Value::as_bool).unwrap_or_default()
    }

    fn list(&self, name: &str) -> &[Value] {
        self.field(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    fn entries(&self, name: &str) -> Entries<'_> {
        Entries(self.field(name).and_then(Value::as_object))
    }

    fn below(&self, path: &[&str]) -> Option<&Value> {
        path.iter().try_fold(self, |value, name| value.field(name))
    }
}

/// The texts of a list.
pub(super) fn texts(items: &[Value]) -> impl Iterator<Item = &str> {
    items.iter().map(|item| item.as_str().unwrap_or_default())
}
