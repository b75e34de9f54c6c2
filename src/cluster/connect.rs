//! Which server, and who we are there: `KUBECONFIG`, `~/.kube/config`, or the service account of a pod, as kubectl does.

use std::net::Ipv6Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use http::header::USER_AGENT;
use kube::Config;
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError, LoadDataError};
use serde_json::json;

use super::error::ClusterError;
use super::retry::RetryPolicy;
use super::subject::Endpoint;
use super::{Cluster, connection};

/// How a cluster is reached. The environment is read by whoever makes this.
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    /// The files of `KUBECONFIG`; of equal entries the first counts.
    pub kubeconfig: Vec<PathBuf>,
    /// The home folder, for `.kube/config` where `kubeconfig` names none.
    pub home: Option<PathBuf>,
    /// The values of `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT`, which a pod has; `None` where one is missing.
    pub service: Option<(String, String)>,
    /// Where a pod has the files of its service account.
    pub service_account: PathBuf,
    /// Name of the context; `None`: the file's current one.
    pub context: Option<String>,
    /// What the server's log shall call us.
    pub user_agent: String,
    /// The most writes at once.
    pub parallelism: usize,
    /// How long one try of a request may take.
    pub timeout: Duration,
    /// How failures that pass are met.
    pub retry: RetryPolicy,
    /// Seed of the waits between tries.
    pub seed: u64,
    /// Folder in which the server's kinds are remembered.
    pub cache: Option<PathBuf>,
}

impl Default for ConnectOptions {
    /// Ten writes at once, as kubectl and Terraform have it; 15 seconds for a try, so that a second one fits into the
    /// 30 seconds of the retries.
    fn default() -> Self {
        Self {
            kubeconfig: Vec::new(),
            home: None,
            service: None,
            service_account: PathBuf::from("/var/run/secrets/kubernetes.io/serviceaccount"),
            context: None,
            user_agent: concat!("mathison/", env!("CARGO_PKG_VERSION")).to_owned(),
            parallelism: 10,
            timeout: Duration::from_secs(15),
            retry: RetryPolicy::default(),
            seed: 0,
            cache: None,
        }
    }
}

impl Cluster {
    /// Reads the configuration and prepares a client. Nothing is sent yet, but a credentials plugin may run.
    ///
    /// # Errors
    /// [`ClusterError::Kubeconfig`], [`ClusterError::UnknownContext`], [`ClusterError::Credentials`] and
    /// [`ClusterError::Certificate`].
    pub async fn connect(options: ConnectOptions) -> Result<Self, ClusterError> {
        let (mut config, context) = match read_files(&options)? {
            Some(kubeconfig) => {
                let (config, context) = of_kubeconfig(kubeconfig, options.context.as_deref()).await?;
                (config, Some(context))
            }
            None => (of_kubeconfig(in_cluster(&options)?, None).await?.0, None),
        };
        let agent = HeaderValue::from_str(&options.user_agent)
            .map_err(|_| ClusterError::Kubeconfig { reason: "the user agent cannot stand in a header".to_owned() })?;
        config.headers.push((USER_AGENT, agent));
        config.connect_timeout = Some(options.timeout.min(Duration::from_secs(10)));
        // Repetitions are ours: they are reported, bounded and counted.
        config.default_retry = false;
        let server = config.cluster_url.to_string().trim_end_matches('/').to_owned();
        let endpoint = Endpoint { context, server };
        // A credentials plugin is run and waited for here, so not on a thread that others' futures need.
        let client = tokio::task::spawn_blocking(move || kube::Client::try_from(config));
        let client = match client.await {
            Ok(client) => client.map_err(|error| connection::error_of(&error, &Arc::new(endpoint.clone())))?,
            Err(_) => {
                let reason = "the client could not be made".to_owned();
                return Err(ClusterError::Kubeconfig { reason });
            }
        };
        Ok(Self::from_client(client, endpoint, &options))
    }
}

/// Returns where a kubeconfig may be, as kubectl looks for it.
fn kubeconfig_paths(options: &ConnectOptions) -> Vec<PathBuf> {
    if options.kubeconfig.is_empty() {
        return options.home.iter().map(|home| home.join(".kube").join("config")).collect();
    }
    options.kubeconfig.clone()
}

