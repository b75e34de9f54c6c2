//! Manifests in YAML, to typed values: each document that fits its kind is applied to nothing, to itself, and by another
//! manager to what the first made.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mathison::ssa::{self, Schema};
use mathison::yaml;
use serde_json::Value;

fuzz_target!(|text: &str| {
    let (documents, _) = yaml::read("fuzz.yaml", text);
    for document in documents {
        let object = document.root.to_json();
        let word = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
        let (group, version) = word("apiVersion").split_once('/').unwrap_or(("", word("apiVersion")));
        let schema = ssa::builtin(group, version, word("kind")).unwrap_or_else(Schema::deduced);
        let Ok(first) = ssa::apply(&schema, None, &object, "one") else { continue };
        let second = ssa::apply(&schema, Some(&first.object), &object, "one");
        assert!(second.is_ok_and(|second| second.conflicts.is_empty()), "the same configuration does not fit twice");
        // What was filled in or respelled since is another value to the server, so that there may be conflicts.
        ssa::apply(&schema, Some(&first.object), &object, "two").expect("it fits whoever applies it");
    }
});
