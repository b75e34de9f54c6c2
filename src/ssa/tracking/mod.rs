//! Field managers as the server tracks them: what any write makes of `metadata.managedFields`.
//!
//! [`track_update`] is for POST, PUT and the JSON, merge and strategic merge patches, [`apply_as`] for server-side apply,
//! [`scale_entries`] and [`entries_after_scale`] for what is written through the scale subresource. [`reset_fields`] tells
//! what an endpoint leaves alone, and [`keep_times_if_equal`] undoes a write that would change nothing but times. Times and
//! versions come in from outside; neither admission nor the strategy of a kind happens here.

mod autoscaler;
mod conflict;
mod entries;
mod keep_times;
mod last_applied;
mod otherwise;
mod reset;
mod scale;
mod server_apply;
mod settle;
mod update;
mod versions;
mod written;

pub use conflict::conflict_message;
pub use keep_times::keep_times_if_equal;
pub use otherwise::held_otherwise;
pub use reset::reset_fields;
pub use scale::{ReplicasPaths, entries_after_scale, scale_entries};
pub use server_apply::{ApplyRefused, ServerApply, apply_as, apply_as_in};
pub use update::{track_update, track_update_in, track_update_of};
pub use versions::{SameFields, Versions};
pub(super) use written::as_read_back_where;
pub(crate) use written::{Written, written_of, zero_object};
pub use written::{as_read_back, as_written};

/// Who writes, and when.
#[derive(Debug, Clone, Copy)]
pub struct Writer<'a> {
    /// The field manager.
    pub manager: &'a str,
    /// The API version that the request speaks.
    pub api_version: &'a str,
    /// The subresource that is written, if any.
    pub subresource: Option<&'a str>,
    /// Now: RFC 3339, whole seconds, UTC.
    pub time: &'a str,
}

#[cfg(test)]
mod seen;
#[cfg(test)]
mod tests;
