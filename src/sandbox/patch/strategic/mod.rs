//! Strategic merge patch: maps are merged, lists are merged where their field says so, and directives say more.
//!
//! How a field is merged comes from the [structures](crate::sandbox::structure) of the Go sources, as on the server.

mod lists;

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::rejected;
use crate::sandbox::decode::go_print;
use crate::sandbox::kind::Kind;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::structure::{GoType, fields_of, of_kind};

const DIRECTIVE: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const DELETE_FROM_LIST: &str = "$deleteFromPrimitiveList";
const ELEMENT_ORDER: &str = "$setElementOrder";

/// Why a patch cannot be merged.
#[derive(Debug, PartialEq)]
enum Problem {
    /// The patch is not well formed: 400.
    Format(&'static str),
    /// The patch cannot be, which is not told further: 422.
    Rejected,
    /// The server has no name for it: 500.
    Other(String),
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::Format(message) => Self::bad_request(message),
            Problem::Rejected => rejected(),
            Problem::Other(message) => Self::plain(message),
        }
    }
}

/// Merges a patch into the live object. Of the patch is left what the server shows where the result cannot be decoded.
pub(super) fn merged(resource: &Kind, live: &Value, patch: &mut Map<String, Value>) -> Result<Value, Refusal> {
    let go_type = of_kind(&resource.group, &resource.version, &resource.kind);
    let original = live.as_object().cloned().unwrap_or_default();
    Ok(Value::Object(merge_maps(original, patch, &go_type.unwrap_or_else(|| GoType::named("")))?))
}

/// How the values of one field are merged.
struct Merging<'t> {
    go_type: &'t GoType,
    /// `merge`, `replace` or empty.
    strategy: &'static str,
    merge_key: &'static str,
}

/// Finds out how a field is merged.
fn merging_of<'t>(go_type: &'t GoType, key: &str) -> Result<Merging<'t>, Problem> {
    let go_type = go_type.pointed().underlying();
    let no_structure = |kind: &str| {
        Problem::Other(format!("merging an object in json but data type is not struct, instead is: {kind}"))
    };
    match go_type {
        GoType::Map(_, inner) => Ok(Merging { go_type: inner, strategy: "", merge_key: "" }),
        GoType::Named(name) => {
            let field = fields_of(name).and_then(|fields| fields.iter().find(|field| field.name == key));
            let Some(field) = field else {
                let short = name.rsplit('.').next().unwrap_or(name);
                return Err(Problem::Other(format!(
                    "unable to find api field in struct {short} for the json field {key:?}"
                )));
            };
            let strategy = field.patch_strategies.iter().find(|strategy| **strategy != "retainKeys");
            Ok(Merging {
                go_type: &field.go_type,
                strategy: strategy.copied().unwrap_or_default(),
                merge_key: field.merge_key,
            })
        }
        GoType::List(_) | GoType::Bytes => Err(no_structure("slice")),
        GoType::Basic("any") => Err(no_structure("interface")),
        GoType::Basic(name) => Err(no_structure(name)),
        GoType::Pointer(_) => Err(no_structure("ptr")),
    }
}

/// Finds out how a list is merged; the type is that of its items.
fn list_merging_of<'t>(go_type: &'t GoType, key: &str) -> Result<Merging<'t>, Problem> {
    let merging = merging_of(go_type, key)?;
    match merging.go_type.pointed().underlying() {
        GoType::List(item) => Ok(Merging { go_type: item, ..merging }),
        GoType::Bytes => Ok(Merging { go_type: &GoType::Basic("uint8"), ..merging }),
        _ => Err(Problem::Other("expected slice or array type, but got: struct".to_owned())),
    }
}

