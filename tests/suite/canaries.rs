//! No secret value stands anywhere but in the Secret itself: not in a file, a stream, another object, an event or a request.
//!
//! The values are known to the test: planted at their sources, or read from the Secret where the program made them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use mathison::resource::Digest;
use serde_json::Value;

use crate::support::cluster::{Namespace, Server, User};
use crate::support::environment::TestEnv;

on_each_server!(no_secret_value_leaves_its_secret);

const STACK: &str = r#"stack: canary
namespace: NAMESPACE
secrets:
  app-secrets:
    FROM_ENVIRONMENT: { env: CANARY_VARIABLE }
    FROM_FILE: { file: token.txt }
    FROM_SECRET: { from: outside/key }
    GENERATED: { generate: { bytes: 24 } }
    DERIVED: { template: "postgresql://app:${urlencode(FROM_ENVIRONMENT)}@db/${GENERATED}" }
manifests:
  - inline:
      apiVersion: apps/v1
      kind: Deployment
      metadata: { name: app }
      spec:
        selector: { matchLabels: { app: app } }
        template:
          metadata: { labels: { app: app } }
          spec:
            containers:
              - { name: app, image: "example.com/app:1", envFrom: [{ secretRef: { name: app-secrets } }] }
outputs:
  DATABASE_URL: app-secrets/DERIVED
"#;

/// Holds what percent-encoding and base64 change, so that a value is looked for in all its forms.
const VARIABLE: &str = "canary/from+the=environment&1f0c";
const FILE: &str = "canary-from-a-file-77aa";
const OUTSIDE: &str = "canary-from-another-secret-3b9e";

/// All that was ever printed, by the command that printed it.
struct Streams(Vec<(String, String)>);

impl Streams {
    /// Runs a command, with the code that it must end with, and keeps what it prints.
    #[track_caller]
    fn run(&mut self, environment: &TestEnv, line: &str, code: i32) {
        let output = environment.run(line).expect_code(code);
        self.0.push((format!("mathison {line}"), format!("{}\n{}", output.stdout, output.stderr)));
    }
}

