//! The columns of Kubernetes' own kinds.
//!
//! A line of `columns.tsv` is `GROUP/KIND⇥[[NAME, TYPE, FORMAT, PRIORITY, DESCRIPTION], …]`, sorted; the descriptions of
//! name and age stand at the top of this file.

use serde_json::{Value, json};

const NAME: &str = "Name must be unique within a namespace. Is required when creating resources, although some resources \
                    may allow a client to request the generation of an appropriate name automatically. Name is primarily \
                    intended for creation idempotence and configuration definition. Cannot be updated. More info: \
                    https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names";
const AGE: &str = "CreationTimestamp is a timestamp representing the server time when this object was created. It is not \
                   guaranteed to be set in happens-before order across separate operations. Clients may not set this \
                   value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for \
                   lists. More info: \
                   https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";

/// One column.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    /// Type of its cells in OpenAPI's words, and `date`.
    pub(super) kind: String,
    pub(super) format: String,
    /// Above 0 for what only wide output shows.
    pub(super) priority: i64,
    pub(super) description: String,
}

impl Column {
    /// The column that every table begins with.
    pub(super) fn name() -> Self {
        Self::new("Name", "string", "name", NAME)
    }

    /// The age of an object.
    pub(super) fn age() -> Self {
        Self::new("Age", "date", "", AGE)
    }

    fn new(name: &str, kind: &str, format: &str, description: &str) -> Self {
        Self {
            name: name.to_owned(),
            kind: kind.to_owned(),
            format: format.to_owned(),
            priority: 0,
            description: description.to_owned(),
        }
    }

    pub(super) fn to_value(&self) -> Value {
        json!({
            "name": self.name, "type": self.kind, "format": self.format, "description": self.description,
            "priority": self.priority
        })
    }
}

/// Returns the columns of a kind that has columns of its own.
pub(super) fn of(group: &str, kind: &str) -> Option<Vec<Column>> {
    let key = format!("{group}/{kind}");
    let lines = include_str!("columns.tsv").lines();
    let (_, columns) = lines.filter_map(|line| line.split_once('\t')).find(|(line_key, _)| *line_key == key)?;
    let columns: Vec<(String, String, String, i64, String)> = serde_json::from_str(columns).ok()?;
    let column = |(name, kind, format, priority, description): (String, String, String, i64, String)| {
        let description = match description.as_str() {
            "@name" => NAME.to_owned(),
            "@age" => AGE.to_owned(),
            _ => description,
        };
        Column { name, kind, format, priority, description }
    };
    Some(columns.into_iter().map(column).collect())
}

/// Returns the columns of all other kinds.
pub(super) fn plain() -> Vec<Column> {
    vec![Column::name(), Column::new("Created At", "date", "", AGE)]
}
