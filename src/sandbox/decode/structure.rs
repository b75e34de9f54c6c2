//! Decodes a value into a structure as Go would, and writes it again: fields that do not exist are told and dropped,
//! missing ones appear where Go always writes them, empty ones go where Go leaves them out.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::node::{MOST_STRICT, Node};
use super::scalar;
use super::written::{complete, zero};
use crate::sandbox::structure::{GoField, GoType, fields_of};

/// How the server reads: each way has words of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// From JSON text. All is read, the first mistake counts.
    Json,
    /// From the map that a strategic merge patch leaves.
    Map,
}

/// What a decoded value is and what was strange about it.
#[derive(Debug, PartialEq)]
pub(super) struct Read {
    pub(super) value: Value,
    /// Unknown and repeated fields.
    pub(super) strict: Vec<String>,
}

/// Decodes a value into a type.
pub(super) fn decode(reading: Reading, go_type: &GoType, node: &Node) -> Result<Read, String> {
    let mut decoder = Decoder {
        reading,
        silent: false,
        path: String::new(),
        at: None,
        first: None,
        strict: Vec::new(),
        seen: BTreeSet::new(),
    };
    let value = decoder.value(go_type, node)?;
    match decoder.first {
        Some(mistake) => Err(mistake),
        None => {
            if reading == Reading::Map {
                decoder.strict.sort();
            }
            Ok(Read { value, strict: decoder.strict })
        }
    }
}

struct Decoder {
    reading: Reading,
    /// Set where nothing unusual is told.
    silent: bool,
    /// Where we are, with indices.
    path: String,
    /// The structure we are in and the path of the field, without indices.
    at: Option<(String, String)>,
    first: Option<String>,
    strict: Vec<String>,
    seen: BTreeSet<String>,
}

impl Decoder {
    fn value(&mut self, go_type: &GoType, node: &Node) -> Result<Value, String> {
        if *node == Node::Null
            && !matches!(go_type, GoType::Named(name) if **name == *"apiextensions.v1.JSONSchemaPropsOrBool")
        {
            return Ok(zero(go_type));
        }
        match go_type {
            GoType::Pointer(inner) => self.value(inner, node),
            GoType::Bytes => self.bytes(node),
            GoType::List(inner) => self.list(go_type, inner, node),
            GoType::Map(_, inner) => self.map(go_type, inner, node),
            GoType::Basic(basic) => self.basic(go_type, basic, node),
            GoType::Named(name) => match fields_of(name) {
                Some(fields) => self.structure(name, fields, node),
                None if go_type.underlying() != go_type => self.other(go_type, name, node),
                None => self.opaque(name, node),
            },
        }
    }

    /// A named type that is no structure; mistakes name it, and not what it stands for.
    fn other(&mut self, go_type: &GoType, name: &str, node: &Node) -> Result<Value, String> {
        match go_type.underlying() {
            GoType::List(inner) => self.list(go_type, inner, node),
            GoType::Map(_, inner) => {
                let mut value = self.map(go_type, inner, node)?;
                if name == "core.v1.ResourceList" {
                    scalar::round_to_milli(&mut value);
                }
                Ok(value)
            }
            GoType::Basic(basic) => self.basic(go_type, basic, node),
            other => self.value(other, node),
        }
    }

    fn wrong(&mut self, what: &str, go_type: &str) {
        let mistake = match &self.at {
            Some((structure, field)) => {
                format!("json: cannot unmarshal {what} into Go struct field {structure}.{field} of type {go_type}")
            }
            None => format!("json: cannot unmarshal {what} into Go value of type {go_type}"),
        };
        self.first.get_or_insert(mistake);
    }

    /// Ends the reading, or notes the mistake and goes on.
    fn mismatch(&mut self, node: &Node, go_type: &GoType, restored: &str) -> Result<Value, String> {
        match self.reading {
            Reading::Json => {
                self.wrong(node.describe(), &go_type.text());
                Ok(zero(go_type))
            }
            Reading::Map if restored.is_empty() => {
                let given = scalar::go_kind(node);
                let wanted = go_type.underlying().text();
                // Go converts between these, Kubernetes does not; of others it knows nothing.
                let is_number = matches!(given, "int64" | "float64");
                let converts = is_number && !matches!(wanted.as_str(), "bool" | "string")
                    || given == "int64" && wanted == "string";
                if converts {
                    return Err(format!("cannot convert {given} to {}", go_type.text()));
                }
                Err(format!("unrecognized type: {wanted}"))
            }
            Reading::Map => Err(format!("cannot restore {restored} {}", scalar::go_shape(node))),
        }
    }

