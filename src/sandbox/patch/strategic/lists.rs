//! Lists: merged by the keys of their items, or as sets, and brought into order.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{
    DIRECTIVE, ELEMENT_ORDER, Merging, Problem, list_merging_of, merge_maps, named_by, unknown_directive,
    without_directives,
};
use crate::sandbox::decode::{go_print, go_type_of};
use crate::sandbox::structure::GoType;

/// Merges the lists whose order the patch tells, and takes them out of the patch.
pub(super) fn merge_ordered(
    original: &mut Map<String, Value>,
    patch: &mut Map<String, Value>,
    go_type: &GoType,
) -> Result<(), Problem> {
    let directives: Vec<String> = patch.keys().filter(|key| key.starts_with(ELEMENT_ORDER)).cloned().collect();
    for directive in directives {
        let order = match patch.remove(&directive) {
            Some(Value::Array(order)) => order,
            Some(other) => return Err(no_list(&other)),
            None => continue,
        };
        let key = named_by(&directive, ELEMENT_ORDER)?;
        let before = list_of(original.get(key))?;
        let given = list_of(patch.get(key))?;
        let merging = list_merging_of(go_type, key)?;
        check_order(given.as_deref().unwrap_or_default(), &order, merging.merge_key)?;
        let merged = match (&before, &given) {
            (None, None) => continue,
            (Some(before), None) => before.clone(),
            (None, Some(given)) => given.clone().iter_mut().filter_map(without_directives).collect(),
            (Some(before), Some(given)) => merge(before.clone(), &mut given.clone(), &merging, false)?,
        };
        let (before, given) = (before.unwrap_or_default(), given.unwrap_or_default());
        let (ours, others) = parted(merged, &order, merging.merge_key)?;
        let items = Items { are_maps: are_maps(&before, &given)?, merge_key: merging.merge_key };
        let before = if items.are_maps { as_left_behind(before, &given, merging.merge_key) } else { before };
        original.insert(key.to_owned(), Value::Array(items.ordered(ours, others, &order, &before)?));
        patch.remove(key);
    }
    Ok(())
}

/// Returns the live items as the server has them in memory once it merged the patch: it takes items out by moving the
/// rest to the left, and new items come to stand in the places that this leaves. It then takes this for the live order.
fn as_left_behind(mut before: Vec<Value>, patch: &[Value], merge_key: &str) -> Vec<Value> {
    let has_key = |item: &Value, other: &Value| item.get(merge_key) == other.get(merge_key);
    let directive = |item: &Value| item.get(DIRECTIVE).and_then(Value::as_str).map(str::to_owned);
    let mut length = before.len();
    for gone in patch.iter().filter(|item| directive(item).as_deref() == Some("delete")) {
        while let Some(position) = before.iter().take(length).position(|item| has_key(item, gone)) {
            for place in position + 1..length {
                before.swap(place - 1, place);
            }
            length -= 1;
        }
    }
    if patch.iter().any(|item| directive(item).as_deref() == Some("replace")) {
        return before;
    }
    let key = |item: &Value| item.get(merge_key).map(Value::to_string);
    let mut known: BTreeSet<Option<String>> = before.iter().take(length).map(key).collect();
    for item in patch.iter().filter(|item| item.get(DIRECTIVE).is_none()) {
        if known.insert(key(item)) {
            if let Some(place) = before.get_mut(length) {
                *place = item.clone();
            }
            length = (length + 1).min(before.len());
        }
    }
    before
}

