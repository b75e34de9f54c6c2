//! Steps as `FieldsV1` writes them, compared without being read.

use serde_json::Value;

use crate::ssa::schema::{ListKind, ListType, TypeTable};
use crate::ssa::text::is_same;

/// Returns the field that a step leads to.
#[inline]
pub(super) fn field_of(step: &str) -> Option<&str> {
    if let [b'f', b':', ..] = step.as_bytes() { step.get(2..) } else { None }
}

/// Tells whether a step is how an item is written that is named by one field, which is a text.
pub(super) fn is_written_so((key, text): (&str, &str), step: &str) -> bool {
    let [b'k', b':', b'{', ..] = step.as_bytes() else { return false };
    let after_name = step.get(3..).and_then(|rest| after_text(rest, key)?.strip_prefix(':'));
    after_name.and_then(|rest| after_text(rest, text)) == Some("}")
}

/// Tells whether a step is how an item is written; `false` also where that is not sure.
pub(super) fn is_written(types: &TypeTable, list: &ListType, item: &Value, step: &str) -> bool {
    match (&list.kind, item) {
        (ListKind::Set, Value::String(text)) => {
            step.strip_prefix("v:").is_some_and(|rest| after_text(rest, text) == Some(""))
        }
        (ListKind::Map(keys), Value::Object(map)) if keys.is_sorted() => {
            let mut rest = step;
            let mut before = "k:{";
            for key in keys {
                let Some(value) = map.get(key).or_else(|| default_of(types, list, key)) else { continue };
                let after_name = rest.strip_prefix(before).and_then(|rest| after_text(rest, key));
                let Some(after) = after_name.and_then(|rest| rest.strip_prefix(':')) else { return false };
                let Some(after) = after_value(after, value) else { return false };
                (rest, before) = (after, ",");
            }
            rest == "}"
        }
        _ => false,
    }
}

fn after_value<'s>(rest: &'s str, value: &Value) -> Option<&'s str> {
    match value {
        Value::String(text) => after_text(rest, text),
        Value::Number(number) => {
            let end = rest.find([',', '}']).unwrap_or(rest.len());
            let (written, after) = rest.split_at(end);
            let is_same =
                number.as_u64().is_some_and(|number| written.parse() == Ok(number) && !written.starts_with(['+', '0']));
            is_same.then_some(after)
        }
        _ => None,
    }
}

fn after_text<'s>(rest: &'s str, text: &str) -> Option<&'s str> {
    let rest = rest.strip_prefix('"')?;
    let (written, after) = (rest.get(..text.len())?, rest.get(text.len()..)?);
    // What has no escape is written as it is.
    if is_same(written, text) && !written.bytes().any(|byte| byte == b'\\') { after.strip_prefix('"') } else { None }
}

/// Writes the step to an item, as `FieldsV1` has it.
pub(super) fn write_step<'s>(
    types: &TypeTable,
    list: &ListType,
    item: &Value,
    step: &'s mut Vec<u8>,
) -> Option<&'s str> {
    step.clear();
    match (&list.kind, item) {
        (ListKind::Set, Value::Bool(_) | Value::Number(_) | Value::String(_)) => {
            step.extend_from_slice(b"v:");
            write(step, item)?;
        }
        (ListKind::Map(keys), Value::Object(map)) if keys.is_sorted() => {
            let mut before: &[u8] = b"k:{";
            for key in keys {
                let Some(value) = map.get(key).or_else(|| default_of(types, list, key)) else { continue };
                step.extend_from_slice(before);
                write_text(step, key)?;
                step.push(b':');
                write(step, value)?;
                before = b",";
            }
            step.push(b'}');
        }
        _ => return None,
    }
    std::str::from_utf8(step).ok()
}

fn default_of<'a>(types: &'a TypeTable, list: &'a ListType, key: &str) -> Option<&'a Value> {
    types.resolve(&list.element).map?.map.field(key)?.default.as_ref()
}

/// Writes JSON as the server does, if nothing in it needs to be spelled otherwise than it stands.
fn write(step: &mut Vec<u8>, value: &Value) -> Option<()> {
    match value {
        Value::String(text) => write_text(step, text),
        other => serde_json::to_writer(step, other).ok(),
    }
}

fn write_text(step: &mut Vec<u8>, text: &str) -> Option<()> {
    if !is_plain(text) {
        return None;
    }
    step.push(b'"');
    step.extend_from_slice(text.as_bytes());
    step.push(b'"');
    Some(())
}

fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| (b' '..=b'~').contains(&byte) && !b"\"\\<>&".contains(&byte))
}
