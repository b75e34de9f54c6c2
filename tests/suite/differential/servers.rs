//! The two that answer: the sandbox in this process, and a real server.

use std::io::{BufRead as _, BufReader};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures::StreamExt as _;
use mathison::sandbox::answer::{Answer, Handler};
use mathison::sandbox::plane::{ControlPlane, Options};
use serde_json::Value;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use super::request::{AGENT, Answerer, Reply, Request, body_of};
use crate::support::testbed::bare_kubeconfig;

/// The sandbox, without controllers.
pub struct Sandbox {
    handler: Arc<dyn Handler>,
    _plane: ControlPlane,
}

impl Sandbox {
    pub fn open(seed: u64) -> Self {
        let options = Options { folder: None, controllers: false, seed, now: jiff::Timestamp::now() };
        let plane = ControlPlane::open(&options).expect("open the sandbox");
        Self { handler: plane.local(), _plane: plane }
    }
}

impl Sandbox {
    fn asked(request: &Request) -> http::Request<Bytes> {
        let method = request.method.as_str();
        let mut asked = http::Request::builder().method(method).uri(&request.path).header("User-Agent", AGENT);
        for (header, value) in [("Content-Type", &request.content), ("Accept", &request.accept)] {
            if !value.is_empty() {
                asked = asked.header(header, value);
            }
        }
        asked.body(Bytes::from(request.body.clone())).expect("a request")
    }
}

impl Answerer for Sandbox {
    fn answer(&self, request: &Request) -> Reply {
        let asked = Self::asked(request);
        // A panic is a difference like any other.
        let Ok(answer) = catch_unwind(AssertUnwindSafe(|| self.handler.answer(asked))) else {
            return Reply { code: 0, warnings: Vec::new(), body: Value::from("panicked") };
        };
        let Answer::Whole(answer) = answer else { panic!("nothing is watched here") };
        let warnings = answer.headers().get_all("warning").iter();
        Reply {
            code: answer.status().as_u16(),
            warnings: warnings.map(|value| value.to_str().expect("a text").to_owned()).collect(),
            body: body_of(&String::from_utf8_lossy(answer.body())),
        }
    }

    fn watch(&self, request: &Request, is_last: &dyn Fn(&Value) -> bool) -> Vec<Value> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(async {
            let mut stream = match self.handler.answer(Self::asked(request)) {
                Answer::Stream(_, stream) => stream,
                Answer::Whole(answer) => return vec![body_of(&String::from_utf8_lossy(answer.body()))],
                Answer::Torn(..) | Answer::Later(..) | Answer::Lost => panic!("no fault was asked for"),
            };
            let mut events = Vec::new();
            while let Some(lines) = stream.next().await {
                events.extend(String::from_utf8_lossy(&lines).lines().map(body_of));
                if events.last().is_some_and(is_last) {
                    break;
                }
            }
            events
        })
    }
}

/// A real API server without controllers.
pub struct Real {
    agent: ureq::Agent,
    server: String,
    authorization: String,
}

impl Real {
    /// Finds the testbed's; or says how to start it. What was asked for must not pass because it did not run.
    pub fn expect() -> Self {
        let path = bare_kubeconfig().expect("the testbed is not up: start it with `tests/testbed/testbed bare up`");
        let text = std::fs::read_to_string(path).expect("read the kubeconfig");
        let config: Value = serde_yaml::from_str(&text).expect("a kubeconfig is YAML");
        let cluster = &config["clusters"][0]["cluster"];
        let authority = cluster["certificate-authority-data"].as_str().expect("an authority");
        let pem = STANDARD.decode(authority).expect("the authority is base64");
        let certificates: Vec<Certificate<'static>> = parse_pem(&pem)
            .filter_map(Result::ok)
            .filter_map(|item| if let PemItem::Certificate(certificate) = item { Some(certificate) } else { None })
            .collect();
        let tls = TlsConfig::builder().root_certs(RootCerts::Specific(Arc::new(certificates))).build();
        let token = config["users"][0]["user"]["token"].as_str().expect("a token");
        let settings = ureq::Agent::config_builder().tls_config(tls).http_status_as_error(false);
        Self {
            agent: settings.max_idle_connections_per_host(16).build().into(),
            server: cluster["server"].as_str().expect("a server").to_owned(),
            authorization: format!("Bearer {token}"),
        }
    }
}

impl Real {
    fn dressed<B>(&self, asked: ureq::RequestBuilder<B>, request: &Request) -> ureq::RequestBuilder<B> {
        let mut asked = asked.header("User-Agent", AGENT).header("Authorization", &self.authorization);
        for (header, value) in [("Content-Type", &request.content), ("Accept", &request.accept)] {
            if !value.is_empty() {
                asked = asked.header(header, value);
            }
        }
        asked
    }
}

impl Answerer for Real {
    fn answer(&self, request: &Request) -> Reply {
        let url = format!("{}{}", self.server, request.path);
        let answer = match (request.method.as_str(), request.body.as_str()) {
            ("GET", _) => self.dressed(self.agent.get(&url), request).call(),
            ("DELETE", "") => self.dressed(self.agent.delete(&url), request).call(),
            ("DELETE", body) => self.dressed(self.agent.delete(&url), request).force_send_body().send(body),
            ("POST", body) => self.dressed(self.agent.post(&url), request).send(body),
            ("PUT", body) => self.dressed(self.agent.put(&url), request).send(body),
            (_, body) => self.dressed(self.agent.patch(&url), request).send(body),
        };
        let mut answer = match answer {
            Ok(answer) => answer,
            // Where it panics it closes the connection: a strategic merge patch with a list for a merge key is such a case.
            Err(ureq::Error::Io(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                return Reply { code: 0, warnings: Vec::new(), body: Value::Null };
            }
            Err(error) => panic!("{} {url} {}: {error}", request.method, request.body),
        };
        let warnings = answer.headers().get_all("warning").iter();
        let warnings = warnings.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect();
        let text = answer.body_mut().with_config().limit(1 << 28).read_to_string().expect("the whole answer");
        Reply { code: answer.status().as_u16(), warnings, body: body_of(&text) }
    }

    fn watch(&self, request: &Request, is_last: &dyn Fn(&Value) -> bool) -> Vec<Value> {
        let url = format!("{}{}", self.server, request.path);
        let answer = self.dressed(self.agent.get(&url), request).call().expect("a watch begins");
        let mut events = Vec::new();
        for line in BufReader::new(answer.into_body().into_reader()).lines() {
            events.push(body_of(&line.expect("a line")));
            if events.last().is_some_and(is_last) {
                break;
            }
        }
        events
    }
}