    fn tell(&mut self, what: &str, key: &str) {
        if self.silent || self.strict.len() >= MOST_STRICT {
            return;
        }
        let path = if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) };
        let told = format!("{what} field {}", scalar::quoted(&path));
        if self.seen.insert(told.clone()) {
            self.strict.push(told);
        }
    }

    fn inside<T>(&mut self, step: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        if length > 0 && !step.starts_with('[') {
            self.path.push('.');
        }
        self.path.push_str(step);
        let result = read(self);
        self.path.truncate(length);
        result
    }

    fn list(&mut self, go_type: &GoType, inner: &GoType, node: &Node) -> Result<Value, String> {
        let Node::List(items) = node else { return self.mismatch(node, go_type, "slice from") };
        let mut values = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            values.push(self.inside(&format!("[{index}]"), |decoder| decoder.value(inner, item))?);
        }
        Ok(Value::Array(values))
    }

    fn map(&mut self, go_type: &GoType, inner: &GoType, node: &Node) -> Result<Value, String> {
        let Node::Map(entries) = node else { return self.mismatch(node, go_type, "map from") };
        let mut map = Map::new();
        for (key, value) in entries {
            if map.contains_key(key) {
                self.tell("duplicate", key);
            }
            // A map read from a map is no step of its path.
            let value = match self.reading {
                Reading::Json => self.inside(key, |decoder| decoder.value(inner, value))?,
                Reading::Map => self.value(inner, value)?,
            };
            map.insert(key.clone(), if value.is_null() && *inner == GoType::Bytes { Value::from("") } else { value });
        }
        Ok(Value::Object(map))
    }

    fn structure(&mut self, name: &str, fields: &'static [GoField], node: &Node) -> Result<Value, String> {
        let Node::Map(entries) = node else {
            return self.mismatch(node, &GoType::named(name.to_owned()), "struct from:");
        };
        let mut given: Map<String, Value> = Map::new();
        let short = name.rsplit('.').next().unwrap_or(name);
        let mut known: Vec<(&'static GoField, &Node)> = Vec::with_capacity(entries.len());
        match self.reading {
            Reading::Json => {
                let mut seen = BTreeSet::new();
                for (key, value) in entries {
                    let Some(field) = fields.iter().find(|field| field.name == key) else {
                        self.tell("unknown", key);
                        continue;
                    };
                    if !seen.insert(key.as_str()) {
                        self.tell("duplicate", key);
                    }
                    let decoded = self.field(short, field, value)?;
                    let decoded = match given.contains_key(key) {
                        true => self.again(short, field, entries, decoded)?,
                        false => decoded,
                    };
                    given.insert(key.clone(), decoded);
                }
            }
            Reading::Map => {
                for field in fields {
                    known.extend(entries.iter().filter(|(key, _)| key == field.name).map(|(_, value)| (field, value)));
                }
                for (field, value) in known {
                    let decoded = self.field(short, field, value)?;
                    given.insert(field.name.to_owned(), decoded);
                }
                for (key, _) in entries {
                    if !fields.iter().any(|field| field.name == key) {
                        self.tell("unknown", key);
                    }
                }
            }
        }
        // What is written of it is nothing, but it is read: nobody is to own anything.
        let disowns = name == "meta.v1.ObjectMeta"
            && self.path == "metadata"
            && given.get("managedFields").and_then(Value::as_array).is_some_and(Vec::is_empty);
        complete(fields, &mut given);
        if disowns {
            given.insert("managedFields".to_owned(), Value::Array(Vec::new()));
        }
        Ok(Value::Object(given))
    }

    fn field(&mut self, structure: &str, field: &'static GoField, node: &Node) -> Result<Value, String> {
        let outer = self.at.iter().map(|(_, outer)| outer.as_str());
        let path = outer.chain(field.embedded).chain([field.name]).collect::<Vec<_>>().join(".");
        let outer = self.at.replace((structure.to_owned(), path));
        let value = self.inside(field.name, |decoder| decoder.value(&field.go_type, node));
        // A mistake ends all reading: where we are is still wanted for its words.
        if value.is_ok() {
            self.at = outer;
        }
        value
    }

    /// A field that stands there again is read into what is there already: maps and structures are one.
    fn again(
        &mut self,
        structure: &str,
        field: &'static GoField,
        entries: &[(String, Node)],
        last: Value,
    ) -> Result<Value, String> {
        let mut all = Vec::new();
        for (key, node) in entries {
            match node {
                Node::Map(inner) if key == field.name => all.extend(inner.iter().cloned()),
                _ if key == field.name => return Ok(last),
                _ => {}
            }
        }
        let outer = std::mem::replace(&mut self.silent, true);
        let value = self.field(structure, field, &Node::Map(all));
        self.silent = outer;
        value
    }

    fn bytes(&mut self, node: &Node) -> Result<Value, String> {
        match node {
            Node::String(text) => match scalar::base64(text) {
                Ok(encoded) => Ok(Value::from(encoded)),
                Err(mistake) if self.reading == Reading::Map => Err(format!("error decoding from json: {mistake}")),
                Err(mistake) => {
                    self.first.get_or_insert(mistake);
                    Ok(Value::Null)
                }
            },
            // Numbers are bytes as well.
            Node::List(items) => {
                let number = GoType::Basic("uint8");
                let mut bytes = Vec::with_capacity(items.len());
                for item in items {
                    let byte = self.value(&number, item)?;
                    bytes.push(byte.as_u64().and_then(|byte| u8::try_from(byte).ok()).unwrap_or_default());
                }
                Ok(Value::from(STANDARD.encode(bytes)))
            }
            _ => self.mismatch(node, &GoType::Bytes, "slice from"),
        }
    }

    fn basic(&mut self, go_type: &GoType, basic: &str, node: &Node) -> Result<Value, String> {
        match (basic, node) {
            ("any", _) => Ok(node.to_value()),
            ("string", Node::String(text)) => Ok(Value::from(text.as_str())),
            ("bool", Node::Bool(value)) => Ok(Value::from(*value)),
            ("float32" | "float64", Node::Number(_)) => Ok(node.to_value()),
            ("string" | "bool" | "float32" | "float64", _) => self.mismatch(node, go_type, ""),
            (_, Node::Number(text)) => match (scalar::integer(basic, text), self.reading) {
                (Some(integer), _) => Ok(Value::from(integer)),
                (None, Reading::Json) => {
                    self.wrong(&format!("number {text}"), &go_type.text());
                    Ok(Value::from(0))
                }
                // Too large a number is cut, as Go does.
                (None, Reading::Map) => match (text.parse::<i64>(), basic) {
                    (Ok(integer), "int32") => Ok(Value::from(integer as i32)),
                    (Ok(integer), "uint8") => Ok(Value::from(integer as u8)),
                    (Ok(integer), _) => Ok(Value::from(integer)),
                    (Err(_), _) => self.mismatch(node, go_type, ""),
                },
            },
            _ => self.mismatch(node, go_type, ""),
        }
    }

    /// A type that reads its JSON by itself: a mistake ends all reading.
    fn opaque(&mut self, name: &str, node: &Node) -> Result<Value, String> {
        let schema = GoType::named("apiextensions.v1.JSONSchemaProps");
        match name.strip_prefix("apiextensions.v1.") {
            Some("JSONSchemaPropsOrBool") => match node {
                Node::Map(_) => self.apart(&schema, node),
                Node::Bool(value) => Ok(Value::from(*value)),
                _ => Err("boolean or JSON schema expected".to_owned()),
            },
            Some("JSONSchemaPropsOrArray") => match node {
                Node::Map(_) => self.apart(&schema, node),
                Node::List(items) if !items.is_empty() => self.apart(&GoType::List(Box::new(schema)), node),
                _ => Ok(Value::Null),
            },
            Some("JSONSchemaPropsOrStringArray") => match node {
                Node::Map(_) => self.apart(&schema, node),
                Node::List(items) if !items.is_empty() => {
                    self.apart(&GoType::List(Box::new(GoType::Basic("string"))), node)
                }
                _ => Ok(Value::Null),
            },
            _ => scalar::opaque(name, node).map_err(|mistake| match mistake {
                scalar::Mistake::Said(mistake) => mistake,
                scalar::Mistake::Wrong(what, go_type) => {
                    if self.reading == Reading::Map {
                        self.at = None;
                    }
                    let before = self.first.take();
                    self.wrong(&what, go_type);
                    self.first.take().or(before).unwrap_or_default()
                }
            }),
        }
    }

    /// Reads a value for its own sake: unknown fields in it are not told, and its first mistake ends all reading.
    fn apart(&mut self, go_type: &GoType, node: &Node) -> Result<Value, String> {
        let (before, silent) = (self.first.take(), std::mem::replace(&mut self.silent, true));
        let reading = std::mem::replace(&mut self.reading, Reading::Json);
        let value = self.value(go_type, node)?;
        self.reading = reading;
        self.silent = silent;
        match std::mem::replace(&mut self.first, before) {
            Some(mistake) => Err(mistake),
            None => Ok(value),
        }
    }
}
