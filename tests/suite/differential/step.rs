//! A step of a sequence: a request that is filled in for each server with what that server answered before.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::mutation::{self, Edit};
use super::request::{Reply, Request};

/// What one server has answered in a sequence so far.
#[derive(Default)]
pub struct Seen {
    /// Its objects as it told them last, by name.
    pub objects: BTreeMap<String, Value>,
    /// The version of the first object it told.
    first_version: String,
    /// Where the next page of a list begins.
    next_page: String,
}

impl Seen {
    /// Takes note of an answer.
    pub fn note(&mut self, step: &Step, reply: &Reply) {
        if let Some(token) = reply.body.pointer("/metadata/continue").and_then(Value::as_str) {
            self.next_page = token.to_owned();
        }
        let Some(name) = &step.about else { return };
        if reply.code >= 300 || step.is_idle {
            return;
        }
        // A deletion answers with the object while something holds it, else with a Status.
        if step.method == "DELETE" && reply.body["kind"] == "Status" {
            self.objects.remove(name);
            return;
        }
        if let Some(version) = reply.body.pointer("/metadata/resourceVersion").and_then(Value::as_str)
            && self.first_version.is_empty()
        {
            version.clone_into(&mut self.first_version);
        }
        self.objects.insert(name.clone(), reply.body.clone());
    }

    fn filled(&self, text: &str, about: Option<&str>) -> String {
        let object = about.and_then(|name| self.objects.get(name));
        let of_metadata =
            |field: &str| object.and_then(|object| object["metadata"][field].as_str()).unwrap_or("0").to_owned();
        text.replace("@uid@", &of_metadata("uid"))
            .replace("@version@", &of_metadata("resourceVersion"))
            .replace("@stale@", &self.first_version)
            .replace("@continue@", &self.next_page)
    }
}

/// What a step sends.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Body {
    Text(String),
    /// The object as it was told last, changed.
    Current(Vec<Edit>),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Step {
    pub method: String,
    pub path: String,
    pub content: String,
    pub accept: String,
    pub body: Body,
    /// The object that it is about and that its answer tells.
    pub about: Option<String>,
    /// Whether the answer is no object that is kept: a dry run, a deletion, another form.
    pub is_idle: bool,
}

/// Every [`Step::operation`].
pub const OPERATIONS: [&str; 12] = [
    "create",
    "update",
    "merge",
    "strategic",
    "json",
    "apply",
    "status",
    "scale",
    "get",
    "list",
    "delete",
    "delete all",
];

/// Puts what the second server drew in the place of what the first did: a step is made up from the first one's objects.
pub fn translated(mut request: Request, first: &Seen, second: &Seen) -> Request {
    let mut pairs = BTreeMap::new();
    for (name, object) in &first.objects {
        if let Some(other) = second.objects.get(name) {
            drawn(object, other, &mut pairs);
        }
    }
    for (one, other) in pairs {
        request.body = request.body.replace(&one, &other);
    }
    request
}

/// Collects uids, addresses, ports of nodes and names of volumes for tokens that differ between two objects.
fn drawn(one: &Value, other: &Value, pairs: &mut BTreeMap<String, String>) {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            for (name, value) in one {
                match (value, other.get(name)) {
                    (Value::Number(port), Some(Value::Number(same)))
                        if port != same && matches!(name.as_str(), "nodePort" | "healthCheckNodePort") =>
                    {
                        let written = |port| format!("odePort\":{port}");
                        pairs.insert(written(port), written(same));
                    }
                    (value, Some(same)) => drawn(value, same, pairs),
                    (_, None) => {}
                }
            }
        }
        (Value::Array(one), Value::Array(other)) => {
            one.iter().zip(other).for_each(|(one, other)| drawn(one, other, pairs))
        }
        (Value::String(one), Value::String(other)) if one != other && is_drawn(one) => {
            pairs.insert(one.clone(), other.clone());
            pairs.insert(one.to_uppercase(), other.to_uppercase());
        }
        _ => {}
    }
}

fn is_drawn(text: &str) -> bool {
    text.starts_with("10.96.")
        || text.starts_with("kube-api-access-")
        || (text.len() == 36 && text.matches('-').count() == 4)
}

impl Step {
    /// What it asks for, in a word; one of [`OPERATIONS`].
    pub fn operation(&self) -> &'static str {
        let path = self.path.split('?').next().unwrap_or_default();
        let by_content = match self.content.as_str() {
            "application/apply-patch+yaml" => "apply",
            "application/merge-patch+json" => "merge",
            "application/strategic-merge-patch+json" => "strategic",
            _ => "json",
        };
        match (self.method.as_str(), &self.about) {
            _ if path.ends_with("/status") => "status",
            _ if path.ends_with("/scale") => "scale",
            ("POST", _) => "create",
            ("PUT", _) => "update",
            ("PATCH", _) => by_content,
            ("DELETE", Some(_)) => "delete",
            ("DELETE", None) => "delete all",
            (_, Some(_)) => "get",
            (_, None) => "list",
        }
    }

    pub fn request(&self, seen: &Seen) -> Request {
        let about = self.about.as_deref();
        let body = match &self.body {
            Body::Text(text) => seen.filled(text, about),
            Body::Current(edits) => {
                let object = about.and_then(|name| seen.objects.get(name)).cloned().unwrap_or_default();
                mutation::edited(object, edits).to_string()
            }
        };
        Request {
            method: self.method.clone(),
            path: seen.filled(&self.path, about),
            content: self.content.clone(),
            accept: self.accept.clone(),
            body,
        }
    }
}
