//! Objects as a table, as `kubectl get` shows them: the server decides on the columns and writes the cells.

mod age;
mod cells;
mod columns;
mod custom;
mod fields;
mod json_path;
mod selector;

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

pub use self::age::human_duration;
use self::columns::Column;
use self::custom::PrinterColumns;
use self::fields::Fields;
pub(super) use self::selector::selector_text;
use super::convert;
use super::kind::Kind;
use super::read::own_metadata;

/// How much of an object comes along with its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IncludeObject {
    /// Nothing.
    None,
    /// Its metadata.
    #[default]
    Metadata,
    /// All of it.
    Object,
}

impl IncludeObject {
    /// Reads the query parameter `includeObject`; `None` for what the server does not know.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "" | "Metadata" => Some(Self::Metadata),
            "None" => Some(Self::None),
            "Object" => Some(Self::Object),
            _ => None,
        }
    }
}

/// The version of `meta.k8s.io` in which a table is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TableVersion {
    /// `v1`
    #[default]
    V1,
    /// `v1beta1`
    V1Beta1,
}

impl TableVersion {
    fn api_version(self) -> &'static str {
        match self {
            Self::V1 => "meta.k8s.io/v1",
            Self::V1Beta1 => "meta.k8s.io/v1beta1",
        }
    }
}

/// One row: its cells, and whether what it shows is over.
struct Row {
    cells: Vec<Value>,
    conditions: Option<Value>,
}

impl From<Vec<Value>> for Row {
    fn from(cells: Vec<Value>) -> Self {
        Self { cells, conditions: None }
    }
}

/// Returns objects as a table.
///
/// `list_metadata` is the metadata of the list, or of the one object of a single read or a watch event; it tells the
/// resource version and how a list goes on. `is_list_head` is false for all events of a watch but the first: the columns
/// are told once.
///
/// Cells are told from the version in which objects are stored: of a HorizontalPodAutoscaler, version 1 keeps most metrics
/// in annotations.
#[must_use]
pub fn table(
    kind: &Kind,
    objects: &[Arc<Value>],
    list_metadata: &Value,
    include_object: IncludeObject,
    now: Timestamp,
    is_list_head: bool,
    version: TableVersion,
) -> Value {
    let mut metadata = Map::new();
    for key in ["resourceVersion", "continue", "remainingItemCount"] {
        if let Some(value) = list_metadata.get(key).filter(|value| **value != json!("")) {
            metadata.insert(key.to_owned(), value.clone());
        }
    }
    let printer = Printer::of(kind);
    let mut objects: Vec<&Arc<Value>> = objects.iter().collect();
    if kind.is("flowcontrol.apiserver.k8s.io", "FlowSchema") {
        // Those that are matched first come first.
        objects.sort_by_key(|object| Fields(object).integer("/spec/matchingPrecedence"));
    }
    let rows: Vec<Value> = objects
        .iter()
        .map(|object| {
            let held = convert::held(kind, object);
            let row = printer.row(&held, now);
            let shown = match include_object {
                IncludeObject::Object => shown(kind, object, include_object, version),
                _ => shown(kind, &held, include_object, version),
            };
            match row.conditions {
                Some(conditions) => json!({"cells": row.cells, "conditions": conditions, "object": shown}),
                None => json!({"cells": row.cells, "object": shown}),
            }
        })
        .collect();
    let columns = is_list_head.then(|| printer.columns().iter().map(Column::to_value).collect::<Vec<_>>());
    // Of an empty list the table of a kind without columns of its own has not even empty rows.
    let rows = if rows.is_empty() && matches!(printer, Printer::Plain) { Value::Null } else { Value::Array(rows) };
    json!({
        "kind": "Table", "apiVersion": version.api_version(), "metadata": metadata, "columnDefinitions": columns, "rows": rows
    })
}

fn shown(kind: &Kind, object: &Value, include: IncludeObject, version: TableVersion) -> Value {
    // The bookmark after the initial events is told by its annotation, so that it always comes along.
    let is_bookmark = Fields(object).at("/metadata/annotations/k8s.io~1initial-events-end").is_some();
    match include {
        IncludeObject::None if !is_bookmark => Value::Null,
        IncludeObject::Object => {
            let mut whole = object.clone();
            if let Some(map) = whole.as_object_mut() {
                map.insert("apiVersion".to_owned(), Value::from(kind.api_version()));
                map.insert("kind".to_owned(), Value::from(kind.kind.as_str()));
            }
            whole
        }
        IncludeObject::None | IncludeObject::Metadata => {
            let metadata = own_metadata(object);
            json!({"kind": "PartialObjectMetadata", "apiVersion": version.api_version(), "metadata": metadata})
        }
    }
}

/// What writes the rows of a kind.
enum Printer<'k> {
    /// Columns and cells of one of Kubernetes' own kinds.
    Own(Vec<Column>, cells::Print),
    /// Those that a custom kind's definition lists.
    Custom(PrinterColumns<'k>),
    /// The name and the time of creation.
    Plain,
}

impl<'k> Printer<'k> {
    fn of(kind: &'k Kind) -> Self {
        if let Some(custom) = &kind.custom {
            return Self::Custom(PrinterColumns::of(custom));
        }
        match (columns::of(&kind.group, &kind.kind), cells::printer(&kind.group, &kind.kind)) {
            (Some(columns), Some(print)) => Self::Own(columns, print),
            _ => Self::Plain,
        }
    }

    fn columns(&self) -> Vec<Column> {
        match self {
            Self::Own(columns, _) => columns.clone(),
            Self::Custom(custom) => custom.columns(),
            Self::Plain => columns::plain(),
        }
    }

    fn row(&self, object: &Value, now: Timestamp) -> Row {
        let fields = Fields(object);
        match self {
            Self::Own(_, print) => print(fields, now),
            Self::Custom(custom) => custom.cells(object, now).into(),
            Self::Plain => {
                let created = match fields.text("/metadata/creationTimestamp") {
                    "" => "0001-01-01T00:00:00Z",
                    created => created,
                };
                vec![json!(fields.name()), json!(created)].into()
            }
        }
    }
}

#[cfg(test)]
mod tests;
