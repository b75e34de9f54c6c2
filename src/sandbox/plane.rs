//! A control plane: opened, bootstrapped, served, run.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderValue};
use jiff::Timestamp;
use serde_json::Value;

use super::access::Tokens;
use super::answer::{Answer, Handler};
use super::api::Api;
use super::clock::Clock;
use super::disk::{Announcement, Disk, Running};
use super::error::SandboxError;
use super::first;
use super::kinds::Kinds;
use super::random::Random;
use super::runner;
use super::server::{Identity, kubeconfig};
use super::state::State;
use super::store::{Key, Store, Stored};

/// How a control plane is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder of its data; `None` keeps it in memory, and it is gone with the process.
    pub folder: Option<PathBuf>,
    /// Whether controllers run. Without them it behaves as a bare API server.
    pub controllers: bool,
    /// What names and identities are made from; the tokens as well, of what lives in memory only.
    pub seed: u64,
    /// The time at which its clock starts.
    pub now: Timestamp,
}

/// A control plane.
pub struct ControlPlane {
    api: Arc<Api>,
    identity: Identity,
    token: String,
    controllers: bool,
    /// The revision at which its controllers had nothing to do.
    settled: Option<u64>,
}

/// Answers as if whoever asks had shown the administrator's token.
struct Local {
    api: Arc<Api>,
    authorization: HeaderValue,
}

impl Handler for Local {
    fn answer(&self, mut request: http::Request<Bytes>) -> Answer {
        request.headers_mut().entry(AUTHORIZATION).or_insert_with(|| self.authorization.clone());
        self.api.answer(request)
    }
}

/// What only the control plane and its administrator know.
struct Secrets {
    token: String,
    key: Vec<u8>,
}

impl Secrets {
    /// Takes those that are kept, or makes some and keeps them.
    fn keep(state: &mut State) -> Result<Self, SandboxError> {
        let mut secret = |name: &str| -> Result<String, SandboxError> {
            if let Some(disk) = &state.disk
                && let Some(kept) = disk.meta(name)?
            {
                return Ok(String::from_utf8_lossy(&kept).into_owned());
            }
            let Some(disk) = &state.disk else { return Ok(state.random.suffix(48)) };
            // Others can reach it, and what the seed gives out is no secret.
            let made = format!("{:032x}{:032x}", rand::random::<u128>(), rand::random::<u128>());
            disk.put_meta(&[(name, made.as_bytes())])?;
            Ok(made)
        };
        Ok(Self { token: secret("token")?, key: secret("token-key")?.into_bytes() })
    }
}

fn bearer(token: &str) -> HeaderValue {
    // Tokens are made of letters and digits.
    HeaderValue::from_str(&format!("Bearer {token}")).unwrap_or(HeaderValue::from_static("Bearer"))
}

impl ControlPlane {
    /// Opens the control plane in a folder, or makes it.
    ///
    /// # Errors
    /// See [`SandboxError`].
    pub fn open(options: &Options) -> Result<Self, SandboxError> {
        let disk = options.folder.as_deref().map(Disk::open).transpose()?;
        let mut store = Store::new(0, []);
        if let Some(disk) = &disk {
            let revision = disk.load(|key, bytes| {
                let stored = Stored::read(bytes);
                stored.map(|stored| store.restore(Key::from_text(key), stored)).is_some()
            })?;
            store.resume(revision);
        }
        let mut random = Random::new(options.seed);
        let identity = match &disk {
            Some(disk) => Identity::keep(disk, options.now)?,
            None => Identity::of_seed(options.now, &mut random)?,
        };
        let mut state = State {
            store,
            kinds: Kinds::new(),
            random,
            clock: Clock::starting_at(options.now),
            disk,
            unsettled: BTreeSet::new(),
            rough: BTreeSet::new(),
        };
        state.serve_definitions();
        let is_settled = first::begin(&mut state, options.controllers, &identity.ca)?;
        let settled = is_settled.then(|| state.store.revision());
        let secrets = Secrets::keep(&mut state)?;
        let api = Arc::new(Api::new(state, Tokens::new(secrets.token.clone(), secrets.key)));
        Ok(Self { api, identity, token: secrets.token, controllers: options.controllers, settled })
    }

    /// The API.
    #[must_use]
    pub fn api(&self) -> &Arc<Api> {
        &self.api
    }

    /// Answers requests of this process, which are its administrator's.
    #[must_use]
    pub fn local(&self) -> Arc<dyn Handler> {
        Arc::new(Local { api: Arc::clone(&self.api), authorization: bearer(&self.token) })
    }

    /// How the server does TLS.
    ///
    /// # Errors
    /// If its certificate cannot be used.
    pub fn tls(&self) -> Result<Arc<tokio_rustls::rustls::ServerConfig>, SandboxError> {
        self.identity.tls()
    }

    /// Returns a kubeconfig for a server at a URL.
    #[must_use]
    pub fn kubeconfig(&self, url: &str) -> Value {
        kubeconfig(url, &self.identity.ca, &self.token, None)
    }

    /// The port on which it was served last.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn last_port(&self) -> Result<Option<u16>, SandboxError> {
        let state = self.api.state();
        let Some(disk) = &state.disk else { return Ok(None) };
        let kept = disk.meta("serve.port")?;
        Ok(kept.and_then(|port| std::str::from_utf8(&port).ok()?.parse().ok()))
    }

    /// Tells other processes that this one serves, as long as the answer lives.
    ///
    /// # Errors
    /// If it cannot be written down; and for a control plane in memory, which nobody else can find.
    pub fn announce(&self, url: &str) -> Result<Option<Announcement>, SandboxError> {
        let state = self.api.state();
        let Some(disk) = &state.disk else { return Ok(None) };
        if let Some(port) = url.rsplit(':').next() {
            disk.put_meta(&[("serve.port", port.as_bytes())])?;
        }
        let running = Running {
            pid: std::process::id(),
            url: url.to_owned(),
            ca: self.identity.ca.clone(),
            token_file: disk.write_token(&self.token)?,
            started: state.clock.now().to_string(),
        };
        disk.announce(&running).map(Some)
    }

    /// Starts the controllers, if it has them. They run on tokio's current runtime until it ends.
    pub fn start(&self) {
        if self.controllers {
            tokio::spawn(runner::run(Arc::clone(&self.api), self.settled));
        }
    }
}