/// Reads and joins the files there are; `None` if there is none at all.
fn read_files(options: &ConnectOptions) -> Result<Option<Kubeconfig>, ClusterError> {
    let mut joined: Option<Kubeconfig> = None;
    for path in kubeconfig_paths(options) {
        // kubectl leaves out what does not exist, so that one list serves on several machines. What may not be looked at
        // is an error.
        if matches!(path.try_exists(), Ok(false)) {
            continue;
        }
        let next = Kubeconfig::read_from(&path).map_err(|error| unreadable(&path, &error))?;
        joined = Some(match joined {
            Some(joined) => joined.merge(next).map_err(|error| unreadable(&path, &error))?,
            None => next,
        });
    }
    Ok(joined)
}

async fn of_kubeconfig(kubeconfig: Kubeconfig, asked: Option<&str>) -> Result<(Config, String), ClusterError> {
    let known: Vec<String> = kubeconfig.contexts.iter().map(|context| context.name.clone()).collect();
    let Some(context) =
        asked.map(str::to_owned).or_else(|| kubeconfig.current_context.clone()).filter(|name| !name.is_empty())
    else {
        let reason = match known.as_slice() {
            [] => "it has no contexts at all".to_owned(),
            known => format!("no context is chosen; give `--context` one of: {}", known.join(", ")),
        };
        return Err(ClusterError::Kubeconfig { reason });
    };
    if !known.contains(&context) {
        return Err(ClusterError::UnknownContext { context, known });
    }
    let has_proxy = proxy_of(&kubeconfig, &context).is_some();
    let options = KubeConfigOptions { context: Some(context.clone()), cluster: None, user: None };
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .map_err(|error| ClusterError::Kubeconfig { reason: kubeconfig_reason(&error) })?;
    if !has_proxy {
        // kube takes `HTTPS_PROXY` for every server, those of `NO_PROXY` and the own machine included. Only the proxy
        // that the kubeconfig names is meant for this server without doubt.
        config.proxy_url = None;
    }
    Ok((config, context))
}

fn proxy_of(kubeconfig: &Kubeconfig, context: &str) -> Option<String> {
    let context = kubeconfig.contexts.iter().find(|named| named.name == context)?.context.as_ref()?;
    let cluster = kubeconfig.clusters.iter().find(|named| named.name == context.cluster)?.cluster.as_ref()?;
    cluster.proxy_url.clone().filter(|url| !url.is_empty())
}

/// Returns a kubeconfig of the service account that a pod has.
fn in_cluster(options: &ConnectOptions) -> Result<Kubeconfig, ClusterError> {
    let paths: Vec<String> = kubeconfig_paths(options).iter().map(|path| format!("`{}`", path.display())).collect();
    let absent = match paths.as_slice() {
        [] => "`KUBECONFIG` is not set, and there is no home folder to look in".to_owned(),
        [only] => format!("there is no file {only}"),
        several => format!("there is none of the files {}", several.join(", ")),
    };
    if options.context.is_some() {
        // A pod's service account has no contexts to choose from.
        return Err(ClusterError::Kubeconfig { reason: absent });
    }
    let Some((host, port)) = &options.service else {
        let reason = format!("{absent}, and this is no pod: `KUBERNETES_SERVICE_HOST` is not set");
        return Err(ClusterError::Kubeconfig { reason });
    };
    let token = options.service_account.join("token");
    if !token.is_file() {
        let reason = format!("{absent}, and this pod has no service account: there is no file `{}`", token.display());
        return Err(ClusterError::Kubeconfig { reason });
    }
    let host = if host.parse::<Ipv6Addr>().is_ok() { format!("[{host}]") } else { host.clone() };
    let path = |name: &str| options.service_account.join(name).to_string_lossy().into_owned();
    let kubeconfig = json!({
        "current-context": "pod",
        "contexts": [{"name": "pod", "context": {"cluster": "pod", "user": "pod"}}],
        "clusters": [{"name": "pod", "cluster": {
            "server": format!("https://{host}:{port}"),
            "certificate-authority": path("ca.crt"),
        }}],
        // The file is read again while a run lasts, since the kubelet replaces the token.
        "users": [{"name": "pod", "user": {"tokenFile": path("token")}}],
    });
    serde_json::from_value(kubeconfig)
        .map_err(|_| ClusterError::Kubeconfig { reason: "that of the service account cannot be made".to_owned() })
}

fn unreadable(path: &Path, error: &KubeconfigError) -> ClusterError {
    ClusterError::Kubeconfig { reason: format!("`{}`: {}", path.display(), kubeconfig_reason(error)) }
}

