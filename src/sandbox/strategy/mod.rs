//! What the server makes of an object between admission and validation, kind by kind (`pkg/registry/*/*/strategy.go`).
//!
//! A write of the object keeps the status that is stored, a write of the status keeps the rest; a generation counts the
//! changes of what was asked for; some kinds get a first status, a selector, finalizers. The order of a create is:
//! admission, uid and time and generated name, [`allocate`], [`prepare_for_create`], defaults once more (the server reads
//! back what it wrote), validation, [review](crate::sandbox::admission::review). An update goes the same way.
//!
//! Nothing is turned down here but by [`allocate`].

mod allocation;
mod autoscaler;
mod certificate;
mod claim;
mod create;
mod custom;
mod definition;
pub(crate) mod deletion;
mod disabled;
pub(crate) mod fields;
mod first_status;
mod generation;
mod job;
pub(crate) mod pod;
mod service;
mod status_write;
mod update;

pub use allocation::{Drawn, allocate};
pub use certificate::{Requester, record_requester};
pub use create::prepare_for_create;
pub use deletion::{
    Propagation, deletion_answer_is_object, deletion_warning, finalizers_on_delete, goes_already, grace_seconds,
    is_given_time, is_held,
};
pub use job::labels_follow_template;
pub use update::prepare_for_update;

#[cfg(test)]
pub(crate) mod tests;
