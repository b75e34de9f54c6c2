//! The controllers at work in a small world: what they end up with, what they say, and that they then rest.

mod batch;
mod cluster;
mod deployments;
mod pods;
mod stateful_sets;
mod storage;

use serde_json::{Value, json};

use super::fields::text;
use crate::ready::{Readiness, readiness};

fn template(app: &str) -> Value {
    json!({
        "metadata": {"labels": {"app": app}},
        "spec": {"restartPolicy": "Always", "schedulerName": "default-scheduler", "containers": [{"name": "c", "image": "nginx"}]}
    })
}

fn deployment(replicas: i64) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {
            "replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "template": template("web"),
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
            "progressDeadlineSeconds": 600, "revisionHistoryLimit": 10
        }
    })
}

fn assert_ready(object: &Value) {
    assert_eq!(readiness(object, None), Readiness::Ready, "{object:#}");
}

fn ask(object: &mut Value, path: &[&str], key: &str, value: &str) {
    let mut path = path.to_vec();
    path.extend(["metadata", "annotations", key]);
    super::fields::set(object, &path, json!(value));
}

/// The names of generated pods end in letters that mean nothing here.
fn without_suffixes(lines: &[String]) -> Vec<String> {
    lines.iter().map(|line| line.split(' ').map(masked).collect::<Vec<_>>().join(" ")).collect()
}

fn masked(word: &str) -> String {
    let parts: Vec<&str> = word.split('-').collect();
    let masks = |part: &str| {
        (part.len() == 9 || part.len() == 5)
            && part.bytes().all(|letter| b"bcdfghjklmnpqrstvwxz2456789".contains(&letter))
    };
    parts.iter().map(|part| if masks(part) { "*" } else { part }).collect::<Vec<_>>().join("-")
}

fn condition<'v>(object: &'v Value, kind: &str) -> (&'v str, &'v str, &'v str) {
    let found = super::condition::find(object, kind).unwrap_or(&Value::Null);
    (text(found, "/status"), text(found, "/reason"), text(found, "/message"))
}
