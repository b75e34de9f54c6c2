//! The next step: what to type, or to write into the stack file, when something was refused or kept.

use crate::diff::visible;
use crate::plan::{Action, Change, Conflict, Reason};

/// One way on: words, and what to type or write, which must not be torn apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) words: String,
    pub(super) literal: Option<String>,
}

fn step(words: impl Into<String>, literal: String) -> Step {
    Step { words: words.into(), literal: Some(literal) }
}

fn advice(words: impl Into<String>) -> Step {
    Step { words: words.into(), literal: None }
}

/// Returns what somebody can do about a change that is refused or kept.
pub(super) fn next_steps(change: &Change, kubectl: &str) -> Vec<Step> {
    let address = change.address.as_str();
    match &change.reason {
        Reason::Conflict(conflicts) => conflict_steps(address, conflicts),
        Reason::TakenByOthers { .. } => vec![
            step("to take it into this stack", flag("--adopt", address)),
            advice("to leave it alone, give the resource another name in the stack file"),
        ],
        Reason::Recreated if change.action == Action::Refuse => {
            vec![step("if it is the one you want", flag("--adopt", address))]
        }
        Reason::NoLongerOurs => vec![step("to have it back in this stack", flag("--adopt", address))],
        // What else is in it nobody looks at yet, so no flag allows it.
        Reason::HoldsData if matches!(change.object.kind.as_str(), "Namespace" | "CustomResourceDefinition") => {
            let kind = change.object.kind.to_ascii_lowercase();
            vec![step("to delete it with all that is in it", format!("{kubectl} delete {kind} {}", change.object.name))]
        }
        Reason::HoldsData => vec![step("to delete it with its data", flag("--allow-data-loss", address))],
        Reason::Protected => {
            vec![advice("to allow it, apply the stack without `protect: true` on this resource first")]
        }
        Reason::BeingDeleted => vec![advice("wait until it is gone, then plan again")],
        Reason::Rejected(_) => vec![
            advice("correct the resource in the stack file, then plan again"),
            advice("where the field is immutable, undo the change: replacing is not supported yet"),
        ],
        Reason::UnknownKind => vec![advice(format!(
            "add the CustomResourceDefinition of {} to `manifests`, or install it first",
            change.object.group_kind()
        ))],
        Reason::Unreadable(_) => vec![advice(format!(
            "make sure that you may `get` and `list` {}, then plan again",
            change.object.group_kind()
        ))],
        _ => Vec::new(),
    }
}

fn conflict_steps(address: &str, conflicts: &[Conflict]) -> Vec<Step> {
    let address = yaml(address);
    let flags: Vec<String> = conflicts.iter().map(|conflict| flag("--grant", &grant(conflict))).collect();
    let granted: Vec<String> = conflicts
        .iter()
        .map(|conflict| format!("{{manager: {}, field: {}}}", yaml(&conflict.by.manager), yaml(&conflict.field)))
        .collect();
    let fields: Vec<String> = conflicts.iter().map(|conflict| yaml(&conflict.field)).collect();
    vec![
        step("to take it this once", flags.join(" ")),
        step("to take it always, write in the stack file", format!("grant: {{{address}: [{}]}}", granted.join(", "))),
        step("to leave it to them, write in the stack file", format!("ignore: {{{address}: [{}]}}", fields.join(", "))),
    ]
}

/// Returns the value of `--grant` that allows to take this field from this manager.
fn grant(conflict: &Conflict) -> String {
    format!("{}:{}", conflict.by.manager, conflict.field)
}

/// Returns `FLAG=VALUE` as a shell takes it.
fn flag(name: &str, value: &str) -> String {
    let value = visible(value);
    let plain = |character: char| character.is_ascii_alphanumeric() || "_./:@%+,-".contains(character);
    if value.chars().all(plain) {
        format!("{name}={value}")
    } else {
        format!("{name}='{}'", value.replace('\'', r"'\''"))
    }
}

/// Returns a scalar as it may stand inside a YAML flow sequence or map.
fn yaml(text: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "_./-".contains(character);
    if text.chars().all(plain) && !text.starts_with('-') {
        text.to_owned()
    } else {
        format!("'{}'", visible(text).replace('\'', "''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::Attribution;

    #[test]
    fn what_is_to_be_typed_survives_a_shell() {
        assert_eq!(flag("--adopt", "web.Service/web"), "--adopt=web.Service/web");
        assert_eq!(flag("--grant", r#"it's:.a[name="b"]"#), r#"--grant='it'\''s:.a[name="b"]'"#);
    }

    #[test]
    fn a_conflict_can_be_taken_once_always_or_never() {
        let by = Attribution {
            manager: "hpa".to_owned(),
            operation: "Update".to_owned(),
            subresource: Some("scale".to_owned()),
            time: None,
        };
        let steps = conflict_steps("web.Deployment/web", &[Conflict { field: ".spec.replicas".to_owned(), by }]);
        let literals: Vec<&str> = steps.iter().filter_map(|step| step.literal.as_deref()).collect();
        assert_eq!(
            literals,
            [
                "--grant=hpa:.spec.replicas",
                "grant: {web.Deployment/web: [{manager: hpa, field: .spec.replicas}]}",
                "ignore: {web.Deployment/web: [.spec.replicas]}",
            ]
        );
    }
}
