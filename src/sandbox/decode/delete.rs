//! The body of a DELETE: `DeleteOptions`.

use serde_json::{Map, Value};

use super::identity::Identity;
use super::structure::{Reading, decode};
use super::{Sent, parse};
use crate::sandbox::refusal::Refusal;
use crate::sandbox::structure::GoType;

/// Reads the body of a DELETE; an empty one has no options.
///
/// # Errors
/// With the server's words for what is wrong with it.
pub fn delete_options(bytes: &[u8], content_type: Option<&str>) -> Result<Value, Refusal> {
    if bytes.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    let Sent { node, .. } = parse(bytes, content_type)?.map_err(Refusal::bad_request)?;
    let identity = Identity::of(&node).map_err(Refusal::bad_request)?.or("meta.k8s.io", "v1", "DeleteOptions");
    if identity.kind != "DeleteOptions" {
        return Err(Refusal::bad_request(format!(
            "decoded object cannot be converted to DeleteOptions: {}",
            identity.kind
        )));
    }
    let go_type = GoType::Named("meta.v1.DeleteOptions".to_owned());
    decode(Reading::Json, &go_type, &node).map(|read| read.value).map_err(Refusal::bad_request)
}
