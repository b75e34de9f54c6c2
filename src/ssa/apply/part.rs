//! An apply of which most changes nothing: only a part of it is merged, and the rest stays as it stands, the encoded
//! fields of everybody included.

use std::borrow::Cow;

use serde_json::Value;

use super::{Applied, FieldConflict, laid_over, read_back};
use crate::ssa::canonical::canonicalise_result;
use crate::ssa::compare::Comparison;
use crate::ssa::defaults::fill_touched;
use crate::ssa::field_set::FieldSet;
use crate::ssa::managed::ManagedEntry;
use crate::ssa::narrow::{Part, put_back};
use crate::ssa::reconcile::reconciled;
use crate::ssa::schema::Schema;
use crate::ssa::set_of::set_of;
use crate::ssa::stored::{same_as_stored, same_where_touched};
use crate::ssa::stripped::{STRIPPED, keep_template_generation};

/// Applies a part, and returns what becomes of the whole; `None` where that is not sure, or an error that the whole tells
/// better.
pub(super) fn of_part<'l>(schema: &Schema, live: &'l Value, manager: &str, part: Part) -> Option<Applied<'l>> {
    let Part { live: Some(before), config: Some(config), owned, touched, .. } = part else { return None };
    let mut claimed = set_of(schema, &config).ok()?;
    claimed.cut(schema.reset_fields());
    let recorded = live.get("metadata")?.get("managedFields")?.as_array()?;
    let own = place_of_own(recorded, manager)?;
    // Who else owns what counts where something may be taken out.
    let others = if owned.is_subset(&claimed) { Vec::new() } else { owned_by_others(schema, recorded, own)? };
    let others: Vec<&FieldSet> = others.iter().collect();
    let (mut merged, found) = laid_over(schema, &before, &config, &claimed, Some(&owned), &others).ok()?;
    claimed.subtract(&STRIPPED);

    canonicalise_result(schema, &mut merged);
    let merged_changed = !same_as_stored(schema, &merged, &before);
    let mut object = live.clone();
    let touched = put_back(schema, &mut object, merged, touched)?;
    keep_template_generation(schema, &mut object, live);
    fill_touched(schema, &mut object, &touched);
    let content_changed = !same_where_touched(schema, &object, live, &touched);

    read_back(schema, &mut object, &touched);

    let entries = object.get_mut("metadata")?.get_mut("managedFields")?.as_array_mut()?;
    let entry = entries.get_mut(own)?.as_object_mut()?;
    if merged_changed {
        entry.remove("time");
    }
    let fields = entry.get_mut("fieldsV1")?.as_object_mut()?;
    let ownership_changed = FieldSet::replace(fields, &owned, &claimed)?;
    let (conflicts, others_changed) = settle(schema, entries, own, &found)?;
    entries.retain(owns_something);
    sort(entries);
    if entries.is_empty() {
        object.get_mut("metadata")?.as_object_mut()?.remove("managedFields");
    }
    Some(Applied {
        object: Cow::Owned(object),
        conflicts,
        changed: content_changed || ownership_changed || others_changed,
        content_changed,
        ownership_changed,
    })
}

/// Finds the manager's own entry among the managed fields of an object; `None` unless there is just one, and all are of the
/// usual form.
fn place_of_own(entries: &[Value], manager: &str) -> Option<usize> {
    let mut own = None;
    for (place, entry) in entries.iter().enumerate() {
        let text = |key| entry.get(key).and_then(Value::as_str).unwrap_or_default();
        let operation = text("operation");
        let is_usual = matches!(operation, "Apply" | "Update") && owns_something(entry);
        let is_own = operation == "Apply" && text("manager") == manager && text("subresource").is_empty();
        if !is_usual || is_own && own.replace(place).is_some() {
            return None;
        }
    }
    own
}

/// Returns what others own, read with the schema of today.
fn owned_by_others(schema: &Schema, entries: &[Value], own: usize) -> Option<Vec<FieldSet>> {
    let others = entries.iter().enumerate().filter(|(place, _)| *place != own);
    let read = |(_, entry): (usize, &Value)| {
        let fields = FieldSet::from_fields_v1(entry.get("fieldsV1")?).ok()?;
        Some(reconciled(schema, &fields).unwrap_or(fields))
    };
    others.map(read).collect()
}

