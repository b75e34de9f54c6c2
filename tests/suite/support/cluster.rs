//! [`Server`]: an API server that tests run against, whatever stands behind it.
//!
//! A test takes `&Server` and never asks which; `on_each_server!` makes one test of it for each kind there is. Today that
//! is the testbed's real kube-apiserver.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use std::{io::Write, thread, time::Duration};

use serde_json::{Value, json};

use super::audit::{AuditLog, Mark, Requests};
use super::environment::TestEnv;
use super::testbed::Testbed;

/// A running API server with its users, its audit log and a kubectl of its version.
pub struct Server {
    kubectl: PathBuf,
    kubeconfigs: PathBuf,
    audit: AuditLog,
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
        Self { kubectl: testbed.kubectl, kubeconfigs: testbed.folder, audit: AuditLog::new(testbed.audit) }
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
        self.try_kubectl(words, "").unwrap_or_else(|error| panic!("kubectl {}: {error}", words.join(" ")))
    }

    /// Runs kubectl as administrator with this on standard input. The error is what it says.
    pub fn try_kubectl(&self, words: &[&str], input: &str) -> Result<String, String> {
        let mut child = Command::new(&self.kubectl)
            .arg("--kubeconfig")
            .arg(self.kubeconfig(User::Admin))
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("start {}: {error}", self.kubectl.display()))?;
        let mut pipe = child.stdin.take().ok_or("no standard input")?;
        let output = thread::scope(|scope| {
            scope.spawn(move || pipe.write_all(input.as_bytes()));
            child.wait_with_output().map_err(|error| error.to_string())
        })?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
        }
    }

    /// Returns the path of the server's kubectl.
    pub fn kubectl_path(&self) -> &PathBuf {
        &self.kubectl
    }

    /// Makes a namespace whose name begins so and that nobody else has; it goes with the value.
    pub fn namespace(&self, purpose: &str) -> Namespace<'_> {
        let name = format!("{purpose}-{}", unique());
        self.kubectl(&["create", "namespace", &name]);
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
    pub fn recorded_bodies(&self, user: &str, since: Mark, namespace: &str) -> String {
        let all = self.audit.events_between(since, &self.marker());
        let is_meant = |event: &&Value| {
            let reference = &event["objectRef"];
            event["user"]["username"] == user
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
        let answer = self.try_kubectl(&["get", "--raw", &path], "");
        assert!(answer.is_err_and(|error| error.contains("NotFound")), "the marker's request was not answered");
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
}

impl Namespace<'_> {
    /// Returns its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs kubectl in this namespace as administrator; it must succeed.
    #[track_caller]
    pub fn kubectl(&self, words: &[&str]) -> String {
        let mut all = vec!["--namespace", &self.name];
        all.extend(words);
        self.server.kubectl(&all)
    }

    /// Reads an object; `None` if there is none.
    pub fn get(&self, kind: &str, name: &str) -> Option<Value> {
        let text = self.kubectl(&["get", kind, name, "--ignore-not-found", "-o", "json", "--show-managed-fields"]);
        if text.trim().is_empty() { None } else { Some(serde_json::from_str(&text).expect("kubectl prints JSON")) }
    }

    /// Returns `KIND/NAME` of what is there of these kinds, but for what every namespace has.
    pub fn objects(&self, kinds: &str) -> Vec<String> {
        let text = self.kubectl(&["get", kinds, "-o", "name", "--ignore-not-found"]);
        let own = |line: &&str| !["configmap/kube-root-ca.crt", "serviceaccount/default"].contains(line);
        text.lines().filter(own).map(str::to_owned).collect()
    }

    /// Makes objects of this YAML or JSON text.
    #[track_caller]
    pub fn create(&self, text: &str) {
        let made = self.server.try_kubectl(&["--namespace", &self.name, "create", "-f", "-"], text);
        made.unwrap_or_else(|error| panic!("kubectl create: {error}"));
    }

    /// Makes so many ConfigMaps that belong to nobody's stack.
    pub fn create_foreign_config_maps(&self, count: usize) {
        self.create(&super::generate::foreign_config_maps(count));
    }

    /// Makes an account with these rights, and a token for it.
    pub fn account(&self, name: &str, rights: &Rights<'_>) -> Account {
        self.kubectl(&["create", "serviceaccount", name]);
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
        let account = format!("{}:{name}", self.name);
        let (role, subject) = (format!("--clusterrole={role}"), format!("--serviceaccount={account}"));
        self.kubectl(&["create", "clusterrolebinding", &binding, &role, &subject]);
        let token = self.kubectl(&["create", "token", name, "--duration=2h"]);
        Account {
            user: format!("system:serviceaccount:{account}"),
            kubeconfig: self.server.kubeconfig_with_token(token.trim()),
        }
    }

    fn delete(&self) {
        let label = "mathison.dev/stack";
        let columns = format!(
            "jsonpath={{range .items[*]}}{{.kind}}/{{.metadata.name}} {{.metadata.labels.{}}}{{\"\\n\"}}{{end}}",
            label.replace('.', "\\.")
        );
        let kinds = "clusterroles,clusterrolebindings,persistentvolumes";
        let listed = self.server.try_kubectl(&["get", kinds, "-l", label, "-o", &columns], "").unwrap_or_default();
        let suffix = format!(".{}", self.name);
        let mut doomed: Vec<String> = listed
            .lines()
            .filter_map(|line| line.split_once(' '))
            .filter(|(_, value)| value.ends_with(&suffix))
            .map(|(object, _)| object.to_owned())
            .collect();
        let bound = self.server.try_kubectl(&["get", "clusterroles,clusterrolebindings", "-o", "name"], "");
        let prefix = format!("/{}-", self.name);
        doomed.extend(bound.unwrap_or_default().lines().filter(|line| line.contains(&prefix)).map(str::to_owned));
        doomed.push(format!("namespace/{}", self.name));
        let mut words = vec!["delete", "--wait=false", "--ignore-not-found"];
        words.extend(doomed.iter().map(String::as_str));
        // What is left in the cluster is no reason to fail a test twice.
        let _ = self.server.try_kubectl(&words, "");
    }
}

impl Drop for Namespace<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            let words = ["--namespace", &self.name, "get", "events", "--sort-by=.lastTimestamp"];
            let events = self.server.try_kubectl(&words, "").unwrap_or_else(|error| error);
            let last: Vec<&str> = events.lines().rev().take(20).collect();
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
        let text = self.kubectl(&["config", "view", "--raw", "-o", "json"]);
        serde_json::from_str(&text).expect("kubectl prints JSON")
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
