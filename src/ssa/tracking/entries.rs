//! The entries of an object while a write is tracked: who owns what, keyed as the server keys them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::Writer;
use super::last_applied::as_go_writes;
use crate::ssa::field_set::FieldSet;
use crate::ssa::managed::{ManagedEntry, Operation, sort_entries};

/// How many entries of plain writes an object keeps.
const MOST_UPDATES: usize = 10;
/// Who owns what the oldest of them owned.
const OLDEST: &str = "ancient-changes";

/// What makes an entry that entry: two writes with the same identity share one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Identity {
    pub(super) manager: String,
    pub(super) operation: Operation,
    /// Empty for those that apply: they have one entry whatever version they speak.
    pub(super) api_version: String,
    pub(super) subresource: Option<String>,
}

impl Identity {
    pub(super) fn of_writer(writer: &Writer<'_>, manager: &str, operation: Operation) -> Self {
        let manager = if manager.is_empty() { "unknown" } else { manager };
        let api_version = if operation == Operation::Apply { "" } else { writer.api_version };
        let subresource = writer.subresource.filter(|subresource| !subresource.is_empty()).map(str::to_owned);
        Self { manager: manager.to_owned(), operation, api_version: api_version.to_owned(), subresource }
    }

    pub(super) fn of_entry(entry: &ManagedEntry) -> Self {
        let api_version = if entry.operation == Operation::Apply { "" } else { &entry.api_version };
        Self {
            manager: entry.manager.clone(),
            operation: entry.operation,
            api_version: api_version.to_owned(),
            subresource: entry.subresource.clone(),
        }
    }

    /// Writes the identity as the JSON by which the server sorts.
    pub(super) fn text(&self) -> String {
        let quoted = |text: &str| as_go_writes(&Value::from(text));
        let mut parts = Vec::new();
        let mut put = |name: &str, value: &str| {
            if !value.is_empty() {
                parts.push(format!("\"{name}\":{}", quoted(value)));
            }
        };
        put("manager", &self.manager);
        put("operation", &self.operation.to_string());
        put("apiVersion", &self.api_version);
        put("subresource", self.subresource.as_deref().unwrap_or_default());
        format!("{{{}}}", parts.join(","))
    }
}

/// What one entry owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Owned {
    pub(super) api_version: String,
    pub(super) fields: FieldSet,
}

/// All entries of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Entries {
    pub(super) owned: BTreeMap<Identity, Owned>,
    /// May hold times of entries that are gone.
    pub(super) times: BTreeMap<Identity, Option<String>>,
}

impl Entries {
    pub(super) fn of(entries: Vec<ManagedEntry>) -> Self {
        let mut result = Self::default();
        for entry in entries {
            let identity = Identity::of_entry(&entry);
            result.times.insert(identity.clone(), entry.time);
            result.owned.insert(identity, Owned { api_version: entry.api_version, fields: entry.fields });
        }
        result
    }

    /// Reads the entries of an object; `None` where the server would not accept them.
    pub(super) fn read(managed_fields: &Value) -> Option<Self> {
        let entries = match managed_fields {
            Value::Null => return Some(Self::default()),
            Value::Array(entries) => entries,
            _ => return None,
        };
        let text = |entry: &Value, key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut read = Vec::with_capacity(entries.len());
        for entry in entries {
            if text(entry, "apiVersion").is_empty() || text(entry, "fieldsType") != "FieldsV1" {
                return None;
            }
            let mut entry = ManagedEntry::read(entry).ok()?;
            entry.time = entry.time.map(|time| in_seconds(&time));
            read.push(entry);
        }
        Some(Self::of(read))
    }

    /// Returns the entries in the server's order.
    pub(super) fn into_list(mut self) -> Vec<ManagedEntry> {
        let times = &mut self.times;
        let mut entries: Vec<_> = self
            .owned
            .into_iter()
            .map(|(identity, owned)| ManagedEntry {
                time: times.remove(&identity).flatten(),
                manager: identity.manager,
                operation: identity.operation,
                api_version: owned.api_version,
                subresource: identity.subresource,
                fields: owned.fields,
            })
            .collect();
        sort_entries(&mut entries);
        entries
    }

    /// Writes the entries into an object.
    pub(super) fn write(self, object: &mut Value) {
        let entries = self.into_list();
        let Some(map) = object.as_object_mut() else { return };
        let metadata = map.entry("metadata").or_insert_with(|| json!({}));
        if metadata.is_null() {
            *metadata = Value::Object(Map::new());
        }
        let Some(metadata) = metadata.as_object_mut() else { return };
        if entries.is_empty() {
            metadata.remove("managedFields");
        } else {
            let entries = entries.iter().map(ManagedEntry::to_value).collect();
            metadata.insert("managedFields".to_owned(), Value::Array(entries));
        }
    }

