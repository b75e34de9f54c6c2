//! [`Server`]: an API server that tests run against, whatever stands behind it.
//!
//! A test takes `&Server` and never asks which; `on_each_server!` makes one test of it for each kind there is: the sandbox,
//! and the testbed's real kube-apiserver.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::api::{Api, MERGE, STRATEGIC, collection, kind_named, plain};
use super::audit::{AuditLog, Mark, Requests};
use super::environment::TestEnv;
use super::sandbox::{Sandbox, token};
use super::testbed::Testbed;

/// A running API server with its users and its log of requests.
pub struct Server {
    /// Of the server's version, where there is one.
    kubectl: Option<PathBuf>,
    kubeconfigs: PathBuf,
    audit: AuditLog,
    api: Api,
    /// Lives as long as the server is wanted.
    sandbox: Option<Sandbox>,
}

/// Whom every server knows.
#[derive(Debug, Clone, Copy)]
pub enum User {
    /// May do everything.
    Admin,
    /// The same, and the server's log holds the bodies of its requests.
    Recorded,
    /// May get, list and watch everything, and nothing else.
    Reader,
    /// Is known, and may do nothing.
    Nobody,
}

impl User {
    fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Recorded => "recorded",
            Self::Reader => "reader",
            Self::Nobody => "nobody",
        }
    }
}

impl Server {
    /// Returns the testbed's level `api`, which must be up.
    pub fn real() -> Self {
        let testbed = Testbed::expect();
        Self::at(testbed.folder, AuditLog::new(testbed.audit), Some(testbed.kubectl), None)
    }

    /// Returns the testbed's level `node`, which must be up: there pods have containers.
    pub fn node() -> Self {
        let testbed = Testbed::expect_node();
        Self::at(testbed.folder, AuditLog::new(testbed.audit), Some(testbed.kubectl), None)
    }

    /// Starts a sandbox of the test's own.
    pub fn sandbox() -> Self {
        let (sandbox, audit) = Sandbox::start();
        Self::at(sandbox.folder().to_owned(), audit, None, Some(sandbox))
    }

    fn at(kubeconfigs: PathBuf, audit: AuditLog, kubectl: Option<PathBuf>, sandbox: Option<Sandbox>) -> Self {
        let path = kubeconfigs.join("admin.kubeconfig");
        let admin = fs::read_to_string(&path).unwrap_or_else(|error| panic!("read {}: {error}", path.display()));
        Self { kubectl, kubeconfigs, audit, api: Api::with_kubeconfig(&admin), sandbox }
    }

    /// Returns the tests' own hands, which are the administrator's.
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// Returns the name by which the server's log knows a user.
    pub fn user_name(&self, user: User) -> String {
        if self.sandbox.is_some() { Sandbox::user_name(user.name()) } else { user.name().to_owned() }
    }

    /// Returns a user's kubeconfig file.
    pub fn kubeconfig(&self, user: User) -> PathBuf {
        self.kubeconfigs.join(format!("{}.kubeconfig", user.name()))
    }

    /// Returns an environment whose programs speak to this server as that user.
    pub fn environment(&self, user: User) -> TestEnv {
        let kubeconfig = fs::read_to_string(self.kubeconfig(user)).expect("read a kubeconfig of the server");
        environment_with(&kubeconfig)
    }

    /// Runs kubectl as administrator and returns what it prints; it must succeed.
    #[track_caller]
    pub fn kubectl(&self, words: &[&str]) -> String {
        let config = self.kubeconfig(User::Admin);
        let output = Command::new(self.kubectl_path()).arg("--kubeconfig").arg(config).args(words).output();
        let output = output.unwrap_or_else(|error| panic!("start kubectl: {error}"));
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "kubectl {}: {errors}", words.join(" "));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Returns the path of the server's kubectl.
    pub fn kubectl_path(&self) -> &PathBuf {
        self.kubectl.as_ref().expect("a sandbox brings no kubectl")
    }

    /// Returns `kind.group/name` of what is there of these kinds in a namespace, with this label.
    #[track_caller]
    pub fn names(&self, kinds: &str, namespace: &str, label_selector: &str) -> Vec<String> {
        let mut names = Vec::new();
        for word in kinds.split(',') {
            let kind = kind_named(word);
            let group = if kind.group.is_empty() { String::new() } else { format!(".{}", kind.group) };
            let word = format!("{}{group}", kind.kind.to_lowercase());
            let items = self.api.list(&kind, namespace, label_selector);
            names
                .extend(items.iter().filter_map(|item| Some(format!("{word}/{}", item["metadata"]["name"].as_str()?))));
        }
        names
    }

