//! What is recorded of an object after a write. Pure.

use serde_json::{Value, json};

use crate::live::Live;
use crate::plan::Change;
use crate::resource::{Digest, FIELD_MANAGER};
use crate::ssa;
use crate::state::{Entry, Intent};

/// Makes the record of an applied object out of the server's answer. `keyed` replaces the values of a Secret.
#[must_use]
pub fn recorded_entry(change: &Change, live: &Live, keyed: &dyn Fn(&Value) -> Value) -> Entry {
    let (fields, applied) = owned(live, change.object.is_secret(), keyed);
    Entry {
        address: change.address.clone(),
        api_version: change.api_version.clone(),
        uid: live.uid().to_owned(),
        desired: change.desired.unwrap_or_else(|| Digest::of(&json!(null))),
        owned: Entry::owned_digest(&fields, &applied),
        fields: fields.into(),
        applied: applied.into(),
        depends_on: change.depends_on_objects.clone(),
        protect: change.protect,
    }
}

/// Makes the record of an object of which an interrupted run recorded only that it was about to write it, and that was
/// found to be written.
#[must_use]
pub fn settled_entry(intent: &Intent, live: &Live, keyed: &dyn Fn(&Value) -> Value) -> Entry {
    let (fields, applied) = owned(live, intent.object.is_secret(), keyed);
    Entry {
        address: intent.address.clone(),
        api_version: intent.api_version.clone(),
        uid: live.uid().to_owned(),
        desired: intent.desired.unwrap_or_else(|| Digest::of(&json!(null))),
        owned: Entry::owned_digest(&fields, &applied),
        fields: fields.into(),
        applied: applied.into(),
        depends_on: intent.depends_on.clone(),
        protect: intent.protect,
    }
}

/// Returns the fields that we own, and their values.
fn owned(live: &Live, is_secret: bool, keyed: &dyn Fn(&Value) -> Value) -> (Value, Value) {
    let fields = ssa::raw_fields_of(&live.object, FIELD_MANAGER).cloned().unwrap_or_else(|| json!({}));
    let own = ssa::part_of_encoded(&live.object, &fields).map_or(Value::Null, |part| part.to_value());
    let applied = if is_secret { keyed(&own) } else { own };
    (fields, applied)
}
