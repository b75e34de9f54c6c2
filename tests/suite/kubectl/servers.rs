//! The two servers, and the place on one of them where a script runs.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use mathison::sandbox::answer::Handler;
use mathison::sandbox::plane::{ControlPlane, Options};
use mathison::sandbox::server;
use tempfile::TempDir;

use super::normalise;
use crate::support::testbed::Testbed;

/// No command of a script takes longer than these seconds.
const PATIENCE: &str = "60";

/// One of the servers.
pub struct Side {
    kubectl: PathBuf,
    kubeconfig: PathBuf,
    /// Keeps the sandbox alive.
    _served: Option<(tokio::runtime::Runtime, TempDir)>,
}

/// What a command said, made comparable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Side {
    /// The testbed's API server.
    pub fn real() -> Self {
        let testbed = Testbed::expect();
        Self { kubectl: testbed.kubectl, kubeconfig: testbed.folder.join("admin.kubeconfig"), _served: None }
    }

    /// A sandbox of its own, served by this process.
    pub fn sandbox() -> Self {
        let folder = tempfile::tempdir().expect("a folder for the sandbox");
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let kubeconfig = folder.path().join("kubeconfig");
        runtime.block_on(async {
            let now = Timestamp::now();
            let options = Options { folder: Some(folder.path().join("sandbox")), controllers: true, seed: 1, now };
            let plane = ControlPlane::open(&options).expect("open the sandbox");
            let listener = server::listen(None).await.expect("listen");
            let url = server::url(&listener).expect("an address");
            server::write_kubeconfig(&kubeconfig, &plane.kubeconfig(&url)).expect("write the kubeconfig");
            let tls = plane.tls().expect("a certificate");
            plane.start();
            tokio::spawn(async move {
                let handler: Arc<dyn Handler> = plane.api().clone();
                server::serve(listener, tls, handler, std::future::pending()).await;
                drop(plane);
            });
        });
        Self { kubectl: Testbed::expect().kubectl, kubeconfig, _served: Some((runtime, folder)) }
    }
}

/// A folder and a namespace of one script.
pub struct Scene<'a> {
    side: &'a Side,
    folder: TempDir,
    namespace: String,
}

impl<'a> Scene<'a> {
    pub fn new(side: &'a Side, files: &BTreeMap<String, String>) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let namespace = format!("kubectl-{}-{number}", std::process::id());
        let folder = tempfile::tempdir().expect("a folder for the script");
        let scene = Self { side, folder, namespace };
        for (name, text) in files {
            scene.write(name, &text.replace("$NAMESPACE", &scene.namespace));
        }
        fs::copy(&side.kubeconfig, scene.folder.path().join("kubeconfig")).expect("copy the kubeconfig");
        for line in [
            format!("kubectl create namespace {}", scene.namespace),
            format!("kubectl config set-context --current --namespace={}", scene.namespace),
            // What every namespace gets.
            "kubectl wait --for=create serviceaccount/default configmap/kube-root-ca.crt --timeout=30s".to_owned(),
        ] {
            let told = scene.run(&line);
            assert!(told.code == 0, "{line}: {told}");
        }
        scene
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).expect("make a folder");
        fs::write(path, text).expect("write a file of the script");
    }

    /// Runs a line of shell in which `kubectl` speaks to this server, in this namespace.
    pub fn run(&self, line: &str) -> Told {
        let bin = self.side.kubectl.parent().expect("kubectl lies in a folder");
        let output = Command::new("timeout")
            .args([PATIENCE, "/bin/sh", "-c", line])
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", bin.display()))
            .env("HOME", self.folder.path())
            .env("KUBECONFIG", self.folder.path().join("kubeconfig"))
            .env("NAMESPACE", &self.namespace)
            .env("TZ", "UTC")
            .stdin(Stdio::null())
            .output()
            .expect("run a command");
        let text = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes);
            let text = text.replace(&self.namespace, "[namespace]");
            normalise::text(&text.replace(&self.folder.path().display().to_string(), "[folder]"))
        };
        Told { code: output.status.code().unwrap_or(-1), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }
}

impl Drop for Scene<'_> {
    fn drop(&mut self) {
        self.run(&format!("kubectl delete namespace {} --wait=false", self.namespace));
    }
}

impl Told {
    /// The same with the lines in alphabetical order.
    pub fn sorted(&self) -> Self {
        let sorted = |text: &str| {
            let mut lines: Vec<&str> = text.lines().collect();
            lines.sort_unstable();
            lines.join("\n")
        };
        Self { code: self.code, stdout: sorted(&self.stdout), stderr: sorted(&self.stderr) }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "exit code {}", self.code)?;
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !text.is_empty() {
                writeln!(f, "{name}:\n{text}")?;
            }
        }
        Ok(())
    }
}