    /// Folds the oldest entries of plain writes into one a version, until few enough are left. An entry is folded once there
    /// is an older one of its version.
    pub(super) fn cap_updates(&mut self) {
        let mut updaters: Vec<Identity> =
            self.owned.keys().filter(|identity| identity.operation == Operation::Update).cloned().collect();
        let mut left = updaters.len();
        if left <= MOST_UPDATES {
            return;
        }
        updaters.sort_by_key(|identity| (self.times.get(identity).cloned().flatten(), identity.text()));
        let mut first_of: BTreeMap<String, Identity> = BTreeMap::new();
        for updater in updaters {
            if left <= MOST_UPDATES {
                return;
            }
            let Some(owned) = self.owned.get(&updater).cloned() else { continue };
            let bucket = Identity {
                manager: OLDEST.to_owned(),
                operation: Operation::Update,
                api_version: owned.api_version.clone(),
                subresource: None,
            };
            let Some(first) = first_of.get(&owned.api_version) else {
                first_of.insert(owned.api_version, updater);
                continue;
            };
            if !self.owned.contains_key(&bucket)
                && let Some(oldest) = self.owned.remove(first)
            {
                self.owned.insert(bucket.clone(), oldest);
            }
            if let Some(kept) = self.owned.get_mut(&bucket) {
                kept.fields = owned.fields.union(&kept.fields);
            }
            self.owned.remove(&updater);
            left -= 1;
            let time = self.times.get(&updater).cloned().flatten();
            self.times.insert(bucket, time);
        }
    }
}

/// Respells a time as the server stores it.
fn in_seconds(time: &str) -> String {
    let parsed =
        time.parse().ok().and_then(|time: jiff::Timestamp| jiff::Timestamp::from_second(time.as_second()).ok());
    parsed.map_or_else(|| time.to_owned(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ssa::field_set::tests::set;

    fn update(manager: &str, second: u32, path: &str) -> ManagedEntry {
        ManagedEntry {
            manager: manager.to_owned(),
            operation: Operation::Update,
            api_version: "v1".to_owned(),
            time: Some(format!("2026-01-02T03:04:{second:02}Z")),
            subresource: None,
            fields: set(&[path]),
        }
    }

    #[test]
    fn the_oldest_of_eleven_updates_become_one() {
        let mut entries =
            Entries::of((0..12).map(|n| update(&format!("m{n:02}"), n, &format!(".data.k{n:02}"))).collect());
        entries.cap_updates();
        let list = entries.into_list();
        assert_eq!(list.len(), 10);
        assert_eq!(list[0].manager, "ancient-changes");
        assert_eq!(list[0].time.as_deref(), Some("2026-01-02T03:04:02Z"));
        assert_eq!(list[0].fields, set(&[".data.k00", ".data.k01", ".data.k02"]));
        assert_eq!(list[1].manager, "m03");
    }

    #[test]
    fn an_identity_is_written_as_the_server_writes_it() {
        let writer = Writer { manager: "a", api_version: "apps/v1", subresource: Some("status"), time: "" };
        let text = |operation| Identity::of_writer(&writer, writer.manager, operation).text();
        assert_eq!(
            text(Operation::Update),
            r#"{"manager":"a","operation":"Update","apiVersion":"apps/v1","subresource":"status"}"#
        );
        assert_eq!(text(Operation::Apply), r#"{"manager":"a","operation":"Apply","subresource":"status"}"#);
    }

    #[test]
    fn entries_that_the_server_would_not_accept_are_none() {
        let good = json!({"manager": "a", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1",
            "fieldsV1": {"f:data": {}}, "time": "2026-01-02T04:04:05.9+01:00"});
        let read = Entries::read(&json!([good])).unwrap().into_list();
        assert_eq!(read[0].time.as_deref(), Some("2026-01-02T03:04:05Z"));
        for (key, value) in [
            ("operation", json!("Patch")),
            ("apiVersion", json!("")),
            ("fieldsType", json!(null)),
            ("fieldsV1", json!({"f:data": 1})),
        ] {
            let mut bad = good.clone();
            bad[key] = value;
            assert_eq!(Entries::read(&json!([bad])), None, "{key}");
        }
    }
}
