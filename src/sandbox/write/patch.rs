//! The JSON, merge and strategic merge patches.

use std::sync::Arc;

use super::{Place, Written, defaulted_over, metadata, pruned, shown, update};
use crate::sandbox::decode::WriteOptions;
use crate::sandbox::patch::{PatchKind, patched};
use crate::sandbox::refusal::Refusal;
use crate::sandbox::state::State;

/// Patches an object or one of its subresources.
///
/// # Errors
/// As the server turns it down.
pub fn patch(
    state: &mut State,
    place: &Place,
    sort: PatchKind,
    body: &[u8],
    options: &WriteOptions,
) -> Result<Written, Refusal> {
    let kind = &place.kind;
    let key = state.key(kind, &place.namespace, &place.name);
    let live = state.store.get(&key).map(|stored| Arc::clone(stored.object()));
    let live = live.ok_or_else(|| Refusal::not_found(kind, &place.name))?;
    let live = shown(kind, &live);
    let decoded = patched(sort, kind, &live, body, options.field_validation)?;
    let decoded = pruned(state, kind, decoded, options)?;
    let (mut object, warnings, empties) = (decoded.object, decoded.warnings, decoded.empties);
    defaulted_over(kind, &live, &mut object);
    let settled = metadata::settle_name(place, &object).and_then(|()| metadata::settle_namespace(place, &mut object));
    let written = settled.and_then(|()| update::from_body(state, place, &live, object, &empties, options));
    let mut written = written.map_err(|refusal| refusal.after(&warnings))?;
    written.warnings.splice(0..0, warnings);
    Ok(written)
}
