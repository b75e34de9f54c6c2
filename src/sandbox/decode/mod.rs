//! What a body or a patched object means to the server: unknown fields told and dropped, wrong types refused, and what is
//! left in the form in which the server writes it.
//!
//! Kubernetes' own kinds are decoded into the [structures](super::structure) of the Go sources. Of custom resources only
//! the metadata is; pruning the rest by its structural schema is for others, who add what they find to
//! [`Decoded::warnings`] and then ask [`Decoded::judged`].

mod apply;
mod custom;
mod delete;
mod empties;
mod encoded;
mod identity;
pub(crate) mod node;
pub mod options;
mod patched;
mod plain;
pub(crate) mod scalar;
mod settled;
mod structure;
mod time;
mod written;
mod yaml;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use self::identity::Identity;
use self::node::Node;
use self::structure::Reading;
use super::kind::Kind;
use super::protobuf::unknown_format;
use super::refusal::{FieldProblem, Refusal};
use super::structure::{GoType, of_kind, package_of_group};

pub use self::apply::{Repeated, yaml_or_json};
pub(crate) use self::custom::{metadata_mistake, unreadable};
pub use self::delete::delete_options;
pub use self::empties::Empties;
pub(crate) use self::encoded::encoded;
pub use self::options::{Verb, WriteOptions};
pub use self::patched::{applied, merged, unconvertible};
pub(crate) use self::patched::{document, object};

/// What becomes of fields that are unknown or stand there twice (`fieldValidation`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FieldValidation {
    /// The request is refused.
    Strict,
    /// They are told.
    #[default]
    Warn,
    /// Nothing.
    Ignore,
}

/// A decoded object.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// The object as the server holds it, with `apiVersion` and `kind`.
    pub object: Value,
    /// Fields that are unknown or repeated, in the server's words: `unknown field "spec.foo"`.
    pub warnings: Vec<String>,
    /// Empty lists and maps that the object had.
    pub empties: Empties,
    /// How many of them the YAML parser found; they are the first.
    of_yaml: usize,
    source: Source,
    /// The version that a body says it is of, if that is not the one that is written to.
    other_version: Option<String>,
}

/// Where an object comes from: refusals differ.
#[derive(Debug, Clone, PartialEq)]
enum Source {
    Body {
        kind: String,
        version: String,
    },
    /// The patched object. Messages show the whole of it.
    Patched(Node),
    /// The patch, as messages show it.
    Patch(String),
}

impl Decoded {
    /// Takes an object of which there is nothing to tell.
    fn settled(resource: &Kind, (object, empties): (Value, Empties)) -> Self {
        let source = Source::Body { kind: resource.kind.clone(), version: resource.version.clone() };
        Self { object, warnings: Vec::new(), empties, of_yaml: 0, source, other_version: None }
    }

    /// The version that a body says it is of, if that is not the one that is written to: it is refused, but after what is
    /// unknown in that version was told.
    pub(crate) fn other_version(&self) -> Option<&str> {
        self.other_version.as_deref()
    }

    /// Returns the refusal of an object for a mistake that is found after it was decoded.
    pub(crate) fn refused(&self, resource: &Kind, mistake: &str) -> Refusal {
        self.source.refusal(resource, mistake)
    }

    /// Refuses strictly what is unknown or repeated, or forgets it, as is wished.
    ///
    /// # Errors
    /// With the server's words for it, under [`FieldValidation::Strict`].
    pub fn judged(mut self, resource: &Kind, validation: FieldValidation) -> Result<Self, Refusal> {
        match validation {
            FieldValidation::Ignore => self.warnings.clear(),
            FieldValidation::Strict if !self.warnings.is_empty() => {
                let (of_yaml, others) = self.warnings.split_at(self.of_yaml.min(self.warnings.len()));
                let mut mistakes = Vec::new();
                if !of_yaml.is_empty() {
                    mistakes.push(yaml_errors(of_yaml));
                }
                mistakes.extend(others.iter().cloned());
                let mistake = format!("strict decoding error: {}", mistakes.join(", "));
                return Err(self.source.refusal(resource, &mistake));
            }
            _ => {}
        }
        match &self.other_version {
            Some(said) => {
                let expected = resource.api_version();
                let message = format!(
                    "the API version in the data ({said}) does not match the expected API version ({expected})"
                );
                Err(Refusal::bad_request(message).after(&self.warnings))
            }
            None => Ok(self),
        }
    }
}

