//! What a refusal tells in the order of a Go map, which is another one each time, is put in order.
//!
//! - The causes of a conflict: those of one manager come together and in order, the managers in any.
//! - What is wrong with several keys of one map: several causes of the same field, one after the other.
//! - The volumes that the claims of a StatefulSet become, which are counted in the order of a map of their names.
//! - What is wrong with several fields of a custom resource.
//! - What does not fit the schema of an applied configuration: fields of a map are read in any order, and no more of them
//!   once one is not declared. Which are told is chance then; that one is, and what for, is not.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

static CLAIMED_VOLUME: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"spec\.template\.spec\.volumes\[\d+\](\.persistentVolumeClaim\.claimName|\.name)")
        .expect("a regular expression")
});

const UNDECLARED: &str = ": field not declared in schema";

/// Puts a refusal in order.
pub fn settle(status: &mut Value) {
    if status.pointer("/details/kind").is_some_and(|kind| kind == "StatefulSet") {
        uncount(status);
    }
    let message = status["message"].as_str().unwrap_or_default().to_owned();
    if let Some(settled) = typed(&message) {
        status["message"] = settled.into();
        return;
    }
    let is_conflict = status["reason"] == "Conflict";
    let is_custom = status.pointer("/details/group").is_some_and(|group| group == "differential.example.com");
    let Some(causes) = status.pointer_mut("/details/causes").and_then(Value::as_array_mut) else { return };
    if is_conflict {
        causes.sort_by_key(|cause| cause["message"].to_string());
        return;
    }
    let told = |causes: &[Value]| {
        let text = |cause: &Value| {
            format!(
                "{}: {}",
                cause["field"].as_str().unwrap_or_default(),
                cause["message"].as_str().unwrap_or_default()
            )
        };
        let mut told: Vec<String> = Vec::new();
        for text in causes.iter().map(text) {
            if !told.contains(&text) {
                told.push(text);
            }
        }
        format!("[{}]", told.join(", "))
    };
    let before = told(causes);
    if is_custom {
        causes.sort_by_key(|cause| cause["field"].to_string());
    }
    for run in causes.chunk_by_mut(|one, other| one["field"] == other["field"]) {
        run.sort_by_key(|cause| cause["message"].to_string());
    }
    let after = told(causes);
    status["message"] = message.replace(&before, &after).into();
}

/// Takes the numbers of claimed volumes out of all texts.
fn uncount(value: &mut Value) {
    match value {
        Value::String(text) if text.contains(".volumes[") => {
            *text = CLAIMED_VOLUME.replace_all(text, "spec.template.spec.volumes[<any>]$1").into_owned();
        }
        Value::Array(items) => items.iter_mut().for_each(uncount),
        Value::Object(fields) => fields.values_mut().for_each(uncount),
        _ => {}
    }
}

fn typed(message: &str) -> Option<String> {
    let (object, problems) = message.split_once("failed to create typed patch object (")?.1.split_once("): ")?;
    let head = format!("failed to create typed patch object ({object})");
    if problems.contains(UNDECLARED) {
        return Some(format!("{head}: <some field>{UNDECLARED}"));
    }
    let mut lines: Vec<&str> = problems.lines().collect();
    lines.sort_unstable();
    Some(format!("{head}: {}", lines.join("\n")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_in_no_order_is_put_in_order() {
        let cause = |field: &str, message: &str| json!({"field": field, "message": message});
        let refusal = |one: &str, other: &str| {
            json!({"message": format!("x is invalid: [a: {one}, a: {other}, b: z]"), "reason": "Invalid",
                "details": {"causes": [cause("a", one), cause("a", other), cause("b", "z")]}})
        };
        let (mut one, mut other) = (refusal("x", "y"), refusal("y", "x"));
        settle(&mut one);
        settle(&mut other);
        assert_eq!(one, other);
        assert_eq!(one, refusal("x", "y"));
        // Of a custom resource the fields come in any order too, and each with what is wrong with it; of others they do not.
        let of = |group: &str, fields: [&str; 2]| {
            let [one, other] = fields;
            let mut status = json!({"message": format!("x is invalid: [{one}: bad, {other}: bad]"), "reason": "Invalid",
                "details": {"group": group, "causes": [cause(one, "bad"), cause(other, "bad")]}});
            settle(&mut status);
            status
        };
        let ours = "differential.example.com";
        assert_eq!(of(ours, ["b", "a"]), of(ours, ["a", "b"]));
        assert_ne!(of(ours, ["b", "a"]), of(ours, ["a", "c"]));
        assert_ne!(of("apps", ["b", "a"]), of("apps", ["a", "b"]));
        let told = |problems: &str| typed(&format!("failed to create typed patch object (/a; v1, Kind=A): {problems}"));
        assert_eq!(told("errors:\n  .b: no\n  .a: no"), told("errors:\n  .a: no\n  .b: no"));
        assert_ne!(told(".b: no"), told(".a: no"));
        assert_eq!(told(".b: field not declared in schema"), told(".a: field not declared in schema"));
    }
}
