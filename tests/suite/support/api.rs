//! [`Api`]: bare requests to a server, for tests of what it answers to the letter.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mathison::ssa::Schema;
use serde_json::Value;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use super::cluster::Server;

/// A client as administrator.
pub struct Api {
    agent: ureq::Agent,
    server: String,
    authorization: String,
}

/// An answer: its code, and the object or the Status.
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
    /// Returns a client of this server.
    pub fn of(server: &Server) -> Self {
        let config = server.kubeconfig_value();
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

    /// Creates an object; with `dryRun=All` as query it only answers what would be.
    pub fn create(&self, schema: &Schema, namespace: &str, object: &Value, query: &str) -> Answer {
        let url = format!("{}{}?{query}", self.server, collection(schema, namespace));
        let request = self.agent.post(&url).header("Authorization", &self.authorization);
        answer(request.header("Content-Type", "application/json").send(object.to_string()))
    }

    /// Applies an object.
    pub fn apply(&self, schema: &Schema, namespace: &str, object: &Value, query: &str) -> Answer {
        let name = object["metadata"]["name"].as_str().expect("a name");
        let url = format!("{}{}/{name}?{query}", self.server, collection(schema, namespace));
        let request = self.agent.patch(&url).header("Authorization", &self.authorization);
        answer(request.header("Content-Type", "application/apply-patch+yaml").send(object.to_string()))
    }

    /// Reads an object.
    pub fn get(&self, schema: &Schema, namespace: &str, name: &str) -> Answer {
        let url = format!("{}{}/{name}", self.server, collection(schema, namespace));
        answer(self.agent.get(&url).header("Authorization", &self.authorization).call())
    }
}

fn answer(response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Answer {
    let mut response = response.expect("the server answers");
    let text = response.body_mut().read_to_string().expect("the whole answer");
    Answer { code: response.status().as_u16(), body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
}

fn collection(schema: &Schema, namespace: &str) -> String {
    let kind = schema.kind().expect("the schema of a kind");
    let group = if kind.group.is_empty() { "/api".to_owned() } else { format!("/apis/{}", kind.group) };
    let space = if kind.namespaced { format!("/namespaces/{namespace}") } else { String::new() };
    format!("{group}/{}{space}/{}", kind.version, kind.plural)
}