fn yaml_errors(lines: &[String]) -> String {
    format!("yaml: unmarshal errors:\n  {}", lines.join("\n  "))
}

impl Source {
    fn refusal(&self, resource: &Kind, mistake: &str) -> Refusal {
        match self {
            Self::Body { kind, version } => {
                let expected = &resource.kind;
                Refusal::bad_request(format!(
                    "{kind} in version {version:?} cannot be handled as a {expected}: {mistake}"
                ))
            }
            Self::Patched(object) => refused_patch(&object.text(), mistake),
            Self::Patch(shown) => refused_patch(shown, mistake),
        }
    }
}

fn refused_patch(shown: &str, mistake: &str) -> Refusal {
    let problem = FieldProblem::invalid("patch", &Value::from(shown), mistake);
    Refusal::invalid_as("", "", "", &[problem])
}

/// A body as it was sent.
struct Sent {
    node: Node,
    repeated: Vec<String>,
    /// Equal keys are found while decoding, and not by the parser.
    is_json: bool,
}

/// Decodes the body of a POST or PUT.
///
/// # Errors
/// With the server's words for what is wrong with it.
pub fn body(
    resource: &Kind,
    bytes: &[u8],
    content_type: Option<&str>,
    validation: FieldValidation,
) -> Result<Decoded, Refusal> {
    if is_json(content_type)
        && let Some(object) = plain::read(bytes)
        && let Ok(read) = settled::read(resource, object)
    {
        return Ok(Decoded::settled(resource, read));
    }
    let unrecognized = |mistake: String| unrecognized(&resource.kind, &mistake, bytes);
    let sent = parse(bytes, content_type)?.map_err(unrecognized)?;
    let said = Identity::of(&sent.node).map_err(unrecognized)?;
    if resource.custom.is_some() {
        return custom::body(resource, bytes, &sent, &said, validation);
    }
    let identity = said.or(&resource.group, &resource.version, &resource.kind);
    let source = Source::Body { kind: identity.kind.clone(), version: identity.version.clone() };
    let refuse = |mistake: String| source.refusal(resource, &mistake);
    let read = read_as(&identity, resource, &sent.node).map_err(refuse)?;
    let other_version = (identity.version != resource.version).then(|| identity.api_version());
    let of_yaml = sent.repeated.len();
    let warnings = sent.repeated.into_iter().chain(read.strict).collect();
    let mut object = read.value;
    let go_type = of_kind(&identity.group, &identity.version, &identity.kind).unwrap_or_else(|| GoType::named(""));
    let empties = Empties::of_kind(resource, &go_type, &sent.node.to_value());
    finish(resource, &mut object);
    Decoded { object, warnings, empties, of_yaml, source, other_version }.judged(resource, validation)
}

/// Decodes a value as the kind that it says it is, which must be the one that is written to.
fn read_as(identity: &Identity, resource: &Kind, node: &Node) -> Result<structure::Read, String> {
    let Some(go_type) = of_kind(&identity.group, &identity.version, &identity.kind) else {
        let (kind, version) = (&identity.kind, identity.api_version());
        return Err(format!(
            "no kind {kind:?} is registered for version {version:?} in scheme \"pkg/runtime/scheme.go:111\""
        ));
    };
    let read = structure::decode(Reading::Json, &go_type, node)?;
    if !resource.is(&identity.group, &identity.kind) {
        let package = package_of_group(&resource.group);
        let (from, to) = (go_type.text(), &resource.kind);
        return Err(format!("converting ({from}) to ({package}.{to}): unknown conversion"));
    }
    Ok(read)
}

