//! [`Api`]: bare requests to a server. The tests' own hands: what they read and write beside the program, on every kind of
//! server and without kubectl, which not everybody has.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mathison::ssa::{Schema, ServedKind, builtin_kinds};
use mathison::yaml::read_plain;
use serde_json::{Value, json};
use ureq::http::Request;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use super::cluster::{Server, User};

/// What the tests' own requests say they are.
pub const AGENT: &str = "suite/1";

/// A client of one user.
#[derive(Clone)]
pub struct Api {
    agent: ureq::Agent,
    server: String,
    authorization: String,
}

/// An answer: its code, and the object or the Status.
#[derive(Debug)]
pub struct Answer {
    pub code: u16,
    pub body: Value,
}

impl Answer {
    /// Returns the object; says what was answered instead.
    #[track_caller]
    pub fn object(self, what: &str) -> Value {
        assert!(self.is_success(), "{what}: {} {}", self.code, self.body["message"]);
        self.body
    }

    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.code)
    }
}

impl Api {
    /// Returns a client that is the administrator of this server.
    pub fn of(server: &Server) -> Self {
        let text = std::fs::read_to_string(server.kubeconfig(User::Admin)).expect("read the kubeconfig");
        Self::with_kubeconfig(&text)
    }

    /// Returns a client that is whom a kubeconfig says, by token.
    pub fn with_kubeconfig(text: &str) -> Self {
        let config = plain(text).remove(0);
        let cluster = &config["clusters"][0]["cluster"];
        let authority = cluster["certificate-authority-data"].as_str().expect("an authority");
        let pem = STANDARD.decode(authority).expect("the authority is base64");
        let certificates: Vec<Certificate<'static>> = parse_pem(&pem)
            .filter_map(Result::ok)
            .filter_map(|item| if let PemItem::Certificate(certificate) = item { Some(certificate) } else { None })
            .collect();
        let tls = TlsConfig::builder().root_certs(RootCerts::Specific(Arc::new(certificates))).build();
        let token = config["users"][0]["user"]["token"].as_str().expect("a token");
        Self {
            agent: ureq::Agent::config_builder().tls_config(tls).http_status_as_error(false).build().into(),
            server: cluster["server"].as_str().expect("a server").to_owned(),
            authorization: format!("Bearer {token}"),
        }
    }

    /// Makes a request; the error is why there was no answer.
    pub fn try_send(&self, method: &str, path: &str, body: Option<(&str, &Value)>) -> Result<Answer, ureq::Error> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.server))
            .header("Authorization", &self.authorization)
            .header("User-Agent", AGENT);
        let mut response = match body {
            Some((content_type, body)) => {
                let request = request.header("Content-Type", content_type).body(body.to_string());
                self.agent.run(request.expect("a request"))?
            }
            None => self.agent.run(request.body(()).expect("a request"))?,
        };
        let text = response.body_mut().with_config().limit(MOST_BYTES).read_to_string()?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok(Answer { code: response.status().as_u16(), body })
    }

    /// Makes a request, which must be answered.
    #[track_caller]
    pub fn send(&self, method: &str, path: &str, body: Option<(&str, &Value)>) -> Answer {
        self.try_send(method, path, body).unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// Creates an object; with `dryRun=All` as query it only answers what would be.
    pub fn create(&self, schema: &Schema, namespace: &str, object: &Value, query: &str) -> Answer {
        let path = collection(schema.kind().expect("the schema of a kind"), namespace);
        self.send("POST", &format!("{path}?{query}"), Some((JSON, object)))
    }

    /// Applies an object.
    pub fn apply(&self, schema: &Schema, namespace: &str, object: &Value, query: &str) -> Answer {
        let name = object["metadata"]["name"].as_str().expect("a name");
        let path = collection(schema.kind().expect("the schema of a kind"), namespace);
        self.send("PATCH", &format!("{path}/{name}?{query}"), Some(("application/apply-patch+yaml", object)))
    }

    /// Reads an object.
    pub fn get(&self, schema: &Schema, namespace: &str, name: &str) -> Answer {
        let path = collection(schema.kind().expect("the schema of a kind"), namespace);
        self.send("GET", &format!("{path}/{name}"), None)
    }

    /// Creates every object of a YAML or JSON text, also those of a List, as `kubectl create` does.
    #[track_caller]
    pub fn create_all(&self, namespace: &str, text: &str) {
        for document in plain(text) {
            let items = document["items"].as_array().cloned().unwrap_or_else(|| vec![document]);
            for object in items {
                let kind = kind_of(&object);
                let path = format!("{}?fieldManager=kubectl-create", collection(&kind, namespace));
                self.send("POST", &path, Some((JSON, &object))).object(&object.to_string());
            }
        }
    }

    /// Reads the items of a list, each with its kind.
    #[track_caller]
    pub fn list(&self, kind: &ServedKind, namespace: &str, label_selector: &str) -> Vec<Value> {
        let query = percent_encoding::utf8_percent_encode(label_selector, percent_encoding::NON_ALPHANUMERIC);
        let path = format!("{}?labelSelector={query}", collection(kind, namespace));
        let mut list = self.send("GET", &path, None).object(&path);
        let mut items = list["items"].as_array_mut().map(std::mem::take).expect("a list has items");
        for item in &mut items {
            item["apiVersion"] = json!(kind.api_version());
            item["kind"] = json!(kind.kind);
        }
        items
    }
}

/// Larger than any answer of a test.
const MOST_BYTES: u64 = 256 << 20;

/// A body that says nothing of how it is meant.
pub const JSON: &str = "application/json";
/// A patch that knows which lists have keys.
pub const STRATEGIC: &str = "application/strategic-merge-patch+json";
/// A patch that knows no lists.
pub const MERGE: &str = "application/merge-patch+json";

/// Returns the values of YAML or JSON documents.
pub fn plain(text: &str) -> Vec<Value> {
    let (documents, problems) = read_plain("test", text);
    assert!(!documents.is_empty(), "no document in {text}: {problems:?}");
    documents.into_iter().map(|document| document.value).collect()
}

/// Returns the kind of an object.
#[track_caller]
pub fn kind_of(object: &Value) -> ServedKind {
    let is_its = |kind: &ServedKind| object["apiVersion"] == kind.api_version() && object["kind"] == kind.kind;
    builtin_kinds().find(is_its).unwrap_or_else(|| panic!("no kind of Kubernetes' own: {object}"))
}

/// Returns the kind that somebody means who says `deployments`, `deployments.apps` or `deployment`: the core group's, else
/// that of the stable version.
#[track_caller]
pub fn kind_named(word: &str) -> ServedKind {
    let (name, group) = word.split_once('.').unwrap_or((word, ""));
    let is_meant = |kind: &ServedKind| {
        (kind.plural == name || kind.kind.to_lowercase() == name) && (group.is_empty() || kind.group == group)
    };
    let rank = |kind: &ServedKind| (!kind.group.is_empty(), kind.version.len(), kind.version.clone());
    builtin_kinds().filter(is_meant).min_by_key(rank).unwrap_or_else(|| panic!("no kind is called {word}"))
}

/// Returns the path of the objects of a kind.
pub fn collection(kind: &ServedKind, namespace: &str) -> String {
    let group = if kind.group.is_empty() { "/api".to_owned() } else { format!("/apis/{}", kind.group) };
    let space = if kind.namespaced { format!("/namespaces/{namespace}") } else { String::new() };
    format!("{group}/{}{space}/{}", kind.version, kind.plural)
}