/// Says what is wrong without quoting the file, which holds credentials.
pub(super) fn kubeconfig_reason(error: &KubeconfigError) -> String {
    match error {
        KubeconfigError::CurrentContextNotSet => "no context is chosen".to_owned(),
        KubeconfigError::LoadContext(name) => format!("it has no context `{name}`"),
        KubeconfigError::LoadClusterOfContext(name) => format!("it has no cluster `{name}`"),
        KubeconfigError::ReadConfig(error, path) => format!("cannot read `{}`: {error}", path.display()),
        KubeconfigError::Parse(error) => match error.location() {
            Some(location) => {
                format!("it is no kubeconfig, or no YAML, at line {}, column {}", location.line(), location.column())
            }
            None => "it is no kubeconfig, or no YAML".to_owned(),
        },
        KubeconfigError::MissingClusterUrl => "its cluster has no `server`".to_owned(),
        KubeconfigError::ParseClusterUrl(_) => "the `server` of its cluster is no URL".to_owned(),
        KubeconfigError::ParseProxyUrl(_) => "the `proxy-url` of its cluster is no URL".to_owned(),
        KubeconfigError::LoadCertificateAuthority(error) => load_reason("certificate-authority", error),
        KubeconfigError::LoadClientCertificate(error) => load_reason("client-certificate", error),
        KubeconfigError::LoadClientKey(error) => load_reason("client-key", error),
        KubeconfigError::ParseCertificates(_) => "its `certificate-authority` is no PEM certificate".to_owned(),
        KubeconfigError::KindMismatch | KubeconfigError::ApiVersionMismatch => {
            "it is of another kind than the files before it".to_owned()
        }
        KubeconfigError::FindPath => "there is no home folder".to_owned(),
    }
}

