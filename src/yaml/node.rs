//! A YAML value that knows where it stands.

use serde_json::{Map, Number, Value};

/// A place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Spot {
    /// Line, from 1; 0 where there is no text to point into.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// How many characters it covers; may reach over the end of the line.
    pub length: usize,
}

/// A value and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The value.
    pub value: NodeValue,
    /// Where it stands.
    pub at: Spot,
}

/// What JSON knows, with the order of keys and their places kept, equal keys included.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeValue {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    String(String),
    /// A list.
    List(Vec<Node>),
    /// A map in the order of the file.
    Map(Vec<Entry>),
    /// A value that could not be computed; the problem is reported already, so whoever meets it keeps quiet.
    Unknown,
}

/// One key of a map with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub key_at: Spot,
    /// Its value.
    pub value: Node,
}

impl Node {
    /// Returns the value as JSON; of equal keys the first one counts.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match &self.value {
            NodeValue::Null | NodeValue::Unknown => Value::Null,
            NodeValue::Bool(bool) => Value::Bool(*bool),
            NodeValue::Number(number) => Value::Number(number.clone()),
            NodeValue::String(text) => Value::String(text.clone()),
            NodeValue::List(items) => Value::Array(items.iter().map(Self::to_json).collect()),
            NodeValue::Map(entries) => {
                let mut map = Map::new();
                for entry in entries {
                    map.entry(entry.key.clone()).or_insert_with(|| entry.value.to_json());
                }
                Value::Object(map)
            }
        }
    }

    /// Makes a node out of JSON, all of it at one place.
    #[must_use]
    pub fn from_json(value: &Value, at: Spot) -> Self {
        let value = match value {
            Value::Null => NodeValue::Null,
            Value::Bool(bool) => NodeValue::Bool(*bool),
            Value::Number(number) => NodeValue::Number(number.clone()),
            Value::String(text) => NodeValue::String(text.clone()),
            Value::Array(items) => NodeValue::List(items.iter().map(|item| Self::from_json(item, at)).collect()),
            Value::Object(map) => NodeValue::Map(
                map.iter()
                    .map(|(key, value)| Entry { key: key.clone(), key_at: at, value: Self::from_json(value, at) })
                    .collect(),
            ),
        };
        Self { value, at }
    }

    /// Returns the entries of a map; none for anything else.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        if let NodeValue::Map(entries) = &self.value { entries } else { &[] }
    }

    /// Returns the items of a list; none for anything else.
    #[must_use]
    pub fn items(&self) -> &[Node] {
        if let NodeValue::List(items) = &self.value { items } else { &[] }
    }

    /// Returns the entry of a key.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// Returns the value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// Returns the text, where it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let NodeValue::String(text) = &self.value { Some(text) } else { None }
    }

    /// Finds the node of a JSON pointer, and the place of the key it stands under (its own place for list items and
    /// the root).
    #[must_use]
    pub fn at_pointer(&self, pointer: &str) -> Option<(&Self, Spot)> {
        let mut found = (self, self.at);
        for part in pointer.split('/').skip(1) {
            let part = part.replace("~1", "/").replace("~0", "~");
            found = match &found.0.value {
                NodeValue::Map(entries) => {
                    entries.iter().find(|entry| entry.key == part).map(|entry| (&entry.value, entry.key_at))?
                }
                NodeValue::List(items) => {
                    part.parse::<usize>().ok().and_then(|index| items.get(index)).map(|item| (item, item.at))?
                }
                _ => return None,
            };
        }
        Some(found)
    }

    /// Finds the node of a JSON pointer or, where there is none, the nearest one above it.
    #[must_use]
    pub fn nearest_to_pointer(&self, pointer: &str) -> (&Self, Spot) {
        let mut pointer = pointer;
        loop {
            if let Some(found) = self.at_pointer(pointer) {
                return found;
            }
            match pointer.rsplit_once('/') {
                Some((above, _)) => pointer = above,
                None => return (self, self.at),
            }
        }
    }

    /// Tells whether a part of it could not be computed.
    #[must_use]
    pub fn has_unknown(&self) -> bool {
        match &self.value {
            NodeValue::Unknown => true,
            NodeValue::List(items) => items.iter().any(Self::has_unknown),
            NodeValue::Map(entries) => entries.iter().any(|entry| entry.value.has_unknown()),
            _ => false,
        }
    }

    /// Returns the kind of value with its article, and the value itself where it is short: `the integer 5`, `a map`.
    #[must_use]
    pub fn describe(&self) -> String {
        match &self.value {
            NodeValue::Null => "nothing".to_owned(),
            NodeValue::Unknown => "an unknown value".to_owned(),
            NodeValue::Bool(bool) => format!("the boolean {bool}"),
            NodeValue::Number(number) if number.is_f64() => format!("the number {number}"),
            NodeValue::Number(number) => format!("the integer {number}"),
            NodeValue::String(text) if text.chars().count() <= 40 && !text.contains('\n') => {
                format!("the string \"{text}\"")
            }
            NodeValue::String(_) => "a string".to_owned(),
            NodeValue::List(_) => "a list".to_owned(),
            NodeValue::Map(_) => "a map".to_owned(),
        }
    }
}

/// Escapes a key for a JSON pointer.
#[must_use]
pub fn escape_pointer(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