fn merge_maps(
    mut original: Map<String, Value>,
    patch: &mut Map<String, Value>,
    go_type: &GoType,
) -> Result<Map<String, Value>, Problem> {
    if let Some(directive) = patch.get(DIRECTIVE) {
        return match directive.as_str() {
            Some("replace") => {
                patch.remove(DIRECTIVE);
                Ok(patch.clone())
            }
            Some("delete") => Ok(Map::new()),
            _ => Err(unknown_directive(directive, patch)),
        };
    }
    retain_keys(&mut original, patch)?;
    lists::merge_ordered(&mut original, patch, go_type)?;
    let keys: Vec<String> = patch.keys().cloned().collect();
    for patch_key in keys {
        let Some(value) = patch.get_mut(&patch_key) else { continue };
        let deletes = patch_key.starts_with(DELETE_FROM_LIST);
        let key = if deletes { named_by(&patch_key, DELETE_FROM_LIST)? } else { patch_key.as_str() };
        if value.is_null() {
            original.remove(key);
            continue;
        }
        let Some(before) = original.get_mut(key) else {
            if !deletes {
                insert(&mut original, key, value);
            }
            continue;
        };
        match (&mut *before, &mut *value) {
            (Value::Object(before), Value::Object(inner)) => {
                let merging = merging_of(go_type, key)?;
                let merged = match merging.strategy {
                    "replace" => inner.clone(),
                    _ => merge_maps(std::mem::take(before), inner, merging.go_type)?,
                };
                original.insert(key.to_owned(), Value::Object(merged));
            }
            (Value::Array(items), Value::Array(inner)) => {
                let merging = list_merging_of(go_type, key)?;
                let merged = lists::merge(std::mem::take(items), inner, &merging, deletes)?;
                original.insert(key.to_owned(), Value::Array(merged));
            }
            _ if deletes => {}
            _ => insert(&mut original, key, value),
        }
    }
    Ok(original)
}

/// Takes a value of the patch as it is, but for nulls and directives in it.
fn insert(original: &mut Map<String, Value>, key: &str, value: &mut Value) {
    discard_nulls(value);
    match without_directives(value) {
        Some(value) => original.insert(key.to_owned(), value),
        None => original.remove(key),
    };
}

fn unknown_directive(directive: &Value, patch: &Map<String, Value>) -> Problem {
    let patch = go_print(&Value::Object(patch.clone()));
    Problem::Other(format!("unknown patch type: {} in map: {patch}", go_print(directive)))
}

/// Returns the field that a directive such as `$setElementOrder/env` is about.
fn named_by<'k>(key: &'k str, prefix: &str) -> Result<&'k str, Problem> {
    match key.split_once('/') {
        Some((directive, field)) if directive == prefix => Ok(field),
        _ if prefix == DELETE_FROM_LIST => Err(Problem::Format("invalid patch format of primitive list")),
        _ => Err(Problem::Format("invalid patch format of setElementOrder list")),
    }
}

/// Drops the fields of the original that the patch does not name, where it says so.
fn retain_keys(original: &mut Map<String, Value>, patch: &mut Map<String, Value>) -> Result<(), Problem> {
    const BAD: Problem = Problem::Format("invalid patch format of retainKeys");
    let Some(retained) = patch.remove(RETAIN_KEYS) else { return Ok(()) };
    let Value::Array(retained) = retained else { return Err(BAD) };
    let retained: BTreeSet<&str> = retained.iter().filter_map(Value::as_str).collect();
    let is_retained = |key: &str| retained.contains(key);
    let is_free = |key: &str| key.starts_with(DELETE_FROM_LIST) || key.starts_with(ELEMENT_ORDER);
    if patch.iter().any(|(key, value)| !value.is_null() && !is_free(key) && !is_retained(key)) {
        return Err(BAD);
    }
    original.retain(|key, _| is_retained(key));
    Ok(())
}

fn discard_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(discard_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(discard_nulls),
        _ => {}
    }
}

/// Returns a value without the maps in it that have a directive; `None` if it is one. The value itself keeps only those
/// that are in a list.
fn without_directives(value: &mut Value) -> Option<Value> {
    match value {
        Value::Object(map) if map.contains_key(DIRECTIVE) => None,
        Value::Object(map) => {
            map.retain(|_, value| match without_directives(value) {
                Some(cleaned) => {
                    *value = cleaned;
                    true
                }
                None => false,
            });
            Some(value.clone())
        }
        Value::Array(items) => Some(items.iter_mut().filter_map(without_directives).collect()),
        other => Some(other.clone()),
    }
}
