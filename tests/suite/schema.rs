//! The published JSON Schema, held against a JSON Schema library: it must say yes and no to the same files as the loader.

use std::path::{Path, PathBuf};

use mathison::stack::{Settings, json_schema, load_text};
use mathison::yaml::read_plain;
use serde_json::Value;

fn accepts(validator: &jsonschema::Validator, text: &str) -> bool {
    let (documents, _) = read_plain("stack.yaml", text);
    documents.first().is_some_and(|document| validator.is_valid(&document.value))
}

fn validator() -> jsonschema::Validator {
    jsonschema::draft202012::new(&json_schema()).expect("the schema is one")
}

fn stacks() -> Vec<PathBuf> {
    fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).expect("list the stacks") {
            let path = entry.expect("read an entry").path();
            if path.is_dir() {
                collect(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                let text = std::fs::read_to_string(&path).expect("read a stack");
                if text.lines().any(|line| line.starts_with("stack:")) {
                    found.push(path);
                }
            }
        }
    }
    let mut found = Vec::new();
    collect(Path::new("stacks"), &mut found);
    found
}

#[test]
fn the_schema_is_one() {
    let schema = json_schema();
    assert!(jsonschema::meta::is_valid(&schema));
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["additionalProperties"], false);
}

#[test]
fn every_example_passes_the_schema_and_loads() {
    let stacks = stacks();
    assert!(!stacks.is_empty());
    let validator = validator();
    for path in stacks {
        let text = std::fs::read_to_string(&path).expect("read a stack");
        let value: Value = read_plain("x", &text).0.remove(0).value;
        let errors: Vec<String> =
            validator.iter_errors(&value).map(|error| format!("{} at {}", error, error.instance_path())).collect();
        assert!(errors.is_empty(), "{}: {errors:#?}", path.display());
        if let Err(error) = mathison::stack::load(&path, &Settings::default()) {
            panic!("{error}\n{}", error.render(false, 140).unwrap_or_default());
        }
    }
}

#[test]
fn the_schema_and_the_loader_refuse_the_same_shapes() {
    let wrong = [
        "servces: {}",
        "services: []",
        "services: { db: {} }",
        "services: { db: { type: mysql } }",
        "services: { cache: { type: redis, memory: 1Gi } }",
        "services: { cache: { type: redis, version: seven } }",
        "services: { cache: { type: redis, maxmemoryPolicy: none } }",
        "services: { cache: { type: redis, dependsOn: cache } }",
        "inputs: { a: { type: text } }",
        "inputs: { a: { default: 1 } }",
        "environments: { production: 1 }",
        "manifests: [{}]",
        "manifests: [{ path: a, inline: {} }]",
        "manifests: { path: a }",
        "secrets: { app: { KEY: {} } }",
        "secrets: { app: { KEY: { env: A, file: b } } }",
        "secrets: { app: { KEY: { generate: { bytes: 0 } } } }",
        "secrets: { app: { KEY: secret } }",
        "checks: { a: { in: db } }",
        "checks: { a: { sql: SELECT 1, redis: PING, in: db } }",
        "mute: [{ address: a, field: .b, reason: c }]",
        "outputs: { A: 1 }",
        "dependsOn: { a: b }",
        "protect: a",
        "grant: { a: [{ owner: b }] }",
    ];
    let validator = validator();
    for part in wrong {
        let text = format!("stack: demo\nnamespace: demo\n{part}\n");
        assert!(!accepts(&validator, &text), "the schema accepts {part}");
        assert!(
            load_text("stack.yaml", &text, Path::new("tests"), &Settings::default()).is_err(),
            "the loader accepts {part}"
        );
    }
    for text in ["namespace: demo", "stack: demo", "stack: 5\nnamespace: demo", "[]"] {
        assert!(!accepts(&validator, text), "the schema accepts {text}");
        assert!(
            load_text("stack.yaml", text, Path::new("tests"), &Settings::default()).is_err(),
            "the loader accepts {text}"
        );
    }
}

#[test]
fn an_input_may_stand_where_a_number_or_a_word_belongs() {
    let text = "stack: demo\nnamespace: demo\ninputs: { v: { type: integer, default: 7 }, p: { type: string, default: noeviction } }\n\
                services: { cache: { type: redis, version: \"${inputs.v}\", maxmemoryPolicy: \"${inputs.p}\" } }\n";
    assert!(accepts(&validator(), text));
    let loaded = load_text("stack.yaml", text, Path::new("tests"), &Settings::default()).unwrap();
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
}
