//! Maps, narrowed.

use std::cmp::Ordering;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::part::{MapPart, Part};
use super::step::field_of;
use super::{Level, Sides, Walk};
use crate::ssa::merge::value_holds;
use crate::ssa::schema::{MapType, TypeRef};
use crate::ssa::stripped::{OF_SERVER, is_stripped};
use crate::ssa::text::order;

static NOTHING: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);

/// A field in which nothing changes, and its type.
type Unchanged<'a, 'v> = (&'v String, &'a TypeRef, Sides<'v>, Level);

impl<'a> Walk<'a> {
    pub(super) fn map(
        &mut self,
        declared: &'a MapType,
        live: &Map<String, Value>,
        config: &Map<String, Value>,
        sides: Sides<'_>,
        level: Level,
    ) -> Option<Part> {
        let steps = match sides.owned {
            None => &*NOTHING,
            Some(Value::Object(steps)) => steps,
            Some(_) => return self.give_up(),
        };
        let mut owned = steps.iter();
        let mut step = owned.next();
        let says_itself = step.is_some_and(|(step, _)| step == ".");
        if says_itself {
            step = owned.next();
        }
        let mut stored = live.iter();
        let mut at = stored.next();
        let mut part: Option<MapPart> = None;
        let mut unchanged: Option<Unchanged<'_, '_>> = None;
        let mut place = 0;
        for (name, config) in config {
            let live_value = loop {
                match at.map(|(stored, value)| (order(stored, name), value)) {
                    Some((Ordering::Less, _)) => at = stored.next(),
                    Some((Ordering::Equal, value)) => {
                        at = stored.next();
                        break Some(value);
                    }
                    _ => break None,
                }
            };
            let (after, field) = declared.next_field(name, place);
            place = after;
            let field = field.map(|field| &field.reference);
            let Some(reference) = field.or(declared.element.as_ref()) else { return self.give_up() };
            if self.is_nobodys(name, level) {
                let is_kept = level == Level::Metadata && OF_SERVER.contains(&name.as_str());
                if !is_kept && !live_value.is_some_and(|live| value_holds(self.types, reference, live, config)) {
                    return self.give_up();
                }
                continue;
            }
            let below = loop {
                let Some((written, below)) = step else { break None };
                let Some(field) = field_of(written) else { return self.give_up() };
                match order(field, name) {
                    Ordering::Greater => break None,
                    Ordering::Equal => {
                        step = owned.next();
                        break Some(below);
                    }
                    Ordering::Less => {
                        self.dropped(&mut part, live, field, below, level)?;
                        step = owned.next();
                    }
                }
            };
            let inside = match level {
                Level::Root if name == "metadata" => Level::Metadata,
                _ if field.is_none() => Level::Entry,
                _ => Level::Field,
            };
            let Some(live) = live_value else {
                part.get_or_insert_default().take(name, self.taken(None, Some(config), below)?);
                continue;
            };
            let sides = Sides { live, config, owned: below };
            match self.value(reference, sides, inside) {
                Some(found) => part.get_or_insert_default().take(name, found),
                None if self.gives_up => return None,
                None if unchanged
                    .is_none_or(|(_, _, found, _)| is_container(found.config) && !is_container(config)) =>
                {
                    unchanged = Some((name, reference, sides, inside));
                }
                None => {}
            }
        }
        while let Some((written, below)) = step {
            let Some(field) = field_of(written) else { return self.give_up() };
            self.dropped(&mut part, live, field, below, level)?;
            step = owned.next();
        }
        let is_owned = match level {
            Level::Root | Level::Metadata => false,
            Level::Field => config.is_empty(),
            Level::Entry => true,
        };
        // Of a step below which nothing is, the encoding need not say that it is owned.
        let is_said = sides.owned.is_some() && (says_itself || steps.is_empty() && level != Level::Root);
        if is_said != is_owned || config.is_empty() && part.is_some() {
            return self.whole(sides);
        }
        let mut part = part?;
        if !part.claims()
            && let Some((name, reference, sides, level)) = unchanged
        {
            part.take(name, self.kept(reference, sides, level)?);
        }
        let names: &[&str] = match level {
            Level::Root => &["apiVersion", "kind"],
            Level::Metadata => &["name"],
            Level::Field | Level::Entry => &[],
        };
        for name in names.iter().filter(|name| config.contains_key(**name)) {
            part.take(name, Part::named(live.get(*name), config.get(*name)));
        }
        // What nothing is claimed of goes with its last field, unless somebody else owns another.
        if part.claims() { Some(part.done(is_owned)) } else { self.whole(sides) }
    }

    /// Takes a field that the manager owns and speaks of no more.
    #[cold]
    fn dropped(
        &mut self,
        part: &mut Option<MapPart>,
        live: &Map<String, Value>,
        field: &str,
        owned: &Value,
        level: Level,
    ) -> Option<()> {
        if self.is_nobodys(field, level) {
            return self.give_up();
        }
        part.get_or_insert_default().take(field, self.taken(live.get(field), None, Some(owned))?);
        Some(())
    }

    fn is_nobodys(&self, name: &str, level: Level) -> bool {
        match level {
            Level::Root => name == "apiVersion" || name == "kind" || self.reset.field(name).is_some(),
            Level::Metadata => is_stripped(name),
            Level::Field | Level::Entry => false,
        }
    }
}

fn is_container(value: &Value) -> bool {
    value.is_object() || value.is_array()
}
