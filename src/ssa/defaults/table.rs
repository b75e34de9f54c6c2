//! The learned table: for each type what is filled in, and what becomes of an explicit zero.
//!
//! A line is `TYPE⇥{"d": {FIELD: DEFAULT}, "k": [FIELD], "o": [FIELD]}`, sorted by type; each part is optional. `k` are
//! the fields that keep an explicit zero (`0`, `false`, `""`), `o` those to which it is the same as nothing. Of a field in
//! neither, the server told nothing. The suite's test of defaults asks a real server and writes the table.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{LazyLock, OnceLock};

use serde_json::{Map, Value};

static TABLE: LazyLock<Table> = LazyLock::new(|| Table::new(include_str!("table.tsv")));

/// What is known of one type.
#[derive(Debug, Default)]
pub(crate) struct TypeDefaults {
    pub(crate) defaults: BTreeMap<String, Value>,
    kept: BTreeSet<String>,
    omitted: BTreeSet<String>,
}

/// What becomes of an explicit zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ZeroFate {
    /// It is stored.
    Kept,
    /// It is the same as if the field were missing.
    Omitted,
}

impl TypeDefaults {
    fn read(json: &str) -> Self {
        let mut parts: Map<String, Value> = serde_json::from_str(json).unwrap_or_default();
        let names = |key: &str| -> BTreeSet<String> {
            let names = parts.get(key).and_then(Value::as_array).into_iter().flatten();
            names.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let (kept, omitted) = (names("k"), names("o"));
        let defaults = match parts.remove("d") {
            Some(Value::Object(defaults)) => defaults.into_iter().collect(),
            _ => BTreeMap::new(),
        };
        Self { defaults, kept, omitted }
    }

    /// Returns what becomes of an explicit zero in a field; `None` if that is not known.
    pub(crate) fn fate_of_zero(&self, field: &str) -> Option<ZeroFate> {
        match (self.kept.contains(field), self.omitted.contains(field)) {
            (true, _) => Some(ZeroFate::Kept),
            (false, true) => Some(ZeroFate::Omitted),
            (false, false) => None,
        }
    }
}

struct Table {
    lines: Vec<(&'static str, &'static str)>,
    /// Read when first used: a run touches few types.
    slots: Vec<OnceLock<TypeDefaults>>,
}

impl Table {
    fn new(text: &'static str) -> Self {
        let lines: Vec<_> = text.lines().filter_map(|line| line.split_once('\t')).collect();
        let slots = lines.iter().map(|_| OnceLock::new()).collect();
        Self { lines, slots }
    }
}

/// Returns what is known of a type.
pub(crate) fn of(type_name: &str) -> Option<&'static TypeDefaults> {
    let index = TABLE.lines.binary_search_by(|(name, _)| (*name).cmp(type_name)).ok()?;
    Some(TABLE.slots[index].get_or_init(|| TypeDefaults::read(TABLE.lines[index].1)))
}

/// Tells whether this is `0`, `false` or `""`.
pub(crate) fn is_zero(value: &Value) -> bool {
    match value {
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}