    /// Makes a namespace whose name begins so and that nobody else has; it goes with the value.
    pub fn namespace(&self, purpose: &str) -> Namespace<'_> {
        let name = format!("{purpose}-{}", unique());
        let object = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": &name } });
        self.api.create_all("", &object.to_string());
        Namespace { server: self, name }
    }

    /// Returns a place in the log of requests; those made before it are not counted.
    pub fn mark(&self) -> Mark {
        self.audit.mark_at(&self.marker())
    }

    /// Returns what `user`, with a program whose agent begins so, asked of the server since then.
    pub fn requests(&self, user: &str, agent: &str, since: Mark) -> Requests {
        let all = self.audit.between(since, &self.marker());
        all.only(|request| request.user == user && request.agent.starts_with(agent))
    }

    /// Returns all that a recorded user sent since then to anything in a namespace but Secrets, as one text.
    pub fn recorded_bodies(&self, user: User, since: Mark, namespace: &str) -> String {
        let user = &self.user_name(user);
        let all = self.audit.events_between(since, &self.marker());
        let is_meant = |event: &&Value| {
            let reference = &event["objectRef"];
            event["user"]["username"] == **user
                && reference["resource"] != "secrets"
                && reference["namespace"].as_str().is_none_or(|name| name == namespace)
        };
        let bodies: Vec<String> = all.iter().filter(is_meant).map(Value::to_string).collect();
        assert!(bodies.iter().any(|body| body.contains("requestObject")), "the log holds no bodies of `{user}`");
        bodies.join("\n")
    }

    /// Makes a request with a name that occurs once; nothing of that name exists.
    fn marker(&self) -> String {
        let path = format!("/api/v1/namespaces/default/configmaps/mark-{}", unique());
        assert_eq!(self.api.send("GET", &path, None).code, 404, "the marker's request was not answered");
        path
    }
}

/// A namespace of one test. Dropped, it goes, with the cluster-scoped objects of the stacks in it; unless
/// `MATHISON_KEEP_NAMESPACES` is set. If the test fails, its last events are printed first.
pub struct Namespace<'server> {
    server: &'server Server,
    name: String,
}

/// What an account may do.
pub enum Rights<'rules> {
    /// Everything, in the whole cluster.
    Everything,
    /// What these rules (a JSON array of PolicyRules) say, in the whole cluster.
    Rules(&'rules str),
}

/// An account of one test alone: its requests are told from all others by its name.
pub struct Account {
    /// Its user name in the server's log.
    pub user: String,
    /// A kubeconfig that holds its token.
    pub kubeconfig: String,
}

impl Account {
    /// Returns an environment whose programs speak as this account.
    pub fn environment(&self) -> TestEnv {
        environment_with(&self.kubeconfig)
    }

    /// Returns hands that are this account's.
    pub fn api(&self) -> Api {
        Api::with_kubeconfig(&self.kubeconfig)
    }
}

