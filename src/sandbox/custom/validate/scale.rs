//! Where the scale subresource looks for its numbers must be numbers.

use serde_json::Value;

use crate::sandbox::custom::scale::{ScalePaths, number_at, text_at};
use crate::sandbox::refusal::FieldProblem;

pub(super) fn check_spec(paths: &ScalePaths<'_>, object: &Value, problems: &mut Vec<FieldProblem>) {
    check_replicas(paths.spec_replicas, object, problems);
}

pub(super) fn check_status(paths: &ScalePaths<'_>, object: &Value, problems: &mut Vec<FieldProblem>) {
    check_replicas(paths.status_replicas, object, problems);
    if let Some(path) = paths.label_selector
        && let Err(why) = text_at(object, path)
    {
        problems.push(FieldProblem::invalid(path, &Value::from(""), why));
    }
}

fn check_replicas(path: &str, object: &Value, problems: &mut Vec<FieldProblem>) {
    match number_at(object, path) {
        Err(why) => problems.push(FieldProblem::invalid(path, &Value::from(0), why)),
        Ok(Some(replicas)) if replicas < 0 => {
            problems.push(FieldProblem::invalid(path, &Value::from(replicas), "should be a non-negative integer"));
        }
        Ok(Some(replicas)) if replicas > i64::from(i32::MAX) => {
            let detail = format!("should be less than or equal to {}", i32::MAX);
            problems.push(FieldProblem::invalid(path, &Value::from(replicas), detail));
        }
        Ok(_) => {}
    }
}
