//! Patches: what becomes of a stored object.
//!
//! [`patched`] puts a patch on an object, in memory, and decodes the result as the server would. Apply is no patch in this
//! sense: see [`ssa`](crate::ssa).

mod document;
mod json;
mod merge;
mod strategic;

pub(super) use self::merge::merge;

use serde_json::{Map, Value};

use super::decode::node::Node;
use super::decode::scalar::quoted;
use super::decode::{self, Decoded, FieldValidation, encoded, unreadable};
use super::kind::Kind;
use super::refusal::Refusal;

/// The forms of patches, apply apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatchKind {
    /// RFC 6902.
    Json,
    /// RFC 7386.
    Merge,
    /// Kubernetes' own: lists are merged by the keys of their items.
    Strategic,
}

impl PatchKind {
    /// Returns the form that a media type names; `None` for an apply patch too.
    #[must_use]
    pub fn of_media_type(content_type: &str) -> Option<Self> {
        match content_type.split(';').next().unwrap_or_default() {
            "application/json-patch+json" => Some(Self::Json),
            "application/merge-patch+json" => Some(Self::Merge),
            "application/strategic-merge-patch+json" => Some(Self::Strategic),
            _ => None,
        }
    }
}

/// Returns the refusal of a patch in a form that the kind does not take.
#[must_use]
pub fn unsupported(resource: &Kind) -> Refusal {
    if resource.custom.is_none() {
        let mut refusal = Refusal::unsupported_media_type("415: Unsupported Media Type");
        refusal.details = Some(Map::new());
        return refusal;
    }
    Refusal::unsupported_media_type(
        "the body of the request was in an unknown format - accepted media types include: \
         application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
    )
}

/// Puts a patch on the live object and decodes the result. Of custom resources the result is not judged yet: see
/// [`Decoded::judged`].
///
/// # Errors
/// With the server's words for what is wrong with the patch or with what it makes.
pub fn patched(
    kind: PatchKind,
    resource: &Kind,
    live: &Value,
    body: &[u8],
    validation: FieldValidation,
) -> Result<Decoded, Refusal> {
    match kind {
        PatchKind::Json => {
            let (document, repeated) = json::patched(encoded(resource, live), body, validation)?;
            decode::document(resource, document, validation, &repeated)
        }
        PatchKind::Merge => {
            let (document, repeated) = merge::patched(encoded(resource, live), body, validation)?;
            decode::document(resource, document, validation, &repeated)
        }
        PatchKind::Strategic if resource.custom.is_some() => Err(unsupported(resource)),
        PatchKind::Strategic => {
            let node = Node::read(body).map_err(Refusal::bad_request)?;
            let mut patch = as_map(&node).map_err(Refusal::bad_request)?;
            let object = strategic::merged(resource, live, &mut patch)?;
            let patch = Value::Object(patch);
            let repeated = repeated(&node);
            decode::merged(resource, &object, validation, &repeated, &patch)
        }
    }
}

/// Takes a patch as a map; null is an empty one.
fn as_map(node: &Node) -> Result<Map<String, Value>, String> {
    if let Some(number) = node.unreadable_number() {
        return Err(unreadable(number));
    }
    match node.to_value() {
        Value::Object(map) => Ok(map),
        Value::Null => Ok(Map::new()),
        _ => {
            let what = node.describe();
            Err(format!("json: cannot unmarshal {what} into Go value of type map[string]interface {{}}"))
        }
    }
}

/// Tells the keys that a patch has more than once.
fn repeated(node: &Node) -> Vec<String> {
    node.equal_keys().iter().map(|path| format!("duplicate field {}", quoted(path))).collect()
}

/// What is wrong with the patch is not told.
fn rejected() -> Refusal {
    let mut refusal = Refusal::new(422, "Invalid", "the server rejected our request due to an error in our request");
    refusal.details = Some(Map::new());
    refusal
}

#[cfg(test)]
mod tests;
