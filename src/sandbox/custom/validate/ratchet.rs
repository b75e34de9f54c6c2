//! Which part of the stored object a part of the new one came from: what was wrong before may stay wrong.
//!
//! Source: `k8s.io/apiserver/pkg/cel/common`.

use serde_json::Value;

use crate::sandbox::custom::structural::{items, text, texts, under};

/// A new value beside the one that it takes the place of.
#[derive(Debug, Clone, Copy)]
pub(in crate::sandbox::custom) struct Pair<'a> {
    pub(in crate::sandbox::custom) new: &'a Value,
    pub(in crate::sandbox::custom) old: &'a Value,
    pub(in crate::sandbox::custom) schema: &'a Value,
}

impl<'a> Pair<'a> {
    pub(in crate::sandbox::custom) fn key(self, key: &str) -> Option<Self> {
        let (old, new) = (self.old.as_object()?.get(key)?, self.new.as_object()?.get(key)?);
        Some(Self { new, old, schema: under(self.schema, key).schema()? })
    }

    pub(in crate::sandbox::custom) fn index(self, index: usize) -> Option<Self> {
        let new = self.new.as_array()?.get(index)?;
        let old = counterpart(self.schema, self.old, new)?;
        Some(Self { new, old, schema: items(self.schema)? })
    }

    /// Tells whether nothing changed, as far as the two can be compared part by part.
    pub(in crate::sandbox::custom) fn is_unchanged(self) -> bool {
        match (self.old, self.new) {
            (Value::Array(old), Value::Array(new)) => {
                if old.len() != new.len() {
                    return false;
                }
                if text(self.schema, "x-kubernetes-list-type") != "map" {
                    return old == new;
                }
                (0..new.len()).all(|index| self.index(index).is_some_and(Self::is_unchanged))
            }
            (Value::Object(old), Value::Object(new)) => {
                old.len() == new.len() && new.keys().all(|key| self.key(key).is_some_and(Self::is_unchanged))
            }
            (old, new) => old == new,
        }
    }
}

/// Returns the item of the old list that an item of the new one stands for: only lists that are maps have one.
pub(in crate::sandbox::custom) fn counterpart<'a>(schema: &Value, old: &'a Value, new: &Value) -> Option<&'a Value> {
    if text(schema, "x-kubernetes-list-type") != "map" {
        return None;
    }
    let keys = texts(schema, "x-kubernetes-list-map-keys");
    let new = new.as_object()?;
    old.as_array()?.iter().find(|old| keys.iter().all(|key| old.get(key) == new.get(*key)))
}
