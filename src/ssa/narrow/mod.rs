//! The part of an apply that can change anything.
//!
//! Most applies change nothing, and most others one or two fields of hundreds. So configuration, live object and what the
//! manager owns, still in its encoding (`FieldsV1`), are gone through side by side before anything else: all three lie in
//! the same order. Where the live object holds what is configured, and the manager owns just that, nothing can change,
//! and it is left out; what remains is a [`Part`] of each of the three, which are merged as whole ones would be. Nothing
//! is copied that is left out, and where nothing remains, nothing is copied at all.
//!
//! Three things make the part tell the same as the whole:
//! - A map or list that holds something never becomes empty by narrowing: of one from which everything would be left out,
//!   one entry stays. Empty ones count differently.
//! - A list is narrowed only if its configured items stand in the live one in their order, with new ones behind all
//!   others. Else it is taken as a whole, as is everything else that is unusual.
//! - What the server keeps by itself, or tracks for nobody, takes no part.

mod list;
mod map;
mod part;
mod put_back;
mod step;

use std::cell::OnceCell;

use serde_json::Value;

use super::field_set::FieldSet;
use super::managed::applied_entry;
use super::schema::{ListKind, Schema, TypeRef, TypeTable};
use super::stored::is_stored_as;
use super::text;

pub(super) use self::part::{Part, Touched};
pub(super) use self::put_back::put_back;

/// What is left of an apply.
pub(super) enum Narrowed {
    /// Nothing: neither a value nor whose it is would change.
    Nothing,
    /// Nothing but this.
    Part(Part),
    /// The walk was not sure, so that the whole counts.
    Whole,
}

/// Narrows down an apply of `config` to `live` by `manager`.
pub(super) fn narrowed(schema: &Schema, live: &Value, config: &Value, manager: &str) -> Narrowed {
    let Some(entry) = applied_entry(live, manager) else { return Narrowed::Whole };
    let version = config.get("apiVersion");
    if version.is_none() || entry.get("apiVersion") != version {
        return Narrowed::Whole;
    }
    let mut walk = Walk {
        types: &schema.types,
        reset: schema.reset_fields(),
        object: live,
        entry,
        others: OnceCell::new(),
        step: Vec::new(),
        gives_up: false,
    };
    let part = walk.value(&schema.reference, Sides { live, config, owned: entry.get("fieldsV1") }, Level::Root);
    match part {
        _ if walk.gives_up => Narrowed::Whole,
        None => Narrowed::Nothing,
        // Of a whole object nothing is gained.
        Some(Part { touched: Touched::Whole, .. }) => Narrowed::Whole,
        Some(part) => Narrowed::Part(part),
    }
}

/// One place of the three. `owned` is `None` where the manager owns nothing there.
#[derive(Clone, Copy)]
struct Sides<'v> {
    live: &'v Value,
    config: &'v Value,
    owned: Option<&'v Value>,
}

/// Where a value stands. The server tracks some fields for nobody, and they are all in the first two.
#[derive(Clone, Copy, PartialEq)]
enum Level {
    Root,
    Metadata,
    /// A declared field: a map without content is owned as itself.
    Field,
    /// A key of a map or an item of a list: always owned as itself.
    Entry,
}

struct Walk<'a> {
    types: &'a TypeTable,
    reset: &'static FieldSet,
    object: &'a Value,
    /// The manager's own.
    entry: &'a Value,
    /// Whether others own content, once that was asked.
    others: OnceCell<bool>,
    /// The last step that was written, for its memory.
    step: Vec<u8>,
    /// Whether something was met of which this walk knows nothing.
    gives_up: bool,
}

impl<'a> Walk<'a> {
    /// Returns what of a value may change.
    fn value(&mut self, reference: &'a TypeRef, sides: Sides<'_>, level: Level) -> Option<Part> {
        let Sides { live, config, owned } = sides;
        if let (TypeRef::Scalar(_), Value::String(_) | Value::Number(_) | Value::Bool(_)) = (reference, config)
            && is_equal(live, config)
            && owned.is_some_and(is_whole)
        {
            return None;
        }
        match (config, live) {
            (Value::Object(config), Value::Object(live)) => {
                if let Some(view) = self.types.map_of(reference).filter(|view| !view.atomic) {
                    return self.map(view.map, live, config, sides, level);
                }
            }
            (Value::Array(config), Value::Array(live)) => {
                if let Some(list) = self.types.list_of(reference).filter(|list| list.kind != ListKind::Atomic) {
                    return self.list(list, live, config, sides, level);
                }
            }
            _ => {}
        }
        let is_same =
            !config.is_null() && owned.is_some_and(is_whole) && (live == config || self.is_respelled(reference, sides));
        if is_same { None } else { self.whole(sides) }
    }

    /// Takes a value as it is, with all that is in it.
    #[cold]
    fn whole(&mut self, Sides { live, config, owned }: Sides<'_>) -> Option<Part> {
        self.taken(Some(live), Some(config), owned)
    }

    #[cold]
    fn taken(&mut self, live: Option<&Value>, config: Option<&Value>, owned: Option<&Value>) -> Option<Part> {
        match Part::whole(live, config, owned) {
            Ok(part) => Some(part),
            Err(_) => self.give_up(),
        }
    }

    fn give_up<T>(&mut self) -> Option<T> {
        self.gives_up = true;
        None
    }

    /// Tells whether a value is stored otherwise than it is given, and nothing follows from it. The server compares a value
    /// as it is given with the value as it is stored: another spelling of it conflicts with whoever owns it too.
    fn is_respelled(&self, reference: &TypeRef, Sides { live, config, .. }: Sides<'_>) -> bool {
        is_stored_as(self.types, reference, config, live)
            && !*self.others.get_or_init(|| others_own_content(self.object, self.entry))
    }
}

/// Tells whether another entry holds more than metadata and status.
fn others_own_content(live: &Value, own: &Value) -> bool {
    let entries = live.get("metadata").and_then(|metadata| metadata.get("managedFields")?.as_array());
    entries.into_iter().flatten().filter(|entry| !std::ptr::eq(*entry, own)).any(|entry| {
        let steps = entry.get("fieldsV1").and_then(Value::as_object);
        steps.is_none_or(|steps| steps.keys().any(|step| !["f:metadata", "f:status"].contains(&step.as_str())))
    })
}

/// Compares scalars, of which most are texts.
fn is_equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::String(left), Value::String(right)) => text::is_same(left, right),
        _ => left == right,
    }
}

/// Tells whether encoded fields are a value as a whole.
fn is_whole(owned: &Value) -> bool {
    owned.as_object().is_some_and(|steps| steps.is_empty() || steps.keys().all(|step| step == "."))
}

#[cfg(test)]
mod tests;
