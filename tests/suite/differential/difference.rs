//! Where two answers differ, as text.

use serde_json::Value;

use super::request::Reply;

/// Of longer texts only what is around the first difference is told.
const LONG: usize = 400;

/// Lists what differs: `PLACE: REAL | SANDBOX`.
pub fn differences(real: &Reply, sandbox: &Reply) -> Vec<String> {
    let mut found = Vec::new();
    if real.code != sandbox.code {
        found.push(format!("code: {} | {}", real.code, sandbox.code));
    }
    if real.warnings != sandbox.warnings {
        found.push(format!("warnings: {:?} | {:?}", real.warnings, sandbox.warnings));
    }
    walk(&real.body, &sandbox.body, "", &mut found);
    found
}

/// Lists what differs between two values: `PLACE: REAL | OTHER`.
pub fn between(real: &Value, other: &Value) -> Vec<String> {
    let mut found = Vec::new();
    walk(real, other, "", &mut found);
    found
}

fn walk(real: &Value, sandbox: &Value, place: &str, found: &mut Vec<String>) {
    match (real, sandbox) {
        (Value::Object(one), Value::Object(other)) => {
            for (name, value) in one {
                match other.get(name) {
                    Some(same) => walk(value, same, &format!("{place}.{name}"), found),
                    None => found.push(format!("{place}.{name}: {value} | absent")),
                }
            }
            for (name, value) in other.iter().filter(|(name, _)| !one.contains_key(*name)) {
                found.push(format!("{place}.{name}: absent | {value}"));
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (index, (value, same)) in one.iter().zip(other).enumerate() {
                walk(value, same, &format!("{place}[{index}]"), found);
            }
        }
        _ if real == sandbox => {}
        (Value::String(one), Value::String(other)) if one.len().max(other.len()) > LONG => {
            let same = one.chars().zip(other.chars()).take_while(|(one, other)| one == other).count();
            let around = |text: &str| text.chars().skip(same.saturating_sub(LONG / 4)).take(LONG).collect::<String>();
            found.push(format!("{place}, from character {same}: …{:?} | …{:?}", around(one), around(other)));
        }
        _ => found.push(format!("{place}: {real} | {sandbox}")),
    }
}
