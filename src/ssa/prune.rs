//! What an apply takes out: what the manager applied last time, applies no more, and nobody owns.

use serde_json::{Map, Value};

use super::field_set::FieldSet;
use super::item::item_element;
use super::path::PathElement;
use super::remove::{remove, removed};
use super::schema::{Branch, ListKind, ListType, MapView, Schema, TypeRef, TypeTable};
use super::set_of::{fields_inside, fields_of, named};

/// Takes out of a merged object what is in `last` and neither in `claimed`, which is what the manager applies now, nor in one
/// of `others`.
pub(crate) fn pruned(
    schema: &Schema,
    merged: Value,
    last: &FieldSet,
    claimed: &FieldSet,
    others: &[&FieldSet],
) -> Value {
    // What is claimed again stays, with all that is around it.
    let unclaimed = last.difference(claimed);
    if unclaimed.is_empty() {
        return merged;
    }
    let sets = Sets { last, claimed, unclaimed: &unclaimed, others: others.to_vec() };
    let gone = plainly_gone(&schema.types, &schema.reference, &merged, &sets);
    let gone = gone.unwrap_or_else(|| gone_of_part(schema, &merged, &sets));
    if gone.is_empty() { merged } else { removed(schema, merged, &gone) }
}

/// Returns what goes where that is plain: of what is claimed no more, all was applied, and nobody else owns anything of it.
/// It goes as it is. `None` where it is not plain.
fn plainly_gone(types: &TypeTable, reference: &TypeRef, merged: &Value, sets: &Sets<'_>) -> Option<FieldSet> {
    let mut gone = FieldSet::new();
    match (types.resolve(reference).branch(Some(merged))?, merged) {
        (Branch::Map(view), Value::Object(map)) if !view.atomic => {
            for (element, ..) in sets.unclaimed.children() {
                let PathElement::Field(name) = element else { return None };
                let Some(value) = map.get(name) else { continue };
                let inner = sets.below(element);
                let goes_with_content = view.map.field(name).is_some();
                let place = Place { element, goes_with_content, around: sets };
                inner.plainly_gone(types, view.map.under(name)?, value, place, &mut gone)?;
            }
        }
        (Branch::List(list), Value::Array(items)) if list.kind != ListKind::Atomic => {
            for item in items {
                let element = item_element(types, list, item).ok()?;
                let Some(inner) = sets.at(&element) else { continue };
                let place = Place { element: &element, goes_with_content: false, around: sets };
                inner.plainly_gone(types, &list.element, item, place, &mut gone)?;
            }
        }
        _ => return None,
    }
    Some(gone)
}

/// Returns what goes, looking at nothing but the part of the object that it can be in.
fn gone_of_part(schema: &Schema, merged: &Value, sets: &Sets<'_>) -> FieldSet {
    let mut part = Part::default();
    let value = Narrowing { types: &schema.types }.value(&schema.reference, merged, sets, &mut part);
    let mut gone = gone(schema, &value, &part.last, &part.owned);
    gone.subtract(&part.stays);
    gone
}

/// Returns what goes, in the steps in which the server finds it.
fn gone(schema: &Schema, merged: &Value, last: &FieldSet, owned: &FieldSet) -> FieldSet {
    let last = named(schema, last);
    let in_merged = named(schema, &fields_of(schema, merged));
    let fields_left = |value: &Value| named(schema, &fields_of(schema, value));

    let bare = remove(schema, merged, &last);
    let kept = fields_left(&bare).union(&named(schema, owned));
    let with_owned = remove(schema, merged, &in_merged.difference(&kept));
    // What goes along with an item that was ours, but was not itself applied by us, comes back.
    in_merged.difference(&fields_left(&with_owned)).intersection(&last)
}

/// Where a value is.
struct Place<'s> {
    element: &'s PathElement,
    /// Whether it is a declared field, which goes with the last of its content. Items and keys of maps stay.
    goes_with_content: bool,
    /// Who owns what of what it is in.
    around: &'s Sets<'s>,
}

/// Who owns what below a place.
struct Sets<'s> {
    last: &'s FieldSet,
    claimed: &'s FieldSet,
    /// What is claimed no more.
    unclaimed: &'s FieldSet,
    others: Vec<&'s FieldSet>,
}

/// The same of the part that counts.
#[derive(Default)]
struct Part {
    last: FieldSet,
    owned: FieldSet,
    /// What stays in any case, for something that is claimed is in it.
    stays: FieldSet,
    /// Whether the place itself is one of these.
    is_claimed: bool,
}

/// Finds the part of an object that something can go from.
///
/// Below a place that is claimed, a child of which the manager applied nothing, or applies all that it did, stays as it is;
/// and what goes beside it goes just so without it, for the place itself stays either way. Below a place that is not claimed
/// everything counts.
struct Narrowing<'a> {
    types: &'a TypeTable,
}

