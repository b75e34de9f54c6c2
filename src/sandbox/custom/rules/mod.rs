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
