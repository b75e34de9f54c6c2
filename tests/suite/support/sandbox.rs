//! [`Sandbox`]: the embedded control plane, served by the test process itself over HTTPS, with a log of what it was asked.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use jiff::Timestamp;
use mathison::sandbox::answer::{Answer, Handler};
use mathison::sandbox::plane::{ControlPlane, Options};
use mathison::sandbox::server;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::api::{Api, JSON};
use super::audit::AuditLog;

/// Where the users' accounts are.
const HOME: &str = "kube-public";

/// A control plane in memory, as long as this lives.
pub struct Sandbox {
    folder: TempDir,
    // Its threads are the server's and the controllers'.
    runtime: Option<tokio::runtime::Runtime>,
}

impl Sandbox {
    /// Starts one, and makes its users.
    pub fn start() -> (Self, AuditLog) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("start the threads of a sandbox");
        let options = Options { folder: None, controllers: true, seed: 1, now: Timestamp::now() };
        let plane = ControlPlane::open(&options).expect("open a sandbox in memory");
        let events = Arc::new(Mutex::new(Vec::new()));
        let handler =
            Arc::new(Logged { inner: Arc::clone(plane.api()) as Arc<dyn Handler>, events: Arc::clone(&events) });
        let listener = runtime.block_on(server::listen(None)).expect("listen");
        let url = server::url(&listener).expect("the address of the listener");
        let tls = plane.tls().expect("a certificate");
        {
            let _inside = runtime.enter();
            plane.start();
        }
        runtime.spawn(server::serve(listener, tls, handler, std::future::pending()));
        let folder = tempfile::Builder::new().prefix("mathison-").tempdir().expect("make a temporary folder");
        let sandbox = Self { folder, runtime: Some(runtime) };
        sandbox.make_users(&plane.kubeconfig(&url));
        (sandbox, AuditLog::in_memory(events))
    }

    /// Returns the folder of the kubeconfigs.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the name by which requests of a user are known.
    pub fn user_name(user: &str) -> String {
        if user == "admin" { user.to_owned() } else { format!("system:serviceaccount:{HOME}:{user}") }
    }

    fn make_users(&self, admin: &Value) {
        self.keep("admin", admin);
        let api = Api::with_kubeconfig(&admin.to_string());
        api.create_all(
            HOME,
            r#"{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"suite-reader"},"rules":[
                {"apiGroups":["*"],"resources":["*"],"verbs":["get","list","watch"]},
                {"nonResourceURLs":["*"],"verbs":["get"]}]}"#,
        );
        for (user, role) in [("recorded", Some("cluster-admin")), ("reader", Some("suite-reader")), ("nobody", None)] {
            let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": user}});
            api.create_all(HOME, &account.to_string());
            if let Some(role) = role {
                let binding = json!({
                    "apiVersion": "rbac.authorization.k8s.io/v1",
                    "kind": "ClusterRoleBinding",
                    "metadata": {"name": format!("suite-{user}")},
                    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
                    "subjects": [{"kind": "ServiceAccount", "name": user, "namespace": HOME}],
                });
                api.create_all(HOME, &binding.to_string());
            }
            let mut config = admin.clone();
            config["users"][0]["user"] = json!({ "token": token(&api, HOME, user) });
            self.keep(user, &config);
        }
    }

    fn keep(&self, user: &str, kubeconfig: &Value) {
        let path = self.folder().join(format!("{user}.kubeconfig"));
        fs::write(path, kubeconfig.to_string()).expect("write a kubeconfig");
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Asks for a token of a service account.
pub fn token(api: &Api, namespace: &str, account: &str) -> String {
    let path = format!("/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token");
    let request =
        json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 7200}});
    let answer = api.send("POST", &path, Some((JSON, &request))).object(&path);
    answer["status"]["token"].as_str().expect("a token").to_owned()
}

/// Writes down every request, as the API server's audit log does, and hands it on.
struct Logged {
    inner: Arc<dyn Handler>,
    events: Arc<Mutex<Vec<Value>>>,
}

impl Handler for Logged {
    fn answer(&self, request: http::Request<Bytes>) -> Answer {
        let mut event = event(&request);
        let place = {
            let mut events = self.events.lock().expect("the log");
            event["auditID"] = json!(events.len().to_string());
            events.push(event);
            events.len() - 1
        };
        let answer = self.inner.answer(request);
        let code = match &answer {
            Answer::Whole(response) => response.status(),
            Answer::Stream(parts, _) => parts.status,
            _ => panic!("the sandbox of a test injects no faults"),
        };
        self.events.lock().expect("the log")[place]["responseStatus"] = json!({ "code": code.as_u16() });
        answer
    }
}

fn event(request: &http::Request<Bytes>) -> Value {
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let uri = request.uri();
    let mut event = json!({
        "requestURI": uri.path_and_query().map_or(uri.path(), |whole| whole.as_str()),
        "userAgent": header(http::header::USER_AGENT),
        "user": { "username": user(header(http::header::AUTHORIZATION)) },
    });
    let reference = reference(uri.path());
    let is_watch =
        uri.query().is_some_and(|query| query.split('&').any(|part| ["watch=true", "watch=1"].contains(&part)));
    let of_one = reference.as_ref().is_some_and(|reference| reference["name"] != "");
    event["verb"] = json!(match request.method().as_str() {
        "GET" if is_watch => "watch",
        "GET" if reference.is_some() && !of_one => "list",
        "POST" => "create",
        "PUT" => "update",
        "PATCH" => "patch",
        "DELETE" if of_one => "delete",
        "DELETE" => "deletecollection",
        _ => "get",
    });
    if let Some(mut reference) = reference {
        if reference["name"] == "" && request.method() == http::Method::POST {
            let object: Value = serde_json::from_slice(request.body()).unwrap_or_default();
            reference["name"] = json!(object["metadata"]["name"].as_str().unwrap_or_default());
        }
        event["objectRef"] = reference;
    }
    if !request.body().is_empty() {
        event["requestObject"] = json!(String::from_utf8_lossy(request.body()));
    }
    event
}

/// What a path is about, if it is about objects.
fn reference(path: &str) -> Option<Value> {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let (group, rest) = match parts.as_slice() {
        ["api", _, rest @ ..] => ("", rest),
        ["apis", group, _, rest @ ..] => (*group, rest),
        _ => return None,
    };
    let (namespace, rest) = match rest {
        ["namespaces", namespace, rest @ ..] if !rest.is_empty() && !["status", "finalize"].contains(&rest[0]) => {
            (*namespace, rest)
        }
        ["namespaces", namespace, ..] => (*namespace, rest),
        _ => ("", rest),
    };
    let resource = rest.first()?;
    let name = rest.get(1).copied().unwrap_or_default();
    Some(json!({
        "apiGroup": group, "namespace": namespace, "resource": resource, "name": name,
        "subresource": rest.get(2..).unwrap_or_default().join("/"),
    }))
}

/// Whose token it is: a service account's says so, any other is the administrator's.
fn user(authorization: &str) -> String {
    let claims = authorization.strip_prefix("Bearer ").and_then(|token| token.split('.').nth(1));
    let claims = claims.and_then(|claims| URL_SAFE_NO_PAD.decode(claims).ok());
    let claims: Option<Value> = claims.and_then(|claims| serde_json::from_slice(&claims).ok());
    claims.and_then(|claims| claims["sub"].as_str().map(str::to_owned)).unwrap_or_else(|| "admin".to_owned())
}
