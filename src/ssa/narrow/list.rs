//! Lists, narrowed.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::part::{ListPart, MapPart, Part};
use super::step::{is_written, is_written_so, write_step};
use super::{Level, Sides, Walk, is_whole};
use crate::ssa::item::{is_same_item, item_element};
use crate::ssa::path::PathElement;
use crate::ssa::schema::{Branch, ListKind, ListType, TypeRef, TypeTable};
use crate::ssa::text;

impl<'a> Walk<'a> {
    pub(super) fn list(
        &mut self,
        list: &'a ListType,
        live: &[Value],
        config: &[Value],
        sides: Sides<'_>,
        level: Level,
    ) -> Option<Part> {
        let is_owned = level == Level::Entry;
        if config.is_empty() {
            let is_same = sides.owned.map_or(!is_owned, |owned| is_owned && is_whole(owned));
            return if is_same { None } else { self.whole(sides) };
        }
        let Some(Value::Object(steps)) = sides.owned else { return self.whole(sides) };
        let says_itself = steps.contains_key(".");
        if says_itself != is_owned {
            return self.whole(sides);
        }
        match self.items(list, live, config, steps) {
            _ if self.gives_up => None,
            None => self.whole(sides),
            Some(None) => None,
            Some(Some(mut part)) => {
                if !part.claims() {
                    let Some((place, kept)) = self.first_kept(list, live, config, &part) else {
                        return self.whole(sides);
                    };
                    part.put(place, kept);
                }
                Some(part.done(is_owned))
            }
        }
    }

    /// Returns what may change, if anything, of a list whose configured items stand in the live one in their order, each once;
    /// `None` of any other.
    fn items(
        &mut self,
        list: &'a ListType,
        live: &[Value],
        config: &[Value],
        steps: &Map<String, Value>,
    ) -> Option<Option<ListPart>> {
        let mut part: Option<ListPart> = None;
        let mut wanted = config.iter();
        let mut next = wanted.next();
        let mut owned = Owned::of(steps);
        for (place, live) in live.iter().enumerate() {
            let name = only_name(list, live);
            let step = owned.step_to(self.types, list, (live, name), &mut self.step)?;
            let config = next.filter(|config| match (name, only_name(list, config)) {
                (Some((_, live)), Some((_, config))) => text::is_same(live, config),
                _ => is_same_item(self.types, list, live, config),
            });
            if config.is_some() {
                next = wanted.next();
            }
            let found = match (config, step) {
                (Some(config), Some(_)) => self
                    .value(&list.element, Sides { live, config, owned: step }, Level::Entry)
                    .map(|found| found.named_by(keys_of(list), live, config)),
                (None, None) => None,
                (config, step) => self.taken(Some(live), config, step),
            };
            if self.gives_up {
                return None;
            }
            if let Some(found) = found {
                part.get_or_insert_default().take(item_element(self.types, list, live).ok()?, place, found);
            }
        }
        if !owned.each_was_met_once() {
            return None;
        }
        if next.is_some() {
            let part = part.get_or_insert_default();
            let mut names =
                live.iter().map(|item| item_element(self.types, list, item).ok()).collect::<Option<BTreeSet<_>>>()?;
            for config in next.into_iter().chain(wanted) {
                if !names.insert(item_element(self.types, list, config).ok()?) {
                    return None;
                }
                part.append(self.taken(None, Some(config), None)?);
            }
        }
        Some(part)
    }

    /// Returns as much of the first item that is not in the part as names it.
    fn first_kept(
        &mut self,
        list: &'a ListType,
        live: &[Value],
        config: &[Value],
        part: &ListPart,
    ) -> Option<(usize, (PathElement, Part))> {
        let mut wanted = config.iter().peekable();
        let place = live.iter().enumerate().find_map(|(place, live)| {
            let config = wanted.next_if(|config| is_same_item(self.types, list, live, config))?;
            (!part.has(place)).then_some((place, live, config))
        });
        let (place, live, config) = place?;
        let name = item_element(self.types, list, live).ok()?;
        let ListKind::Map(keys) = &list.kind else { return Some((place, (name, Part::owned(live, config)))) };
        Some((place, (name, MapPart::default().done(true).named_by(keys, live, config))))
    }