fn no_secret_value_leaves_its_secret(server: &Server) {
    let namespace = server.namespace("canary");
    namespace.kubectl(&["create", "secret", "generic", "outside", &format!("--from-literal=key={OUTSIDE}")]);
    let mut environment = server.environment(User::Recorded);
    environment.set("CANARY_VARIABLE", VARIABLE);
    environment.write("stack.yaml", &STACK.replace("NAMESPACE", namespace.name()));
    environment.write("token.txt", &format!("{FILE}\n"));
    let mark = server.mark();
    let mut streams = Streams(Vec::new());

    for line in ["validate stack.yaml", "render stack.yaml", "render stack.yaml --out rendered", "graph stack.yaml"] {
        streams.run(&environment, line, 0);
    }
    for line in ["plan stack.yaml", "plan stack.yaml --json", "apply stack.yaml --auto-approve"] {
        streams.run(&environment, line, 0);
    }
    let mut values = secret_values(&namespace);
    for planted in [VARIABLE, FILE, OUTSIDE] {
        assert!(values.values().any(|value| value == planted), "{planted} did not reach the Secret: {values:?}");
    }
    everyday_commands(&environment, &mut streams);

    // Another value at a source, and another hand in the Secret: both are shown as changes, neither is shown.
    let rotated = format!("{VARIABLE}-rotated");
    environment.set("CANARY_VARIABLE", &rotated);
    streams.run(&environment, "plan stack.yaml", 0);
    streams.run(&environment, "apply stack.yaml --auto-approve --json", 0);
    values.insert("rotated".to_owned(), rotated);
    let foreign = "canary-by-another-hand-90d4";
    let patch = format!(r#"{{"stringData":{{"FROM_FILE":"{foreign}"}}}}"#);
    namespace.kubectl(&["patch", "secret", "app-secrets", "-p", &patch]);
    values.insert("by another hand".to_owned(), foreign.to_owned());
    streams.run(&environment, "drift stack.yaml", 2);
    streams.run(&environment, "drift stack.yaml --json", 2);
    streams.run(&environment, "plan stack.yaml", 0);
    streams.run(&environment, "apply stack.yaml --auto-approve", 0);
    everyday_commands(&environment, &mut streams);

    // Shown where it was asked for, and only there.
    let shown = environment.run("output stack.yaml FROM_NOWHERE --show-secrets");
    assert_ne!(shown.code, 0, "there is no such output\n{shown}");
    let shown = environment.run("output stack.yaml DATABASE_URL --show-secrets").expect_code(0);
    let derived = secret_values(&namespace).remove("DERIVED").expect("the Secret has this key");
    assert_eq!(shown.stdout.trim(), derived);

    let sent = server.recorded_bodies("recorded", mark, namespace.name());
    let objects = objects_beside_secrets(&namespace);
    streams.run(&environment, "destroy stack.yaml --auto-approve", 0);
    values.extend(secret_values_of(&namespace, "outside"));

    let mut places: Vec<(String, String)> = streams.0;
    places.push(("a request".to_owned(), sent));
    places.push(("an object".to_owned(), objects));
    places.extend(written_files(&environment));
    let leaks = leaks(&values, &places);
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
}

fn everyday_commands(environment: &TestEnv, streams: &mut Streams) {
    for line in [
        "plan stack.yaml",
        "plan stack.yaml --json",
        "drift stack.yaml",
        "drift stack.yaml --json",
        "verify stack.yaml",
        "output stack.yaml",
        "output stack.yaml --json",
        "output stack.yaml DATABASE_URL",
    ] {
        streams.run(environment, line, 0);
    }
}

fn secret_values(namespace: &Namespace<'_>) -> BTreeMap<String, String> {
    secret_values_of(namespace, "app-secrets")
}

fn secret_values_of(namespace: &Namespace<'_>, name: &str) -> BTreeMap<String, String> {
    let secret = namespace.get("secret", name).unwrap_or_else(|| panic!("there is no Secret {name}"));
    let data = secret["data"].as_object().cloned().unwrap_or_default();
    data.into_iter()
        .map(|(key, value)| {
            let bytes = STANDARD.decode(value.as_str().unwrap_or_default()).expect("a Secret holds base64");
            (key, String::from_utf8(bytes).expect("these values are text"))
        })
        .collect()
}

/// Returns all that lives in the namespace, with managed fields and annotations, but the data of Secrets.
fn objects_beside_secrets(namespace: &Namespace<'_>) -> String {
    let kinds = "configmaps,serviceaccounts,services,deployments,replicasets,pods,events,secrets";
    let text = namespace.kubectl(&["get", kinds, "-o", "json", "--show-managed-fields"]);
    let mut list: Value = serde_json::from_str(&text).expect("kubectl prints JSON");
    for object in list["items"].as_array_mut().expect("a list has items") {
        if object["kind"] == "Secret" {
            object.as_object_mut().expect("an item is an object").remove("data");
        }
    }
    list.to_string()
}

/// Returns the files that the program may have written: all below the environment's root but the source itself.
fn written_files(environment: &TestEnv) -> Vec<(String, String)> {
    let is_source = |path: &Path| path.ends_with("work/token.txt");
    let files = environment.files().into_iter().filter(|path| !is_source(path));
    files
        .map(|path| {
            let bytes = fs::read(&path).expect("read a file of the environment");
            (path.display().to_string(), String::from_utf8_lossy(&bytes).into_owned())
        })
        .collect()
}

/// Returns where a value stands, in any form from which somebody could get it back or test a guess.
fn leaks(values: &BTreeMap<String, String>, places: &[(String, String)]) -> Vec<String> {
    let mut found = Vec::new();
    for (key, value) in values {
        let digest = Digest::of_bytes(value.as_bytes()).hex();
        let forms = [
            ("as it is", value.clone()),
            ("in base64", STANDARD.encode(value).trim_end_matches('=').to_owned()),
            ("in URL-safe base64", URL_SAFE_NO_PAD.encode(value)),
            (
                "percent-encoded",
                percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC).to_string(),
            ),
            ("as a digest without a key", digest),
        ];
        for (place, text) in places {
            for (form, needle) in &forms {
                if text.contains(needle.as_str()) {
                    found.push(format!("{key} stands {form} in {place}"));
                }
            }
        }
    }
    found
}

#[test]
fn a_leak_is_found_in_every_form() {
    let values = [("KEY".to_owned(), VARIABLE.to_owned())].into();
    let digest = Digest::of_bytes(VARIABLE.as_bytes()).hex();
    for text in [VARIABLE, "canary%2Ffrom%2Bthe%3Denvironment%261f0c", &STANDARD.encode(VARIABLE), &digest] {
        let places = [("a file".to_owned(), format!("before {text} after"))];
        assert_ne!(leaks(&values, &places), Vec::<String>::new(), "{text}");
    }
    assert_eq!(leaks(&values, &[("a file".to_owned(), "canary".to_owned())]), Vec::<String>::new());
}
