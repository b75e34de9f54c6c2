//! How a sandbox is reached: over HTTPS on this machine only, or by a call within the process.

mod identity;
mod kubeconfig;
mod transport;

use std::{future::Future, net::Ipv4Addr, sync::Arc, time::Duration};

use futures::FutureExt;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};

pub use self::{
    identity::Identity,
    kubeconfig::{CONTEXT, kubeconfig, write_kubeconfig},
    transport::{AnswerBody, InMemory, MOST_BODY_BYTES},
};
use super::{answer::Handler, error::SandboxError};

/// Who has not shaken hands by then never will.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long requests that are being answered may take when the server is to stop.
const FAREWELL: Duration = Duration::from_secs(5);

/// Listens on the loopback address: on the port of last time if it is free, else on one that the system chooses.
///
/// # Errors
/// If there is no port to be had.
pub async fn listen(last_port: Option<u16>) -> Result<TcpListener, SandboxError> {
    if let Some(port) = last_port.filter(|port| *port != 0)
        && let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await
    {
        return Ok(listener);
    }
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .map_err(|source| SandboxError::Listen { address: format!("{}:0", Ipv4Addr::LOCALHOST), source })
}

/// Returns the URL of a listener.
///
/// # Errors
/// If the system does not tell the address.
pub fn url(listener: &TcpListener) -> Result<String, SandboxError> {
    let address = listener
        .local_addr()
        .map_err(|source| SandboxError::Listen { address: Ipv4Addr::LOCALHOST.to_string(), source })?;
    Ok(format!("https://{address}"))
}

/// Serves until `stop`: then no connection is taken any more, watches end, and answers under way are finished.
pub async fn serve(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    handler: Arc<dyn Handler>,
    stop: impl Future<Output = ()>,
) {
    let acceptor = TlsAcceptor::from(tls);
    let (stopping, stopped) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, acceptor.clone(), Arc::clone(&handler), stopped.clone()));
                }
                // Too many open files, most likely: taking the next at once would fail as well.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    stopping.send_replace(true);
    let finished = async { while connections.join_next().await.is_some() {} };
    let _ = timeout(FAREWELL, finished).await;
    connections.shutdown().await;
}

async fn connection(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    handler: Arc<dyn Handler>,
    stopped: watch::Receiver<bool>,
) {
    // Watch events are small and must not wait for more.
    let _ = stream.set_nodelay(true);
    let Ok(Ok(stream)) = timeout(HANDSHAKE, acceptor.accept(stream)).await else {
        return;
    };
    let ended = until_stopped(stopped.clone());
    let service = service_fn(move |request| {
        transport::answer(Arc::clone(&handler), request, until_stopped(stopped.clone()).boxed())
    });
    let mut serving =
        std::pin::pin!(http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        // A client that went away is no news.
        _ = &mut serving => return,
        () = ended => serving.as_mut().graceful_shutdown(),
    }
    let _ = serving.await;
}

