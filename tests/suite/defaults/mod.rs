//! Defaults, held to a real server: the table is what the server teaches, and table and rules together give what it answers.

mod differential;
mod learn;

use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::path::PathBuf;

use mathison::ssa::{self, Schema, with_defaults};
use serde::Deserialize as _;
use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::cluster::Server;
use learn::Lessons;

// The table and the rules that are held to the server's answers here are the sandbox's own as well.
on_the_real_server!(the_table_is_what_the_server_teaches, a_sample_with_defaults_is_what_the_server_answers);

/// Dry runs write nothing, so the namespace that is always there will do.
const NAMESPACE: &str = "default";
const DRY_RUN: &str = "dryRun=All&fieldValidation=Strict";

pub fn schema_of(object: &Value) -> Schema {
    let text = |field: &str| object[field].as_str().expect("a text");
    let (group, version) = text("apiVersion").rsplit_once('/').unwrap_or(("", text("apiVersion")));
    ssa::builtin(group, version, text("kind")).expect("one of Kubernetes' own kinds")
}

/// Reads YAML documents.
pub fn documents(text: &str) -> Vec<Value> {
    serde_yaml::Deserializer::from_str(text)
        .map(|document| Value::deserialize(document).expect("a sample is YAML"))
        .collect()
}

fn samples() -> Vec<Value> {
    documents(include_str!("samples.yaml"))
}

fn the_table_is_what_the_server_teaches(server: &Server) {
    let api = Api::of(server);
    let mut lessons = Lessons::default();
    for sample in samples() {
        let schema = schema_of(&sample);
        let answer = api.create(&schema, NAMESPACE, &sample, DRY_RUN).object(&sample.to_string());
        lessons.compare(&schema, &sample, &answer);
    }
    for sample in samples() {
        let schema = schema_of(&sample);
        for probe in lessons.open_probes(&schema, &sample) {
            // What is refused teaches nothing: such a zero is nowhere.
            let answer = api.create(&schema, NAMESPACE, &probe.object, DRY_RUN);
            if answer.is_success() {
                lessons.learn_zero(&probe, &answer.body);
            }
        }
    }
    let fresh = lessons.table();
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/ssa/defaults/table.tsv");
    if std::env::var_os("MATHISON_UPDATE_TABLE").is_some() {
        std::fs::write(&file, &fresh).expect("write the table");
    }
    let stored = std::fs::read_to_string(&file).expect("read the table");
    assert!(stored == fresh, "the table is out of date: run this test with MATHISON_UPDATE_TABLE=1");
}

fn a_sample_with_defaults_is_what_the_server_answers(server: &Server) {
    let api = Api::of(server);
    let mut differences = Vec::new();
    let mut kinds = BTreeSet::new();
    for sample in samples() {
        let schema = schema_of(&sample);
        let mut answer = api.create(&schema, NAMESPACE, &sample, DRY_RUN).object(&sample.to_string());
        let mut predicted = sample.clone();
        if schema.kind().is_some_and(|kind| kind.namespaced) {
            predicted["metadata"]["namespace"] = json!(NAMESPACE);
        }
        ssa::canonicalise(&schema, &mut predicted);
        with_defaults(&schema, &mut predicted);
        for object in [&mut predicted, &mut answer] {
            learn::remove_given_out(&schema, object);
        }
        kinds.insert(sample["kind"].as_str().unwrap_or_default().to_owned());
        for change in ssa::changes(Some(&schema), &predicted, &answer) {
            let (before, after) = (json!(change.before), json!(change.after));
            differences.push(format!("{} {}: {before} but the server {after}", sample["kind"], change.path));
        }
    }
    let _ = writeln!(io::stderr(), "{} samples of {} kinds", samples().len(), kinds.len());
    assert!(differences.is_empty(), "{} differences\n{}", differences.len(), differences.join("\n"));
}