impl<'a> Narrowing<'a> {
    fn value(&self, reference: &'a TypeRef, value: &Value, sets: &Sets<'_>, part: &mut Part) -> Value {
        if !sets.claimed.is_empty() {
            match (self.types.resolve(reference).branch(Some(value)), value) {
                (Some(Branch::Map(view)), Value::Object(map)) if !view.atomic => {
                    part.is_claimed = true;
                    return Value::Object(self.map(view, map, sets, part, &[]));
                }
                (Some(Branch::List(list)), Value::Array(items)) if list.kind != ListKind::Atomic => {
                    part.is_claimed = true;
                    return Value::Array(self.list(list, items, sets, part));
                }
                _ => {}
            }
        }
        *part = sets.whole();
        value.clone()
    }

    /// `names` are those of fields that are kept in any case.
    fn map(
        &self,
        view: MapView<'a>,
        map: &Map<String, Value>,
        sets: &Sets<'_>,
        part: &mut Part,
        names: &[String],
    ) -> Map<String, Value> {
        let mut kept = Map::new();
        for (name, value) in map {
            let element = PathElement::field(name.as_str());
            let is_kept = names.contains(name);
            let inner = self.child(view.map.under(name), value, element, sets, part, is_kept);
            kept.extend(inner.map(|inner| (name.clone(), inner)));
        }
        kept
    }

    fn list(&self, list: &'a ListType, items: &[Value], sets: &Sets<'_>, part: &mut Part) -> Vec<Value> {
        let part_of = |item: &Value, part: &mut Part| {
            let Ok(element) = item_element(self.types, list, item) else { return Some(item.clone()) };
            self.item(list, item, element, sets, part)
        };
        items.iter().filter_map(|item| part_of(item, part)).collect()
    }

    /// Narrows an item down where nothing can change what it is called by.
    fn item(
        &self,
        list: &'a ListType,
        item: &Value,
        element: PathElement,
        sets: &Sets<'_>,
        part: &mut Part,
    ) -> Option<Value> {
        let inner = sets.at(&element)?;
        let (ListKind::Map(names), Value::Object(map)) = (&list.kind, item) else {
            return self.child(Some(&list.element), item, element, sets, part, false);
        };
        let is_named = names.iter().all(|name| map.contains_key(name) && inner.claimed.field(name).is_some());
        let view = match self.types.resolve(&list.element).branch(Some(item)) {
            Some(Branch::Map(view)) if is_named && !view.atomic => view,
            _ => return self.child(Some(&list.element), item, element, sets, part, true),
        };
        let mut below = Part { is_claimed: true, ..Part::default() };
        let kept = self.map(view, map, &inner, &mut below, names);
        part.take(element, sets, below);
        Some(Value::Object(kept))
    }

    fn child(
        &self,
        reference: Option<&'a TypeRef>,
        value: &Value,
        element: PathElement,
        sets: &Sets<'_>,
        part: &mut Part,
        is_kept: bool,
    ) -> Option<Value> {
        let inner = match sets.at(&element) {
            Some(inner) => inner,
            None if is_kept => sets.below(&element),
            None => return None,
        };
        let mut below = Part::default();
        let value = match reference {
            Some(reference) if !is_kept => self.value(reference, value, &inner, &mut below),
            _ => {
                below = inner.whole();
                value.clone()
            }
        };
        part.take(element, sets, below);
        Some(value)
    }
}

static NOTHING: FieldSet = FieldSet::new();

impl<'s> Sets<'s> {
    /// Returns the sets below a step, if something can go from there.
    fn at(&self, element: &PathElement) -> Option<Self> {
        self.unclaimed.child(element).map(|_| self.below(element))
    }

    /// Finds what plainly goes of a value, of which these are the sets.
    fn plainly_gone(
        &self,
        types: &TypeTable,
        reference: &TypeRef,
        value: &Value,
        place: Place<'_>,
        gone: &mut FieldSet,
    ) -> Option<()> {
        let Place { element, goes_with_content, around } = place;
        let (was_applied, _) = around.last.child(element)?;
        if around.claimed.child(element).is_some() {
            // What was applied itself and is claimed only in part may be emptied by it.
            gone.insert_node(element.clone(), false, plainly_gone(types, reference, value, self)?);
            return Some(());
        }
        let has_fields = value.is_object() || value.is_array();
        let is_all = (was_applied || goes_with_content && has_fields && !self.last.is_empty())
            && (!has_fields || fields_inside(types, reference, value).is_subset(self.last));
        let is_others = around.others.iter().any(|fields| fields.child(element).is_some());
        if !is_all || is_others {
            return None;
        }
        gone.insert_bare(element.clone());
        Some(())
    }

    fn below(&self, element: &PathElement) -> Self {
        let inside = |fields: &&'s FieldSet| fields.child(element).map_or(&NOTHING, |(_, below)| below);
        Self {
            last: inside(&self.last),
            claimed: inside(&self.claimed),
            unclaimed: inside(&self.unclaimed),
            others: self.others.iter().map(inside).filter(|fields| !fields.is_empty()).collect(),
        }
    }

