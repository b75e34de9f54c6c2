//! Changes of an object at random: of what is there, and of what any object may have.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::dice::Dice;

/// A change at a place.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Edit {
    Set(Vec<String>, Value),
    Remove(Vec<String>),
    /// A list's element once more at its end.
    Repeat(Vec<String>),
}

fn child<'a>(value: &'a mut Value, step: &str) -> Option<&'a mut Value> {
    match value {
        Value::Object(fields) => fields.get_mut(step),
        Value::Array(items) => items.get_mut(step.parse::<usize>().ok()?),
        _ => None,
    }
}

fn descend<'a>(value: &'a mut Value, path: &[String]) -> Option<&'a mut Value> {
    path.iter().try_fold(value, |value, step| child(value, step))
}

impl Edit {
    /// Makes the change where its place is to be found.
    pub fn make(&self, object: &mut Value) {
        match self {
            Self::Set(path, new) => {
                let Some((last, above)) = path.split_last() else { return };
                let mut at = object;
                for step in above {
                    if let Value::Object(fields) = at {
                        at = fields.entry(step.clone()).or_insert_with(|| json!({}));
                    } else if let Some(below) = child(at, step) {
                        at = below;
                    } else {
                        return;
                    }
                }
                match at {
                    Value::Object(fields) => drop(fields.insert(last.clone(), new.clone())),
                    Value::Array(items) => match last.parse::<usize>() {
                        Ok(index) if index < items.len() => items[index] = new.clone(),
                        _ => items.push(new.clone()),
                    },
                    _ => {}
                }
            }
            Self::Remove(path) => {
                let Some((last, above)) = path.split_last() else { return };
                match descend(object, above) {
                    Some(Value::Object(fields)) => drop(fields.remove(last)),
                    Some(Value::Array(items)) => {
                        if let Some(index) = last.parse().ok().filter(|index| *index < items.len()) {
                            items.remove(index);
                        }
                    }
                    _ => {}
                }
            }
            Self::Repeat(path) => {
                if let Some(Value::Array(items)) = descend(object, path)
                    && let Some(first) = items.first().cloned()
                {
                    items.push(first);
                }
            }
        }
    }
}

/// Makes changes, one after the other.
pub fn edited(mut object: Value, edits: &[Edit]) -> Value {
    for edit in edits {
        edit.make(&mut object);
    }
    object
}

/// The places of an object below `spec`, `data` and the like; lists and objects too.
fn places(value: &Value, path: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    let steps: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(name, below)| (name.clone(), below)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(index, below)| (index.to_string(), below)).collect(),
        _ => Vec::new(),
    };
    for (step, below) in steps {
        if path.is_empty() && matches!(step.as_str(), "metadata" | "apiVersion" | "kind") {
            continue;
        }
        path.push(step);
        found.push(path.clone());
        places(below, path, found);
        path.pop();
    }
}

fn path(text: &str) -> Vec<String> {
    text.split('|').map(str::to_owned).collect()
}

const OTHER_TEXTS: [&str; 14] =
    ["", "a", "b", "Bad_Name!", "with space", "a.b", "1", "-1", "10Mi", "1Gi", "100m", "Always", "Never", "x-y"];

/// Another value of the same type.
fn other(value: &Value, dice: &mut Dice) -> Value {
    match value {
        Value::String(text) => match dice.below(4) {
            0 => Value::from(format!("{text}x")),
            1 => Value::from(text.to_uppercase()),
            _ => Value::from(*dice.pick(&OTHER_TEXTS)),
        },
        Value::Number(number) => match (number.as_i64(), dice.below(4)) {
            (Some(number), 0) => Value::from(number + 1),
            (Some(number), 1) => Value::from(-number),
            (_, 2) => Value::from(*dice.pick(&[0, 1, 2, 5, 70_000])),
            _ => Value::from(*dice.pick(&[3, 30, 100])),
        },
        Value::Bool(yes) => Value::from(!yes),
        Value::Array(items) if items.is_empty() || dice.percent(30) => json!([]),
        Value::Array(items) => Value::from(items.iter().rev().cloned().collect::<Vec<_>>()),
        Value::Object(_) => json!({}),
        Value::Null => json!("a"),
    }
}

fn wrong(dice: &mut Dice) -> Value {
    dice.pick(&[
        json!("text"),
        json!(7),
        json!(1.5),
        json!(true),
        json!([]),
        json!({}),
        json!(["a"]),
        json!({"a": "b"}),
        json!(null),
    ])
    .clone()
}