impl Namespace<'_> {
    /// Returns its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the path of an object in it.
    fn path(&self, kind: &str, name: &str) -> String {
        format!("{}/{name}", collection(&kind_named(kind), &self.name))
    }

    /// Reads an object; `None` if there is none.
    #[track_caller]
    pub fn get(&self, kind: &str, name: &str) -> Option<Value> {
        let path = self.path(kind, name);
        let answer = self.server.api.send("GET", &path, None);
        if answer.code == 404 { None } else { Some(answer.object(&path)) }
    }

    /// Returns `kind.group/name` of what is there of these kinds, but for what every namespace has.
    #[track_caller]
    pub fn objects(&self, kinds: &str) -> Vec<String> {
        let mut names = self.server.names(kinds, &self.name, "");
        names.retain(|name| !["configmap/kube-root-ca.crt", "serviceaccount/default"].contains(&name.as_str()));
        names
    }

    /// Returns all that is there of these kinds.
    #[track_caller]
    pub fn list(&self, kinds: &str) -> Vec<Value> {
        kinds.split(',').flat_map(|word| self.server.api.list(&kind_named(word), &self.name, "")).collect()
    }

    /// Makes objects of this YAML or JSON text.
    #[track_caller]
    pub fn create(&self, text: &str) {
        self.server.api.create_all(&self.name, text);
    }

    /// Changes an object as somebody else does with kubectl.
    #[track_caller]
    pub fn patch(&self, kind: &str, name: &str, manager: &str, patch: &Value) {
        let path = format!("{}?fieldManager={manager}", self.path(kind, name));
        self.server.api.send("PATCH", &path, Some((STRATEGIC, patch))).object(&path);
    }

    /// Changes a number of replicas as `kubectl scale` does.
    #[track_caller]
    pub fn scale(&self, kind: &str, name: &str, replicas: u32) {
        let path = format!("{}/scale?fieldManager=kubectl", self.path(kind, name));
        self.server.api.send("PATCH", &path, Some((MERGE, &json!({ "spec": { "replicas": replicas } })))).object(&path);
    }

    /// Deletes an object.
    #[track_caller]
    pub fn remove(&self, kind: &str, name: &str) {
        let path = self.path(kind, name);
        self.server.api.send("DELETE", &path, None).object(&path);
    }

    /// Makes so many ConfigMaps that belong to nobody's stack.
    pub fn create_foreign_config_maps(&self, count: usize) {
        self.create(&super::generate::foreign_config_maps(count));
    }

    /// Makes an account with these rights, and a token for it.
    pub fn account(&self, name: &str, rights: &Rights<'_>) -> Account {
        let account = json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": name } });
        self.create(&account.to_string());
        let binding = format!("{}-{name}", self.name);
        let role = match rights {
            Rights::Everything => "cluster-admin".to_owned(),
            Rights::Rules(rules) => {
                let rules: Value = serde_json::from_str(rules).expect("the rules are JSON");
                let role = json!({ "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
                    "metadata": { "name": &binding }, "rules": rules });
                self.create(&role.to_string());
                binding.clone()
            }
        };
        let group = "rbac.authorization.k8s.io";
        let bound = json!({ "apiVersion": format!("{group}/v1"), "kind": "ClusterRoleBinding",
            "metadata": { "name": binding }, "roleRef": { "apiGroup": group, "kind": "ClusterRole", "name": role },
            "subjects": [{ "kind": "ServiceAccount", "name": name, "namespace": &self.name }] });
        self.create(&bound.to_string());
        Account {
            user: format!("system:serviceaccount:{}:{name}", self.name),
            kubeconfig: self.server.kubeconfig_with_token(&token(&self.server.api, &self.name, name)),
        }
    }

    /// Deletes it with all that was made for it. What is left in the cluster is no reason to fail a test twice.
    fn delete(&self) {
        let api = &self.server.api;
        let suffix = format!(".{}", self.name);
        let prefix = format!("{}-", self.name);
        for kind in ["clusterroles", "clusterrolebindings", "persistentvolumes"].map(kind_named) {
            let path = collection(&kind, "");
            let Ok(list) = api.try_send("GET", &path, None) else { return };
            for object in list.body["items"].as_array().into_iter().flatten() {
                let name = object["metadata"]["name"].as_str().unwrap_or_default();
                let label = object["metadata"]["labels"]["mathison.dev/stack"].as_str().unwrap_or_default();
                let is_accounts = kind.group == "rbac.authorization.k8s.io" && name.starts_with(&prefix);
                if label.ends_with(&suffix) || is_accounts {
                    let _ = api.try_send("DELETE", &format!("{path}/{name}"), None);
                }
            }
        }
        let _ = api.try_send("DELETE", &format!("/api/v1/namespaces/{}", self.name), None);
    }
}

impl Drop for Namespace<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            let path = format!("/api/v1/namespaces/{}/events", self.name);
            let events = self.server.api.try_send("GET", &path, None).map(|answer| answer.body).unwrap_or_default();
            let mut events = events["items"].as_array().cloned().unwrap_or_default();
            events.sort_by_key(|event| event["lastTimestamp"].to_string());
            let line = |event: &Value| {
                let about = &event["involvedObject"];
                format!("{}/{} {}: {}", about["kind"], about["name"], event["reason"], event["message"])
            };
            let last: Vec<String> = events.iter().rev().take(20).map(line).collect();
            let _ = writeln!(std::io::stderr(), "namespace {}, last events first:\n{}", self.name, last.join("\n"));
        }
        if std::env::var_os("MATHISON_KEEP_NAMESPACES").is_none() {
            self.delete();
        }
    }
}

impl Server {
    /// Returns the administrator's kubeconfig as a value.
    pub fn kubeconfig_value(&self) -> Value {
        let text = fs::read_to_string(self.kubeconfig(User::Admin)).expect("read the kubeconfig");
        plain(&text).remove(0)
    }

    /// Returns a kubeconfig for this server with another token.
    pub fn kubeconfig_with_token(&self, token: &str) -> String {
        let mut value = self.kubeconfig_value();
        value["users"][0]["user"] = json!({ "token": token });
        value.to_string()
    }
}

/// Polls until this is true; fails the test if it never is.
#[track_caller]
pub fn eventually(what: &str, patience: Duration, mut is_true: impl FnMut() -> bool) {
    let end = Instant::now() + patience;
    while !is_true() {
        assert!(Instant::now() < end, "not within {patience:?}: {what}");
        thread::sleep(Duration::from_millis(50));
    }
}

fn environment_with(kubeconfig: &str) -> TestEnv {
    let mut environment = TestEnv::new();
    let folder = environment.root().join("home/.kube");
    fs::create_dir_all(&folder).expect("make a folder for the kubeconfig");
    fs::write(folder.join("config"), kubeconfig).expect("write the kubeconfig");
    environment.set("KUBECONFIG", folder.join("config"));
    environment
}

/// Returns a short word that no other run of the suite uses.
fn unique() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970");
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{:x}-{:x}-{count}", now.as_millis() & 0xffff_ffff, std::process::id())
}
