//! Defaults: what the server fills in where an object says nothing.
//!
//! Most depend on the type alone and come from a table that is checked in and was learned from a real server
//! (`table`); some depend on other fields and are rules (`rules`). What the server gives out
//! ([`given_out()`]: addresses, ports, what admission adds) is no default and is never filled in here. Defaults have no
//! owner: they are filled in after ownership has been settled.

mod fill;
mod given_out;
mod rules;
mod table;

pub use fill::with_defaults;
pub(super) use fill::{fill, fill_touched};
pub(super) use given_out::all_given_out;
pub use given_out::given_out;
pub(crate) use rules::{Rule, of as rules_of};
pub(crate) use table::{TypeDefaults, ZeroFate, is_zero, of as defaults_of};

/// Tells whether the default of a field depends on other fields, so that a rule fills it in and not the table.
#[must_use]
pub fn is_conditional(type_name: &str, field: &str) -> bool {
    rules::of(type_name).any(|rule| rule.fields.contains(&field))
}
