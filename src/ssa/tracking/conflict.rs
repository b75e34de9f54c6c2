//! How the server words a conflict.

use std::collections::BTreeMap;

use super::entries::Identity;
use crate::ssa::apply::FieldConflict;
use crate::ssa::managed::{ManagedEntry, Operation};

/// Returns the message of a refusal because of conflicts, and its causes: each a message and a field.
#[must_use]
pub fn conflict_message(conflicts: &[FieldConflict]) -> (String, Vec<(String, String)>) {
    let causes = conflicts
        .iter()
        .map(|conflict| (format!("conflict with {}", described(&conflict.entry)), conflict.path.to_string()))
        .collect();
    if let [only] = conflicts {
        let message = format!("Apply failed with 1 conflict: conflict with {}: {}", described(&only.entry), only.path);
        return (message, causes);
    }
    let mut by_manager: BTreeMap<String, Vec<&FieldConflict>> = BTreeMap::new();
    for conflict in conflicts {
        by_manager.entry(Identity::of_entry(&conflict.entry).text()).or_default().push(conflict);
    }
    let mut lines = Vec::new();
    for conflicts in by_manager.values() {
        lines.extend(conflicts.first().map(|first| format!("conflicts with {}:", described(&first.entry))));
        lines.extend(conflicts.iter().map(|conflict| format!("- {}", conflict.path)));
    }
    (format!("Apply failed with {} conflicts: {}", conflicts.len(), lines.join("\n")), causes)
}

fn described(entry: &ManagedEntry) -> String {
    let mut text = format!("{:?}", entry.manager);
    if let Some(subresource) = &entry.subresource {
        text += &format!(" with subresource {subresource:?}");
    }
    if entry.operation == Operation::Update {
        text += &format!(" using {}", entry.api_version);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ssa::{FieldSet, Path};

    fn conflict(manager: &str, operation: Operation, subresource: Option<&str>, path: &str) -> FieldConflict {
        FieldConflict {
            path: Path::parse(path).unwrap(),
            entry: ManagedEntry {
                manager: manager.to_owned(),
                operation,
                api_version: "v1".to_owned(),
                time: None,
                subresource: subresource.map(str::to_owned),
                fields: FieldSet::new(),
            },
        }
    }

    #[test]
    fn conflicts_are_worded_as_the_server_words_them() {
        let one = [conflict("a", Operation::Apply, None, ".data.a")];
        assert_eq!(conflict_message(&one).0, "Apply failed with 1 conflict: conflict with \"a\": .data.a");
        let two = [
            conflict("put", Operation::Update, Some("status"), ".data.z"),
            conflict("a", Operation::Apply, None, ".data.a"),
        ];
        let (message, causes) = conflict_message(&two);
        assert_eq!(
            message,
            "Apply failed with 2 conflicts: conflicts with \"a\":\n- .data.a\nconflicts with \"put\" with subresource \
             \"status\" using v1:\n- .data.z"
        );
        assert_eq!(causes[1], ("conflict with \"a\"".to_owned(), ".data.a".to_owned()));
    }
}