/// Changes of what all objects have, all of them right but for a few.
fn of_metadata(dice: &mut Dice) -> Edit {
    let value = (*dice.pick(&["1", "2", "x"])).to_owned();
    match dice.below(24) {
        0..5 => Edit::Set(
            path(dice.pick::<&str>(&["metadata|labels|app", "metadata|labels|tier", "metadata|labels|example.com/x"])),
            json!(value),
        ),
        5..9 => Edit::Set(
            path(dice.pick::<&str>(&["metadata|annotations|note", "metadata|annotations|example.com/why"])),
            json!(value),
        ),
        9..11 => Edit::Remove(path(dice.pick::<&str>(&[
            "metadata|labels|app",
            "metadata|labels",
            "metadata|annotations|note",
        ]))),
        11..14 => Edit::Set(
            path("metadata|finalizers"),
            dice.pick(&[json!(["example.com/hold"]), json!([]), json!(["example.com/hold", "example.com/more"])])
                .clone(),
        ),
        14 => Edit::Set(path("metadata|finalizers"), json!(["bare"])),
        15 => Edit::Set(path("metadata|labels|Bad Key"), json!("v")),
        16 => Edit::Set(path("metadata|labels|app"), json!("not a value!")),
        17 => Edit::Set(path("metadata|labels|app"), json!(5)),
        18 => Edit::Set(
            path("metadata|ownerReferences"),
            json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "uid": "11111111-2222-3333-4444-555555555555"}]),
        ),
        19 => Edit::Set(
            path("metadata|ownerReferences"),
            json!([{"apiVersion": "v1", "kind": "", "name": "o", "uid": "", "controller": true}]),
        ),
        20 => Edit::Set(path("metadata|annotations|bad/key/x"), json!("v")),
        21 => Edit::Set(path("metadata|generation"), json!(7)),
        22 => Edit::Set(path("metadata|unknown"), json!("v")),
        _ => Edit::Set(path("metadata|uid"), json!("11111111-2222-3333-4444-555555555555")),
    }
}

fn of_content(object: &Value, dice: &mut Dice) -> Option<Edit> {
    let mut found = Vec::new();
    places(object, &mut Vec::new(), &mut found);
    if found.is_empty() {
        return None;
    }
    let at = dice.pick(&found).clone();
    let value = object.pointer(&format!(
        "/{}",
        at.iter().map(|step| step.replace('~', "~0").replace('/', "~1")).collect::<Vec<_>>().join("/")
    ))?;
    Some(match (dice.below(20), value) {
        (0..3, _) => Edit::Remove(at),
        (3..6, Value::Array(_)) => Edit::Repeat(at),
        (3..6, Value::Object(_)) => {
            let mut below = at;
            below.push((*dice.pick(&["unknown", "name", "replicas", "a"])).to_owned());
            Edit::Set(below, dice.pick(&[json!("v"), json!(1), json!({})]).clone())
        }
        (6..8, _) => Edit::Set(at, wrong(dice)),
        _ => Edit::Set(at, other(value, dice)),
    })
}

/// Changes of an object: mostly one, mostly small.
pub fn edits(object: &Value, dice: &mut Dice) -> Vec<Edit> {
    let mut edits = Vec::new();
    for _ in 0..=dice.weighted(&[(70, 0), (20, 1), (10, 2)]) {
        let content = if dice.percent(60) { of_content(object, dice) } else { None };
        edits.push(content.unwrap_or_else(|| of_metadata(dice)));
    }
    edits
}

/// Leaves out fields at random: what somebody else owns.
pub fn sparse(object: &Value, dice: &mut Dice) -> Value {
    let mut found = Vec::new();
    places(object, &mut Vec::new(), &mut found);
    let mut object = object.clone();
    for _ in 0..dice.below(3) {
        if !found.is_empty() {
            Edit::Remove(dice.pick(&found).clone()).make(&mut object);
        }
    }
    object
}

/// The merge patch that leads from one object to another.
pub fn merge_patch(from: &Value, to: &Value) -> Value {
    let (Value::Object(before), Value::Object(after)) = (from, to) else { return to.clone() };
    let mut patch = Map::new();
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        patch.insert(name.clone(), Value::Null);
    }
    for (name, value) in after {
        match before.get(name) {
            Some(same) if same == value => {}
            Some(was) if was.is_object() && value.is_object() => {
                patch.insert(name.clone(), merge_patch(was, value));
            }
            _ => {
                patch.insert(name.clone(), value.clone());
            }
        }
    }
    Value::Object(patch)
}

/// The JSON patch of some changes.
pub fn json_patch(edits: &[Edit], object: &Value, dice: &mut Dice) -> Value {
    let pointer = |path: &[String]| {
        path.iter().map(|step| format!("/{}", step.replace('~', "~0").replace('/', "~1"))).collect::<String>()
    };
    let mut operations: Vec<Value> = edits
        .iter()
        .map(|edit| match edit {
            Edit::Set(path, value) => {
                let at = pointer(path);
                let verb = if object.pointer(&at).is_some() && dice.percent(60) { "replace" } else { "add" };
                json!({"op": verb, "path": at, "value": value})
            }
            Edit::Remove(path) => json!({"op": "remove", "path": pointer(path)}),
            Edit::Repeat(path) => {
                json!({"op": "copy", "from": format!("{}/0", pointer(path)), "path": format!("{}/-", pointer(path))})
            }
        })
        .collect();
    if dice.percent(15) {
        let name = if dice.percent(50) { object["metadata"]["name"].clone() } else { json!("other") };
        operations.insert(0, json!({"op": "test", "path": "/metadata/name", "value": name}));
    }
    if dice.percent(5) {
        operations.push(json!({"op": *dice.pick(&["move", "remove", "nonsense"]), "path": "/metadata/nowhere", "from": "/metadata/absent"}));
    }
    Value::from(operations)
}