fn load_reason(field: &str, error: &LoadDataError) -> String {
    match error {
        LoadDataError::DecodeBase64(_) => format!("its `{field}-data` is no base64"),
        LoadDataError::ReadFile(error, path) => format!("cannot read `{field}` at `{}`: {error}", path.display()),
        LoadDataError::NoBase64DataOrFile => format!("it has no `{field}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "apiVersion: v1\nkind: Config\ncurrent-context: a\n\
        contexts: [{name: a, context: {cluster: a, user: a}}]\n\
        clusters: [{name: a, cluster: {server: 'http://127.0.0.1:1'}}]\nusers: [{name: a, user: {}}]\n";
    const OTHER: &str = "apiVersion: v1\nkind: Config\ncurrent-context: b\n\
        contexts: [{name: b, context: {cluster: b, user: b}}]\n\
        clusters: [{name: b, cluster: {server: 'http://127.0.0.1:2'}}]\nusers: [{name: b, user: {}}]\n";

    /// Of no server; valid for a hundred years.
    const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----
MIIBdTCCARugAwIBAgIUPIBNrZSUsOHRFmYVJr7PWmn/egwwCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEdGVzdDAgFw0yNjExMjIwOTAwNTZaGA8yMTI2MTAyOTA5MDA1
NlowDzENMAsGA1UEAwwEdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABF/G
ZU4RluV8mEuWCu2M5or/glKExtqPa5folEaidNE0yIeUXwvpZcLqMEt1B+7bq5Qc
4Pommgn1km8e2fo+aDWjUzBRMB0GA1UdDgQWBBSoBUeprDy7tHmCJHQhUL2eRJzX
ETAfBgNVHSMEGDAWgBSoBUeprDy7tHmCJHQhUL2eRJzXETAPBgNVHRMBAf8EBTAD
AQH/MAoGCCqGSM49BAMCA0gAMEUCIAGlkw3N6O82DqRB5uqQH68VfBTdkybzIN6l
P4d5FYKVAiEAhijh9C3hIbcIF17H2Aa572NfOSdm+wQyvJVpHOCIeVQ=
-----END CERTIFICATE-----
";

    fn options(files: &[&Path]) -> ConnectOptions {
        ConnectOptions {
            kubeconfig: files.iter().map(|file| file.to_path_buf()).collect(),
            ..ConnectOptions::default()
        }
    }

    #[tokio::test]
    async fn of_several_files_the_first_chooses_and_missing_ones_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("one"), ONE).unwrap();
        std::fs::write(path("other"), OTHER).unwrap();
        let mut options = options(&[&path("missing"), &path("one"), &path("other")]);
        let cluster = Cluster::connect(options.clone()).await.unwrap();
        assert_eq!((cluster.context_name(), cluster.server()), (Some("a"), "http://127.0.0.1:1"));
        options.context = Some("b".to_owned());
        let cluster = Cluster::connect(options.clone()).await.unwrap();
        assert_eq!((cluster.context_name(), cluster.server()), (Some("b"), "http://127.0.0.1:2"));
        options.context = Some("c".to_owned());
        let error = Cluster::connect(options).await.err().unwrap();
        assert_eq!(error.to_string(), "the kubeconfig has no context `c`");
        assert_eq!(error.hint().as_deref(), Some("it has: a, b"));
    }

    #[tokio::test]
    async fn without_a_kubeconfig_the_service_account_of_the_pod_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let account = folder.path().join("account");
        let mut options = ConnectOptions {
            home: Some(folder.path().to_owned()),
            service_account: account.clone(),
            ..ConnectOptions::default()
        };
        let reason = async |options: &ConnectOptions| {
            let error = Cluster::connect(options.clone()).await.err().unwrap();
            error.to_string().replace(&folder.path().display().to_string(), "~")
        };
        let mut reasons = vec![reason(&options).await];
        options.service = Some(("fd00::1".to_owned(), "6443".to_owned()));
        reasons.push(reason(&options).await);
        std::fs::create_dir(&account).unwrap();
        std::fs::write(account.join("token"), "canary").unwrap();
        reasons.push(reason(&options).await);
        insta::assert_snapshot!(reasons.join("\n"), @r"
        cannot use the kubeconfig: there is no file `~/.kube/config`, and this is no pod: `KUBERNETES_SERVICE_HOST` is not set
        cannot use the kubeconfig: there is no file `~/.kube/config`, and this pod has no service account: there is no file `~/account/token`
        cannot use the kubeconfig: cannot read `certificate-authority` at `~/account/ca.crt`: No such file or directory (os error 2)
        ");

        std::fs::write(account.join("ca.crt"), CERTIFICATE).unwrap();
        let cluster = Cluster::connect(options.clone()).await.unwrap();
        assert_eq!((cluster.context_name(), cluster.server()), (None, "https://[fd00::1]:6443"));
        options.context = Some("c".to_owned());
        assert_eq!(reason(&options).await, "cannot use the kubeconfig: there is no file `~/.kube/config`");
        options.context = None;
        std::fs::create_dir(folder.path().join(".kube")).unwrap();
        std::fs::write(folder.path().join(".kube/config"), ONE).unwrap();
        let cluster = Cluster::connect(options).await.unwrap();
        assert_eq!(cluster.context_name(), Some("a"), "a kubeconfig comes first");
    }

    #[tokio::test]
    async fn a_kubeconfig_without_a_current_context_says_which_there_are() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        let mut reasons = Vec::new();
        for content in [ONE.replace("current-context: a\n", ""), "apiVersion: v1\nkind: Config\n".to_owned()] {
            std::fs::write(&file, content).unwrap();
            reasons.push(Cluster::connect(options(&[&file])).await.err().unwrap().to_string());
        }
        insta::assert_snapshot!(reasons.join("\n"), @r"
        cannot use the kubeconfig: no context is chosen; give `--context` one of: a
        cannot use the kubeconfig: it has no contexts at all
        ");
    }

    #[tokio::test]
    async fn a_broken_kubeconfig_is_named_by_its_place_and_not_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        std::fs::write(&file, "users:\n- name: a\n  user: {token: canary\ncontexts: 3\n").unwrap();
        let error = Cluster::connect(options(&[&file])).await.err().unwrap().to_string();
        assert!(error.starts_with("cannot use the kubeconfig: `"), "{error}");
        assert!(!error.contains("canary"), "{error}");
    }

    #[tokio::test]
    async fn a_server_that_nobody_runs_is_told_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        // Port 1 of the loopback is nobody's.
        std::fs::write(&file, ONE).unwrap();
        let cluster = Cluster::connect(options(&[&file])).await.unwrap();
        let error = cluster.identity().await.unwrap_err();
        assert_eq!(error.to_string(), "cannot reach http://127.0.0.1:1: connection refused");
        assert_eq!(cluster.requests().reads, 1, "it is not tried again");
    }
}
