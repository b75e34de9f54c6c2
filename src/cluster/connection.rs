//! From an error below HTTP to a [`ClusterError`].

use std::error::Error;
use std::io;
use std::sync::Arc;

use super::error::{ClusterError, ConnectionFailure};
use super::subject::Endpoint;

/// What the chain of causes tells.
struct Chain {
    texts: Vec<String>,
    kind: Option<io::ErrorKind>,
}

impl Chain {
    fn of(error: &(dyn Error + 'static)) -> Self {
        let mut chain = Self { texts: Vec::new(), kind: None };
        let mut current = Some(error);
        while let Some(error) = current {
            // kube's own words would repeat those below.
            if error.downcast_ref::<kube::Error>().is_none() {
                chain.texts.push(error.to_string());
            }
            if let Some(error) = error.downcast_ref::<io::Error>() {
                chain.kind = Some(error.kind());
            }
            current = error.source();
        }
        chain
    }

    fn says(&self, words: &str) -> bool {
        self.texts.iter().any(|text| text.to_lowercase().contains(words))
    }

    fn innermost(&self) -> String {
        self.texts.last().cloned().unwrap_or_else(|| "the connection failed".to_owned())
    }
}

/// Takes kube's error apart. It must not come from an answer of the API: those are read by `status`.
pub(super) fn error_of(error: &kube::Error, endpoint: &Arc<Endpoint>) -> ClusterError {
    let endpoint = Arc::clone(endpoint);
    match error {
        kube::Error::Auth(error) => return ClusterError::Credentials { endpoint, reason: credentials_reason(error) },
        kube::Error::RustlsTls(error) => {
            return ClusterError::Certificate { endpoint, reason: Chain::of(error).innermost() };
        }
        kube::Error::ProxyProtocolUnsupported { .. } | kube::Error::ProxyProtocolDisabled { .. } => {
            let reason = "its `proxy-url` has a protocol that is not supported".to_owned();
            return ClusterError::Kubeconfig { reason };
        }
        kube::Error::InferKubeconfig(error) => {
            return ClusterError::Kubeconfig { reason: super::connect::kubeconfig_reason(error) };
        }
        _ => {}
    }
    // An error of the credentials plugin arrives wrapped by the middleware.
    let mut current: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = current {
        if let Some(error) = error.downcast_ref::<kube::client::AuthError>() {
            return ClusterError::Credentials { endpoint, reason: credentials_reason(error) };
        }
        current = error.source();
    }
    let chain = Chain::of(error);
    let reason = chain.innermost();
    if chain.says("certificate") {
        let reason = if chain.says("unknownissuer") {
            "its certificate is signed by no authority that the kubeconfig trusts".to_owned()
        } else {
            reason
        };
        return ClusterError::Certificate { endpoint, reason };
    }
    use io::ErrorKind::{
        BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset, NotConnected, TimedOut, UnexpectedEof,
    };
    let failure = match chain.kind {
        _ if chain.says("dns error") || chain.says("failed to lookup address") => ConnectionFailure::Name,
        // Nothing was sent yet, and a server that swallows the first packet will swallow the next.
        Some(TimedOut) if chain.says("client error (connect)") => ConnectionFailure::Other,
        Some(ConnectionRefused) => ConnectionFailure::Refused,
        Some(BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected | TimedOut | UnexpectedEof) => {
            ConnectionFailure::Broken
        }
        // hyper's words for a server that went away between request and answer.
        _ if chain.says("message completed") || chain.says("connection closed") || chain.says("channel closed") => {
            ConnectionFailure::Broken
        }
        _ => ConnectionFailure::Other,
    };
    ClusterError::Unreachable { endpoint, failure, reason: plain(&reason) }
}

/// Takes `(os error 111)` away, and lowers the first letter.
fn plain(reason: &str) -> String {
    let reason = reason.split(" (os error").next().unwrap_or(reason);
    let mut characters = reason.chars();
    characters.next().map(|first| first.to_lowercase().chain(characters).collect()).unwrap_or_default()
}

/// kube shows the whole output of a credentials plugin, token and all, so only its end and its complaints are told.
pub(super) fn credentials_reason(error: &kube::client::AuthError) -> String {
    use kube::client::AuthError;
    match error {
        AuthError::AuthExecRun { cmd, out } => {
            let complaint = String::from_utf8_lossy(&out.stderr);
            let complaint = complaint.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
            format!("`{cmd}` ended with {}: {}", out.status, complaint.trim())
        }
        AuthError::AuthExecStart(error) => {
            format!("the credentials plugin cannot be run: {}", plain(&error.to_string()))
        }
        AuthError::AuthExecParse(_) => "the credentials plugin printed something that is no ExecCredential".to_owned(),
        AuthError::ReadTokenFile(error, path) => {
            format!("cannot read token file `{}`: {}", path.display(), plain(&error.to_string()))
        }
        AuthError::InvalidBasicAuth(_) | AuthError::InvalidBearerToken(_) => {
            "the token or password has a character that a header cannot hold".to_owned()
        }
        AuthError::MissingCommand => "the credentials plugin has no `command`".to_owned(),
        _ => "the credentials of the kubeconfig cannot be used".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint() -> Arc<Endpoint> {
        Arc::new(Endpoint { context: Some("kind-a".to_owned()), server: "https://127.0.0.1:6443".to_owned() })
    }

    fn service(error: io::Error) -> ClusterError {
        error_of(&kube::Error::Service(Box::new(error)), &endpoint())
    }

    fn show(error: &ClusterError) -> String {
        format!("{error}\n{}", error.hint().unwrap_or_else(|| "-".to_owned()))
    }

    #[test]
    fn a_server_that_does_not_run_is_named_with_the_way_to_look() {
        insta::assert_snapshot!(show(&service(io::Error::from_raw_os_error(111))), @r"
        cannot reach https://127.0.0.1:6443: connection refused
        is the cluster running? try `kubectl --context kind-a cluster-info`
        ");
    }

    #[test]
    fn a_certificate_that_is_not_trusted_is_no_outage() {
        let error = service(io::Error::new(io::ErrorKind::InvalidData, "invalid peer certificate: UnknownIssuer"));
        insta::assert_snapshot!(show(&error), @r"
        no trusted connection to https://127.0.0.1:6443: its certificate is signed by no authority that the kubeconfig trusts
        check `certificate-authority`, `client-certificate` and the server's host name in context `kind-a` of the kubeconfig
        ");
    }

    #[test]
    fn a_broken_connection_leaves_the_outcome_open() {
        for kind in [io::ErrorKind::ConnectionReset, io::ErrorKind::UnexpectedEof, io::ErrorKind::BrokenPipe] {
            assert!(service(io::Error::from(kind)).outcome_unknown(), "{kind:?}");
        }
        assert!(!service(io::Error::from(io::ErrorKind::ConnectionRefused)).outcome_unknown());
    }

    #[test]
    fn a_server_that_swallows_packets_was_never_asked() {
        #[derive(Debug, thiserror::Error)]
        #[error("client error (Connect)")]
        struct Connect(#[source] io::Error);
        let error = Connect(io::Error::new(io::ErrorKind::TimedOut, "deadline has elapsed"));
        let error = error_of(&kube::Error::Service(Box::new(error)), &endpoint());
        assert!(!error.outcome_unknown());
        assert_eq!(error.to_string(), "cannot reach https://127.0.0.1:6443: deadline has elapsed");
    }

    #[test]
    fn an_unknown_host_name_points_at_the_kubeconfig() {
        let error = service(io::Error::other("dns error: failed to lookup address information"));
        assert!(matches!(error, ClusterError::Unreachable { failure: ConnectionFailure::Name, .. }), "{error:?}");
    }

    #[cfg(unix)]
    #[test]
    fn the_output_of_a_credentials_plugin_is_never_shown() {
        use std::os::unix::process::ExitStatusExt as _;
        let out = std::process::Output {
            status: std::process::ExitStatus::from_raw(256),
            stdout: b"canary".to_vec(),
            stderr: b"please log in\n\n".to_vec(),
        };
        let error = kube::client::AuthError::AuthExecRun { cmd: "aws".to_owned(), out: Box::new(out) };
        let shown = error_of(&kube::Error::Auth(error), &endpoint()).to_string();
        assert_eq!(
            shown,
            "cannot get credentials for https://127.0.0.1:6443: `aws` ended with exit status: 1: please log in"
        );
    }
}
