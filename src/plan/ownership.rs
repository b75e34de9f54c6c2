//! Whose an existing object is: ours, another stack's, or somebody's who never heard of stacks.

use std::collections::BTreeSet;

use super::{Change, Inputs, Reason};
use crate::live::Live;
use crate::resource::{FIELD_MANAGER, STACK_LABEL, stack_label};
use crate::ssa::{self, Path};
use crate::state::Entry;

/// Whose an object is that the stack declares.
pub(super) enum Claim<'a> {
    /// Ours: this very object was recorded.
    Recorded(&'a Entry),
    /// Not recorded, but to be taken into our care, and why.
    Adopted(Reason),
    /// A namespace that somebody else made.
    Used,
    /// Somebody else's; whose, in words.
    Taken(String),
}

/// Finds out whose the live object of `blank` is.
pub(super) fn claim<'a>(inputs: &Inputs<'a>, live: &Live, blank: &Change) -> Claim<'a> {
    let ours = stack_label(&inputs.stack.name, &inputs.stack.namespace);
    let elsewhere = is_of_another_stack(live, &ours);
    let recorded = inputs.state.entries.get(&blank.object);
    if let Some(entry) = recorded.filter(|entry| entry.uid == live.uid() && !elsewhere) {
        return Claim::Recorded(entry);
    }
    let label = live.label(STACK_LABEL);
    if label == Some(ours.as_str()) && ssa::owned_by(&live.object, FIELD_MANAGER).is_some() {
        return Claim::Adopted(if recorded.is_some() { Reason::Recreated } else { Reason::OursByLabel });
    }
    let others = label.filter(|label| *label != ours);
    // Also one that another stack made: several stacks may live in it.
    if blank.object.kind == "Namespace" && blank.object.group.is_empty() {
        return Claim::Used;
    }
    if inputs.policy.adopt.contains(&blank.address) {
        return Claim::Adopted(Reason::AdoptionAsked);
    }
    Claim::Taken(match others {
        Some(other) => format!("stack `{other}` (label {STACK_LABEL})"),
        None => managers(live),
    })
}

/// Tells whether another stack than the one labelled `ours` has taken an object: a label that Mathison itself applied
/// tells that. One that somebody else wrote there is drift.
#[must_use]
pub fn is_of_another_stack(live: &Live, ours: &str) -> bool {
    let path = Path::of_fields(&["metadata", "labels", STACK_LABEL]);
    live.label(STACK_LABEL).is_some_and(|label| label != ours)
        && ssa::owned_by(&live.object, FIELD_MANAGER).is_some_and(|fields| fields.contains(&path))
}

/// Names the managers of an object that is not ours.
fn managers(live: &Live) -> String {
    let entries = ssa::managed_fields(&live.object).unwrap_or_default();
    let managers: BTreeSet<String> = entries.into_iter().map(|entry| format!("`{}`", entry.manager)).collect();
    if managers.is_empty() {
        "somebody who left no trace in its managed fields".to_owned()
    } else {
        format!("field manager {}", managers.into_iter().collect::<Vec<_>>().join(", "))
    }
}
