//! Garbage collection: what becomes of objects whose owners go.

use serde_json::Value;

use super::deed::{Outcome, Propagation};
use super::fields::{flag, group_of, has_finalizer, is_leaving, items, namespace, set, text, uid, without_finalizer};
use super::offspring::MANAGER;
use crate::sandbox::view::View;

const FOREGROUND: &str = "foregroundDeletion";
const ORPHAN: &str = "orphan";

/// Looks at one object of any kind, as owner and as dependent.
pub(super) fn reconcile(view: &dyn View, object: &Value) -> Outcome {
    let mut outcome = Outcome::default();
    if is_leaving(object) {
        if has_finalizer(object, ORPHAN) {
            orphan(view, object, &mut outcome);
        } else if has_finalizer(object, FOREGROUND) {
            let blocks = |dependent: &Value| {
                let owners = items(dependent, "/metadata/ownerReferences");
                owners.iter().any(|owner| text(owner, "/uid") == uid(object) && flag(owner, "/blockOwnerDeletion"))
            };
            // Dependents go on their own; those that block keep the owner until then.
            if !view.dependents(uid(object)).iter().any(|dependent| blocks(dependent)) {
                outcome.update(without_finalizer(object, FOREGROUND), MANAGER);
            }
        }
        // What leaves with its own dependents first is a dependent no more.
        if !outcome.is_idle() || !items(object, "/metadata/finalizers").is_empty() {
            return outcome;
        }
    }
    as_dependent(view, object, &mut outcome);
    outcome
}

fn orphan(view: &dyn View, object: &Value, outcome: &mut Outcome) {
    for dependent in view.dependents(uid(object)) {
        let mut freed = (*dependent).clone();
        without_owners(&mut freed, |owner| text(owner, "/uid") == uid(object));
        outcome.update(freed, MANAGER);
    }
    outcome.update(without_finalizer(object, ORPHAN), MANAGER);
}

fn without_owners(object: &mut Value, is_gone: impl Fn(&Value) -> bool) {
    let owners: Vec<Value> =
        items(object, "/metadata/ownerReferences").iter().filter(|owner| !is_gone(owner)).cloned().collect();
    set(object, &["metadata", "ownerReferences"], Value::from(owners));
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    There,
    /// It is there until this dependent is gone.
    Waits,
    Gone,
}

fn as_dependent(view: &dyn View, object: &Value, outcome: &mut Outcome) {
    let owners = items(object, "/metadata/ownerReferences");
    if owners.is_empty() || is_leaving(object) {
        return;
    }
    let states: Vec<(&str, Owner)> =
        owners.iter().map(|owner| (text(owner, "/uid"), state(view, object, owner))).collect();
    let is = |wanted: Owner| states.iter().any(|(_, state)| *state == wanted);
    if is(Owner::There) {
        if is(Owner::Gone) || is(Owner::Waits) {
            let mut object = object.clone();
            let stays =
                |owner: &Value| states.iter().any(|(uid, state)| *uid == text(owner, "/uid") && *state == Owner::There);
            without_owners(&mut object, |owner| !stays(owner));
            outcome.update(object, MANAGER);
        }
    } else if is(Owner::Waits) && !view.dependents(uid(object)).is_empty() {
        outcome.delete_with(object, Propagation::Foreground, None);
    } else {
        outcome.delete(object);
    }
}

fn state(view: &dyn View, object: &Value, owner: &Value) -> Owner {
    let (group, kind) = (group_of(text(owner, "/apiVersion")), text(owner, "/kind"));
    let within = |namespace: &str| view.get(group, kind, namespace, text(owner, "/name"));
    let found = within(namespace(object)).or_else(|| within(""));
    match found.filter(|found| uid(found) == text(owner, "/uid")) {
        None if view.kinds().iter().any(|(served, of, _)| served == group && of == kind) => Owner::Gone,
        // Nobody knows what became of an owner whose kind is not served.
        None => Owner::There,
        Some(found) if is_leaving(&found) && has_finalizer(&found, FOREGROUND) => Owner::Waits,
        Some(_) => Owner::There,
    }
}