async fn until_stopped(mut stopped: watch::Receiver<bool>) {
    // An error means that the server is gone, which is a stop as well.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

#[cfg(test)]
mod tests {
    use std::{sync::Mutex, thread};

    use bytes::Bytes;
    use futures::StreamExt;
    use http::{Request, Response};
    use http_body_util::{BodyExt, Empty, Full};
    use jiff::Timestamp;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        sync::oneshot,
    };
    use tokio_rustls::{
        TlsConnector,
        rustls::{
            ClientConfig, RootCertStore,
            crypto::ring,
            pki_types::{CertificateDer, ServerName, pem::PemObject},
        },
    };
    use tower_service::Service;

    use super::*;
    use crate::sandbox::{answer::Answer, disk::Disk};

    /// Says what it was asked; `/watch` gives one event and then waits.
    #[derive(Default)]
    struct Echo {
        asked: Mutex<Vec<String>>,
    }

    impl Handler for Echo {
        fn answer(&self, request: Request<Bytes>) -> Answer {
            let asked = format!("{} {} {}", request.method(), request.uri().path(), request.body().len());
            self.asked.lock().unwrap().push(asked.clone());
            if request.uri().path() == "/watch" {
                let (parts, ()) = Response::new(()).into_parts();
                let events = futures::stream::iter([Bytes::from("one\n")]).chain(futures::stream::pending());
                return Answer::Stream(parts, events.boxed());
            }
            Answer::Whole(Response::new(Bytes::from(asked)))
        }
    }

    async fn text(response: Response<AnswerBody>) -> String {
        String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn a_client_in_this_process_needs_no_socket() {
        let mut service = InMemory(Arc::new(Echo::default()));
        let request = Request::post("/api").body(Full::new(Bytes::from("abc"))).unwrap();
        assert_eq!(text(service.call(request).await.unwrap()).await, "POST /api 3");
        let request = Request::get("/watch").body(Empty::<Bytes>::new()).unwrap();
        let mut body = service.call(request).await.unwrap().into_body();
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "one\n");
    }

    #[tokio::test]
    async fn a_body_over_three_mebibytes_is_refused_in_the_servers_words() {
        let echo = Arc::new(Echo::default());
        let mut service = InMemory(Arc::clone(&echo) as Arc<dyn Handler>);
        let request = |size: usize| Request::post("/").body(Full::new(Bytes::from(vec![b'x'; size]))).unwrap();
        assert_eq!(service.call(request(MOST_BODY_BYTES)).await.unwrap().status(), 200);
        let response = service.call(request(MOST_BODY_BYTES + 1)).await.unwrap();
        assert_eq!(response.status(), 413);
        let status: serde_json::Value = serde_json::from_str(&text(response).await).unwrap();
        assert_eq!(
            status,
            serde_json::json!({
                "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                "message": "Request entity too large: limit is 3145728", "reason": "RequestEntityTooLarge", "code": 413
            })
        );
        assert_eq!(echo.asked.lock().unwrap().len(), 1);
    }

    type Connection = tokio_rustls::client::TlsStream<TcpStream>;

    async fn get(connection: &mut Connection, path: &str) {
        connection.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await.unwrap();
    }

    /// Reads until a text has come.
    async fn read_to(connection: &mut Connection, end: &str) -> String {
        let mut read = Vec::new();
        while !read.ends_with(end.as_bytes()) {
            read.push(connection.read_u8().await.unwrap());
        }
        String::from_utf8(read).unwrap()
    }

    #[tokio::test]
    async fn one_connection_serves_many_requests_and_a_stop_ends_its_watch() {
        let identity = Identity::make(Timestamp::now()).unwrap();
        let listener = listen(None).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(url(&listener).unwrap(), format!("https://127.0.0.1:{port}"));
        // The port is taken, so another is chosen.
        assert_ne!(listen(Some(port)).await.unwrap().local_addr().unwrap().port(), port);

        let (stop, stopped) = oneshot::channel::<()>();
        let server = tokio::spawn(serve(listener, identity.tls().unwrap(), Arc::new(Echo::default()), async {
            let _ = stopped.await;
        }));
        let mut connection = connect(&identity, port).await.unwrap();
        for _ in 0..2 {
            get(&mut connection, "/api").await;
            let answer = read_to(&mut connection, "GET /api 0").await;
            assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        }
        get(&mut connection, "/watch").await;
        let answer = read_to(&mut connection, "one\n\r\n").await;
        assert!(answer.contains("transfer-encoding: chunked"), "{answer}");
        stop.send(()).unwrap();
        // The watch ends in order.
        assert_eq!(read_to(&mut connection, "0\r\n\r\n").await, "0\r\n\r\n");
        server.await.unwrap();
        assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_err());
    }

    #[tokio::test]
    async fn a_client_that_trusts_another_authority_is_not_served() {
        let identity = Identity::make(Timestamp::now()).unwrap();
        let listener = listen(None).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = tokio::spawn(serve(listener, identity.tls().unwrap(), Arc::new(Echo::default()), async {
            std::future::pending::<()>().await;
        }));
        assert!(connect(&Identity::make(Timestamp::now()).unwrap(), port).await.is_err());
        assert!(connect(&identity, port).await.is_ok());
        server.abort();
    }

    async fn connect(identity: &Identity, port: u16) -> std::io::Result<Connection> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(identity.ca.as_bytes()).unwrap()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }

    #[test]
    fn the_identity_is_kept_in_the_store_and_renewed_in_time() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::open(folder.path()).unwrap();
        let now: Timestamp = "2026-11-22T11:00:00Z".parse().unwrap();
        let first = Identity::keep(&disk, now).unwrap();
        assert_eq!(Identity::keep(&disk, "2036-10-01T00:00:00Z".parse().unwrap()).unwrap().ca, first.ca);
        assert_ne!(Identity::keep(&disk, "2036-11-01T00:00:00Z".parse().unwrap()).unwrap().ca, first.ca);
        assert!(!format!("{first:?}").contains("PRIVATE"));
    }

    #[test]
    fn a_kubeconfig_names_the_sandbox_and_is_for_this_user_only() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        write_kubeconfig(&path, &kubeconfig("https://127.0.0.1:1", "PEM\n", "secret", Some("shop"))).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        insta::assert_snapshot!(std::fs::read_to_string(&path).unwrap(), @r"
        apiVersion: v1
        clusters:
        - cluster:
            certificate-authority-data: UEVNCg==
            server: https://127.0.0.1:1
          name: mathison-sandbox
        contexts:
        - context:
            cluster: mathison-sandbox
            namespace: shop
            user: mathison-sandbox
          name: mathison-sandbox
        current-context: mathison-sandbox
        kind: Config
        preferences: {}
        users:
        - name: mathison-sandbox
          user:
            token: secret
        ");
    }

    #[test]
    fn handlers_may_be_shared_by_threads() {
        let service = InMemory(Arc::new(Echo::default()));
        thread::spawn(move || drop(service.clone())).join().unwrap();
    }
}
