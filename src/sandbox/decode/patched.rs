//! What patches and applies make of an object, read into the structure of its kind.

use serde_json::Value;

use super::identity::Identity;
use super::node::Node;
use super::structure::{self, Reading};
use super::{Decoded, Empties, FieldValidation, Source, custom, finish, go_print, read_as, settled};
use crate::sandbox::kind::Kind;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::structure::{GoType, of_kind};

/// Decodes an object that is in memory, as one of a controller.
///
/// # Errors
/// With the server's words for what is wrong with it; they show the whole object.
pub(crate) fn object(resource: &Kind, object: Value) -> Result<Decoded, Refusal> {
    match settled::read(resource, object) {
        Ok(read) => Ok(Decoded::settled(resource, read)),
        Err(object) => document(resource, Node::of(&object), FieldValidation::Ignore, &[]),
    }
}

/// Decodes what a JSON patch or merge patch made of an object; `repeated` is what was repeated in the patch:
/// `duplicate field "x"`.
///
/// # Errors
/// With the server's words for what is wrong with it; they show the whole object.
pub(crate) fn document(
    resource: &Kind,
    document: Node,
    validation: FieldValidation,
    repeated: &[String],
) -> Result<Decoded, Refusal> {
    if resource.custom.is_some() {
        return custom::patched(resource, document, validation, repeated);
    }
    let read = Identity::of(&document)
        .map(|identity| identity.or(&resource.group, &resource.version, &resource.kind))
        .and_then(|identity| read_as(&identity, resource, &document));
    let empties = Empties::of_kind(resource, &type_of(resource), &document.to_value());
    let source = Source::Patched(document);
    let read = read.map_err(|mistake| source.refusal(resource, &mistake))?;
    of_patch(resource, read, empties, validation, repeated, source)
}

/// Decodes what a strategic merge patch made of an object; messages show what is left of the patch after it was merged.
///
/// # Errors
/// With the server's words for what is wrong with it.
pub fn merged(
    resource: &Kind,
    object: &Value,
    validation: FieldValidation,
    repeated: &[String],
    patch: &Value,
) -> Result<Decoded, Refusal> {
    let source = Source::Patch(go_print(patch));
    let go_type = type_of(resource);
    let read = structure::decode(Reading::Map, &go_type, &Node::of(object));
    let read = read.map_err(|mistake| source.refusal(resource, &mistake))?;
    of_patch(resource, read, Empties::of_kind(resource, &go_type, object), validation, repeated, source)
}

fn type_of(resource: &Kind) -> GoType {
    of_kind(&resource.group, &resource.version, &resource.kind).unwrap_or_else(|| GoType::named(""))
}

fn of_patch(
    resource: &Kind,
    read: structure::Read,
    empties: Empties,
    validation: FieldValidation,
    repeated: &[String],
    source: Source,
) -> Result<Decoded, Refusal> {
    let warnings = repeated.iter().cloned().chain(read.strict).collect();
    let mut object = read.value;
    finish(resource, &mut object);
    Decoded { object, warnings, empties, of_yaml: 0, source, other_version: None }.judged(resource, validation)
}

/// Reads what an apply made of an object into the structure of its kind, as the server does before it goes on with it;
/// `config` is what was applied, `merged` what the merge alone came to.
///
/// # Errors
/// 500 with the server's words, where it cannot be read.
pub fn applied(resource: &Kind, config: &Value, merged: &Value, object: &Value) -> Result<(Value, Empties), Refusal> {
    let text = |pointer: &str| config.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let go_type = type_of(resource);
    let empties = Empties::of(&go_type, merged);
    if let Some(seen) = settled::look(&go_type, object) {
        let mut object = object.clone();
        if seen.changes {
            settled::settle(&go_type, &mut object);
        }
        finish(resource, &mut object);
        return Ok((object, empties));
    }
    let read = structure::decode(Reading::Map, &go_type, &Node::of(object));
    let read = read.map_err(|mistake| {
        let kind = full_name(resource);
        let (namespace, name) = (text("/metadata/namespace"), text("/metadata/name"));
        let why = not_held(resource, &mistake);
        Refusal::plain(format!("failed to convert new object ({namespace}/{name}; {kind}) to proper version: {why}"))
    })?;
    let mut object = read.value;
    finish(resource, &mut object);
    Ok((object, empties))
}

/// Tells in the server's words why the structure of its kind cannot hold an object; `None` where it can.
#[must_use]
pub fn unconvertible(resource: &Kind, object: &Value) -> Option<String> {
    let read = structure::decode(Reading::Map, &type_of(resource), &Node::of(object));
    read.err().map(|mistake| not_held(resource, &mistake))
}

fn not_held(resource: &Kind, mistake: &str) -> String {
    format!("unable to convert unstructured object to {}: {mistake}", full_name(resource))
}

/// `apps/v1, Kind=Deployment`, as Go prints what names a kind.
fn full_name(resource: &Kind) -> String {
    let slash = if resource.group.is_empty() { "/" } else { "" };
    format!("{slash}{}, Kind={}", resource.api_version(), resource.kind)
}
