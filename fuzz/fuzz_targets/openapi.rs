//! A schema, and an object of it: the first line is the schema of a kind as in an OpenAPI v3 document, the rest an object.
//! Whatever the schema says, an apply ends, and nobody is in conflict with oneself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mathison::ssa::{self, Schema};
use serde_json::{Value, json};

const NAME: &str = "com.example.v1.Thing";

fuzz_target!(|data: &[u8]| {
    let (schema, object) = match data.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&data[..end], &data[end + 1..]),
        None => (data, b"{}".as_slice()),
    };
    let Ok(mut schema) = serde_json::from_slice::<Value>(schema) else { return };
    if let Some(schema) = schema.as_object_mut() {
        let kind = json!([{"group": "example.com", "version": "v1", "kind": "Thing"}]);
        schema.insert("x-kubernetes-group-version-kind".to_owned(), kind);
    }
    let document = json!({"openapi": "3.0.0", "paths": {}, "components": {"schemas": {NAME: schema}}});
    let Some(schema) = Schema::from_openapi(&document, "example.com", "v1", "Thing") else { return };
    let Ok(mut object) = serde_json::from_slice::<Value>(object) else { return };
    let Some(map) = object.as_object_mut() else { return };
    map.insert("apiVersion".to_owned(), json!("example.com/v1"));
    map.insert("kind".to_owned(), json!("Thing"));
    let Ok(first) = ssa::apply(&schema, None, &object, "fuzz") else { return };
    if let Ok(second) = ssa::apply(&schema, Some(&first.object), &object, "fuzz") {
        assert!(second.conflicts.is_empty());
    }
});
