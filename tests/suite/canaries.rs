//! No secret value stands anywhere but in the Secret itself: not in a file, a stream, another object, an event or a request.
//!
//! The values are known to the test: planted at their sources, or read from the Secret where the program made them. Files
//! are read after every command, since most that hold anything of a run are gone or replaced after the next.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use mathison::resource::Digest;
use rustix::process::Signal;
use serde_json::json;

use crate::support::cluster::{Namespace, Server, User};
use crate::support::environment::TestEnv;
use crate::support::interrupt::end_apply;
use crate::support::output::Output;

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

/// All that was ever printed or written, each text with its place: the command, or the file.
struct Places(BTreeSet<(String, String)>);

impl Places {
    /// Runs a command, with the code that it must end with, and keeps what it prints and writes.
    #[track_caller]
    fn run(&mut self, environment: &TestEnv, line: &str, code: i32) {
        let output = environment.run(line).expect_code(code);
        self.keep(environment, line, &output);
    }

    fn keep(&mut self, environment: &TestEnv, line: &str, output: &Output) {
        self.0.insert((format!("mathison {line}"), format!("{}\n{}", output.stdout, output.stderr)));
        self.0.extend(written_files(environment));
    }

    fn has_file(&self, ending: &str, part: &str) -> bool {
        self.0.iter().any(|(place, text)| place.ends_with(ending) && text.contains(part))
    }
}

/// Every value that a Secret ever had, by where it comes from.
#[derive(Default)]
struct Values(BTreeSet<(String, Vec<u8>)>);

impl Values {
    fn add(&mut self, source: &str, value: &str) {
        self.0.insert((source.to_owned(), value.as_bytes().to_vec()));
    }

    /// Adds what these Secrets hold now: the stack's own, the key of its digests, and the one it copies from.
    fn add_live(&mut self, namespace: &Namespace<'_>) {
        for name in ["app-secrets", "mathison-stack-canary", "outside"] {
            let values = secret_values(namespace, name);
            assert!(!values.is_empty(), "the Secret {name} is empty");
            self.0.extend(values.into_iter().map(|(key, value)| (format!("{name}/{key}"), value)));
        }
    }
}

fn no_secret_value_leaves_its_secret(server: &Server) {
    let namespace = server.namespace("canary");
    let outside = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "outside" }, "stringData": { "key": OUTSIDE } });
    namespace.create(&outside.to_string());
    let mut environment = server.environment(User::Recorded);
    environment.set("CANARY_VARIABLE", VARIABLE);
    environment.write("stack.yaml", &STACK.replace("NAMESPACE", namespace.name()));
    environment.write("token.txt", &format!("{FILE}\n"));
    let mark = server.mark();
    let mut places = Places(BTreeSet::new());
    let mut values = Values::default();

    for line in ["validate stack.yaml", "render stack.yaml", "render stack.yaml --out rendered", "graph stack.yaml"] {
        places.run(&environment, line, 0);
    }
    for line in ["plan stack.yaml", "plan stack.yaml --json", "apply stack.yaml --auto-approve"] {
        places.run(&environment, line, 0);
    }
    values.add_live(&namespace);
    let app = secret_values(&namespace, "app-secrets");
    for planted in [VARIABLE, FILE, OUTSIDE] {
        assert!(app.values().any(|value| value == planted.as_bytes()), "{planted} did not reach the Secret");
    }
    everyday_commands(&environment, &mut places);

    // Another value at a source, and another hand in the Secret: both are shown as changes, neither is shown.
    let rotated = format!("{VARIABLE}-rotated");
    environment.set("CANARY_VARIABLE", &rotated);
    places.run(&environment, "plan stack.yaml", 0);
    places.run(&environment, "apply stack.yaml --auto-approve --json", 0);
    values.add("rotated", &rotated);
    values.add_live(&namespace);
    let foreign = "canary-by-another-hand-90d4";
    namespace.patch("secret", "app-secrets", "kubectl-patch", &json!({ "stringData": { "FROM_FILE": foreign } }));
    values.add("by another hand", foreign);
    places.run(&environment, "drift stack.yaml", 2);
    places.run(&environment, "drift stack.yaml --json", 2);
    places.run(&environment, "plan stack.yaml", 0);
    places.run(&environment, "apply stack.yaml --auto-approve", 0);
    everyday_commands(&environment, &mut places);

    // A run that is killed leaves its journal, with the Secret as it was written.
    let killed = format!("{VARIABLE}-of-a-killed-run");
    environment.set("CANARY_VARIABLE", &killed);
    values.add("of a killed run", &killed);
    let healthy = r#"spec:
            containers:"#;
    environment.edit(
        "stack.yaml",
        healthy,
        &healthy.replace("spec:", "spec:\n            nodeSelector: { none: such }"),
    );
    let is_written = || {
        let app = namespace.get("deployment", "app").expect("the Deployment is there");
        app["spec"]["template"]["spec"]["nodeSelector"]["none"] == "such"
    };
    let output = end_apply(&environment, is_written, &[Signal::KILL]).expect_code(137);
    places.keep(&environment, "apply, killed", &output);
    assert!(places.has_file(".journal", "app-secrets"), "no journal was seen that records the Secret");
    values.add_live(&namespace);
    environment.edit("stack.yaml", "            nodeSelector: { none: such }\n", "");
    places.run(&environment, "plan stack.yaml", 0);
    places.run(&environment, "apply stack.yaml --auto-approve", 0);

    // Shown where it was asked for, and only there.
    let shown = environment.run("output stack.yaml FROM_NOWHERE --show-secrets");
    assert_ne!(shown.code, 0, "there is no such output\n{shown}");
    let shown = environment.run("output stack.yaml DATABASE_URL --show-secrets").expect_code(0);
    let derived = secret_values(&namespace, "app-secrets").remove("DERIVED").expect("the Secret has this key");
    assert_eq!(shown.stdout.trim().as_bytes(), derived);

    let sent = server.recorded_bodies(User::Recorded, mark, namespace.name());
    let objects = objects_beside_secrets(&namespace);
    places.run(&environment, "destroy stack.yaml --auto-approve", 0);
    assert!(places.has_file(".json", "app-secrets"), "no snapshot was seen that records the Secret");
    places.0.insert(("a request".to_owned(), sent));
    places.0.insert(("an object".to_owned(), objects));
    let leaks = leaks(&values, &places);
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
}