/// Returns the object that Go writes of a structure into which nothing was read, with `apiVersion` and `kind`: what the
/// server compares a new object with.
#[must_use]
pub fn zero_object(resource: &Kind) -> Value {
    let mut object = match (of_kind(&resource.group, &resource.version, &resource.kind), &resource.custom) {
        (Some(go_type), None) => written::zero(&go_type),
        _ => Value::Object(serde_json::Map::new()),
    };
    finish(resource, &mut object);
    object
}

/// Gives a decoded object of Kubernetes' own kinds the form it has once it was stored: lists and maps that the server
/// writes in any case are null where they are empty. Those who look for what a writer owns need it before that.
pub fn as_stored(resource: &Kind, object: &mut Value) {
    // These are stored as JSON, which tells empty from nothing.
    let is_json = matches!(resource.group.as_str(), "apiextensions.k8s.io" | "apiregistration.k8s.io");
    if resource.custom.is_none()
        && !is_json
        && let Some(go_type) = of_kind(&resource.group, &resource.version, &resource.kind)
    {
        written::store(&go_type, object);
    }
}

fn media_type(content_type: Option<&str>) -> &str {
    content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim()
}

fn is_json(content_type: Option<&str>) -> bool {
    matches!(media_type(content_type), "" | "application/json")
}

/// Parses a body in the form that its media type tells.
fn parse(bytes: &[u8], content_type: Option<&str>) -> Result<Result<Sent, String>, Refusal> {
    match media_type(content_type).to_ascii_lowercase().as_str() {
        "" | "application/json" => Ok(Node::read(bytes)
            .map(|node| Sent { node, repeated: Vec::new(), is_json: true })
            .map_err(|mistake| format!("couldn't get version/kind; json parse error: {mistake}"))),
        "application/yaml" => {
            Ok(yaml::read(bytes).map(|read| Sent { node: read.node, repeated: read.repeated, is_json: false }))
        }
        _ => Err(unknown_format()),
    }
}

fn unrecognized(kind: &str, mistake: &str, bytes: &[u8]) -> Refusal {
    const MOST: usize = 30;
    let beginning = bytes.get(..MOST).unwrap_or(bytes);
    let shown = match bytes.first() {
        None => "<empty>".to_owned(),
        Some(b'{') => String::from_utf8_lossy(beginning).into_owned(),
        Some(_) => beginning.iter().map(|byte| format!("{byte:02x}")).collect(),
    };
    let more = if bytes.len() > MOST { " ..." } else { "" };
    Refusal::bad_request(format!(
        "the object provided is unrecognized (must be of type {kind}): {mistake} ({shown}{more})"
    ))
}

/// Says which kind it is, and moves a Secret's texts to its data.
fn finish(resource: &Kind, object: &mut Value) {
    let Some(map) = object.as_object_mut() else { return };
    for (key, said) in [("apiVersion", resource.api_version()), ("kind", resource.kind.clone())] {
        if map.get(key).and_then(Value::as_str) != Some(said.as_str()) {
            map.insert(key.to_owned(), Value::from(said));
        }
    }
    if resource.custom.is_none()
        && resource.is("", "Secret")
        && let Some(Value::Object(texts)) = map.remove("stringData")
        && !texts.is_empty()
    {
        let data = map.entry("data").or_insert_with(|| Value::Object(serde_json::Map::new()));
        if let Some(data) = data.as_object_mut() {
            let encoded = |text: &Value| Value::from(STANDARD.encode(text.as_str().unwrap_or_default()));
            data.extend(texts.iter().map(|(key, text)| (key.clone(), encoded(text))));
        }
    }
}

/// Names a value's Go type where there is no schema.
pub(crate) fn go_type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_i64() => "int64",
        Value::Number(_) => "float64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

/// Writes a value as Go's `%v` does: `map[a:1 b:[x y]]`.
pub(crate) fn go_print(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(items) => format!("[{}]", items.iter().map(go_print).collect::<Vec<_>>().join(" ")),
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| key.as_str());
            let entries: Vec<_> = entries.iter().map(|(key, value)| format!("{key}:{}", go_print(value))).collect();
            format!("map[{}]", entries.join(" "))
        }
    }
}

#[cfg(test)]
mod tests;
