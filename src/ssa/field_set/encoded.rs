//! Encoded sets (`FieldsV1`), asked and changed as they stand: of most entries next to nothing is looked at.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::FieldSet;
use super::fields_v1::step_text;
use crate::ssa::path::PathElement;

type Steps = Map<String, Value>;

impl FieldSet {
    /// Tells whether a path of this set is in an encoded one too; `None` where that is not certain without reading it.
    pub(crate) fn meets(&self, encoded: &Steps) -> Option<bool> {
        for (element, member, children) in self.children() {
            let step = plain(step_text(element))?;
            let Some(below) = encoded.get(&step) else { continue };
            let below = below.as_object()?;
            let is_member = is_member(below);
            if member && is_member {
                return Some(true);
            }
            // Somebody owns what is inside, as one may have when a value was no single one yet.
            if member && children.is_empty() {
                return None;
            }
            if children.meets(below)? {
                return Some(true);
            }
        }
        Some(false)
    }

    /// Takes out of an encoded set what only `old` has, and puts in what only `new` has; `old` is a part of it. Tells whether
    /// that changes anything. `None` where `old` is no part of it, and then it is in pieces.
    pub(crate) fn replace(encoded: &mut Steps, old: &Self, new: &Self) -> Option<bool> {
        let mut is_changed = false;
        let (mut befores, mut afters) = (old.children().peekable(), new.children().peekable());
        loop {
            let (before, after) = match (befores.peek(), afters.peek()) {
                (None, None) => return Some(is_changed),
                (Some(before), Some(after)) => match before.0.cmp(after.0) {
                    Ordering::Less => (befores.next(), None),
                    Ordering::Equal => (befores.next(), afters.next()),
                    Ordering::Greater => (None, afters.next()),
                },
                (Some(_), None) => (befores.next(), None),
                (None, Some(_)) => (None, afters.next()),
            };
            is_changed |= replace_step(encoded, before, after)?;
        }
    }
}

/// One step of a set: its name, whether it is itself a member, and what is below it.
type Step<'s> = (&'s PathElement, bool, &'s FieldSet);

/// Does what [`FieldSet::replace`] does, for one step and what is below it.
fn replace_step(encoded: &mut Steps, before: Option<Step<'_>>, after: Option<Step<'_>>) -> Option<bool> {
    let (element, ..) = before.or(after)?;
    let (was_member, gone) = before.map_or((false, &NOTHING), |(_, member, below)| (member, below));
    let (becomes_member, come) = after.map_or((false, &NOTHING), |(_, member, below)| (member, below));
    if was_member == becomes_member && gone.is_empty() && come.is_empty() {
        return Some(false);
    }
    let step = plain(step_text(element))?;
    let Some(below) = encoded.get_mut(&step) else {
        if before.is_some() {
            return None;
        }
        let mut added = FieldSet::new();
        added.insert_node(element.clone(), becomes_member, come.clone());
        if let Value::Object(added) = added.to_fields_v1() {
            encoded.extend(added);
        }
        return Some(true);
    };
    let below = below.as_object_mut()?;
    let was_said = below.contains_key(".");
    let is_member = if was_member == becomes_member { was_said || below.is_empty() } else { becomes_member };
    if !FieldSet::replace(below, gone, come)? && was_member == becomes_member {
        return Some(false);
    }
    let has_content = below.len() > usize::from(below.contains_key("."));
    match (has_content, is_member) {
        (false, false) => drop(encoded.remove(&step)),
        (true, true) if !was_said => drop(below.insert(".".to_owned(), empty())),
        (false, true) | (true, false) => drop(below.remove(".")),
        (true, true) => {}
    }
    Some(true)
}

static NOTHING: FieldSet = FieldSet::new();

fn empty() -> Value {
    Value::Object(Map::new())
}

fn is_member(below: &Steps) -> bool {
    below.is_empty() || below.contains_key(".")
}

/// Returns a step that every encoder writes alike.
fn plain(step: String) -> Option<String> {
    let is_plain = step.bytes().all(|byte| (b' '..=b'~').contains(&byte) && !b"\\<>&".contains(&byte));
    is_plain.then_some(step)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::any_set;
    use super::*;

    proptest! {
        #[test]
        fn a_part_is_replaced_as_in_the_whole(whole in any_set(), new in any_set(), rest in any_set()) {
            let rest = rest.difference(&whole).difference(&new);
            let Value::Object(mut encoded) = whole.union(&rest).to_fields_v1() else { unreachable!() };
            let is_changed = FieldSet::replace(&mut encoded, &whole, &new).unwrap();
            prop_assert_eq!(is_changed, whole != new);
            prop_assert_eq!(Value::Object(encoded), new.union(&rest).to_fields_v1());
        }

        #[test]
        fn a_step_that_encoders_spell_differently_is_left_to_who_reads_it(odd in "[a-z]{0,3}[<>&\\\\\u{7f}\né][a-z]{0,3}") {
            let set = FieldSet::from_iter([crate::ssa::Path(vec![PathElement::field(odd)])]);
            let Value::Object(mut encoded) = set.to_fields_v1() else { unreachable!() };
            prop_assert_eq!(set.meets(&encoded), None);
            prop_assert_eq!(FieldSet::replace(&mut encoded, &set, &FieldSet::new()), None);
        }

        #[test]
        fn sets_meet_as_they_do_decoded(one in any_set(), other in any_set()) {
            let Value::Object(encoded) = other.to_fields_v1() else { unreachable!() };
            if let Some(meets) = one.meets(&encoded) {
                prop_assert_eq!(meets, !one.intersection(&other).is_empty());
            }
        }
    }
}
