//! Paths of fields, and the problems that are told about them.

use std::fmt;

use serde_json::Value;

use crate::sandbox::refusal::{FieldProblem, ProblemSort, escaped};

/// Where a field is: `spec.containers[0].name`.
#[derive(Debug, Clone)]
pub(super) struct Path(String);

impl Path {
    /// A path that begins here; empty for the object itself.
    pub(super) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub(super) fn child(&self, name: &str) -> Self {
        if self.0.is_empty() { Self(name.to_owned()) } else { Self(format!("{}.{name}", self.0)) }
    }

    pub(super) fn index(&self, index: usize) -> Self {
        Self(format!("{}[{index}]", self.0))
    }

    pub(super) fn key(&self, key: &str) -> Self {
        Self(format!("{}[{key}]", self.0))
    }

    pub(super) fn required(&self, detail: &str) -> FieldProblem {
        FieldProblem::required(self.0.as_str(), detail)
    }

    pub(super) fn invalid(&self, value: impl Into<Value>, detail: &str) -> FieldProblem {
        FieldProblem::invalid(self.0.as_str(), &value.into(), detail)
    }

    /// One problem for each message about the same value.
    pub(super) fn each(&self, value: &str, messages: Vec<String>) -> impl Iterator<Item = FieldProblem> {
        messages.into_iter().map(move |message| self.invalid(value, &message))
    }

    /// An invalid value that is shown in a text of its own, such as a structure in the server's internal form.
    pub(super) fn invalid_shown(&self, shown: String, detail: &str) -> FieldProblem {
        FieldProblem {
            sort: ProblemSort::Invalid,
            field: self.0.clone(),
            detail: detail.to_owned(),
            value: Some(escaped(&shown)),
        }
    }

    /// An invalid value that is not shown.
    pub(super) fn invalid_unshown(&self, detail: &str) -> FieldProblem {
        FieldProblem { sort: ProblemSort::Invalid, field: self.0.clone(), detail: detail.to_owned(), value: None }
    }

    pub(super) fn not_supported(&self, value: impl Into<Value>, supported: &[&str]) -> FieldProblem {
        FieldProblem::not_supported(self.0.as_str(), &value.into(), supported)
    }

    pub(super) fn duplicate(&self, value: impl Into<Value>) -> FieldProblem {
        FieldProblem::duplicate(self.0.as_str(), &value.into())
    }

    pub(super) fn forbidden(&self, detail: &str) -> FieldProblem {
        FieldProblem::forbidden(self.0.as_str(), detail)
    }

    pub(super) fn not_found(&self, value: impl Into<Value>) -> FieldProblem {
        FieldProblem::not_found(self.0.as_str(), &value.into())
    }

    pub(super) fn too_long(&self, most_bytes: usize) -> FieldProblem {
        FieldProblem::too_long(self.0.as_str(), most_bytes)
    }

    pub(super) fn too_many(&self, actual: usize, most: usize) -> FieldProblem {
        FieldProblem::too_many(self.0.as_str(), actual, most)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