/// Merges one list into another, or takes its items out of it.
pub(super) fn merge(
    before: Vec<Value>,
    patch: &mut [Value],
    merging: &Merging<'_>,
    deletes: bool,
) -> Result<Vec<Value>, Problem> {
    if merging.strategy != "merge" && !deletes {
        return Ok(patch.to_vec());
    }
    if before.is_empty() && patch.is_empty() {
        return Ok(before);
    }
    let items = Items { are_maps: are_maps(&before, patch)?, merge_key: merging.merge_key };
    if !items.are_maps {
        if deletes {
            let gone: BTreeSet<String> = patch.iter().map(Value::to_string).collect();
            return Ok(before.into_iter().filter(|item| !gone.contains(&item.to_string())).collect());
        }
        let mut seen = BTreeSet::new();
        let all = before.iter().chain(patch.iter());
        let merged = all.filter(|item| seen.insert(item.to_string())).cloned().collect();
        let (ours, others) = parted(merged, patch, merging.merge_key)?;
        return items.ordered(ours, others, patch, &before);
    }
    if merging.merge_key.is_empty() {
        let kind = match merging.go_type.underlying() {
            GoType::Map(..) => "map",
            GoType::Pointer(_) => "ptr",
            _ => "struct",
        };
        return Err(Problem::Other(format!("cannot merge lists without merge key for {kind}")));
    }
    let before = match with_directives(before, patch, merging.merge_key)? {
        Asked::Merge(before) => before,
        Asked::Replace(items) => return Ok(items),
    };
    let mut merged = before.clone();
    let mut places = items.places(&merged);
    let mut plain: Vec<&mut Value> = patch.iter_mut().filter(|item| item.get(DIRECTIVE).is_none()).collect();
    for item in &mut plain {
        key_of(item, merging.merge_key)?;
        let shown = items.shown(item);
        let found = places.get(&shown).and_then(|place| merged.get_mut(*place));
        match (found, &mut **item) {
            (Some(Value::Object(found)), Value::Object(item)) => {
                *found = merge_maps(std::mem::take(found), item, merging.go_type)?;
            }
            (_, item) => {
                places.entry(shown).or_insert(merged.len());
                merged.push(item.clone());
            }
        }
    }
    let order: Vec<Value> = plain.into_iter().map(|item| item.clone()).collect();
    let (ours, others) = parted(merged, &order, merging.merge_key)?;
    items.ordered(ours, others, &order, &before)
}

/// What the items with a directive ask for.
enum Asked {
    /// The others are merged into these.
    Merge(Vec<Value>),
    /// These are the list.
    Replace(Vec<Value>),
}

/// Does what items with a directive ask for.
fn with_directives(mut before: Vec<Value>, patch: &[Value], merge_key: &str) -> Result<Asked, Problem> {
    let mut replaces = false;
    for item in patch {
        let Some(directive) = item.get(DIRECTIVE) else { continue };
        match (directive.as_str(), item) {
            (Some("delete"), item) => {
                let value = key_of(item, merge_key)?;
                before.retain(|other| other.get(merge_key) != Some(value));
            }
            (Some("replace"), _) => replaces = true,
            (Some("merge"), _) => {
                return Err(Problem::Other("merging lists cannot yet be specified in the patch".to_owned()));
            }
            (_, Value::Object(item)) => return Err(unknown_directive(directive, item)),
            _ => {}
        }
    }
    if !replaces {
        return Ok(Asked::Merge(before));
    }
    let items: Vec<Value> = patch.iter().filter(|item| item.get(DIRECTIVE).is_none()).cloned().collect();
    for item in &items {
        key_of(item, merge_key)?;
    }
    Ok(Asked::Replace(items))
}

/// The items of one list.
struct Items<'k> {
    are_maps: bool,
    merge_key: &'k str,
}

impl Items<'_> {
    /// What tells an item from the others.
    fn shown(&self, item: &Value) -> String {
        let value = if self.are_maps { item.get(self.merge_key).unwrap_or(&Value::Null) } else { item };
        value.to_string()
    }

    /// Where each item of a list stands first.
    fn places(&self, list: &[Value]) -> BTreeMap<String, usize> {
        let mut places = BTreeMap::new();
        for (place, item) in list.iter().enumerate() {
            places.entry(self.shown(item)).or_insert(place);
        }
        places
    }

    /// Brings the patch's items into the order of the patch, the others into that of the server, and joins them: an item
    /// of the server stays before one of the patch where it was so.
    fn ordered(
        &self,
        mut ours: Vec<Value>,
        mut others: Vec<Value>,
        order: &[Value],
        before: &[Value],
    ) -> Result<Vec<Value>, Problem> {
        if self.are_maps {
            for item in ours.iter().chain(&others).chain(order).chain(before) {
                key_of(item, self.merge_key)?;
            }
        }
        let (order, before) = (self.places(order), self.places(before));
        // Both orders name all of their items.
        ours.sort_by_cached_key(|item| order.get(&self.shown(item)));
        others.sort_by_cached_key(|item| before.get(&self.shown(item)));
        let mut joined = Vec::with_capacity(ours.len() + others.len());
        let (mut ours, mut others) = (ours.into_iter().peekable(), others.into_iter().peekable());
        while let (Some(our), Some(other)) = (ours.peek(), others.peek()) {
            let was_before = match (before.get(&self.shown(other)), before.get(&self.shown(our))) {
                (Some(other), Some(our)) => other < our,
                _ => false,
            };
            joined.extend(if was_before { others.next() } else { ours.next() });
        }
        joined.extend(ours);
        joined.extend(others);
        Ok(joined)
    }
}

