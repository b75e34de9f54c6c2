//! What a write asks for beside its body: the query of the request, and what is wrong with it.

use serde_json::Value;

use super::FieldValidation;
use super::scalar::{is_printable, quoted};
use crate::sandbox::refusal::{FieldProblem, Refusal};

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// POST
    Create,
    /// PUT
    Update,
    /// A JSON, merge or strategic merge patch.
    Patch,
    /// An apply patch.
    Apply,
}

/// The options of a write.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WriteOptions {
    /// Nothing is stored.
    pub dry_run: bool,
    /// Who writes, where that is said.
    pub field_manager: Option<String>,
    /// What becomes of fields that are unknown or repeated.
    pub field_validation: FieldValidation,
    /// Whether an apply takes fields from others, where that is said.
    pub force: Option<bool>,
}

const LONGEST_MANAGER: usize = 128;

impl WriteOptions {
    /// Reads the options of a decoded query; of options with one value, the first counts.
    ///
    /// # Errors
    /// 422 for options that are not valid.
    pub fn from_query(pairs: &[(String, String)], verb: Verb) -> Result<Self, Refusal> {
        let values = |name: &str| -> Vec<&str> {
            pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect()
        };
        let first = |name: &str| values(name).first().copied().unwrap_or_default();
        let (dry_run, manager, validation) = (values("dryRun"), first("fieldManager"), first("fieldValidation"));
        let is_patch = matches!(verb, Verb::Patch | Verb::Apply);
        let force = values("force").first().filter(|_| is_patch).map(|value| is_true(value));
        let mut problems = Vec::new();
        if verb == Verb::Apply && manager.is_empty() {
            problems.push(FieldProblem::required("fieldManager", "is required for apply patch"));
        }
        if verb == Verb::Patch && force.is_some() {
            problems.push(FieldProblem::forbidden("force", "may not be specified for non-apply patch"));
        }
        problems.extend(problems_of_manager("fieldManager", manager));
        if dry_run.iter().any(|value| *value != "All") {
            problems.push(FieldProblem::not_supported("dryRun", &Value::from(dry_run.clone()), &["All"]));
        }
        let field_validation = match validation {
            "" | "Warn" => FieldValidation::Warn,
            "Strict" => FieldValidation::Strict,
            "Ignore" => FieldValidation::Ignore,
            other => {
                let supported = ["", "Ignore", "Strict", "Warn"];
                problems.push(FieldProblem::not_supported("fieldValidation", &Value::from(other), &supported));
                FieldValidation::Warn
            }
        };
        if !problems.is_empty() {
            let kind = match verb {
                Verb::Create => "CreateOptions",
                Verb::Update => "UpdateOptions",
                Verb::Patch | Verb::Apply => "PatchOptions",
            };
            return Err(Refusal::invalid_as("meta.k8s.io", kind, "", &problems));
        }
        let field_manager = Some(manager.to_owned()).filter(|manager| !manager.is_empty());
        Ok(Self { dry_run: !dry_run.is_empty(), field_manager, field_validation, force })
    }
}

/// Reads a flag of a query as the server does: anything but `0` and `false` is true.
pub(crate) fn is_true(value: &str) -> bool {
    value != "0" && !value.eq_ignore_ascii_case("false")
}

/// Tells what is wrong with the name of a field manager.
pub fn problems_of_manager(field: &str, manager: &str) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    if manager.len() > LONGEST_MANAGER {
        problems.push(FieldProblem::too_long(field, LONGEST_MANAGER));
    }
    for (position, character) in manager.char_indices() {
        if !is_printable(character) {
            let detail = format!("invalid character U+{:04X} (at position {position})", u32::from(character));
            let mut problem = FieldProblem::invalid(field, &Value::Null, detail);
            problem.value = Some(quoted(manager));
            problems.push(problem);
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(verb: Verb, query: &[(&str, &str)]) -> Result<WriteOptions, Refusal> {
        let pairs: Vec<_> = query.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        WriteOptions::from_query(&pairs, verb)
    }

    fn message(verb: Verb, query: &[(&str, &str)]) -> String {
        let refusal = read(verb, query).unwrap_err();
        assert_eq!((refusal.code, refusal.reason), (422, "Invalid"));
        refusal.message
    }

    #[test]
    fn good_options_are_read() {
        let options = read(Verb::Apply, &[("fieldManager", "a"), ("force", ""), ("dryRun", "All")]).unwrap();
        assert_eq!(options.field_manager.as_deref(), Some("a"));
        assert!(options.dry_run && options.force == Some(true));
        assert_eq!(options.field_validation, FieldValidation::Warn);
        assert_eq!(read(Verb::Create, &[("force", "x")]).unwrap(), WriteOptions::default());
        assert_eq!(read(Verb::Apply, &[("fieldManager", "a"), ("force", "False")]).unwrap().force, Some(false));
    }

    #[test]
    fn bad_options_are_refused_in_the_words_of_the_server() {
        assert_eq!(
            message(Verb::Create, &[("dryRun", "All"), ("dryRun", "x"), ("fieldValidation", "Foo")]),
            r#"CreateOptions.meta.k8s.io "" is invalid: [dryRun: Unsupported value: ["All","x"]: supported values: "All", fieldValidation: Unsupported value: "Foo": supported values: "", "Ignore", "Strict", "Warn"]"#
        );
        assert_eq!(
            message(Verb::Update, &[("fieldManager", "\u{1}")]),
            r#"UpdateOptions.meta.k8s.io "" is invalid: fieldManager: Invalid value: "\x01": invalid character U+0001 (at position 0)"#
        );
        assert_eq!(
            message(Verb::Create, &[("dryRun", ""), ("fieldManager", &"a".repeat(129))]),
            r#"CreateOptions.meta.k8s.io "" is invalid: [fieldManager: Too long: may not be more than 128 bytes, dryRun: Unsupported value: [""]: supported values: "All"]"#
        );
        assert_eq!(
            message(Verb::Apply, &[]),
            r#"PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch"#
        );
        assert_eq!(
            message(Verb::Patch, &[("force", "0")]),
            r#"PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch"#
        );
    }
}
