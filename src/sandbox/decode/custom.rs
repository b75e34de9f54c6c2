//! Custom resources: the content is left as it is but for its metadata, which is the same for all objects.

use serde_json::{Map, Value};

use super::identity::Identity;
use super::structure::{self, Reading};
use super::{Decoded, Empties, FieldValidation, Node, Sent, Source, unrecognized};
use crate::sandbox::kind::Kind;
use crate::sandbox::refusal::{FieldProblem, Refusal};
use crate::sandbox::structure::GoType;

/// Decodes a body. Nothing is refused for being unknown yet: more may be found.
pub(super) fn body(
    resource: &Kind,
    bytes: &[u8],
    sent: &Sent,
    said: &Identity,
    validation: FieldValidation,
) -> Result<Decoded, Refusal> {
    if said.kind.is_empty() {
        let text = String::from_utf8_lossy(bytes);
        let mistake = format!("Object 'Kind' is missing in '{text}'");
        // Who ignores unknown fields is taken to have meant the kind of the path.
        if validation == FieldValidation::Ignore {
            let meant = Source::Body { kind: resource.kind.clone(), version: resource.version.clone() };
            return Err(meant.refusal(resource, &mistake));
        }
        return Err(unrecognized(&resource.kind, &mistake, bytes));
    }
    let source = Source::Body { kind: said.kind.clone(), version: said.version.clone() };
    if let Some(number) = sent.node.unreadable_number() {
        return Err(source.refusal(resource, &unreadable(number)));
    }
    let object = sent.node.to_value();
    let metadata = metadata(sent.node.get("metadata")).map_err(|mistake| source.refusal(resource, &mistake))?;
    let other_version = Some(said.api_version()).filter(|said| *said != resource.api_version());
    let mut warnings = sent.repeated.clone();
    if sent.is_json {
        let repeated = sent.node.equal_keys();
        warnings.extend(repeated.iter().map(|path| format!("duplicate field {}", super::scalar::quoted(path))));
    }
    let mut decoded = finish(object, metadata, warnings, sent.repeated.len(), source, validation);
    if other_version.is_none() {
        refuse_other_kind(resource, &decoded.object)?;
    }
    decoded.other_version = other_version;
    Ok(decoded)
}

/// Decodes an object that was patched.
pub(super) fn patched(
    resource: &Kind,
    document: Node,
    validation: FieldValidation,
    repeated: &[String],
) -> Result<Decoded, Refusal> {
    let mistake = document.unreadable_number().map(unreadable);
    let object = document.to_value();
    let source = Source::Patched(document);
    if let Some(mistake) = mistake {
        return Err(source.refusal(resource, &mistake));
    }
    if object.get("kind").and_then(Value::as_str).is_none_or(str::is_empty) {
        let mistake = format!("Object 'Kind' is missing in '{}'", Node::of(&object).text());
        return Err(source.refusal(resource, &mistake));
    }
    let node = object.get("metadata").map(Node::of);
    let metadata = metadata(node.as_ref()).map_err(|mistake| source.refusal(resource, &mistake))?;
    let decoded = finish(object, metadata, repeated.to_vec(), 0, source, validation);
    refuse_other_kind(resource, &decoded.object)?;
    Ok(decoded)
}

fn finish(
    mut object: Value,
    metadata: Option<structure::Read>,
    mut warnings: Vec<String>,
    of_yaml: usize,
    source: Source,
    validation: FieldValidation,
) -> Decoded {
    // Of equal keys only the parser speaks.
    let unknown = metadata.iter().flat_map(|metadata| &metadata.strict).filter(|told| told.starts_with("unknown"));
    let prefix = "unknown field \"";
    warnings.extend(unknown.map(|told| told.replacen(prefix, "unknown field \"metadata.", 1)));
    if let Some(map) = object.as_object_mut() {
        let metadata = metadata.map_or_else(|| Value::Object(Map::new()), |metadata| metadata.value);
        map.insert("metadata".to_owned(), metadata);
    }
    if validation == FieldValidation::Ignore {
        warnings.clear();
    }
    let of_yaml = of_yaml.min(warnings.len());
    Decoded { object, warnings, empties: Empties::default(), of_yaml, source, other_version: None }
}

/// What Go says of a number that is too large where it knows no type.
pub(crate) fn unreadable(number: &str) -> String {
    format!("json: cannot unmarshal number {number} into Go value of type float64")
}

/// Tells why a value cannot be the metadata of an object.
pub(crate) fn metadata_mistake(value: &Value) -> Option<String> {
    metadata(Some(&Node::of(value))).err()
}

fn metadata(node: Option<&Node>) -> Result<Option<structure::Read>, String> {
    let object_meta = GoType::named("meta.v1.ObjectMeta");
    match node {
        None | Some(Node::Null) => Ok(None),
        Some(node) => structure::decode(Reading::Json, &object_meta, node).map(Some),
    }
}

/// Another kind or version decodes, and is refused as an object that is not valid.
fn refuse_other_kind(resource: &Kind, object: &Value) -> Result<(), Refusal> {
    let text = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
    let (kind, api_version) = (text("kind"), text("apiVersion"));
    let mut problems = Vec::new();
    if kind != resource.kind {
        problems.push(FieldProblem::invalid("kind", &Value::from(kind), format!("must be {}", resource.kind)));
    }
    if api_version != resource.api_version() {
        let must = format!("must be {}", resource.api_version());
        problems.push(FieldProblem::invalid("apiVersion", &Value::from(api_version), must));
    }
    if problems.is_empty() {
        return Ok(());
    }
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    let name = object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
    Err(Refusal::invalid_as(group, kind, name, &problems))
}