fn everyday_commands(environment: &TestEnv, places: &mut Places) {
    for line in [
        "plan stack.yaml",
        "plan stack.yaml -vv",
        "plan stack.yaml --json",
        "drift stack.yaml",
        "drift stack.yaml --json",
        "verify stack.yaml",
        "output stack.yaml",
        "output stack.yaml --json",
        "output stack.yaml DATABASE_URL",
    ] {
        places.run(environment, line, 0);
    }
}

fn secret_values(namespace: &Namespace<'_>, name: &str) -> BTreeMap<String, Vec<u8>> {
    let secret = namespace.get("secret", name).unwrap_or_else(|| panic!("there is no Secret {name}"));
    let data = secret["data"].as_object().cloned().unwrap_or_default();
    data.into_iter()
        .map(|(key, value)| (key, STANDARD.decode(value.as_str().unwrap_or_default()).expect("a Secret holds base64")))
        .collect()
}

/// Returns all that lives in the namespace, with managed fields and annotations, but the data of Secrets.
fn objects_beside_secrets(namespace: &Namespace<'_>) -> String {
    let kinds = "configmaps,serviceaccounts,services,deployments,replicasets,pods,events,secrets";
    let mut objects = namespace.list(kinds);
    for object in &mut objects {
        if object["kind"] == "Secret" {
            object.as_object_mut().expect("an item is an object").remove("data");
        }
    }
    json!(objects).to_string()
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
fn leaks(values: &Values, places: &Places) -> Vec<String> {
    let mut found = Vec::new();
    for (key, value) in &values.0 {
        let mut forms = vec![
            ("in base64", STANDARD.encode(value).trim_end_matches('=').to_owned()),
            ("in URL-safe base64", URL_SAFE_NO_PAD.encode(value)),
            (
                "percent-encoded",
                percent_encoding::percent_encode(value, percent_encoding::NON_ALPHANUMERIC).to_string(),
            ),
            ("in hexadecimal", value.iter().map(|byte| format!("{byte:02x}")).collect()),
            ("as a digest without a key", Digest::of_bytes(value).hex()),
        ];
        // The key of the digests is no text.
        forms.extend(String::from_utf8(value.clone()).ok().map(|text| ("as it is", text)));
        for (place, text) in &places.0 {
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
    let mut values = Values::default();
    values.add("KEY", VARIABLE);
    let digest = Digest::of_bytes(VARIABLE.as_bytes()).hex();
    for text in [VARIABLE, "canary%2Ffrom%2Bthe%3Denvironment%261f0c", &STANDARD.encode(VARIABLE), &digest] {
        let places = Places([("a file".to_owned(), format!("before {text} after"))].into());
        assert_ne!(leaks(&values, &places), Vec::<String>::new(), "{text}");
    }
    let places = Places([("a file".to_owned(), "canary".to_owned())].into());
    assert_eq!(leaks(&values, &places), Vec::<String>::new());
}
