//! The rules of `x-kubernetes-validations`.

use serde_json::Value;

use super::super::refusal::FieldProblem;

pub(super) fn check_rules(
    _schema: &Value,
    _object: &Value,
    _live: Option<&Value>,
    _problems: &mut Vec<FieldProblem>,
    _warnings: &mut Vec<String>,
) {
}
pub(super) fn syntax_error(_expression: &str) -> Option<String> {
    None
}
pub(super) fn uses_old_self(_expression: &str) -> bool {
    true
}
