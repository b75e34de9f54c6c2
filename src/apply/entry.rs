//! What is recorded of an object after a write. Pure.

use serde_json::{Value, json};

use crate::live::Live;
use crate::plan::Change;
use crate::resource::{Digest, FIELD_MANAGER};
use crate::ssa;
use crate::state::Entry;

/// Makes the record of an applied object out of the server's answer. `keyed` replaces the values of a Secret.
#[must_use]
pub fn recorded_entry(change: &Change, live: &Live, keyed: &dyn Fn(&Value) -> Value) -> Entry {
    let fields = ssa::owned_by(&live.object, FIELD_MANAGER).unwrap_or_default();
    let own = ssa::extract(&live.object, &fields);
    let secret = change.object.kind == "Secret" && change.object.group.is_empty();
    let applied = if secret { keyed(&own) } else { own };
    Entry {
        address: change.address.clone(),
        api_version: change.api_version.clone(),
        uid: live.uid().to_owned(),
        desired: change.desired.unwrap_or_else(|| Digest::of(&json!(null))),
        owned: Digest::of(&applied),
        fields: fields.to_fields_v1(),
        applied,
        depends_on: change.depends_on_objects.clone(),
        protect: change.protect,
    }
}
