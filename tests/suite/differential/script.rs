//! A sequence that was written down, so that it can be asked again whatever becomes of the dice.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::request::{Answerer, Request};
use super::step::{Seen, Step};

/// What stands in a script for the name of the sequence.
const LABEL: &str = "@label@";

/// What a sequence asked for. One that ran into nothing is not kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Script {
    /// Why it is kept, or where it comes from.
    pub about: String,
    /// The kind that it is about, as `GROUP/KIND`.
    pub kind: String,
    /// The collection that is watched over.
    pub collection: String,
    pub steps: Vec<Step>,
}

impl Script {
    /// Reads scripts, one a line.
    pub fn read_all(text: &str) -> Vec<Self> {
        text.lines().map(|line| serde_json::from_str(line).expect("a script")).collect()
    }

    pub fn line(&self) -> String {
        serde_json::to_string(self).expect("a script can be written")
    }

    /// Takes out the name of the sequence.
    pub fn without(&self, label: &str) -> Self {
        serde_json::from_str(&self.line().replace(label, LABEL)).expect("a script")
    }

    /// Puts in the name of a sequence.
    pub fn named(&self, label: &str) -> Self {
        serde_json::from_str(&self.line().replace(LABEL, label)).expect("a script")
    }
}

/// Whoever says what is asked next.
pub trait Source {
    fn kind(&self) -> String;
    fn collection(&self) -> String;
    /// The next step, by what has been answered; `None` at the end.
    fn next(&mut self, seen: &Seen) -> Option<Step>;
}

/// A script that is being asked.
pub struct Replay {
    script: Script,
    at: usize,
}

impl Replay {
    pub fn new(script: &Script, label: &str) -> Self {
        Self { script: script.named(label), at: 0 }
    }
}

impl Source for Replay {
    fn kind(&self) -> String {
        self.script.kind.clone()
    }

    fn collection(&self) -> String {
        self.script.collection.clone()
    }

    fn next(&mut self, _: &Seen) -> Option<Step> {
        self.at += 1;
        self.script.steps.get(self.at - 1).cloned()
    }
}

/// Makes the namespace of a sequence, and what controllers would put into it; returns the version from which to watch.
pub fn make_namespace(server: &dyn Answerer, name: &str) -> String {
    let post = |path: String, body: Value| {
        let reply = server.answer(&Request::post(path, &body));
        assert!((200..300).contains(&reply.code), "{}", reply.body);
        reply.body["metadata"]["resourceVersion"].as_str().expect("a version").to_owned()
    };
    post("/api/v1/namespaces".to_owned(), json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}));
    post(
        format!("/api/v1/namespaces/{name}/serviceaccounts"),
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}),
    )
}
