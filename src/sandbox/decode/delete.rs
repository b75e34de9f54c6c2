//! The body of a DELETE: `DeleteOptions`.

use serde_json::Value;

use super::identity::Identity;
use super::structure::{Reading, decode};
use super::{Sent, parse};
use crate::sandbox::refusal::Refusal;
use crate::sandbox::structure::GoType;

/// Reads the body of a DELETE; an empty one is none, and leaves it to the query to say how.
///
/// # Errors
/// With the server's words for what is wrong with it.
pub fn delete_options(bytes: &[u8], content_type: Option<&str>) -> Result<Option<Value>, Refusal> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let Sent { node, .. } = parse(bytes, content_type)?.map_err(Refusal::bad_request)?;
    let identity = Identity::of(&node).map_err(Refusal::bad_request)?.or("meta.k8s.io", "v1", "DeleteOptions");
    if identity.kind != "DeleteOptions" {
        let (kind, version) = (&identity.kind, identity.api_version());
        return Err(Refusal::bad_request(format!(
            "no kind {kind:?} is registered for version {version:?} in scheme \"pkg/runtime/scheme.go:111\""
        )));
    }
    let go_type = GoType::named("meta.v1.DeleteOptions");
    decode(Reading::Json, &go_type, &node).map(|read| Some(read.value)).map_err(Refusal::bad_request)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_options_are_refused_in_the_words_of_the_server() {
        let told = |text: &str| delete_options(text.as_bytes(), Some("application/json")).unwrap_err().message;
        assert_eq!(
            told(r#"{"kind":"Foo"}"#),
            r#"no kind "Foo" is registered for version "meta.k8s.io/v1" in scheme "pkg/runtime/scheme.go:111""#
        );
        assert_eq!(
            told(r#"{"gracePeriodSeconds":"x"}"#),
            "json: cannot unmarshal string into Go struct field DeleteOptions.gracePeriodSeconds of type int64"
        );
        assert_eq!(told("{"), "couldn't get version/kind; json parse error: unexpected end of JSON input");
    }

    #[test]
    fn options_are_read() {
        assert_eq!(delete_options(b"", None), Ok(None));
        let read = delete_options(br#"{"propagationPolicy":"Orphan","preconditions":{"uid":"u"},"foo":1}"#, None);
        assert_eq!(read, Ok(Some(serde_json::json!({"propagationPolicy": "Orphan", "preconditions": {"uid": "u"}}))));
    }
}