fn list_of(value: Option<&Value>) -> Result<Option<Vec<Value>>, Problem> {
    match value {
        None => Ok(None),
        Some(Value::Array(items)) => Ok(Some(items.clone())),
        Some(other) => Err(no_list(other)),
    }
}

fn no_list(value: &Value) -> Problem {
    Problem::Other(format!("expected a []interface {{}}, but received a {}", go_type_of(value)))
}

fn key_of<'v>(item: &'v Value, merge_key: &str) -> Result<&'v Value, Problem> {
    match item {
        Value::Object(map) => map.get(merge_key).ok_or_else(|| {
            Problem::Other(format!("map: {} does not contain declared merge key: {merge_key}", go_print(item)))
        }),
        other => {
            let received = go_type_of(other);
            Err(Problem::Other(format!("expected a map[string]interface {{}}, but received a {received}")))
        }
    }
}

/// Parts items into those that a list names and the others.
fn parted(items: Vec<Value>, named: &[Value], merge_key: &str) -> Result<(Vec<Value>, Vec<Value>), Problem> {
    let shown = |item: &Value| {
        if merge_key.is_empty() { Some(item.to_string()) } else { item.get(merge_key).map(Value::to_string) }
    };
    let known: BTreeSet<Option<String>> = named.iter().map(shown).collect();
    let stranger = named.iter().position(|other| !other.is_object()).filter(|_| !merge_key.is_empty());
    let (mut ours, mut others) = (Vec::new(), Vec::new());
    for item in items {
        if !merge_key.is_empty() {
            key_of(&item, merge_key)?;
        }
        if let Some(position) = stranger {
            return Err(Problem::Other(format!("value for key {position} is not a map")));
        }
        if known.contains(&shown(&item)) { ours.push(item) } else { others.push(item) }
    }
    Ok((ours, others))
}

/// Tells whether the items are maps; all must be of one type, and none a list.
fn are_maps(before: &[Value], patch: &[Value]) -> Result<bool, Problem> {
    let mut items = before.iter().chain(patch);
    let Some(first) = items.next() else {
        return Err(Problem::Other("no elements in any of the given slices".to_owned()));
    };
    if first.is_array() {
        return Err(Problem::Rejected);
    }
    let expected = go_type_of(first);
    if items.any(|item| go_type_of(item) != expected) {
        let lists = Value::Array(vec![Value::Array(before.to_vec()), Value::Array(patch.to_vec())]);
        return Err(Problem::Other(format!("list element types are not identical: {}", go_print(&lists))));
    }
    Ok(first.is_object())
}

/// Checks that a patch's items stand in the order that the patch tells.
fn check_order(patch: &[Value], order: &[Value], merge_key: &str) -> Result<(), Problem> {
    if order.is_empty() || patch.is_empty() {
        return Ok(());
    }
    let equal = |left: &Value, right: &Value| {
        if merge_key.is_empty() { Ok(left == right) } else { Ok(key_of(left, merge_key)? == key_of(right, merge_key)?) }
    };
    let has = |item: &Value, directive: &str| item.get(DIRECTIVE).and_then(Value::as_str) == Some(directive);
    let is_left_out = |item: &&Value| !merge_key.is_empty() && has(item, "delete");
    let mut items = patch.iter().filter(|item| !is_left_out(item)).peekable();
    // Items with another directive count only where something is left of the order.
    let mut rest = order.iter();
    while let Some(item) = items.peek()
        && rest.len() > 0
    {
        if item.get(DIRECTIVE).is_some() {
            items.next();
        } else if let Some(other) = rest.next()
            && equal(item, other)?
        {
            items.next();
        }
    }
    if items.peek().is_some() {
        let (patch, order) = (go_print(&Value::Array(patch.to_vec())), go_print(&Value::Array(order.to_vec())));
        return Err(Problem::Other(format!(
            "The order in patch list:\n{patch}\n doesn't match {ELEMENT_ORDER} list:\n{order}\n"
        )));
    }
    Ok(())
}