    /// Returns something of a value in which nothing changes, so that what it is in is not empty.
    pub(super) fn kept(&mut self, reference: &'a TypeRef, sides: Sides<'_>, level: Level) -> Option<Part> {
        let Sides { live, config, owned } = sides;
        match (self.types.resolve(reference).branch(Some(config)), live, config) {
            (Some(Branch::Map(view)), Value::Object(live), Value::Object(config)) if !view.atomic => {
                let steps = owned.and_then(Value::as_object);
                let mut fields = config.iter().filter_map(|(name, config)| {
                    let owned = steps?.get(&format!("f:{name}"))?;
                    let declared = view.map.field(name).map(|field| &field.reference);
                    let level = if declared.is_none() { Level::Entry } else { Level::Field };
                    let reference = declared.or(view.map.element.as_ref())?;
                    Some((name, reference, Sides { live: live.get(name)?, config, owned: Some(owned) }, level))
                });
                let Some((name, reference, inside, below)) = fields.next() else { return self.whole(sides) };
                let mut part = MapPart::default();
                part.take(name, self.kept(reference, inside, below)?);
                Some(part.done(level == Level::Entry))
            }
            (Some(Branch::List(list)), Value::Array(live), Value::Array(config)) if list.kind != ListKind::Atomic => {
                let mut part = ListPart::default();
                let Some((place, kept)) = self.first_kept(list, live, config, &part) else { return self.whole(sides) };
                part.put(place, kept);
                Some(part.done(level == Level::Entry))
            }
            _ => self.whole(sides),
        }
    }
}

/// The steps to those items that the manager owns. Items that stand in the order of their steps are met one after the other.
struct Owned<'v> {
    steps: &'v Map<String, Value>,
    rest: serde_json::map::Iter<'v>,
    next: Option<(&'v String, &'v Value)>,
    met: usize,
    out_of_order: Vec<&'v str>,
}

impl<'v> Owned<'v> {
    fn of(steps: &'v Map<String, Value>) -> Self {
        let mut rest = steps.iter();
        let mut next = rest.next();
        let mut met = 0;
        if next.is_some_and(|(step, _)| step == ".") {
            (next, met) = (rest.next(), 1);
        }
        Self { steps, rest, next, met, out_of_order: Vec::new() }
    }

    /// Returns what is owned of an item, if anything; `None` where that is not sure.
    fn step_to(
        &mut self,
        types: &TypeTable,
        list: &ListType,
        (item, name): (&Value, Option<(&str, &str)>),
        written: &mut Vec<u8>,
    ) -> Option<Option<&'v Value>> {
        if let Some((step, owned)) = self.next
            && name.map_or_else(|| is_written(types, list, item, step), |name| is_written_so(name, step))
        {
            self.next = self.rest.next();
            self.met += 1;
            return Some(Some(owned));
        }
        let Some((step, owned)) = self.steps.get_key_value(write_step(types, list, item, written)?) else {
            return Some(None);
        };
        self.out_of_order.push(step);
        self.met += 1;
        Some(Some(owned))
    }

    fn each_was_met_once(mut self) -> bool {
        self.out_of_order.sort_unstable();
        let is_twice = self.out_of_order.windows(2).any(|pair| pair[0] == pair[1]);
        // What was met in order lies before the first that was not.
        let first = self.out_of_order.first();
        let is_again = first.is_some_and(|first| self.next.is_none_or(|(next, _)| *first < next.as_str()));
        self.met == self.steps.len() && !is_twice && !is_again
    }
}

fn keys_of(list: &ListType) -> &[String] {
    if let ListKind::Map(keys) = &list.kind { keys } else { &[] }
}

/// Returns the field that items are named by, and the name of one, where that is one text, as it most often is.
fn only_name<'v>(list: &'v ListType, item: &'v Value) -> Option<(&'v str, &'v str)> {
    let (ListKind::Map(keys), Value::Object(item)) = (&list.kind, item) else { return None };
    let [key] = keys.as_slice() else { return None };
    let mut fields = item.iter().filter(|(field, _)| text::is_same(field, key));
    Some((key.as_str(), fields.next()?.1.as_str()?))
}
