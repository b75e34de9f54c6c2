//! What answers teach about types: an answer and what was sent are walked side by side.

use std::collections::{BTreeMap, BTreeSet};

use mathison::ssa::Schema;
use mathison::ssa::defaults::{given_out, is_conditional};
use mathison::ssa::schema::Scalar;
use serde_json::{Map, Value, json};

type Field = (String, String);

/// What the answers taught so far.
#[derive(Default)]
pub struct Lessons {
    /// What a missing field became, each time it was missing. `None`: it stayed missing.
    missing: BTreeMap<Field, BTreeSet<Option<String>>>,
    /// Whether an explicit zero was stored.
    zero_kept: BTreeMap<Field, bool>,
}

/// An object with an explicit zero in one field.
pub struct Probe {
    pub object: Value,
    field: Field,
    pointer: String,
    zero: Value,
}

impl Lessons {
    /// Learns what became of the fields that were not sent.
    pub fn compare(&mut self, schema: &Schema, sent: &Value, answer: &Value) {
        self.walk(schema, sent, answer, true);
    }

    fn walk(&mut self, schema: &Schema, sent: &Value, answer: &Value, at_root: bool) {
        match (sent, answer) {
            (Value::Object(sent), Value::Object(answer)) => {
                if let Some(type_name) = schema.type_name() {
                    for field in schema.field_names() {
                        if !(sent.contains_key(field) || at_root && is_apart(field)) {
                            let became = answer.get(field).filter(|value| !value.is_null()).map(Value::to_string);
                            self.missing.entry(key(type_name, field)).or_default().insert(became);
                        }
                    }
                }
                for (name, sent) in sent.iter().filter(|(name, _)| !(at_root && is_apart(name))) {
                    if let (Some(answer), Some(schema)) = (answer.get(name), schema.field(name)) {
                        self.walk(&schema, sent, answer, false);
                    }
                }
            }
            (Value::Array(sent), Value::Array(answer)) => {
                if let Some(schema) = schema.items() {
                    for (sent, answer) in sent.iter().zip(answer) {
                        self.walk(&schema, sent, answer, false);
                    }
                }
            }
            _ => {}
        }
    }

    /// Returns the sample with a zero in each field of which that is still to be learned.
    pub fn open_probes(&self, schema: &Schema, sample: &Value) -> Vec<Probe> {
        let mut found = Vec::new();
        places(schema, sample, "", &mut found);
        let mut probes: BTreeMap<Field, Probe> = BTreeMap::new();
        for (field, pointer, zero) in found {
            if self.zero_kept.contains_key(&field) || probes.contains_key(&field) {
                continue;
            }
            let mut object = sample.clone();
            if let Some(Value::Object(map)) = object.pointer_mut(&pointer) {
                map.insert(field.1.clone(), zero.clone());
                probes.insert(field.clone(), Probe { object, field, pointer, zero });
            }
        }
        probes.into_values().collect()
    }

    /// Learns what became of a zero.
    pub fn learn_zero(&mut self, probe: &Probe, answer: &Value) {
        if let Some(map) = answer.pointer(&probe.pointer).and_then(Value::as_object) {
            let kept = map.get(&probe.field.1) == Some(&probe.zero);
            self.zero_kept.insert(probe.field.clone(), kept);
        }
    }

    /// Returns the table, in the form in which it is checked in.
    pub fn table(&self) -> String {
        let mut lines: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
        for ((type_name, field), became) in &self.missing {
            let mut became = became.iter();
            if let (Some(Some(default)), None) = (became.next(), became.next())
                && !is_conditional(type_name, field)
                && given_out(type_name, field).is_none()
            {
                let default = serde_json::from_str(default).expect("it was JSON");
                let line = lines.entry(type_name).or_default();
                line.entry("d").or_insert(json!({}))[field] = default;
            }
        }
        for ((type_name, field), kept) in &self.zero_kept {
            let list = lines.entry(type_name).or_default().entry(if *kept { "k" } else { "o" }).or_insert(json!([]));
            list.as_array_mut().expect("a list").push(json!(field));
        }
        lines.into_iter().map(|(name, line)| format!("{name}\t{}\n", Value::Object(line))).collect()
    }
}

fn key(type_name: &str, field: &str) -> Field {
    (type_name.to_owned(), field.to_owned())
}

/// What stands beside the content of every object.
fn is_apart(field: &str) -> bool {
    ["apiVersion", "kind", "metadata", "status"].contains(&field)
}

/// Finds the places for scalars in an object: the field, where its map is, and the zero of its type.
fn places(schema: &Schema, value: &Value, pointer: &str, found: &mut Vec<(Field, String, Value)>) {
    let at_root = pointer.is_empty();
    match value {
        Value::Object(map) => {
            if let Some(type_name) = schema.type_name() {
                for field in schema.field_names().into_iter().filter(|field| !(at_root && is_apart(field))) {
                    let zero = match schema.field(field).and_then(|schema| schema.scalar()) {
                        Some(Scalar::String) => json!(""),
                        Some(Scalar::Numeric | Scalar::IntOrString) => json!(0),
                        Some(Scalar::Boolean) => json!(false),
                        _ => continue,
                    };
                    found.push((key(type_name, field), pointer.to_owned(), zero));
                }
            }
            for (name, value) in map.iter().filter(|(name, _)| !(at_root && is_apart(name))) {
                if let Some(schema) = schema.field(name) {
                    let name = name.replace('~', "~0").replace('/', "~1");
                    places(&schema, value, &format!("{pointer}/{name}"), found);
                }
            }
        }
        Value::Array(items) => {
            if let Some(schema) = schema.items() {
                for (index, item) in items.iter().enumerate() {
                    places(&schema, item, &format!("{pointer}/{index}"), found);
                }
            }
        }
        _ => {}
    }
}

/// Takes out what the server gives out, and what a Job's controller needs for its selector.
pub fn remove_given_out(schema: &Schema, value: &mut Value) {
    match value {
        Value::Object(map) => {
            if let Some(type_name) = schema.type_name() {
                map.retain(|field, _| given_out(type_name, field).is_none());
            }
            const OF_CONTROLLERS: [&str; 5] = [
                "controller-uid",
                "job-name",
                "batch.kubernetes.io/controller-uid",
                "batch.kubernetes.io/job-name",
                "deprecated.daemonset.template.generation",
            ];
            map.retain(|field, _| !OF_CONTROLLERS.contains(&field.as_str()));
            const OF_ADMISSION: [&str; 2] = ["finalizers", "creationTimestamp"];
            map.retain(|field, _| !OF_ADMISSION.contains(&field.as_str()));
            for (name, value) in map.iter_mut() {
                if let Some(schema) = schema.field(name) {
                    remove_given_out(&schema, value);
                }
            }
            map.retain(|field, value| {
                !(["labels", "annotations", "metadata"].contains(&field.as_str()) && *value == json!({}))
            });
        }
        Value::Array(items) => {
            if let Some(schema) = schema.items() {
                for item in items {
                    remove_given_out(&schema, item);
                }
            }
        }
        _ => {}
    }
}