    fn whole(&self) -> Part {
        let owned = self.others.iter().fold(self.claimed.clone(), |owned, fields| owned.union(fields));
        Part { last: self.last.clone(), owned, ..Part::default() }
    }

    fn owns(&self, element: &PathElement) -> bool {
        let is_member = |fields: &FieldSet| fields.child(element).is_some_and(|(member, _)| member);
        is_member(self.claimed) || self.others.iter().any(|fields| is_member(fields))
    }
}

impl Part {
    fn take(&mut self, element: PathElement, sets: &Sets<'_>, below: Self) {
        let was_applied = sets.last.child(&element).is_some_and(|(member, _)| member);
        self.owned.insert_node(element.clone(), sets.owns(&element), below.owned);
        self.stays.insert_node(element.clone(), below.is_claimed, below.stays);
        self.last.insert_node(element, was_applied, below.last);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::ssa::field_set::tests::set as field_set;
    use crate::ssa::properties::{LEDGERS, config};
    use crate::ssa::{FieldSet, builtin, merge, set_of};

    /// Some of the paths of a set, by a row of chances; items whose own path is left out are rare in life, and allowed.
    fn thinned(fields: &FieldSet, chances: &[bool]) -> FieldSet {
        let chances = chances.iter().copied().chain(std::iter::repeat(true));
        fields.iter().zip(chances).filter(|(_, stays)| *stays).map(|(path, _)| path).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

        #[test]
        fn what_goes_is_found_in_the_part_as_in_the_whole(
            configs in [config(), config(), config(), config()],
            chances in [proptest::collection::vec(any::<bool>(), 0..40), proptest::collection::vec(any::<bool>(), 0..40)],
            claims_whole_sets in any::<bool>(),
        ) {
            let [mine_now, mine_before, theirs, live] = configs;
            let set = |config: &Value| set_of(&LEDGERS, config).unwrap();
            let merged = merge(&LEDGERS, &live, &theirs).unwrap();
            let merged = merge(&LEDGERS, &merged, &mine_before).unwrap();
            let merged = merge(&LEDGERS, &merged, &mine_now).unwrap();
            let claimed = set(&mine_now);
            // What was recorded need not be what an apply records.
            let last = if claims_whole_sets { set(&mine_before) } else { thinned(&set(&mine_before).union(&set(&live)), &chances[0]) };
            let (one, other) = (thinned(&set(&theirs), &chances[1]), thinned(&set(&live), &chances[0]));
            let others = [&one, &other];
            let owned = claimed.union(&one).union(&other);
            let whole = removed(&LEDGERS, merged.clone(), &gone(&LEDGERS, &merged, &last, &owned));
            prop_assert_eq!(pruned(&LEDGERS, merged, &last, &claimed, &others), whole);
        }
    }

    #[test]
    fn what_is_emptied_goes_as_in_the_whole() {
        let schema = builtin("", "v1", "ConfigMap").unwrap();
        let merged = json!({"data": {"a": "1", "b": "2"}, "metadata": {"labels": {"c": "3"}}});
        let rows: [(&[&str], &[&str]); 6] = [
            (&[".data.a", ".data.b"], &[".data"]),
            (&[".data", ".data.a", ".data.b"], &[".data"]),
            (&[".data", ".data.a", ".data.b"], &[".metadata.labels.c"]),
            (&[".data", ".data.a", ".data.b"], &[".data.b"]),
            (&[".data", ".data.a"], &[".data.b"]),
            (
                &[".data", ".data.a", ".metadata.labels", ".metadata.labels.c"],
                &[".data", ".data.a", ".metadata.labels"],
            ),
        ];
        for (last, claimed) in rows {
            let (last, claimed) = (field_set(last), field_set(claimed));
            let whole = removed(&schema, merged.clone(), &gone(&schema, &merged, &last, &claimed));
            assert_eq!(pruned(&schema, merged.clone(), &last, &claimed, &[]), whole, "{last:?} and then {claimed:?}");
        }
    }

    #[test]
    fn nothing_else_is_looked_at() {
        let object = |open: Value| json!({"spec": {"title": "x", "accounts": [{"name": "bank", "open": open}, {"name": "cash", "tags": ["one"]}]}});
        let (before, now) = (
            object(json!(true)),
            json!({"spec": {"title": "x", "accounts": [{"name": "bank"}, {"name": "cash", "tags": ["one"]}]}}),
        );
        let (last, claimed) = (set_of(&LEDGERS, &before).unwrap(), set_of(&LEDGERS, &now).unwrap());
        let mut part = Part::default();
        let unclaimed = last.difference(&claimed);
        let sets = Sets { last: &last, claimed: &claimed, unclaimed: &unclaimed, others: Vec::new() };
        let value = Narrowing { types: &LEDGERS.types }.value(&LEDGERS.reference, &before, &sets, &mut part);
        assert_eq!(value, json!({"spec": {"accounts": [{"name": "bank", "open": true}]}}));
        assert_eq!(pruned(&LEDGERS, before, &last, &claimed, &[]), now);
    }
}
