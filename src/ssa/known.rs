//! What is known of Kubernetes' own types beyond their schema: what Go always writes, what the server fills in.
//!
//! It lies in tables by name. Each [type table](super::schema) keeps what it found there, so that a walk over an object looks
//! no name up twice.

use super::defaults::{Rule, TypeDefaults, ZeroFate, defaults_of, rules_of};
use super::tracking::{Written, written_of};

/// What is known of one type.
pub(crate) struct Known {
    /// What Go writes of it.
    pub(crate) written: &'static Written,
    /// What is filled in, as far as it depends on nothing else.
    pub(crate) defaults: Option<&'static TypeDefaults>,
    /// What is filled in where it depends on other fields.
    pub(crate) rules: Vec<&'static Rule>,
}

impl Known {
    pub(crate) fn of(type_name: &str) -> Self {
        Self { written: written_of(type_name), defaults: defaults_of(type_name), rules: rules_of(type_name).collect() }
    }

    /// Returns what becomes of an explicit zero in a field; `None` if that is not known.
    pub(crate) fn fate_of_zero(&self, field: &str) -> Option<ZeroFate> {
        self.defaults?.fate_of_zero(field)
    }
}