/// Takes from the other entries what the apply takes from them. Returns with whom it conflicts, and whether anybody owns
/// less than before.
fn settle(
    schema: &Schema,
    entries: &mut [Value],
    own: usize,
    found: &Comparison,
) -> Option<(Vec<FieldConflict>, bool)> {
    let written = found.modified.union(&found.added);
    let mut conflicts = Vec::new();
    let mut is_changed = false;
    for (_, encoded) in entries.iter_mut().enumerate().filter(|(place, _)| *place != own) {
        let fields = encoded.get("fieldsV1")?.as_object()?;
        if !written.meets(fields)? && !found.removed.meets(fields)? {
            continue;
        }
        let mut entry = ManagedEntry::read(encoded).ok()?;
        if reconciled(schema, &entry.fields).is_some() {
            return None;
        }
        let lost = entry.fields.intersection(&written);
        conflicts.extend(lost.iter().map(|path| FieldConflict { path, entry: entry.clone() }));
        entry.fields.subtract(&lost);
        entry.fields.subtract(&found.removed);
        is_changed = true;
        *encoded = entry.to_value();
    }
    Some((conflicts, is_changed))
}

fn owns_something(entry: &Value) -> bool {
    entry.get("fieldsV1").and_then(Value::as_object).is_some_and(|fields| !fields.is_empty())
}

/// Puts entries into the order of the server: by operation, time (none first), manager, version, subresource.
fn sort(entries: &mut [Value]) {
    fn key(entry: &Value) -> impl Iterator<Item = Option<&str>> {
        let text = |key| entry.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        ["operation", "time", "manager", "apiVersion", "subresource"].into_iter().map(text)
    }
    entries.sort_by(|left, right| key(left).cmp(key(right)));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ssa::apply::merged;
    use crate::ssa::builtin;
    use crate::ssa::narrow::{Narrowed, narrowed};

    /// Whatever is left to the whole is as right: that a part is enough has to be seen.
    #[test]
    fn a_part_is_enough_where_fields_change_come_go_or_are_taken_from_others() {
        let schema = builtin("", "v1", "ConfigMap").unwrap();
        let config =
            |data: Value| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": data});
        let live = merged(&schema, None, &config(json!({"a": "1", "b": "1"})), "a").unwrap().object.into_owned();
        let mut live =
            merged(&schema, Some(&live), &config(json!({"b": "1", "c": "1"})), "b").unwrap().object.into_owned();
        for entry in live["metadata"]["managedFields"].as_array_mut().unwrap() {
            entry["time"] = json!("2026-01-02T03:04:05Z");
        }
        for (data, conflicts) in [
            (json!({"a": "2", "b": "1"}), 0),
            (json!({"a": "1", "b": "1", "d": "1"}), 0),
            (json!({"b": "1"}), 0),
            (json!({"a": "1"}), 0),
            (json!({"a": "1", "b": "1", "c": "1"}), 0),
            (json!({"a": "1", "b": "2", "c": "2"}), 2),
        ] {
            let config = config(data);
            let Narrowed::Part(part) = narrowed(&schema, &live, &config, "a") else { panic!("{config}") };
            let applied = of_part(&schema, &live, "a", part).unwrap();
            assert_eq!(applied.conflicts.len(), conflicts, "{config}");
            assert_eq!(applied, merged(&schema, Some(&live), &config, "a").unwrap(), "{config}");
        }
    }

    /// Entries come in the order of their times, and what changes has none yet: it goes to the front.
    #[test]
    fn an_entry_changes_its_place_with_its_time() {
        let schema = builtin("", "v1", "ConfigMap").unwrap();
        let config = |key: &str, value: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {key: value}});
        let live = merged(&schema, None, &config("a", "1"), "late").unwrap().object.into_owned();
        let mut live = merged(&schema, Some(&live), &config("b", "1"), "early").unwrap().object.into_owned();
        let managers = |object: &Value| -> Vec<String> {
            let entries = object["metadata"]["managedFields"].as_array().unwrap();
            entries.iter().map(|entry| entry["manager"].as_str().unwrap().to_owned()).collect()
        };
        for entry in live["metadata"]["managedFields"].as_array_mut().unwrap() {
            let month = if entry["manager"] == "late" { "02" } else { "01" };
            entry["time"] = json!(format!("2026-{month}-02T03:04:05Z"));
        }
        assert_eq!(managers(&live), ["early", "late"]);
        let config = config("a", "2");
        let Narrowed::Part(part) = narrowed(&schema, &live, &config, "late") else { panic!("no part") };
        let applied = of_part(&schema, &live, "late", part).unwrap();
        assert_eq!(managers(&applied.object), ["late", "early"]);
        assert_eq!(applied, merged(&schema, Some(&live), &config, "late").unwrap());
    }
}
