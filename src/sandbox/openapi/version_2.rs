//! The frame of the OpenAPI document of version 2: what it is about, without a single type or path.
//!
//! kubectl asks for it, as protobuf and in no other form, when version 3 does not know the kind of an object that it is to
//! check; such a kind is not served, so it would be missing here too. Only with this answer does kubectl go on to say that
//! the kind is not known. Whoever wants to know types reads version 3.

use serde_json::{Value, json};

/// The media type that kubectl asks for.
pub const PROTOBUF: &str = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

const TITLE: &str = "Kubernetes";
const VERSION: &str = "1.35";

/// Returns the document.
#[must_use]
pub fn document() -> Value {
    json!({"swagger": "2.0", "info": {"title": TITLE, "version": VERSION}, "paths": {}, "definitions": {}})
}

/// Returns the document as protobuf (`openapi.v2.Document` of gnostic).
#[must_use]
pub fn protobuf() -> Vec<u8> {
    let info = [field(1, TITLE.as_bytes()), field(2, VERSION.as_bytes())].concat();
    [field(1, b"2.0"), field(2, &info), field(8, &[]), field(9, &[])].concat()
}

/// Writes a field of bytes. All that is written here is shorter than what a length of one byte can say.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u8::try_from(bytes.len()).unwrap_or(u8::MAX);
    let mut written = vec![(number << 3) | 2, length];
    written.extend(bytes);
    written
}

/// Tells whether protobuf is asked for.
#[must_use]
pub fn prefers_protobuf(accept: &str) -> bool {
    accept.split(',').any(|wanted| wanted.trim().starts_with("application/com.github.proto-openapi.spec.v2"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frame_begins_as_the_server_writes_it() {
        // Up to the paths, these are the first bytes that a real server answered.
        let begin = b"\x0a\x032.0\x12\x12\x0a\x0aKubernetes\x12\x041.35\x42";
        assert!(protobuf().starts_with(begin), "{:x?}", protobuf());
    }

    #[test]
    fn protobuf_is_for_who_asks_for_it() {
        assert!(prefers_protobuf("application/com.github.proto-openapi.spec.v2@v1.0+protobuf"));
        assert!(!prefers_protobuf("application/json, */*"));
    }
}
