//! The columns that a custom kind's definition lists.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::age::age;
use super::columns::Column;
use super::fields::Fields;
use super::json_path::JsonPath;
use crate::sandbox::kind::Custom;

/// The name and the listed columns; the age where none are listed.
pub(super) struct PrinterColumns<'k> {
    columns: Vec<(JsonPath, &'k Value)>,
}

impl<'k> PrinterColumns<'k> {
    pub(super) fn of(custom: &'k Custom) -> Self {
        let listed = custom.version.get("additionalPrinterColumns").and_then(Value::as_array);
        let column = |column: &'k Value| {
            let path = Fields(column).text("/jsonPath");
            JsonPath::parse(path).map(|path| (path, column))
        };
        Self { columns: listed.into_iter().flatten().filter_map(column).collect() }
    }

    pub(super) fn columns(&self) -> Vec<Column> {
        let mut columns = vec![Column::name()];
        if self.columns.is_empty() {
            columns.push(Column::age());
        }
        columns.extend(self.columns.iter().map(|(_, listed)| {
            let listed = Fields(listed);
            let path = listed.text("/jsonPath");
            let generated = format!("Custom resource definition column (in JSONPath format): {path}");
            Column {
                name: listed.text("/name").to_owned(),
                kind: listed.text("/type").to_owned(),
                format: listed.text("/format").to_owned(),
                priority: listed.integer("/priority"),
                description: listed.text_or("/description", &generated).to_owned(),
            }
        }));
        columns
    }

    pub(super) fn cells(&self, object: &Value, now: Timestamp) -> Vec<Value> {
        let fields = Fields(object);
        let mut cells = vec![json!(fields.name())];
        if self.columns.is_empty() {
            cells.push(fields.age(now));
        }
        cells.extend(self.columns.iter().map(|(path, listed)| {
            let found = path.first(object);
            found.map_or(Value::Null, |value| cell(Fields(listed).text("/type"), &value, now))
        }));
        cells
    }
}

/// Writes a value as its column's type asks for; what does not fit is no value.
fn cell(kind: &str, value: &Value, now: Timestamp) -> Value {
    match (kind, value) {
        ("string", Value::String(text)) => json!(text),
        // Maps and lists as JSON, all else as Go prints it, which is the same for what a custom resource can hold.
        ("string", other) => json!(other.to_string()),
        ("integer", Value::Number(number)) => match number.as_i64() {
            Some(number) => json!(number),
            #[expect(clippy::cast_possible_truncation, reason = "the server cuts fractions off as well")]
            None => number.as_f64().map_or(Value::Null, |number| json!(number as i64)),
        },
        ("number", Value::Number(number)) => match number.as_i64() {
            Some(number) => json!(number),
            None => value.clone(),
        },
        ("boolean", Value::Bool(_)) => value.clone(),
        ("date", Value::String(text)) if text.is_empty() => json!("<unknown>"),
        ("date", Value::String(text)) => match text.parse::<Timestamp>() {
            Ok(_) => json!(age(text, now)),
            Err(_) => json!("<invalid>"),
        },
        _ => Value::Null,
    }
}
