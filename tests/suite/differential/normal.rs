//! What two servers may say differently: as little as can be.
//!
//! - `uid`s, `resourceVersion`s, cluster addresses and ports of nodes that were drawn become the number of their first
//!   appearance in the sequence: two that are equal on one server must be so on the other.
//! - A time within a day of now becomes `<now>`; times that a request names lie in the past and stay. The entries of
//!   `managedFields` come in the order of their times, which two servers cross at different moments: they are put in the
//!   order of their names here.
//! - The random ends of generated names go (lists have those objects in the order in which they came to be), and continue
//!   tokens, and the versions of lists, which count what others write too.
//! - Ages in tables become `<age>`.
//! - Which of several values is told to be no base64: Go walks maps in any order, so the place in the value goes.

use std::sync::LazyLock;

use jiff::{SignedDuration, Timestamp};
use regex::{Captures, Regex};
use serde_json::{Map, Value};

use super::request::Reply;

static UID: LazyLock<Regex> =
    LazyLock::new(|| regex("(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"));
static TIME: LazyLock<Regex> = LazyLock::new(|| regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"));
static MADE: LazyLock<Regex> = LazyLock::new(|| regex("(?i)(made|kube-api-access)-[bcdfghjklmnpqrstvwxz2456789]{5}"));
static ADDRESS: LazyLock<Regex> = LazyLock::new(|| regex(r"\b10\.96\.\d+\.\d+"));
static NODE_PORT: LazyLock<Regex> = LazyLock::new(|| regex(r"\b3[0-2]\d{3}\b"));
static PORT_TWICE: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(Duplicate value: |duplicate nodePort: \{\w+ )(3[0-2]\d{3})\b"));
/// The same in messages that repeat an object, or a patch as Go shows a map.
static TOLD_PORT: LazyLock<Regex> = LazyLock::new(|| regex(r#"(odePort(?:\\"|):)(\d+)"#));
static TOLD_VERSION: LazyLock<Regex> = LazyLock::new(|| {
    regex(r#"(ersion\\*":\\*"|ersion: ?|ersion:|ersion in the precondition \(|ersion in record \()(\d+)"#)
});
static TOLD_ENTRIES: LazyLock<Regex> = LazyLock::new(|| regex(r#"(\\"managedFields\\":\[\{\\"manager\\")([^\]]*)"#));
static BAD_BYTE: LazyLock<Regex> = LazyLock::new(|| regex(r"(illegal base64 data at input byte) \d+"));
static AGE: LazyLock<Regex> = LazyLock::new(|| regex(r"^\d{1,2}s$"));

fn regex(text: &str) -> Regex {
    Regex::new(text).expect("a regular expression")
}

/// The names that one server's answers of a sequence have got.
#[derive(Default)]
pub struct Normal {
    uids: Vec<String>,
    versions: Vec<String>,
    addresses: Vec<String>,
    ports: Vec<String>,
}

fn number(known: &mut Vec<String>, name: &str, text: &str) -> String {
    let at = known.iter().position(|one| one == text).unwrap_or_else(|| {
        known.push(text.to_owned());
        known.len() - 1
    });
    format!("<{name} {at}>")
}

impl Normal {
    pub fn reply(&mut self, reply: &Reply) -> Reply {
        let mut body = self.value(&reply.body, "");
        self.ports_twice(&mut body);
        Reply { code: reply.code, warnings: reply.warnings.iter().map(|text| self.text(text)).collect(), body }
    }

    /// Ports that were drawn stand in a refusal as well, where they are there twice.
    fn ports_twice(&mut self, status: &mut Value) {
        for cause in status.pointer_mut("/details/causes").and_then(Value::as_array_mut).into_iter().flatten() {
            let is_port = cause["field"].as_str().is_some_and(|field| field.ends_with(".nodePort"));
            if let Some(text) = cause["message"].as_str().filter(|_| is_port) {
                cause["message"] = Value::from(self.drawn_port(text));
            }
        }
        if let Some(Value::String(message)) = status.get_mut("message")
            && (message.contains(".nodePort: Duplicate value") || message.starts_with("duplicate nodePort: "))
        {
            *message = self.drawn_port(message);
        }
    }

    /// Ports of nodes that were drawn and are the same twice.
    fn drawn_port(&mut self, text: &str) -> String {
        let named = |found: &Captures<'_>| format!("{}{}", &found[1], number(&mut self.ports, "port", &found[2]));
        PORT_TWICE.replace_all(text, named).into_owned()
    }

    fn value(&mut self, value: &Value, field: &str) -> Value {
        match value {
            Value::Object(fields) => Value::Object(self.fields(fields)),
            Value::Array(items) => {
                let items = made_last(items);
                let mut items: Vec<Value> = items.into_iter().map(|item| self.value(item, "")).collect();
                if field == "managedFields" {
                    items.sort_by_key(|item| {
                        ["operation", "manager", "subresource", "apiVersion"].map(|name| item[name].to_string())
                    });
                }
                Value::Array(items)
            }
            Value::String(text) if field == "resourceVersion" && !text.is_empty() => {
                Value::from(number(&mut self.versions, "version", text))
            }
            Value::String(_) if field == "continue" => Value::from("<continue>"),
            Value::String(text) => Value::from(self.text(text)),
            Value::Number(port) if matches!(field, "nodePort" | "healthCheckNodePort") => {
                Value::from(number(&mut self.ports, "port", &port.to_string()))
            }
            other => other.clone(),
        }
    }

    fn fields(&mut self, fields: &Map<String, Value>) -> Map<String, Value> {
        // A list counts what others write too; so does the table of one.
        let is_list = fields.contains_key("items") || fields.contains_key("rows");
        let mut normal = Map::new();
        for (name, value) in fields {
            let value = match name.as_str() {
                "metadata" if is_list => {
                    let mut metadata = value.clone();
                    if let Some(version) = metadata.get_mut("resourceVersion") {
                        *version = Value::from(if *version == "" { "" } else { "<list>" });
                    }
                    let mut known = std::mem::take(&mut self.versions);
                    let value = self.value(&metadata, name);
                    std::mem::swap(&mut self.versions, &mut known);
                    value
                }
                "cells" => {
                    Value::from(value.as_array().into_iter().flatten().map(|cell| self.cell(cell)).collect::<Vec<_>>())
                }
                _ => self.value(value, name),
            };
            normal.insert(name.clone(), value);
        }
        normal
    }

    fn cell(&mut self, cell: &Value) -> Value {
        match cell {
            Value::String(text) if AGE.is_match(text) => Value::from("<age>"),
            Value::String(text) => {
                let text = self.text(text);
                Value::from(
                    NODE_PORT
                        .replace_all(&text, |found: &Captures<'_>| number(&mut self.ports, "port", &found[0]))
                        .into_owned(),
                )
            }
            other => other.clone(),
        }
    }

    fn text(&mut self, text: &str) -> String {
        let text =
            UID.replace_all(text, |found: &Captures<'_>| number(&mut self.uids, "uid", &found[0].to_lowercase()));
        let text = ADDRESS.replace_all(&text, |found: &Captures<'_>| number(&mut self.addresses, "address", &found[0]));
        let text = MADE.replace_all(&text, "$1-<end>");
        let text = BAD_BYTE.replace_all(&text, "$1 <place>");
        let text = TOLD_PORT.replace_all(&text, |found: &Captures<'_>| {
            format!("{}{}", &found[1], number(&mut self.ports, "port", &found[2]))
        });
        let text = TIME.replace_all(&text, |found: &Captures<'_>| match is_now(&found[0]) {
            true if found.get(1).is_some() => "<now, to the microsecond>".to_owned(),
            true => "<now>".to_owned(),
            false => found[0].to_owned(),
        });
        let text = TOLD_ENTRIES.replace_all(&text, |found: &Captures<'_>| {
            // The last one's brace is no separator.
            let (list, end) = found[2].strip_suffix('}').map_or((&found[2], ""), |list| (list, "}"));
            let mut entries: Vec<&str> = list.split("},{\\\"manager\\\"").collect();
            entries.sort_unstable();
            format!("{}{}{end}", &found[1], entries.join("},{\\\"manager\\\""))
        });
        text.into_owned()
    }

    /// Puts names in the place of versions that stand in a message, where one tells a version. Of an object that a message
    /// quotes, or that was marked along with a whole collection, no answer may have told the version.
    pub fn versions_in(&self, text: &str) -> String {
        let named = |found: &Captures<'_>| {
            let place = self.versions.iter().position(|version| *version == found[2]);
            match place {
                Some(place) => format!("{}<version {place}>", &found[1]),
                None if found[1].contains('"') || found[1].contains("in record") => {
                    format!("{}<some version>", &found[1])
                }
                None => found[0].to_owned(),
            }
        };
        TOLD_VERSION.replace_all(text, named).into_owned()
    }
}

/// Puts the items of a list whose names were drawn in the order in which they came to be.
fn made_last(items: &[Value]) -> Vec<&Value> {
    let mut items: Vec<&Value> = items.iter().collect();
    let made = |item: &Value| {
        let metadata = item.pointer("/metadata").or_else(|| item.pointer("/object/metadata"))?;
        MADE.is_match(metadata["name"].as_str()?).then(|| metadata["resourceVersion"].as_str()?.parse::<u64>().ok())?
    };
    items.sort_by_key(|item| made(item));
    items
}

fn is_now(text: &str) -> bool {
    let Ok(time) = text.parse::<Timestamp>() else { return false };
    time.duration_since(Timestamp::now()).abs() < SignedDuration::from_hours(24)
}
